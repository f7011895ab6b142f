"""What a graph of unknown origin may hold: a feed-forward network whose shapes no pixel can change.

LiteRT believes a graph in much: an index out of range, a loop without an end or a shape computed
from the picture pass its own checks. `check_graph` reads the same bytes with LiteRT's schema and
admits only what a Keras network of convolutions and dense layers becomes, in float32 or int8. It is
meant for a process of its own (`fer.versions.sandbox_process`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ai_edge_litert import schema_py_generated as schema

from fer.versions.graph_tensors import TYPE_NAMES, about, check_tensor, require, vector

IDENTIFIER = b"TFL3"
_BIASED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
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
    **dict.fromkeys(_BIASED, (2, 3)),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), (2, 2)),
    **dict.fromkeys(("CONCATENATION", "PACK"), (1, 64)),
    **dict.fromkeys(("BATCH_TO_SPACE_ND", "PADV2", "SPACE_TO_BATCH_ND"), (3, 3)),
    "RESHAPE": (1, 2),
    "STRIDED_SLICE": (4, 4),
}
"""The operators that may stand in a graph, and how many inputs each takes."""

_ABSENT = -1  # the index of a bias that is not there
_SHAPE_ARITHMETIC = ("STRIDED_SLICE", "PACK")
_OPERATOR_NAMES: dict[int, str] = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}


def check_graph(content: bytes) -> None:
    """Check the bytes of a graph. Raises ModelError naming what does not belong there.

    Bytes that are no graph may make the reader raise something else.
    """
    require(content[4:8] == IDENTIFIER, "it is not a LiteRT graph")
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    subgraphs = vector(model.subgraphs)
    require(len(subgraphs) == 1, f"it holds {len(subgraphs)} subgraphs, expected one")
    operators = [_operator_name(code) for code in vector(model.operatorCodes)]
    _check_subgraph(subgraphs[0], operators, vector(model.buffers))
    for signature in vector(model.signatureDefs):
        _check_signature(signature, len(subgraphs[0].tensors))


def _operator_name(code: schema.OperatorCodeT) -> str:
    number = max(code.builtinCode, code.deprecatedBuiltinCode)  # as LiteRT reads them
    name = _OPERATOR_NAMES.get(number, f"{number}")
    known = name in INPUT_COUNTS
    require(known, f"it uses the operator {name}, which no network of this kind needs")
    return name


def _check_subgraph(
    graph: schema.SubGraphT, operators: Sequence[str], buffers: Sequence[schema.BufferT]
) -> None:
    """Check the tensors, then the operators in their order."""
    tensors = vector(graph.tensors)
    constants = {index for index, tensor in enumerate(tensors) if check_tensor(tensor, buffers)}
    start = _end("input", vector(graph.inputs), tensors, constants)
    end = _end("output", vector(graph.outputs), tensors, constants)
    known = constants | {start}
    for operator in vector(graph.operators):
        require(0 <= operator.opcodeIndex < len(operators), "an operator has no code")
        name = operators[operator.opcodeIndex]
        with about(name):
            known.add(_written(name, operator, tensors, constants, known))
    require(end in known, "its output is never computed")


def _end(
    what: str, indices: Sequence[int], tensors: Sequence[schema.TensorT], constants: set[int]
) -> int:
    """The tensor that is the graph's only input, or its only output."""
    require(len(indices) == 1, f"it has {len(indices)} {what}s, expected one")
    (index,) = indices
    with about(f"its {what}"):
        require(0 <= index < len(tensors), "is a tensor that is not there")
        require(index not in constants, "is a constant")
        kind = tensors[index].type
        require(kind == schema.TensorType.FLOAT32, f"is {TYPE_NAMES[kind]}, expected FLOAT32")
    return index


def _written(
    name: str,
    operator: schema.OperatorT,
    tensors: Sequence[schema.TensorT],
    constants: set[int],
    known: set[int],
) -> int:
    """The tensor that a sound operator writes; it reads only what is known before it."""
    inputs = _inputs(name, vector(operator.inputs), known)
    output = _output(vector(operator.outputs), len(tensors), known)
    integers = {index for index in (*inputs, output) if _is_integer(tensors[index])}
    _check_computed_integers(name, inputs, output, integers)
    _check_computed_shapes(name, inputs, integers - constants)
    require(not vector(operator.mutatingVariableInputs), "changes its inputs")
    require(not vector(operator.intermediates), "has intermediate tensors")
    return output


def _inputs(name: str, indices: Sequence[int], known: set[int]) -> Sequence[int]:
    """What an operator reads, without a bias that is not there."""
    least, most = INPUT_COUNTS[name]
    right = least <= len(indices) <= most
    require(right, f"has {len(indices)} inputs, expected {least} to {most}")
    if name in _BIASED and indices[2:] == [_ABSENT]:
        indices = indices[:2]
    require(known.issuperset(indices), "reads a tensor that is not known before it")
    return indices


def _output(indices: Sequence[int], tensors: int, known: set[int]) -> int:
    require(len(indices) == 1, f"has {len(indices)} outputs, expected one")
    (index,) = indices
    require(0 <= index < tensors, "writes a tensor that is not there")
    require(index not in known, "writes a tensor that is known before it")
    return index


def _check_computed_integers(
    name: str, inputs: Sequence[int], output: int, integers: set[int]
) -> None:
    """Integers are computed from shapes and from other integers alone, never from pixels."""
    if name != "SHAPE" and output in integers:
        allowed = name in _SHAPE_ARITHMETIC and integers.issuperset(inputs)
        require(allowed, "computes integers from the picture")


def _check_computed_shapes(name: str, inputs: Sequence[int], computed: set[int]) -> None:
    """Computed integers take the number of pictures into RESHAPE, and serve for nothing else."""
    allowed = {"RESHAPE": {1}, "STRIDED_SLICE": {0}, "PACK": set(range(len(inputs)))}
    places = {place for place, index in enumerate(inputs) if index in computed}
    require(places <= allowed.get(name, set()), "has a shape that is computed")


def _check_signature(signature: schema.SignatureDefT, tensors: int) -> None:
    there = signature.subgraphIndex == 0
    require(there, "a signature names a subgraph that is not there")
    for end in (*vector(signature.inputs), *vector(signature.outputs)):
        require(end.tensorIndex < tensors, "a signature names a tensor that is not there")


def _is_integer(tensor: schema.TensorT) -> bool:
    return bool(tensor.type == schema.TensorType.INT32)
