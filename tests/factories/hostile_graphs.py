"""Graphs made to harm who runs them: changes of the tiny graph, and random ones of any graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.factories.versions import SHAPE, tiny_graph, weights

Operator, Type = schema.BuiltinOperator, schema.TensorType


def edited(change: Callable[[Any], None], graph: bytes | None = None) -> bytes:
    """The graph after a change of what LiteRT's schema reads of it."""
    model = schema.ModelT.InitFromPackedBuf(graph or tiny_graph(weights()), 0)
    for operator in _operators(model):
        operator.inputs = operator.inputs.tolist()  # the reader's own arrays cannot be changed
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def crash() -> bytes:
    """A transposition without an order of the sides, which LiteRT looks for at a null pointer."""

    def change(model: Any) -> None:
        (graph,) = model.subgraphs
        after = _tensor(graph, (1, *SHAPE))
        graph.operators[0].inputs[0] = after
        graph.operators.insert(
            0, _operator(model, Operator.TRANSPOSE, [graph.inputs[0], -1], after)
        )

    return edited(change)


def bad_name() -> bytes:
    """The name of the input is no UTF-8."""
    return edited(lambda model: setattr(model.subgraphs[0].tensors[0], "name", b"face\xff\xfe"))


def custom() -> bytes:
    """The layer is an operator that only its author has."""

    def change(model: Any) -> None:
        code = model.operatorCodes[0]
        code.builtinCode = Operator.CUSTOM
        code.deprecatedBuiltinCode = Operator.CUSTOM
        code.customCode = b"Own"

    return edited(change)


def open_side() -> bytes:
    """The input leaves its height open, too."""
    return edited(
        lambda model: setattr(model.subgraphs[0].tensors[0], "shapeSignature", [-1, -1, *SHAPE[1:]])
    )


def endless() -> bytes:
    """A WHILE whose condition is always true."""

    def change(model: Any) -> None:
        (graph,) = model.subgraphs
        looped = _tensor(graph, (1, *SHAPE))
        options = schema.WhileOptionsT()
        options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
        loop = _operator(model, Operator.WHILE, [graph.inputs[0]], looped)
        loop.builtinOptionsType, loop.builtinOptions = schema.BuiltinOptions.WhileOptions, options
        graph.operators[0].inputs[0] = looped
        graph.operators.insert(0, loop)
        condition, body = _identity((1, *SHAPE)), _identity((1, *SHAPE))
        condition.outputs = [_tensor(condition, (1,), Type.BOOL, _buffer(model, b"\1"))]
        model.subgraphs += [condition, body]

    return edited(change)


def hungry_for_light() -> bytes:
    """It fills an array with 20 million numbers for each white pixel."""

    def change(model: Any) -> None:
        (graph,) = model.subgraphs
        axes = _tensor(
            graph, (4,), Type.INT32, _buffer(model, np.arange(4, dtype=np.int32).tobytes())
        )
        factor = _tensor(graph, (1,), buffer=_buffer(model, np.array([2e7], np.float32).tobytes()))
        one = _tensor(graph, (), buffer=_buffer(model, np.array([1], np.float32).tobytes()))
        first = _tensor(graph, (1,), Type.INT32, _buffer(model, bytes(4)))
        total = _tensor(graph, (1,))
        scaled = _tensor(graph, (1,))
        count = _tensor(graph, (1,), Type.INT32)
        long, summed, start = _tensor(graph, (1,)), _tensor(graph, ()), graph.inputs[0]
        changed = _tensor(graph, (1, *SHAPE))
        reducing, whole = schema.ReducerOptionsT(), schema.ReducerOptionsT()
        flat = _tensor(graph, (1,), Type.INT32, _buffer(model, np.array([1], np.int32).tobytes()))
        alone = _tensor(graph, ())
        steps = [
            (Operator.SUM, [start, axes], alone, schema.BuiltinOptions.ReducerOptions, reducing),
            (Operator.RESHAPE, [alone, flat], total, 0, None),
            (
                Operator.MUL,
                [total, factor],
                scaled,
                schema.BuiltinOptions.MulOptions,
                schema.MulOptionsT(),
            ),
            (
                Operator.CAST,
                [scaled],
                count,
                schema.BuiltinOptions.CastOptions,
                schema.CastOptionsT(),
            ),
            (
                Operator.FILL,
                [count, one],
                long,
                schema.BuiltinOptions.FillOptions,
                schema.FillOptionsT(),
            ),
            (Operator.SUM, [long, first], summed, schema.BuiltinOptions.ReducerOptions, whole),
            (
                Operator.ADD,
                [start, summed],
                changed,
                schema.BuiltinOptions.AddOptions,
                schema.AddOptionsT(),
            ),
        ]
        operators = [_operator(model, code, inputs, output) for code, inputs, output, *_ in steps]
        for operator, (*_, kind, options) in zip(operators, steps, strict=True):
            operator.builtinOptionsType, operator.builtinOptions = kind, options
        graph.operators[0].inputs[0] = changed
        graph.operators = [*operators, *graph.operators]

    return edited(change)


def wide(pixels: int = 20_000) -> bytes:
    """Of known operators alone: a margin of `pixels` around the picture, then the mean of all."""

    def change(model: Any) -> None:
        (graph,) = model.subgraphs
        margins = np.array([[0, 0], [0, pixels], [0, pixels], [0, 0]], np.int32)
        amounts = _tensor(graph, (4, 2), Type.INT32, _buffer(model, margins.tobytes()))
        axes = _tensor(
            graph, (2,), Type.INT32, _buffer(model, np.array([1, 2], np.int32).tobytes())
        )
        padded, mean = _tensor(graph, (1, *SHAPE)), _tensor(graph, (1, 1, 1, 1))
        summed = _tensor(graph, (1, *SHAPE))
        options = schema.ReducerOptionsT()
        options.keepDims = True
        steps = [
            _operator(model, Operator.PAD, [graph.inputs[0], amounts], padded),
            _operator(model, Operator.MEAN, [padded, axes], mean),
            _operator(model, Operator.ADD, [graph.inputs[0], mean], summed),
        ]
        steps[1].builtinOptionsType, steps[1].builtinOptions = (
            schema.BuiltinOptions.ReducerOptions,
            options,
        )
        steps[2].builtinOptionsType, steps[2].builtinOptions = (
            schema.BuiltinOptions.AddOptions,
            schema.AddOptionsT(),
        )
        graph.operators[0].inputs[0] = summed
        graph.operators = [*steps, *graph.operators]

    return edited(change)


def slow(times: int = 10_000) -> bytes:
    """Of known operators alone: the tangent of a padded picture, again and again."""

    def change(model: Any) -> None:
        (graph,) = model.subgraphs
        spread, reduction = graph.operators[0], graph.operators[1]
        place = spread.outputs[0]
        chain = []
        for _ in range(times):
            after = _tensor(graph, (1, *SHAPE))
            chain.append(_operator(model, Operator.TANH, [place], after))
            place = after
        reduction.inputs[0] = place
        graph.operators = [spread, *chain, reduction, *graph.operators[2:]]

    return edited(change, wide(700))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "crash": crash,
    "name": bad_name,
    "custom": custom,
    "open side": open_side,
    "endless": endless,
    "light": hungry_for_light,
    "wide": wide,
    "slow": slow,
}


def mutations(graph: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Copies of the graph, in each of which one to three words have extreme or random values."""
    rng = np.random.default_rng(seed)
    words = np.frombuffer(graph[: len(graph) // 4 * 4], np.int32)
    # offsets, sizes, indices: hardly a weight
    small = np.flatnonzero(np.abs(words.astype(np.int64)) < 1 << 16)
    extreme = np.array([-1, 0, 1, 2, 127, 255, 1 << 15, 1 << 20, 2**31 - 1, -(2**31)], np.int32)
    for _ in range(count):
        changed = words.copy()
        places = rng.choice(small, rng.integers(1, 4))
        changed[places] = np.where(
            rng.random(len(places)) < 0.5,
            rng.choice(extreme, len(places)),
            rng.integers(0, 200, len(places)),
        )
        yield changed.tobytes() + graph[len(words) * 4 :]


def _operators(model: Any) -> Any:
    return model.subgraphs[0].operators


def _tensor(graph: Any, shape: tuple[int, ...], kind: int = Type.FLOAT32, buffer: int = 0) -> int:
    tensor = schema.TensorT()
    tensor.name = f"t{len(graph.tensors)}".encode()
    tensor.shape = list(shape)
    tensor.type = kind
    tensor.buffer = buffer
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _buffer(model: Any, content: bytes) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _operator(model: Any, code: int, inputs: list[int], output: int) -> Any:
    description = schema.OperatorCodeT()
    description.builtinCode = code
    description.deprecatedBuiltinCode = min(code, 127)
    description.version = 1
    model.operatorCodes.append(description)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs = inputs
    operator.outputs = [output]
    return operator


def _identity(shape: tuple[int, ...]) -> Any:
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []
    graph.inputs = graph.outputs = [_tensor(graph, shape)]
    return graph
