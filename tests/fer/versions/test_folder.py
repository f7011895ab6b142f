"""A version folder is believed in nothing: every lie is a ModelError that names the file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os

import pytest

from fer import ModelError, read_version
from fer.preprocessing import CropGeometry
from fer.versions.folder import (
    CARD,
    CONFIG,
    GRAPH,
    MAX_BYTES,
    METRICS,
    PREDICTIONS,
    WEIGHTS,
    write_config,
)
from tests.factories.sealed import GONE, METRICS_CONTENT, edit, refused
from tests.factories.versions import LABELS, SEED, tiny_config, write_tiny


def test_a_folder_is_named_by_a_text_or_a_path(folder):
    assert read_version(str(folder)) == read_version(folder)


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
    assert json.loads(version.report().to_bytes()) == METRICS_CONTENT


def test_the_bundled_version_is_sound():
    version = read_version(SEED)
    assert (version.name, version.labels) == ("seed-cnn", ("happy", "sad", "neutral", "surprised"))
    assert set(version.files) == {GRAPH, METRICS, PREDICTIONS, WEIGHTS, CARD}
    assert version.parameters == 1_328_199
    assert version.report().labels == version.labels


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


def test_geometry_of_an_unknown_detector(folder):
    version = read_version(folder)
    assert version.geometry("fixed") == CropGeometry(1.0)
    with pytest.raises(
        ModelError, match="version tiny has no crop geometry for the detector 'other'; it has fixed"
    ):
        version.geometry("other")
