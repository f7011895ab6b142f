"""What a tensor of a graph may be."""

from __future__ import annotations

from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from fer import ModelError
from fer.versions.graph_check import check_graph
from tests.factories.hostile_graphs import edited
from tests.factories.versions import SHAPE, tiny_graph, weights


def quantized(scales: list[float], zeros: list[int], axis: int = 0) -> Any:
    quantization = schema.QuantizationParametersT()
    quantization.scale = scales
    quantization.zeroPoint = zeros
    quantization.quantizedDimension = axis
    return quantization


@pytest.mark.parametrize(
    ("tensor", "changes", "complaint"),
    [
        (0, {"type": schema.TensorType.UINT8}, "is UINT8, expected FLOAT32, INT8, INT32"),
        (0, {"isVariable": True}, "is special"),
        (0, {"shape": [1, 0, 6, 1]}, "has the shape [1, 0, 6, 1]"),
        (0, {"shape": [1 << 14, 1 << 14]}, "has the shape [16384, 16384]"),
        (0, {"shape": [1] * 7}, "has the shape [1, 1, 1, 1, 1, 1, 1]"),
        (
            0,
            {"shapeSignature": [-1, *SHAPE[:-1], -1]},
            "has a dynamic shape [-1, 8, 6, -1]; only the first side may be open",
        ),
        (0, {"shapeSignature": [-1]}, "has a dynamic shape [-1]; only the first side may be open"),
        (0, {"buffer": 9}, "has no buffer"),
        (1, {"shape": [3, 47], "shapeSignature": None}, "has 576 bytes, expected 564"),
        (1, {"quantization": quantized([1.0, 1.0], [0])}, "has 2 scales and 1 zero points"),
        (1, {"quantization": quantized([1.0] * 4, [0] * 4)}, "has 4 scales and 4 zero points"),
        (
            1,
            {"quantization": quantized([1.0] * 48, [0] * 48, axis=-1)},
            "has 48 scales and 48 zero points",
        ),
        (1, {"quantization": quantized([0.0], [0])}, "has a scale that is none"),
        (1, {"quantization": quantized([float("nan")], [0])}, "has a scale that is none"),
        (1, {"quantization": quantized([float("inf")], [0])}, "has a scale that is none"),
    ],
)
def test_an_unsound_tensor_is_refused(tensor: int, changes: dict[str, Any], complaint: str) -> None:
    def change(model: Any) -> None:
        for name, value in changes.items():
            setattr(model.subgraphs[0].tensors[tensor], name, value)

    with pytest.raises(ModelError) as caught:
        check_graph(edited(change))
    assert str(caught.value) == f"the tensor t{tensor} {complaint}"


@pytest.mark.parametrize("axis", [0, 1])
def test_scales_may_stand_for_each_slice_along_one_side(axis: int) -> None:
    n = weights().shape[axis]

    def change(model: Any) -> None:
        model.subgraphs[0].tensors[1].quantization = quantized([0.5] * n, [0] * n, axis)

    check_graph(edited(change))
    check_graph(tiny_graph(weights()))
