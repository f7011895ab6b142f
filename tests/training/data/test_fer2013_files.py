"""Every form of FER2013 loads the same, and a mistake in a folder names its file."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.factories.fer2013 import (
    DATA,
    arrays,
    assert_equal,
    contents,
    refused,
    write_csv,
    write_folder,
    write_npz,
)
from training.data.fer2013 import FER2013, SPLITS
from training.data.fer2013_files import load


@pytest.mark.parametrize("name", ["fer2013.npz", "fer2013.csv", "icml_face_data.csv"])
def test_a_folder_stands_for_the_file_in_it(tmp_path, name, npz):
    (write_npz if name.endswith("npz") else write_csv)(tmp_path / name, DATA)
    assert_equal(load(str(tmp_path)), npz, votes=False)


def test_the_folder_form(tmp_path, npz):
    data = load(write_folder(tmp_path / "images", DATA))
    assert contents(data) == contents(npz)
    assert data.votes is None


@pytest.mark.parametrize(
    ("folders", "prefixes"),
    [
        (("train", "validation", "privatetest"), ("a", "b", "c")),
        (("Training", "PublicTest", "PrivateTest"), ("a", "b", "c")),
        (("training", "val", "PRIVATETEST"), ("a", "b", "c")),
        (("train", "val", "test"), ("a", "b", "c")),
        (("all", "all", "all"), SPLITS),
    ],
)
@pytest.mark.parametrize(
    "aliases", [{}, {"happy": "happiness", "sad": "Sadness", "surprise": "surprised"}]
)
def test_other_names_of_folders(tmp_path, npz, folders, prefixes, aliases):
    original = write_folder(tmp_path / "original", DATA)
    for path in original.rglob("*.png"):
        split, number = path.stem.split("_")
        index = SPLITS.index(split)
        folder = (
            tmp_path / "renamed" / folders[index] / aliases.get(path.parent.name, path.parent.name)
        )
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / f"{prefixes[index]}_{number}.png")
    assert contents(load(tmp_path / "renamed")) == contents(npz)


def test_a_folder_with_both_forms_is_read_as_the_table(table, npz):
    write_folder(table.parent, arrays(seed=1))
    assert_equal(load(table.parent), npz, votes=False)


def test_nothing_there(tmp_path):
    assert "does not exist; expected fer2013.npz, fer2013.csv or a folder" in refused(
        tmp_path / "no", tmp_path / "no"
    )
    assert "holds neither fer2013.npz, fer2013.csv, icml_face_data.csv nor train/" in refused(
        tmp_path, tmp_path
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("data.txt", ".txt"), ("data", "nameless"), ("data.zip", ".zip")]
)
def test_another_file_is_refused(tmp_path, name, kind):
    (tmp_path / name).write_text("data")
    assert f"received a {kind} file, expected .npz, .csv or a folder" in refused(
        tmp_path / name, tmp_path / name
    )


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n cut"])
def test_a_broken_image_is_refused_by_name(tmp_path, content):
    path = write_folder(tmp_path / "images", DATA) / "train" / "happy" / "Training_00003.png"
    path.write_bytes(content)
    assert "not a readable image" in refused(tmp_path / "images", path)


@pytest.mark.parametrize("size", [(48, 47), (96, 96), (1, 1)])
def test_an_image_of_another_size_is_refused_by_name(tmp_path, size):
    path = write_folder(tmp_path / "images", DATA) / "train" / "happy" / "Training_00003.png"
    Image.new("L", size).save(path)
    assert f"{size[0]} x {size[1]} pixels, expected 48 x 48" in refused(tmp_path / "images", path)


def test_an_unknown_class_folder_is_refused_by_name(tmp_path):
    root = write_folder(tmp_path / "images", DATA)
    (root / "train" / "happy").rename(root / "train" / "joy")
    assert "unknown class folder 'joy', expected angry, disgust" in refused(
        root, root / "train" / "joy"
    )


def test_an_image_of_no_split_is_refused_by_name(tmp_path):
    root = write_folder(tmp_path / "images", DATA)
    path = next((root / "test").rglob("PrivateTest_*.png"))
    strange = root / "found" / path.parent.name / "photo.png"
    strange.parent.mkdir(parents=True)
    path.rename(strange)
    assert (
        "cannot tell its split; expected a folder train, training, val, validation, p"
        in refused(root, strange)
    )


def test_the_three_real_forms_load_the_same(shared, tmp_path):
    script = shared / "data" / "fer2013" / "to_real_forms.py"
    subprocess.run([sys.executable, script, tmp_path, "--limit", "300"], check=True, timeout=100)
    whole = load(shared / "data" / "fer2013" / "fer2013.npz")
    rows = np.concatenate([np.flatnonzero(whole.splits == split)[:300] for split in range(3)])
    expected = FER2013(
        whole.images[rows], whole.classes[rows], whole.splits[rows], whole.votes[rows]
    )
    assert_equal(load(tmp_path), expected)
    for path in tmp_path.glob("*.csv"):
        path.unlink()
    assert contents(load(tmp_path)) == contents(expected)
