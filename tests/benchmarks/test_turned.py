"""Accuracy by yaw: its steps, the limit that follows from them, and two portraits."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.turned import Answers, measure, summarize
from fer import BlazeFace, DataError, EmotionClassifier, FERPipeline, load_image, load_version

SAMPLES = Path(__file__).parents[2] / "app_pages" / "photos" / "samples"
PORTRAITS = ("grace-hopper.jpg", "eileen-collins.jpg")


def answers(*steps: tuple[float, int, int]) -> Answers:
    """For each yaw in degrees, how many answers there are and how many of these are right."""
    yaw = np.repeat([yaw for yaw, _, _ in steps], [n for _, n, _ in steps])
    right = np.concatenate([np.arange(n) < true for _, n, true in steps])
    return Answers(yaw, right, right)


@pytest.mark.parametrize(
    ("steps", "limit"),
    [
        ([(0, 10, 7)], None),
        ([(14.9, 10, 7), (15, 10, 6)], 15),
        ([(-14.9, 10, 7), (-15, 10, 6)], 15),
        ([(0, 10, 9), (20, 10, 8), (44, 10, 6), (50, 10, 9)], 30),
    ],
)
def test_the_limit_is_the_first_step_of_too_few_right_answers(steps, limit):
    assert summarize(answers(*steps))["turned_from"] == limit


def test_each_step_has_its_number_and_interval():
    report = summarize(answers((3, 4, 4), (-10, 4, 2), (70, 2, 0)))
    accuracy = report["accuracy_from_yaw"]
    assert {yaw: (share["value"], share["n"]) for yaw, share in accuracy.items()} == {
        0: (0.75, 8),
        60: (0, 2),
    }
    assert accuracy[0]["low"] < 0.75 < accuracy[0]["high"]
    assert (
        report["found"],
        report["certain"]["value"],
        report["accuracy_of_certain"]["value"],
    ) == (10, 0.6, 1)


def test_portraits_are_asked_as_they_are_served(tmp_path):
    """One has the label that the version gives, the other another; a third label is left out."""
    version = load_version()
    pipeline = FERPipeline(BlazeFace(), EmotionClassifier(version))
    (right,), (other,) = (pipeline(load_image(SAMPLES / name)) for name in PORTRAITS)
    wrong = "sad" if other.label != "sad" else "happy"
    for label, name in (
        (right.label, PORTRAITS[0]),
        (wrong, PORTRAITS[1]),
        ("angry", PORTRAITS[0]),
    ):
        folder = tmp_path / "valid" / label
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLES / name, folder / name)
    report = measure(tmp_path, version.folder, [BlazeFace()], None)
    accuracy = report["blazeface"]["accuracy_from_yaw"].values()
    assert (report["version"], report["pictures"], report["blazeface"]["found"]) == (
        version.name,
        2,
        2,
    )
    assert sum(share["n"] * share["value"] for share in accuracy) == 1


@pytest.mark.parametrize(
    ("label", "picture", "message"),
    [
        (
            "contempt",
            SAMPLES / PORTRAITS[0],
            "no validation picture of happy, sad, neutral, surprised is in it",
        ),
        (
            "sad",
            SAMPLES.parents[2] / "docs" / "compare.png",
            "blazeface finds no face in 1 pictures",
        ),
    ],
)
def test_data_without_a_known_class_or_a_face_is_refused(tmp_path, label, picture, message):
    folder = tmp_path / "valid" / label
    folder.mkdir(parents=True)
    shutil.copy(picture, folder)
    with pytest.raises(DataError, match=message):
        measure(tmp_path, load_version().folder, [BlazeFace()], None)
