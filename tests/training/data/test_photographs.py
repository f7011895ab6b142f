"""Labelled photographs: names, classes, splits and people of folders and zips.

And the faces cut from them.
"""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer import LABELS, BlazeFace, DataError, load_image
from fer.preprocessing import GEOMETRIES, CropGeometry, crop_faces
from training.data.fer2013 import EMOTIONS, SPLITS
from training.data.photographs import cut_faces, cut_wide, draw_weights, read_photographs

SAMPLES = Path(__file__).parents[3] / "app_pages" / "photos" / "samples"
PORTRAIT = SAMPLES / "grace-hopper.jpg"
GEOMETRY = CropGeometry(1.0)


def folder(root, *names):
    """A folder with the same portrait under every name."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PORTRAIT, path)
    return root


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
    root = folder(
        tmp_path / "data",
        "train/Happy/Ann_Lee_0001.jpg",
        "train/sad/Ann_Lee_0002.jpg",
        "valid/joy/Bo_0001.jpg",
        "test/neutral/17.jpg",
    )
    (root / "README.md").write_text("not a picture")
    for source in (root, zipped(root)):
        photographs = read_photographs(source)
        labels = [EMOTIONS[label] for label in photographs.labels]
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
    root = folder(tmp_path / "data", *names)
    photographs = read_photographs(root)
    assert np.array_equal(photographs.splits, read_photographs(root).splits)
    assert set(photographs.splits.tolist()) == {0, 1, 2}
    for person in range(40):
        assert len(set(photographs.splits[photographs.people == person].tolist())) == 1


def test_a_number_alone_names_nobody(tmp_path):
    photographs = read_photographs(
        folder(tmp_path / "data", "train/happy/1.jpg", "train/sad/1.jpg")
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
        read_photographs(folder(tmp_path / "data", name), classes)


def test_own_names_of_classes(tmp_path):
    photographs = read_photographs(
        folder(tmp_path / "data", "train/bored/a.jpg"), {"Bored": "neutral"}
    )
    assert EMOTIONS[photographs.labels[0]] == "neutral"


@pytest.mark.parametrize(("name", "content"), [("missing.zip", None), ("text.zip", b"no zip")])
def test_what_is_no_data_is_refused(tmp_path, name, content):
    path = tmp_path / name
    if content:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}"):
        read_photographs(path)


def test_a_damaged_picture_is_named(tmp_path):
    root = folder(tmp_path / "data", "train/happy/a.jpg")
    (root / "train/happy/b.jpg").write_bytes(PORTRAIT.read_bytes()[:2000])
    with pytest.raises(
        DataError, match=r"train/happy/b.jpg: damaged.*take the file out of the data"
    ):
        list(read_photographs(root).images())


def test_faces_are_cut_as_they_are_served_and_only_once(tmp_path):
    root = folder(tmp_path / "data", "train/happy/a.jpg", "train/sad/b.jpg")
    shutil.copy(Path(__file__).parents[3] / "docs" / "compare.png", root / "train/sad/a_page.png")
    photographs, detector = read_photographs(root), BlazeFace()
    faces = cut_faces(photographs, detector, GEOMETRY, 64, tmp_path / "cache")
    image = load_image(PORTRAIT)
    expected = crop_faces(image, detector.detect(image)[:1], GEOMETRY, (64, 64))[0]
    assert faces.found.tolist() == [True, False, True]
    assert np.array_equal(faces.crops[0], expected)
    assert not faces.crops[1].any()

    class Blind:
        name = detector.name

        def detect(self, *_, **__):
            raise AssertionError("the faces were cut before")

    again = cut_faces(photographs, Blind(), GEOMETRY, 64, tmp_path / "cache")
    assert np.array_equal(again.crops, faces.crops)
    with pytest.raises(AssertionError):
        cut_faces(photographs, Blind(), CropGeometry(1.2), 64, tmp_path / "cache")


def test_wide_faces_hold_the_served_crop_in_their_middle(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = folder(tmp_path / "data", "train/happy/a_1.jpg", "train/contempt/b_1.jpg")
    (root / "train/sad").mkdir()
    shutil.copy(Path(__file__).parents[3] / "docs" / "compare.png", root / "train/sad/c_1.png")
    faces = cut_wide(read_photographs(root), side=48, scale=1.2)
    assert (faces.crops.shape, faces.middles.shape) == ((2, 64, 64), (2, 48, 48))
    assert [EMOTIONS[label] for label in faces.labels] == ["contempt", "happiness"]
    assert faces.expressions.tolist() == [-1, LABELS.index("happy")]
    assert faces.select(np.array([1])).labels.tolist() == [EMOTIONS.index("happiness")]
    assert len(list((tmp_path / "cache" / "fer-studio").iterdir())) == 1
    image = load_image(PORTRAIT)
    served = GEOMETRIES["blazeface"]
    geometry = replace(served, scale=1.2 * served.scale)
    expected = crop_faces(image, BlazeFace().detect(image)[:1], geometry, (48, 48))[0]
    assert np.abs(faces.middles[1].astype(float) - expected).mean() < 2


def test_the_digest_knows_names_and_bytes(tmp_path):
    root = folder(tmp_path / "data", "train/happy/a.jpg", "train/sad/b.jpg")
    before = read_photographs(root).sha256
    assert before == read_photographs(zipped(root)).sha256
    (root / "train/happy/a.jpg").rename(root / "train/happy/c.jpg")
    assert read_photographs(root).sha256 != before


def test_people_and_classes_are_drawn_evenly():
    labels = np.array([0, 0, 0, 0, 0, 1], np.int8)
    people = np.array([0, 0, 0, 0, 1, 2], np.int32)
    weights = draw_weights(labels, people, 0.0)
    assert weights.sum() == pytest.approx(1)
    assert weights[5] == pytest.approx(0.5)  # each class as often
    # four pictures of one person count as two
    assert weights[:4].sum() / weights[4] == pytest.approx(2)
    assert draw_weights(labels, people, 1.0)[5] == pytest.approx(1 / 6)
