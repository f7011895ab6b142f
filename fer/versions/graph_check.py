"""What a graph of unknown origin may hold: one feed-forward network whose shapes no pixel can change.

LiteRT believes a graph in much: an index out of range, a loop without an end or a shape computed
from the picture pass its own checks. `check_graph` reads the same bytes with LiteRT's schema and
admits only what a Keras network of convolutions and dense layers becomes, in float32 or int8. It is
meant for a process of its own (`fer.versions.sandbox_process`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from fer.errors import ModelError

IDENTIFIER = b"TFL3"
INPUT_COUNTS = {
    **dict.fromkeys(
        ("ABS", "AVERAGE_POOL_2D", "DEQUANTIZE", "ELU", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU"),
        (1, 1),
    ),
    **dict.fromkeys(("LOGISTIC", "LOG", "MAX_POOL_2D", "NEG", "QUANTIZE", "RELU", "RELU6"), (1, 1)),
    **dict.fromkeys(
        ("RELU_N1_TO_1", "RSQRT", "SHAPE", "SOFTMAX", "SQRT", "SQUARE", "SQUEEZE", "TANH"), (1, 1)
    ),
    **dict.fromkeys(
        ("ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "POW", "SQUARED_DIFFERENCE", "SUB"), (2, 2)
    ),
    **dict.fromkeys(("BATCH_MATMUL", "EXPAND_DIMS", "PAD", "PRELU", "TILE", "TRANSPOSE"), (2, 2)),
    **dict.fromkeys(("MEAN", "REDUCE_MAX", "SUM"), (2, 2)),
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), (2, 3)),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), (2, 2)),
    **dict.fromkeys(("CONCATENATION", "PACK"), (1, 64)),
    **dict.fromkeys(("BATCH_TO_SPACE_ND", "PADV2", "SPACE_TO_BATCH_ND"), (3, 3)),
    "RESHAPE": (1, 2),
    "STRIDED_SLICE": (4, 4),
}
"""The operators that may stand in a graph, and how many inputs each takes."""

_TYPES: dict[int, np.dtype[Any]] = {
    schema.TensorType.FLOAT32: np.dtype(np.float32),
    schema.TensorType.INT8: np.dtype(np.int8),
    schema.TensorType.INT32: np.dtype(np.int32),
}
_MAX_RANK, _MAX_VALUES = 6, 1 << 26
_BIASED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_SHAPE_ARITHMETIC = ("STRIDED_SLICE", "PACK")
_OPERATOR_NAMES: dict[int, str] = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}
_TYPE_NAMES: dict[int, str] = {
    code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)
}
_EXPECTED = ", ".join(_TYPE_NAMES[kind] for kind in _TYPES)


def check_graph(content: bytes) -> None:
    """Raises ModelError naming what does not belong into a graph.

    Bytes that are none make the reader stumble.
    """
    _require(content[4:8] == IDENTIFIER, "it is not a LiteRT graph")
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    subgraphs = _list(model.subgraphs)
    _require(len(subgraphs) == 1, f"it holds {len(subgraphs)} subgraphs, expected one")
    operators = [_operator_name(code) for code in _list(model.operatorCodes)]
    for name in operators:
        _require(
            name in INPUT_COUNTS,
            f"it uses the operator {name}, which no network of this kind needs",
        )
    _check_subgraph(subgraphs[0], operators, _list(model.buffers))
    for signature in _list(model.signatureDefs):
        _require(signature.subgraphIndex == 0, "a signature names a subgraph that is not there")
        for end in (*_list(signature.inputs), *_list(signature.outputs)):
            _require(
                end.tensorIndex < len(subgraphs[0].tensors),
                "a signature names a tensor that is not there",
            )


def _check_subgraph(
    graph: schema.SubGraphT, operators: Sequence[str], buffers: Sequence[schema.BufferT]
) -> None:
    """Check every tensor, then that each operator reads only what is known before it and writes what is not."""
    tensors = _list(graph.tensors)
    constants = {index for index, tensor in enumerate(tensors) if _check_tensor(tensor, buffers)}
    starts, ends = _list(graph.inputs), _list(graph.outputs)
    for what, indices in (("input", starts), ("output", ends)):
        _require(len(indices) == 1, f"it has {len(indices)} {what}s, expected one")
        _require(0 <= indices[0] < len(tensors), f"its {what} is a tensor that is not there")
        _require(indices[0] not in constants, f"its {what} is a constant")
        kind = tensors[indices[0]].type
        _require(
            kind == schema.TensorType.FLOAT32,
            f"its {what} is {_TYPE_NAMES[kind]}, expected FLOAT32",
        )
    known = constants | {starts[0]}
    for operator in _list(graph.operators):
        _require(0 <= operator.opcodeIndex < len(operators), "an operator has no code")
        name = operators[operator.opcodeIndex]
        inputs, outputs = _list(operator.inputs), _list(operator.outputs)
        least, most = INPUT_COUNTS[name]
        _require(
            least <= len(inputs) <= most,
            f"{name} has {len(inputs)} inputs, expected {least} to {most}",
        )
        given = inputs[:2] if name in _BIASED and inputs[2:] == [-1] else inputs  # -1: no bias
        _require(known.issuperset(given), f"{name} reads a tensor that is not known before it")
        _require(len(outputs) == 1, f"{name} has {len(outputs)} outputs, expected one")
        _require(0 <= outputs[0] < len(tensors), f"{name} writes a tensor that is not there")
        _require(outputs[0] not in known, f"{name} writes a tensor that is known before it")
        _check_integers(name, tensors, given, outputs[0], constants)
        _require(not _list(operator.mutatingVariableInputs), f"{name} changes its inputs")
        _require(not _list(operator.intermediates), f"{name} has intermediate tensors")
        known.add(outputs[0])
    _require(ends[0] in known, "its output is never computed")


def _check_integers(
    name: str,
    tensors: Sequence[schema.TensorT],
    inputs: Sequence[int],
    output: int,
    constants: set[int],
) -> None:
    """Computed integers are the sizes of a batch on their way into RESHAPE.

    No pixel can change a shape.
    """
    integer = schema.TensorType.INT32
    if tensors[output].type == integer and name != "SHAPE":
        sizes_alone = all(tensors[index].type == integer for index in inputs)
        _require(
            name in _SHAPE_ARITHMETIC and sizes_alone, f"{name} computes integers from the picture"
        )
    computed = [
        place
        for place, index in enumerate(inputs)
        if tensors[index].type == integer and index not in constants
    ]
    allowed = {"RESHAPE": [1], "STRIDED_SLICE": [0], "PACK": list(range(len(inputs)))}.get(name, [])
    _require(set(computed) <= set(allowed), f"{name} has a shape that is computed")


def _check_tensor(tensor: schema.TensorT, buffers: Sequence[schema.BufferT]) -> bool:
    """Whether the tensor is a constant, which must fill its shape."""
    name, shape = (tensor.name or b"").decode("utf-8", "replace")[:60], _list(tensor.shape)
    _require(
        tensor.type in _TYPES,
        f"the tensor {name} is {_TYPE_NAMES.get(tensor.type)}, expected {_EXPECTED}",
    )
    fixed = (
        len(shape) <= _MAX_RANK
        and all(side > 0 for side in shape)
        and math.prod(shape) <= _MAX_VALUES
    )
    _require(fixed, f"the tensor {name} has the shape {shape[:8]}")
    signature = _list(tensor.shapeSignature) or shape
    dynamic = signature[1:] != shape[1:] or len(signature) != len(shape)
    _require(
        not dynamic,
        f"the tensor {name} has a dynamic shape {signature[:8]}; only the first side may be open",
    )
    _require(
        not (tensor.isVariable or tensor.sparsity or _list(tensor.variantTensors)),
        f"the tensor {name} is special",
    )
    _check_quantization(tensor.quantization, shape, name)
    _require(0 <= tensor.buffer < len(buffers), f"the tensor {name} has no buffer")
    buffer = buffers[tensor.buffer]
    _require(
        not (buffer.offset or buffer.size), f"the tensor {name} has its values outside the graph"
    )
    size = 0 if buffer.data is None else len(buffer.data)
    expected = math.prod(shape) * _TYPES[tensor.type].itemsize
    _require(size in (0, expected), f"the tensor {name} has {size:,} bytes, expected {expected:,}")
    return size > 0


def _check_quantization(
    quantization: schema.QuantizationParametersT | None, shape: Sequence[int], name: str
) -> None:
    if quantization is None:
        return
    scales, zeros = _list(quantization.scale), _list(quantization.zeroPoint)
    axis = quantization.quantizedDimension
    sizes = (0, 1, shape[axis]) if 0 <= axis < len(shape) else (0, 1)
    sound = len(scales) == len(zeros) and len(scales) in sizes and quantization.details is None
    _require(sound, f"the tensor {name} has {len(scales)} scales and {len(zeros)} zero points")
    _require(
        all(scale > 0 and math.isfinite(scale) for scale in scales),
        f"the tensor {name} has a scale that is none",
    )


def _operator_name(code: schema.OperatorCodeT) -> str:
    number = max(code.builtinCode, code.deprecatedBuiltinCode)  # as LiteRT reads them
    return _OPERATOR_NAMES.get(number, f"{number}")


def _list(values: Iterable[Any] | None) -> list[Any]:
    """A vector of the schema as a list, of Python's own numbers; an absent one is empty."""
    if values is None:
        return []
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _require(holds: bool, complaint: str) -> None:
    if not holds:
        raise ModelError(complaint)
