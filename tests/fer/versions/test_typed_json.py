"""JSON decoded into types: the place of a fault is named, whatever the keys on the way to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from fer import ModelError
from fer.versions.typed_json import convert, decode, parse_json


class Leaf(msgspec.Struct, frozen=True):
    n: int


class Tree(msgspec.Struct, frozen=True):
    branches: Mapping[str, Mapping[str, Leaf]]
    row: tuple[int, ...] = ()


def tree(**branches: Any) -> dict[str, Any]:
    return {"branches": {name: {"a": {"n": 1}, "b": {"n": n}} for name, n in branches.items()}}


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({}, "Object missing required field `branches`"),
        ({"branches": []}, "Expected `object`, got `array` at $.branches, received []"),
        (
            tree(one=2, two="2", three="3"),
            "Expected `int`, got `str` at $.branches.two.b.n, received '2'",
        ),
        (tree(one=None), "Expected `int`, got `null` at $.branches.one.b.n, received None"),
        (
            tree(**{f"x{i}": "?" if i == 700 else i for i in range(1000)}),
            "Expected `int`, got `str` at $.branches.x700.b.n, received '?'",
        ),
        (
            tree(**{"\x1b[2J": ""}),
            r"Expected `int`, got `str` at $.branches['\x1b[2J'].b.n, received ''",
        ),
        (
            {"branches": {"a": {}, "b": {"c": {}}}},
            "Object missing required field `n` at $.branches.b.c",
        ),
        (
            {"branches": {}, "row": [1, 2, "3" * 1000]},
            "Expected `int`, got `str` at $.row[2], received '333333333333...3333333333333'",
        ),
    ],
)
def test_the_place_of_a_fault_is_named(document, fault):
    with pytest.raises(ValueError, match=re.escape(fault)) as caught:
        convert(document, Tree)
    assert str(caught.value) == fault


def test_what_fits_is_returned():
    assert convert(tree(one=2), Tree) == Tree({"one": {"a": Leaf(1), "b": Leaf(2)}})


def test_the_file_and_the_mend_are_named():
    with pytest.raises(ModelError) as caught:
        decode({}, Tree, "tree.json", "plant it again")
    assert str(caught.value) == (
        "tree.json: a field is missing or wrong (Object missing required field `branches`);"
        " plant it again."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON (Expecting value"),
        (b'{"a": 1, "a": 1}', "not valid JSON (doubled key 'a')"),
        (b'{"a": [{"b": 1, "b": 2}]}', "not valid JSON (doubled key 'b')"),
        (b'{"a": NaN}', "not valid JSON (NaN is no JSON number)"),
        (b'{"a": [-Infinity]}', "not valid JSON (-Infinity is no JSON number)"),
        (b'{"a": 1e999}', "not valid JSON (1e999 is larger than any float)"),
        (b"[]", "holds a list, expected a JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused(content, reason):
    with pytest.raises(ModelError) as caught:
        parse_json(content, "tree.json")
    assert str(caught.value).startswith(f"tree.json: {reason}")
