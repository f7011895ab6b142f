"""A batch gives every photo its rows, in order; one bad photo never spoils the rest."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer.cli import batch as batch_module
from fer.cli.batch import classify_all
from fer.cli.interruption import Interruption
from fer.cli.photos import Photo
from fer.errors import ModelError
from fer.pipeline import FERPipeline
from fer.registry.base import DEFAULT
from fer.results import Prediction
from tests.support.commands import (
    LONG_NAME,
    RESULTS_SUFFIXES,
    predict,
    save_blank,
)


def test_a_missing_photo_fails_alone(blank, capsys):
    status, out, err = predict(
        capsys, blank / "nothing.jpg", blank / "blank.png", "--format", "json"
    )
    assert status == 1
    assert [bool(json.loads(line)["error"]) for line in out.splitlines()] == [True, False]
    assert f"{blank / 'nothing.jpg'}: expected a picture file, but this path does not exist" in err


def test_good_bad_and_empty_photos_of_a_folder(mixed, capsys):
    status, out, err = predict(capsys, mixed, "--format", "json")
    records = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [Path(record["file"]).name for record in records] == [
        "blank.png",
        "broken.jpg",
        "face.JPG",
    ]
    none, broken, face = records
    assert (none["face"], none["error"]) == (None, None)
    assert (broken["face"], broken["error"].startswith(f"{mixed / 'broken.jpg'}: ")) == (None, True)
    assert (face["face"], face["detector"], face["model"], face["error"]) == (
        1,
        "blazeface",
        DEFAULT,
        None,
    )
    assert sum(face["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert face["label"] == max(face["scores"], key=face["scores"].get)
    assert err.splitlines()[-2].startswith(f"{mixed / 'broken.jpg'}: ")
    assert err.count("broken.jpg") == 1
    assert err.splitlines()[-1] == "3 photos, 1 faces, 1 failed"


def test_a_picture_longer_than_a_jpeg_fails_alone(tmp_path, capsys):
    Image.new("RGB", (66_000, 8)).save(tmp_path / "long.png")
    save_blank(tmp_path / "short.png")
    assert predict(capsys, tmp_path)[0] == 0
    status, _, err = predict(capsys, tmp_path, "--output", tmp_path / "out")
    assert status == 1
    assert f"{tmp_path / 'long.png'}: longer than the 65,500 pixels of a JPEG" in err


@pytest.mark.parametrize("form", RESULTS_SUFFIXES)
def test_a_copy_that_cannot_be_written_is_the_error_of_its_photo(few, tmp_path, capsys, form):
    output = tmp_path / "out"
    status, out, err = predict(capsys, few, "--format", form, "--output", output)
    assert status == 1
    assert (output / f"results.{RESULTS_SUFFIXES[form]}").read_text(encoding="utf-8") == out
    assert f"{LONG_NAME}.jpg cannot be written (File name too long)" in err
    assert err.splitlines()[-1] == "5 photos, 3 faces, 2 failed"
    copies = {path.name for path in (output / "annotated").iterdir()}
    assert copies == {"a.jpg.jpg", "b\nc, d.jpg.jpg", "z.jpg.jpg"}


def test_the_faces_of_a_photo_stay_where_its_copy_cannot_be_written(few, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "annotated").write_text("in the way")
    status, out, _ = predict(
        capsys, few / "a.jpg", "--format", "json", "--output", tmp_path / "out"
    )
    record = json.loads(out)
    assert (status, record["face"], record["label"]) == (1, 1, "happy")
    assert "a.jpg.jpg cannot be written (" in record["error"]


def test_a_name_that_no_file_can_have_fails_alone(few, capsys):
    status, out, _ = predict(capsys, "long" * 2000, few / "a.jpg", "--format", "json")
    assert status == 1
    assert [bool(json.loads(line)["error"]) for line in out.splitlines()] == [True, False]


@pytest.mark.parametrize("failing", [(), (64,), (32, 64, 96)])
def test_a_photo_on_which_the_model_fails_fails_alone(tmp_path, monkeypatch, capsys, failing):
    """If it fails on every photo, every photo has an error, and the batch ends as with any."""
    call = FERPipeline.__call__

    def fail(pipeline: FERPipeline, image: NDArray[np.uint8]) -> list[Prediction]:
        if len(image) in failing:
            raise ModelError("the graph returned nan.")
        return call(pipeline, image)

    monkeypatch.setattr(FERPipeline, "__call__", fail)
    sides = (32, 64, 96)
    paths = [tmp_path / f"{side}.png" for side in sides]
    for path, side in zip(paths, sides, strict=True):
        save_blank(path, side)
    status, out, err = predict(capsys, *paths, "--format", "json", "--output", tmp_path / "out")
    records = [json.loads(line) for line in out.splitlines()]
    assert status == bool(failing)
    assert [record["file"] for record in records] == [str(path) for path in paths]
    assert [record["error"] for record in records] == [
        f"{path}: the graph returned nan." if side in failing else None
        for path, side in zip(paths, sides, strict=True)
    ]
    assert err.splitlines() == [
        *(record["error"] for record in records if record["error"]),
        f"3 photos, 0 faces, {len(failing)} failed",
    ]
    copies = {path.name for path in (tmp_path / "out" / "annotated").glob("*")}
    assert copies == {f"{side}.png.jpg" for side in sides if side not in failing}


def test_rows_come_in_order_and_few_photos_are_taken_up_ahead():
    """Whichever photo takes longest.

    A photo is begun only while the oldest without rows is near.
    """
    taken = []
    delays = random.Random(0)

    def work(photo: Photo) -> list[dict[str, int]]:
        time.sleep(delays.choice((0, 0, 0, 0.02)))
        return [{"number": photo.number}]

    def photos():
        for number in range(100):
            taken.append(number)
            yield Photo(number, Path("a"), Path("a"))

    limit = batch_module._AHEAD * os.cpu_count()
    for number, records in enumerate(classify_all(photos(), work, Interruption())):
        assert records == [{"number": number}]
        assert len(taken) - number <= limit
    assert number == 99
