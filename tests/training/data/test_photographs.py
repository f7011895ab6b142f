"""Labelled photographs: names, classes, splits and people of folders and zips."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from fer import DataError
from tests.factories.pictures import PORTRAIT, copy_portrait
from training.data.classes import EMOTIONS
from training.data.fer2013 import SPLITS
from training.data.photographs import read_photographs, sampling_weights


def zipped(root):
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*.jpg")):
            archive.write(file, file.relative_to(root).as_posix())
    return path


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no picture in it; expected <split>/<class>/\*.jpg"):
        read_photographs(tmp_path)


def test_splits_classes_and_people_are_in_the_names(tmp_path):
    root = copy_portrait(
        tmp_path / "data",
        "train/Happy/Ann_Lee_0001.jpg",
        "train/sad/Ann_Lee_0002.jpg",
        "valid/joy/Bo_0001.jpg",
        "test/neutral/17.jpg",
    )
    (root / "README.md").write_text("not a picture")
    for source in (root, zipped(root)):
        photographs = read_photographs(source)
        labels = [EMOTIONS[label] for label in photographs.targets]
        assert photographs.names[0] == "test/neutral/17.jpg"
        assert labels == ["neutral", "happiness", "sadness", "happiness"]
        assert [SPLITS[split] for split in photographs.splits] == [
            "PrivateTest",
            "Training",
            "Training",
            "PublicTest",
        ]
        assert photographs.people[1] == photographs.people[2]
        assert len(set(photographs.people.tolist())) == 3
        assert photographs.split("Training").names == (
            "train/Happy/Ann_Lee_0001.jpg",
            "train/sad/Ann_Lee_0002.jpg",
        )


def test_without_splits_people_are_dealt_out_whole_and_the_same_way_each_time(tmp_path):
    names = [
        f"{kind}/person{person:02}_{number}.jpg"
        for person in range(40)
        for kind, number in (("happy", 1), ("sad", 2))
    ]
    root = copy_portrait(tmp_path / "data", *names)
    photographs = read_photographs(root)
    assert np.array_equal(photographs.splits, read_photographs(root).splits)
    assert set(photographs.splits.tolist()) == {0, 1, 2}
    for person in range(40):
        assert len(set(photographs.splits[photographs.people == person].tolist())) == 1


def test_a_number_alone_names_nobody(tmp_path):
    photographs = read_photographs(
        copy_portrait(tmp_path / "data", "train/happy/1.jpg", "train/sad/1.jpg")
    )
    assert photographs.people.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("name", "classes", "message"),
    [
        ("train/bored/a.jpg", None, "unknown class folder 'bored' of train/bored/a.jpg"),
        (
            "train/bored/a.jpg",
            {"bored": "tired"},
            "received the class tired, expected neutral, happiness",
        ),
        ("some/happy/a.jpg", None, "cannot tell the split of some/happy/a.jpg"),
        ("a.jpg", None, "unknown class folder ''"),
    ],
)
def test_names_that_say_nothing_are_refused(tmp_path, name, classes, message):
    with pytest.raises(DataError, match=message):
        read_photographs(copy_portrait(tmp_path / "data", name), classes)


def test_own_names_of_classes(tmp_path):
    photographs = read_photographs(
        copy_portrait(tmp_path / "data", "train/bored/a.jpg"), {"Bored": "neutral"}
    )
    assert EMOTIONS[photographs.targets[0]] == "neutral"


@pytest.mark.parametrize(("name", "content"), [("missing.zip", None), ("text.zip", b"no zip")])
def test_what_is_no_data_is_refused(tmp_path, name, content):
    path = tmp_path / name
    if content:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}"):
        read_photographs(path)


def test_a_damaged_picture_is_named(tmp_path):
    root = copy_portrait(tmp_path / "data", "train/happy/a.jpg")
    (root / "train/happy/b.jpg").write_bytes(PORTRAIT.read_bytes()[:2000])
    with pytest.raises(
        DataError, match=r"train/happy/b.jpg: damaged.*take the file out of the data"
    ):
        list(read_photographs(root).images())


def test_the_digest_knows_names_and_bytes(tmp_path):
    root = copy_portrait(tmp_path / "data", "train/happy/a.jpg", "train/sad/b.jpg")
    before = read_photographs(root).sha256
    assert before == read_photographs(zipped(root)).sha256
    (root / "train/happy/a.jpg").rename(root / "train/happy/c.jpg")
    assert read_photographs(root).sha256 != before


def test_people_and_classes_are_drawn_evenly():
    labels = np.array([0, 0, 0, 0, 0, 1], np.int8)
    people = np.array([0, 0, 0, 0, 1, 2], np.int32)
    weights = sampling_weights(labels, people, 0.0)
    assert weights.sum() == pytest.approx(1)
    assert weights[5] == pytest.approx(0.5)  # each class as often
    # four pictures of one person count as two
    assert weights[:4].sum() / weights[4] == pytest.approx(2)
    assert sampling_weights(labels, people, 1.0)[5] == pytest.approx(1 / 6)
