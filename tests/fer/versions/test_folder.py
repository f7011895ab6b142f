"""A version folder is believed in nothing: every lie is a ModelError that names the file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from fer import ModelError, read_version
from fer.preprocessing import CropGeometry, Views
from fer.versions.folder import (
    CARD,
    CONFIG,
    ESTIMATES,
    GRAPH,
    MAX_BYTES,
    METRICS,
    PREDICTIONS,
    SCHEMA,
    WEIGHTS,
    write_config,
)
from tests.factories.versions import LABELS, SEED, tiny_config, write_tiny

GONE = object()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sealed version whose small files are all there."""
    path = tmp_path / "tiny"
    path.mkdir()
    (path / METRICS).write_text(json.dumps(METRICS_CONTENT))
    (path / CARD).write_text("# tiny")
    write_tiny(path)
    return path


def test_a_folder_is_named_by_a_text_or_a_path(folder):
    assert read_version(str(folder)) == read_version(folder)


def estimate(**changes: Any) -> dict[str, Any]:
    return {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, **changes}


LABELLING: dict[str, Any] = {
    "n": 10,
    **{name: estimate() for name in ESTIMATES},
    "recall": {label: estimate() for label in LABELS},
    "confusion_matrix": [[1, 2, 0], [0, 3, 0], [1, 1, 2]],
}
METRICS_CONTENT: dict[str, Any] = {
    "test_sets": {
        "natural": {
            "title": "Ordinary faces",
            "split": "valid",
            "sha256": "b" * 64,
            "labels": list(LABELS),
            "people": 7,
            "found": estimate(),
            "labellings": {
                "natural": (
                    LABELLING | {"confusion_matrix": [[1, 2, 0, 1], [0, 3, 0, 0], [1, 1, 1, 0]]}
                )
            },
        },
        "fer2013": {
            "title": "FER2013",
            "split": "PrivateTest",
            "sha256": "a" * 64,
            "labels": list(LABELS),
            "people": None,
            "found": None,
            "labellings": {"fer2013": LABELLING},
        },
    }
}


def edit(folder: Path, *keys: str, value: object) -> None:
    """Set one field of config.json, or remove it, without sealing the folder again."""
    config = json.loads((folder / CONFIG).read_text())
    place = config
    for key in keys[:-1]:
        place = place[key]
    if value is GONE:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    (folder / CONFIG).write_text(json.dumps(config))


def refused(folder: Path, name: str = CONFIG) -> str:
    """The message with which the folder is refused, which must name the file first."""
    with pytest.raises(ModelError) as caught:
        read_version(folder)
    message = str(caught.value)
    assert message.startswith(str(folder / name)), message
    return message


def test_an_empty_folder_is_no_version(tmp_path):
    assert "cannot be read (No such file or directory); a version folder needs it" in refused(
        tmp_path
    )


def test_no_folder_is_no_version(tmp_path):
    assert "cannot be read" in refused(tmp_path / "nowhere")


def test_round_trip(folder):
    version = read_version(folder)
    assert dataclasses.asdict(
        dataclasses.replace(version, crops={}, lineage=dict(version.lineage), files={})
    ) == {
        "folder": folder,
        "name": "tiny",
        "architecture": "one_layer",
        "parameters": 144,
        "labels": LABELS,
        "input_shape": (8, 6, 1),
        "input_range": (0.0, 1.0),
        "output": "logits",
        "temperature": 1.0,
        "crops": {},
        "lineage": {},
        "files": {},
        "uncertain_below": 0.5,
        "views": {"scales": (1.0,), "mirror": False},
    }
    assert dict(version.crops) == {"fixed": CropGeometry(1.0, (0.0, 0.0), False)}
    assert set(version.files) == {GRAPH, METRICS, CARD}
    assert version.sha256 == hashlib.sha256((folder / GRAPH).read_bytes()).hexdigest()
    assert version.read(CARD) == b"# tiny"
    assert version.metrics() == METRICS_CONTENT


def test_the_bundled_version_is_sound():
    version = read_version(SEED)
    assert (version.name, version.labels) == ("seed-cnn", ("happy", "sad", "neutral", "surprised"))
    assert set(version.files) == {GRAPH, METRICS, PREDICTIONS, WEIGHTS, CARD}
    assert version.parameters == 1_328_199
    assert version.metrics()["labels"] == list(version.labels)


def test_sealing_twice_changes_nothing(folder):
    before = (folder / CONFIG).read_bytes()
    write_config(folder, json.loads(before))
    assert (folder / CONFIG).read_bytes() == before
    assert not list(folder.glob("*.new"))


def test_sealing_lists_what_is_there_now(folder):
    (folder / CARD).unlink()
    (folder / "notes.txt").write_text("not part of a version")
    assert set(write_config(folder, tiny_config()).files) == {GRAPH, METRICS}


@pytest.mark.parametrize("lineage", [{"loss": float("nan")}, {"loss": float("inf")}])
def test_sealing_refuses_what_json_cannot_hold_and_keeps_the_old_config(folder, lineage):
    before = (folder / CONFIG).read_bytes()
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        write_config(folder, tiny_config(lineage=lineage))
    assert (folder / CONFIG).read_bytes() == before


def test_versions_are_frozen(folder):
    version = read_version(folder)
    with pytest.raises(dataclasses.FrozenInstanceError):
        version.temperature = 2.0
    for mapping in (version.crops, version.lineage, version.files):
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["new"] = None


# Files


def test_a_missing_graph_is_refused(folder):
    (folder / GRAPH).unlink()
    assert "cannot be read (No such file" in refused(folder, GRAPH)


@pytest.mark.parametrize("name", [METRICS, CARD])
def test_a_listed_file_may_be_fetched_later(folder, name):
    (folder / name).unlink()
    version = read_version(folder)
    with pytest.raises(ModelError, match=f"{name} cannot be read"):
        version.read(name)


@pytest.mark.parametrize(
    "unreadable", [lambda path: path.mkdir(), lambda path: path.write_bytes(b"?")]
)
def test_weights_that_cannot_be_read_are_needed_by_training_alone(folder, unreadable):
    (folder / WEIGHTS).write_bytes(b"weights")
    write_tiny(folder)
    (folder / WEIGHTS).unlink()
    unreadable(folder / WEIGHTS)
    version = read_version(folder)
    with pytest.raises(ModelError, match=rf"{WEIGHTS} is (not a file|corrupt)"):
        version.read(WEIGHTS)


@pytest.mark.parametrize("name", [GRAPH, METRICS, CARD])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda _: b"",
        lambda content: bytes([content[0] ^ 1]) + content[1:],
    ],
    ids=["shorter", "longer", "empty", "one bit"],
)
def test_a_changed_file_is_refused(folder, name, damage):
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    assert (
        "is corrupt: it does not match the sha256 in config.json. Fetch the version again."
        in refused(folder, name)
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("sha256", "0" * 64), ("sha256", ""), ("bytes", 1), ("bytes", -1), ("bytes", 10**30)],
)
def test_a_wrong_promise_is_refused(folder, field, value):
    edit(folder, "files", GRAPH, field, value=value)
    assert "does not match the sha256" in refused(folder, GRAPH)


def test_a_file_that_changed_since_is_refused_when_read(folder):
    version = read_version(folder)
    (folder / GRAPH).write_bytes(b"other")
    with pytest.raises(ModelError, match=r"model\.tflite is corrupt"):
        version.read(GRAPH)


def test_a_file_the_manifest_does_not_name_is_not_read(folder):
    (folder / PREDICTIONS).write_bytes(b"slipped in")
    with pytest.raises(
        ModelError,
        match=r"the version has no predictions\.npz; it lists model\.tflite, metrics\.json",
    ):
        read_version(folder).read(PREDICTIONS)


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "..",
        ".",
        "",
        "sub/model.tflite",
        "model.tflite/",
        "MODEL.TFLITE",
        "weights.h5",
        "config.json",
        "C:\\model.tflite",
        "model.tflite\0",
    ],
)
def test_a_manifest_that_names_another_file_is_refused(folder, name):
    edit(folder, "files", name, value={"sha256": "0" * 64, "bytes": 1})
    assert "files may name only model.tflite, metrics.json, predictions.npz" in refused(folder)


def test_a_manifest_without_the_graph_is_refused(folder):
    edit(folder, "files", GRAPH, value=GONE)
    assert "files must name model.tflite" in refused(folder)


@pytest.mark.parametrize("name", [CONFIG, METRICS, GRAPH])
def test_an_oversized_file_is_refused_unread(folder, name):
    with (folder / name).open("r+b") as file:
        file.truncate(MAX_BYTES[name] + 1)  # sparse: it takes no room on the disk
    assert f"{MAX_BYTES[name] + 1:,} bytes, at most {MAX_BYTES[name]:,} are accepted" in refused(
        folder, name
    )


@pytest.mark.parametrize("name", [CONFIG, METRICS, GRAPH])
def test_a_folder_in_the_place_of_a_file_is_refused(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    assert "is not a file" in refused(folder, name)


@pytest.mark.parametrize("name", [CONFIG, METRICS, GRAPH])
def test_a_pipe_and_an_endless_device_are_refused_unread(folder, name):
    for make in (lambda: os.mkfifo(folder / name), lambda: (folder / name).symlink_to("/dev/zero")):
        (folder / name).unlink()
        make()
        assert "is not a file" in refused(folder, name)


def test_links_are_followed_and_checked_like_files(folder, tmp_path):
    """The Hub's cache makes its folders of links, so a link alone is no lie; its content may be."""
    (folder / GRAPH).rename(tmp_path / "blob")
    (folder / GRAPH).symlink_to(tmp_path / "blob")
    assert read_version(folder).read(GRAPH) == (tmp_path / "blob").read_bytes()
    (tmp_path / "blob").write_bytes(b"swapped")
    assert "is corrupt" in refused(folder, GRAPH)


@pytest.mark.parametrize("target", ["nowhere", GRAPH])
def test_links_to_nowhere_and_to_themselves_are_refused(folder, target):
    (folder / GRAPH).unlink()
    (folder / GRAPH).symlink_to(target)
    assert "cannot be read" in refused(folder, GRAPH)


# JSON


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
    assert f"a field is missing or wrong (KeyError: '{field[-1]}')" in refused(folder)


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
        (None, "TypeError"),
        ({"scales": [1.0]}, "KeyError: 'mirror'"),
        ({"mirror": True}, "KeyError: 'scales'"),
        ({"scales": 1.0, "mirror": True}, "scales must be list, received 1.0"),
        ({"scales": ["1"], "mirror": True}, "each scale must be float, received '1'"),
        ({"scales": [1.0], "mirror": 1}, "mirror must be bool, received 1"),
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
        ("parameters", [-1, 10**12 + 1, HUGE], "parameters must lie in 0 to 1e12"),
        (
            "labels",
            [["happy"], ["happy", "happy"], ["happy", ""], ["happy", "a\tb"]],
            "labels must be two or more",
        ),
        ("labels", [["happy", 1], ["happy", None]], "each label must be str, received"),
        ("output", ["", "Logits", "scores"], "output must be one of probabilities, logits"),
        ("temperature", [0, -1, -0.0, 100.1, 1e308], r"temperature must lie in (0, 100]"),
        ("temperature", [HUGE], "OverflowError: int too large to convert to float"),
        ("uncertain_below", [-0.1, 1.1], "uncertain_below must lie in [0, 1]"),
        ("uncertain_below", [None, True, "0.5"], "uncertain_below must be float, received"),
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
    assert "must be float, received" in refused(folder)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ([8, 6], "not enough values to unpack"),
        ([8, 6, 1, 1], "too many values to unpack"),
        ([8, 6, 3], "input shape must be height, width up to 1024 and 1 channel"),
        ([0, 6, 1], "input shape must be"),
        ([8, -6, 1], "input shape must be"),
        ([1025, 6, 1], "input shape must be"),
        ([8, 10**12, 1], "input shape must be"),
        ([8.0, 6, 1], "input shape must be int, received 8.0"),
        (["8", 6, 1], "input shape must be int, received '8'"),
        ([True, 6, 1], "input shape must be int, received True"),
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


def test_geometry_of_an_unknown_detector(folder):
    version = read_version(folder)
    assert version.geometry("fixed") == CropGeometry(1.0)
    with pytest.raises(
        ModelError, match="version tiny has no crop geometry for the detector 'other'; it has fixed"
    ):
        version.geometry("other")


# Metrics


def test_a_version_never_evaluated_has_no_metrics(tmp_path):
    assert write_tiny(tmp_path).metrics() is None


def set_with(**changes):
    """Change the fields of a test set."""
    return lambda content: content["test_sets"]["fer2013"].update(changes)


def set_without(name):
    return lambda content: content["test_sets"]["fer2013"].pop(name)


def labelled(**changes):
    """Change the fields of what was measured under one labelling."""
    changed = {name: value for name, value in (LABELLING | changes).items() if value is not GONE}
    return set_with(labellings={"fer2013": changed})


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.clear(),
        lambda m: m.update(test_sets=[]),
        lambda m: m["test_sets"].clear(),
        lambda m: m["test_sets"].update(other=None),
        lambda m: m["test_sets"].update({"\x1b[2J": m["test_sets"]["fer2013"]}),
        *(set_without(name) for name in METRICS_CONTENT["test_sets"]["fer2013"]),
        set_with(title=1),
        set_with(sha256=None),
        set_with(people=1.5),
        set_with(found=0.9),
        # then the confusion matrix has a column for faces that were not found
        set_with(found=estimate()),
        set_with(labels=None),
        set_with(labels=["happy"]),
        set_with(labels=["asleep", "bored", "happy"]),
        set_with(labels=["happy", "bored", "angry"]),
        set_with(labels=["happy", "bored"]),  # then the confusion matrix is smaller
        set_with(labellings=[]),
        set_with(labellings={}),
        set_with(labellings={"fer2013": None}),
        set_with(labellings={"no name": LABELLING}),
        *(labelled(**{name: GONE}) for name in LABELLING),
        labelled(accuracy=0.8),
        labelled(accuracy=estimate(value="0.8")),
        labelled(accuracy=estimate(value=None)),
        labelled(accuracy=estimate(n=1.5)),
        labelled(accuracy=estimate(extra=1)),
        labelled(recall=[]),
        labelled(recall={"happy": {}}),
        labelled(confusion_matrix=[[1, 2], [3, 4]]),
        labelled(confusion_matrix=[[1], [2, 3], [4, 5, 6]]),
        labelled(confusion_matrix=[[0.5] * 3] * 3),
        labelled(confusion_matrix=[["1"] * 3] * 3),
        labelled(confusion_matrix=None),
    ],
)
def test_metrics_of_the_wrong_form_are_refused_although_their_digest_fits(folder, change):
    metrics = json.loads(json.dumps(METRICS_CONTENT))
    change(metrics)
    (folder / METRICS).write_text(json.dumps(metrics))
    version = write_config(folder, tiny_config())
    with pytest.raises(ModelError, match=r"metrics\.json: a field is missing or wrong"):
        version.metrics()


def test_a_test_set_may_ask_for_some_of_the_labels(folder):
    metrics = json.loads(json.dumps(METRICS_CONTENT))
    labelling = LABELLING | {"confusion_matrix": [[4, 1], [0, 5]]}
    metrics["test_sets"]["fer2013"] |= {
        "labels": ["happy", "asleep"],
        "labellings": {"fer2013": labelling},
    }
    (folder / METRICS).write_text(json.dumps(metrics))
    assert write_config(folder, tiny_config()).metrics() == metrics


@pytest.mark.parametrize("content", [b"", b"[]", b'{"test_sets": NaN}', b"\xff"])
def test_metrics_that_are_no_json_object_are_refused(folder, content):
    (folder / METRICS).write_bytes(content)
    version = write_config(folder, tiny_config())
    with pytest.raises(ModelError, match=r"metrics\.json: (not valid JSON|holds a list)"):
        version.metrics()
