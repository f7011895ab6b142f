"""What a tensor of a graph of unknown origin may be.

Float32, int8 or int32, of a fixed shape apart from the number of pictures, with sound quantization
and its values, if it has any, within the graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from fer.errors import ModelError

TYPE_NAMES: dict[int, str] = {
    code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)
}
_TYPES: dict[int, np.dtype[Any]] = {
    schema.TensorType.FLOAT32: np.dtype(np.float32),
    schema.TensorType.INT8: np.dtype(np.int8),
    schema.TensorType.INT32: np.dtype(np.int32),
}
_EXPECTED = ", ".join(TYPE_NAMES[kind] for kind in _TYPES)
_MAX_RANK = 6
_MAX_VALUES = 1 << 26


def check_tensor(tensor: schema.TensorT, buffers: Sequence[schema.BufferT]) -> bool:
    """Whether a sound tensor is a constant. Raises ModelError naming what is wrong with it."""
    name = (tensor.name or b"").decode("utf-8", "replace")[:60]
    with about(f"the tensor {name}"):
        shape = vector(tensor.shape)
        _check_type(tensor)
        _check_shape(shape, vector(tensor.shapeSignature) or shape)
        _check_quantization(tensor.quantization, shape)
        require(0 <= tensor.buffer < len(buffers), "has no buffer")
        return _is_filled(buffers[tensor.buffer], _size(tensor))


def _check_type(tensor: schema.TensorT) -> None:
    received = TYPE_NAMES.get(tensor.type)
    require(tensor.type in _TYPES, f"is {received}, expected {_EXPECTED}")
    require(not tensor.isVariable, "is special")
    require(not tensor.sparsity, "is special")
    require(not vector(tensor.variantTensors), "is special")


def _check_shape(shape: Sequence[int], signature: Sequence[int]) -> None:
    """The shape is fixed; its signature may leave the first side open."""
    small = len(shape) <= _MAX_RANK and math.prod(shape) <= _MAX_VALUES
    fixed = all(side > 0 for side in shape)
    require(small and fixed, f"has the shape {shape[:8]}")
    one_open = len(signature) == len(shape) and signature[1:] == shape[1:]
    require(one_open, f"has a dynamic shape {signature[:8]}; only the first side may be open")


def _check_quantization(
    quantization: schema.QuantizationParametersT | None, shape: Sequence[int]
) -> None:
    if quantization is None:
        return
    scales = vector(quantization.scale)
    zeros = vector(quantization.zeroPoint)
    axis = quantization.quantizedDimension
    sizes = (0, 1, shape[axis]) if 0 <= axis < len(shape) else (0, 1)
    sound = len(scales) == len(zeros) and len(scales) in sizes and quantization.details is None
    require(sound, f"has {len(scales)} scales and {len(zeros)} zero points")
    require(all(map(_is_scale, scales)), "has a scale that is none")


def _is_scale(number: float) -> bool:
    return 0 < number < math.inf


def _size(tensor: schema.TensorT) -> int:
    """How many bytes the values of a tensor take."""
    values = math.prod(vector(tensor.shape))
    return int(values * _TYPES[tensor.type].itemsize)


def _is_filled(buffer: schema.BufferT, expected: int) -> bool:
    """Whether there are values in the buffer, which then must fill the tensor."""
    require(not buffer.offset, "has its values outside the graph")
    require(not buffer.size, "has its values outside the graph")
    size = 0 if buffer.data is None else len(buffer.data)
    require(size in (0, expected), f"has {size:,} bytes, expected {expected:,}")
    return size > 0


def vector(values: Iterable[Any] | None) -> list[Any]:
    """A vector of the schema as a list, of Python's own numbers; an absent one is empty."""
    if values is None:
        return []
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


@contextmanager
def about(subject: str) -> Iterator[None]:
    """Put the subject before the complaints made inside."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{subject} {error}") from error


def require(holds: object, complaint: str) -> None:
    """Raise ModelError with the complaint unless something holds."""
    if not holds:
        raise ModelError(complaint)
