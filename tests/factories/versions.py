"""Small versions for tests: a graph of one layer, all of whose numbers are known, in a folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from fer import ModelVersion
from fer.versions.folder import CONFIG, GRAPH, write_config

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "models" / "seed-cnn"
LABELS = ("happy", "bored", "asleep")
SHAPE = (8, 6, 1)

Array = NDArray[np.float32]


def copy_seed(folder: Path) -> Path:
    """A copy of the bundled version, to be broken at will."""
    return shutil.copytree(SEED, folder / SEED.name)


def weights(seed: int = 0, classes: int = len(LABELS)) -> Array:
    """The layer's matrix (classes, pixels)."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.5, (classes, SHAPE[0] * SHAPE[1])).astype(np.float32)


def tiny_config(**changes: Any) -> dict[str, Any]:
    """A valid configuration for `tiny_graph(weights())`."""
    return {
        "name": "tiny",
        "architecture": "one_layer",
        "parameters": weights().size,
        "labels": list(LABELS),
        "input": {"shape": list(SHAPE), "range": [0.0, 1.0]},
        "output": "logits",
        "temperature": 1.0,
        "crops": {"fixed": {"scale": 1.0, "shift": [0.0, 0.0], "level": False}},
        "lineage": {},
        **changes,
    }


def write_tiny(folder: Path, graph: bytes | None = None, **changes: Any) -> ModelVersion:
    """Seal a tiny version in `folder`; `changes` go into its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GRAPH).write_bytes(tiny_graph(weights()) if graph is None else graph)
    (folder / CONFIG).unlink(missing_ok=True)
    return write_config(folder, tiny_config(**changes))


def tiny_graph(
    matrix: Array, *, shape: tuple[int, ...] = SHAPE, softmax: bool = False, one_only: bool = False
) -> bytes:
    """A LiteRT graph: pixels times `matrix` transposed, then softmax.

    `one_only` cannot run two pictures at once.
    """
    pixels, classes = matrix.shape[1], matrix.shape[0]
    builder = _Builder()
    x = start = builder.tensor((1, *shape), schema.TensorType.FLOAT32)
    if one_only:
        flat = builder.tensor(
            (2,), schema.TensorType.INT32, np.array([1, pixels], np.int32).tobytes()
        )
        x = builder.operator(schema.BuiltinOperator.RESHAPE, [x, flat], (1, pixels))
    table = builder.tensor(matrix.shape, schema.TensorType.FLOAT32, matrix.tobytes())
    x = builder.operator(
        schema.BuiltinOperator.FULLY_CONNECTED,
        [x, table, -1],
        (1, classes),
        schema.BuiltinOptions.FullyConnectedOptions,
        schema.FullyConnectedOptionsT(),
    )
    if softmax:
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        kind = schema.BuiltinOptions.SoftmaxOptions
        x = builder.operator(schema.BuiltinOperator.SOFTMAX, [x], (1, classes), kind, options)
    return builder.pack(start, x)


def byte_graph(shape: tuple[int, ...] = SHAPE, classes: int = len(LABELS)) -> bytes:
    """A LiteRT graph that takes and returns uint8, which no version may."""
    builder = _Builder()
    start = builder.tensor((1, *shape), schema.TensorType.UINT8)
    target = builder.tensor(
        (2,), schema.TensorType.INT32, np.array([-1, classes], np.int32).tobytes()
    )
    end = builder.operator(
        schema.BuiltinOperator.RESHAPE,
        [start, target],
        (int(np.prod(shape)) // classes, classes),
        kind=schema.TensorType.UINT8,
    )
    return builder.pack(start, end)


class _Builder:
    """Collects the tensors and operators of one LiteRT graph."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.buffers: list[Any] = [schema.BufferT()]
        self.codes: list[Any] = []
        self.operators: list[Any] = []

    def tensor(self, shape: tuple[int, ...], kind: int, content: bytes | None = None) -> int:
        tensor = schema.TensorT()
        tensor.name = f"t{len(self.tensors)}".encode()
        tensor.shape = list(shape)
        tensor.type = kind
        tensor.shapeSignature = list(shape) if content else [-1, *shape[1:]]
        tensor.buffer = 0
        if content:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content, np.uint8)
            self.buffers.append(buffer)
            tensor.buffer = len(self.buffers) - 1
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(
        self,
        code: int,
        inputs: list[int],
        shape: tuple[int, ...],
        options_kind: int = 0,
        options: object = None,
        kind: int = schema.TensorType.FLOAT32,
    ) -> int:
        """Append an operator and return the tensor it writes."""
        description = schema.OperatorCodeT()
        description.builtinCode = description.deprecatedBuiltinCode = code
        description.version = 1
        self.codes.append(description)
        end = self.tensor(shape, kind)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes) - 1
        operator.inputs = inputs
        operator.outputs = [end]
        operator.builtinOptionsType = options_kind
        operator.builtinOptions = options
        self.operators.append(operator)
        return end

    def pack(self, start: int, end: int) -> bytes:
        graph = schema.SubGraphT()
        graph.tensors = self.tensors
        graph.operators = self.operators
        graph.inputs = [start]
        graph.outputs = [end]
        model = schema.ModelT()
        model.version = 3
        model.operatorCodes = self.codes
        model.subgraphs = [graph]
        model.buffers = self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
