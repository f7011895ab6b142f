"""What a graph may hold: those that are bundled pass, lies are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from fer import BundledRegistry, ModelError, VersionRef
from fer.versions.folder import GRAPH
from fer.versions.graph_check import check_graph
from tests.factories.hostile_graphs import edited


@pytest.mark.parametrize("ref", BundledRegistry().list().versions, ids=lambda ref: ref.name)
def test_bundled_graphs_hold_what_a_graph_may_hold(ref: VersionRef) -> None:
    check_graph(BundledRegistry().fetch(ref).read(GRAPH))


def first(model: Any) -> Any:
    return model.subgraphs[0].operators[0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda model: model.subgraphs.clear(), "it holds 0 subgraphs, expected one"),
        (
            lambda model: setattr(
                model.operatorCodes[0], "builtinCode", schema.BuiltinOperator.WHILE
            ),
            "it uses the operator WHILE, which no network of this kind needs",
        ),
        (lambda model: setattr(model.subgraphs[0], "inputs", []), "it has 0 inputs, expected one"),
        (
            lambda model: setattr(model.subgraphs[0], "outputs", [99]),
            "its output is a tensor that is not there",
        ),
        (
            lambda model: setattr(model.subgraphs[0], "inputs", [1]),
            "its input is a constant",
        ),
        (lambda model: model.subgraphs[0].operators.clear(), "its output is never computed"),
        (lambda model: setattr(first(model), "opcodeIndex", 7), "an operator has no code"),
        (
            lambda model: setattr(first(model), "inputs", [0]),
            "FULLY_CONNECTED has 1 inputs, expected 2 to 3",
        ),
        (
            lambda model: setattr(first(model), "inputs", [0, 2]),
            "FULLY_CONNECTED reads a tensor that is not known before it",
        ),
        (
            lambda model: setattr(first(model), "outputs", []),
            "FULLY_CONNECTED has 0 outputs, expected one",
        ),
        (
            lambda model: setattr(first(model), "outputs", [9]),
            "FULLY_CONNECTED writes a tensor that is not there",
        ),
        (
            lambda model: setattr(first(model), "outputs", [0]),
            "FULLY_CONNECTED writes a tensor that is known before it",
        ),
        (
            lambda model: setattr(first(model), "mutatingVariableInputs", [True]),
            "FULLY_CONNECTED changes its inputs",
        ),
        (
            lambda model: setattr(first(model), "intermediates", [1]),
            "FULLY_CONNECTED has intermediate tensors",
        ),
    ],
)
def test_what_does_not_belong_into_a_graph_is_named(
    change: Callable[[Any], None], complaint: str
) -> None:
    with pytest.raises(ModelError) as caught:
        check_graph(edited(change))
    assert str(caught.value) == complaint


def test_bytes_that_are_no_graph_are_refused() -> None:
    with pytest.raises(ModelError, match="it is not a LiteRT graph"):
        check_graph(b"no graph at all")
