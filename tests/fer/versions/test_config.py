"""`config.json`: every field of another kind or out of range is refused, and its place named."""

from __future__ import annotations

import json

import pytest

from fer import read_version
from fer.preprocessing import Views
from fer.versions.config import SCHEMA
from fer.versions.folder import CONFIG, GRAPH
from tests.factories.sealed import GONE, edit, refused
from tests.factories.versions import tiny_config


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON (Expecting value"),
        (b"{", "not valid JSON (Expecting property name"),
        (b'{"schema": 1', "not valid JSON"),
        (b"not json", "not valid JSON"),
        (b"\xff\xfe\xff", "not valid JSON ('utf-16"),
        (b'{"name": "\xff"}', "not valid JSON ('utf-8' codec can't decode"),
        (b"[]", "holds a list, expected a JSON object"),
        (b"null", "holds a NoneType, expected a JSON object"),
        (b'"schema"', "holds a str, expected a JSON object"),
        (b"1", "holds a int, expected a JSON object"),
        (b'{"schema": 1, "schema": 1}', "not valid JSON (doubled key 'schema')"),
        (b'{"schema": 1, "input": {"shape": [], "shape": []}}', "doubled key 'shape'"),
        (b'{"schema": NaN}', "not valid JSON (NaN is no JSON number)"),
        (b'{"schema": -Infinity}', "not valid JSON (-Infinity is no JSON number)"),
        (b'{"schema": ' + b"1" * 5000 + b"}", "not valid JSON (Exceeds the limit"),
        (b"[" * 30_000, "not valid JSON (maximum recursion depth exceeded"),
        (b'{"a":' * 5_000, "not valid JSON (maximum recursion depth exceeded"),
    ],
)
def test_a_config_that_is_no_json_object_is_refused(folder, content, reason):
    (folder / CONFIG).write_bytes(content)
    assert reason in refused(folder)


def test_a_newer_schema_is_refused(folder):
    edit(folder, "schema", value=SCHEMA + 1)
    assert "schema 2, but this program reads 1. Update the program." in refused(folder)


@pytest.mark.parametrize("schema", [0, -1, None, "1", [1], {}, GONE])
def test_what_never_was_a_schema_is_refused(folder, schema):
    """The settings of a run stand in a config.json too."""
    edit(folder, "schema", value=schema)
    received = None if schema is GONE else schema
    assert (
        f"its schema is {received!r}, expected 1, so this is no version folder; training.exp"
        in refused(folder)
    )


def test_a_config_cut_anywhere_is_refused(folder):
    content = (folder / CONFIG).read_bytes().rstrip()
    for end in range(0, len(content), 97):
        (folder / CONFIG).write_bytes(content[:end])
        assert "not valid JSON" in refused(folder)


FIELDS = [
    ("name",),
    ("architecture",),
    ("parameters",),
    ("labels",),
    ("input",),
    ("input", "shape"),
    ("input", "range"),
    ("output",),
    ("temperature",),
    ("crops",),
    ("crops", "fixed"),
    ("crops", "fixed", "scale"),
    ("crops", "fixed", "shift"),
    ("crops", "fixed", "level"),
    ("lineage",),
    ("files",),
    ("files", GRAPH),
    ("files", GRAPH, "sha256"),
    ("files", GRAPH, "bytes"),
]


@pytest.mark.parametrize(
    "field", [f for f in FIELDS if f not in {("crops", "fixed"), ("files", GRAPH)}], ids=".".join
)
def test_a_missing_field_is_refused(folder, field):
    edit(folder, *field, value=GONE)
    *parents, name = ("['model.tflite']" if key == GRAPH else f".{key}" for key in field)
    place = f" at ${''.join(parents)}" if parents else ""
    missing = f"Object missing required field `{name[1:]}`{place}"
    assert f"a field is missing or wrong ({missing}); fetch the version" in refused(folder)


def test_a_version_may_say_when_an_answer_is_uncertain(folder):
    assert read_version(folder).uncertain_below == 0.5
    edit(folder, "uncertain_below", value=0.6)
    assert read_version(folder).uncertain_below == 0.6


def test_a_version_may_say_which_views_are_averaged(folder):
    assert read_version(folder).views == Views()
    edit(folder, "views", value={"scales": [1, 0.8], "mirror": True})
    views = read_version(folder).views
    assert views == Views((1.0, 0.8), mirror=True)
    assert len(views) == 4


@pytest.mark.parametrize(
    ("views", "reason"),
    [
        (None, "Expected `object`, got `null` at $.views, received None"),
        ({"scales": [1.0]}, "missing required field `mirror` at $.views"),
        ({"mirror": True}, "missing required field `scales` at $.views"),
        (
            {"scales": 1.0, "mirror": True},
            "Expected `array`, got `float` at $.views.scales, received 1.0",
        ),
        (
            {"scales": ["1"], "mirror": True},
            "Expected `float`, got `str` at $.views.scales[0], received '1'",
        ),
        (
            {"scales": [1.0], "mirror": 1},
            "Expected `bool`, got `int` at $.views.mirror, received 1",
        ),
        (
            {"scales": [], "mirror": True},
            "views need different scales in [0.5, 2] that give at most 8 views",
        ),
        ({"scales": [0.4], "mirror": False}, "views need different scales in [0.5, 2]"),
        ({"scales": [2.1], "mirror": False}, "views need different scales in [0.5, 2]"),
        ({"scales": [1.0, 1.0], "mirror": False}, "views need different scales"),
        (
            {"scales": [0.6, 0.7, 0.8, 0.9, 1.0], "mirror": True},
            "at most 8 views, mirror images included",
        ),
    ],
)
def test_impossible_views_are_refused(folder, views, reason):
    edit(folder, "views", value=views)
    assert reason in refused(folder)


HUGE = 10**400


@pytest.mark.parametrize("field", FIELDS, ids=".".join)
@pytest.mark.parametrize(
    "value",
    [None, True, "1", 1.5, pytest.param(HUGE, id="huge"), [], {}, [[]], {"a": 1}, "abc"],
    ids=repr,
)
def test_a_field_of_the_wrong_kind_is_refused(folder, field, value):
    """Whatever stands in a field's place.

    The version is refused with the file's name, or the value fits.
    """
    edit(folder, *field, value=value)
    fits = {
        "name": isinstance(value, str),
        "architecture": isinstance(value, str),
        "temperature": value == 1.5,
        "scale": value == 1.5,
        "level": value is True,
        "lineage": isinstance(value, dict),
        "crops": value == {},
    }
    promise = {"sha256": isinstance(value, str), "bytes": value == HUGE}
    if fits.get(field[-1], False):
        read_version(folder)
    else:
        refused(folder, GRAPH if promise.get(field[-1], False) else CONFIG)


@pytest.mark.parametrize(
    ("field", "values", "reason"),
    [
        (
            "name",
            ["", "a\nb", "\x1b[31m", "\ud800"],
            "name must not be empty and must be printable",
        ),
        ("parameters", [-1], "Expected `int` >= 0 at $.parameters, received -1"),
        ("parameters", [10**12 + 1, HUGE], "Expected `int` <= 1000000000000 at $.parameters"),
        (
            "labels",
            [["happy"], ["happy", "happy"], ["happy", ""], ["happy", "a\tb"]],
            "labels must be two or more",
        ),
        ("labels", [["happy", 1]], "Expected `str`, got `int` at $.labels[1], received 1"),
        ("labels", [["happy", None]], "Expected `str`, got `null` at $.labels[1], received None"),
        ("output", ["", "Logits", "scores"], "output must be one of probabilities, logits"),
        ("temperature", [0, -1, -0.0], "Expected `float` > 0.0 at $.temperature, received"),
        ("temperature", [100.1, 1e308], "Expected `float` <= 100.0 at $.temperature, received"),
        ("temperature", [HUGE], "Number out of range at $.temperature, received 1000"),
        ("uncertain_below", [-0.1], "Expected `float` >= 0.0 at $.uncertain_below, received -0.1"),
        ("uncertain_below", [1.1], "Expected `float` <= 1.0 at $.uncertain_below, received 1.1"),
        ("uncertain_below", [None, True, "0.5"], "Expected `float`, got `"),
    ],
)
def test_a_field_out_of_range_is_refused(folder, field, values, reason):
    for value in values:
        edit(folder, field, value=value)
        assert reason in refused(folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("place", ["temperature", "scale", "parameters"])
def test_numbers_that_are_none_are_refused(folder, number, place):
    config = tiny_config(files={}, schema=1)
    crop = config["crops"]["fixed"]
    (crop if place == "scale" else config)[place] = "HERE"
    (folder / CONFIG).write_text(json.dumps(config).replace('"HERE"', number))
    assert f"not valid JSON ({number} is no JSON number)" in refused(folder)


@pytest.mark.parametrize("place", ["temperature", "scale", "low", "high", "shift"])
@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_numbers_beyond_float_are_refused(folder, place, number):
    config = tiny_config(files={}, schema=1)
    spots = {
        "temperature": (config, "temperature"),
        "scale": (config["crops"]["fixed"], "scale"),
        "shift": (config["crops"]["fixed"]["shift"], 0),
        "low": (config["input"]["range"], 0),
        "high": (config["input"]["range"], 1),
    }
    container, key = spots[place]
    container[key] = "HERE"
    (folder / CONFIG).write_text(json.dumps(config).replace('"HERE"', number))
    assert f"not valid JSON ({number} is larger than any float)" in refused(folder)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ([8, 6], "Expected `array` of length 3, got 2 at $.input.shape, received [8, 6]"),
        (
            [8, 6, 1, 1],
            "Expected `array` of length 3, got 4 at $.input.shape, received [8, 6, 1, 1]",
        ),
        ([8, 6, 3], "Expected `int` <= 1 at $.input.shape[2], received 3"),
        ([0, 6, 1], "Expected `int` >= 1 at $.input.shape[0], received 0"),
        ([8, -6, 1], "Expected `int` >= 1 at $.input.shape[1], received -6"),
        ([1025, 6, 1], "Expected `int` <= 1024 at $.input.shape[0], received 1025"),
        ([8, 10**12, 1], "Expected `int` <= 1024 at $.input.shape[1], received 1000"),
        ([8.0, 6, 1], "Expected `int`, got `float` at $.input.shape[0], received 8.0"),
        (["8", 6, 1], "Expected `int`, got `str` at $.input.shape[0], received '8'"),
        ([True, 6, 1], "Expected `int`, got `bool` at $.input.shape[0], received True"),
    ],
)
def test_an_impossible_input_shape_is_refused(folder, shape, reason):
    edit(folder, "input", "shape", value=shape)
    assert reason in refused(folder)


@pytest.mark.parametrize(
    "value_range", [[1.0, 0.0], [0.5, 0.5], [0.0], [0.0, 0.5, 1.0], ["0", "1"]]
)
def test_an_impossible_input_range_is_refused(folder, value_range):
    edit(folder, "input", "range", value=value_range)
    assert "a field is missing or wrong" in refused(folder)


@pytest.mark.parametrize(
    "crop",
    [
        {"scale": 0.0},
        {"scale": 6},
        {"scale": "1"},
        {"shift": [2.0, 0.0]},
        {"shift": [0.0]},
        {"shift": "00"},
        {"level": "false"},
        {"level": 0},
    ],
)
def test_an_impossible_crop_geometry_is_refused(folder, crop):
    edit(
        folder, "crops", "fixed", value={"scale": 1.0, "shift": [0.0, 0.0], "level": False, **crop}
    )
    assert "a field is missing or wrong" in refused(folder)
