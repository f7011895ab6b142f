"""Faces are cut from photographs as they are served."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer import LABELS, BlazeFace, load_image
from fer.preprocessing import GEOMETRIES, CropGeometry, crop_faces
from tests.factories.pictures import PORTRAIT, copy_portrait
from training.data.classes import EMOTIONS
from training.data.faces import cut_faces, cut_wide
from training.data.photographs import read_photographs

GEOMETRY = CropGeometry(1.0)


def test_faces_are_cut_as_they_are_served_and_only_once(tmp_path):
    root = copy_portrait(tmp_path / "data", "train/happy/a.jpg", "train/sad/b.jpg")
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
    root = copy_portrait(tmp_path / "data", "train/happy/a_1.jpg", "train/contempt/b_1.jpg")
    (root / "train/sad").mkdir()
    shutil.copy(Path(__file__).parents[3] / "docs" / "compare.png", root / "train/sad/c_1.png")
    faces = cut_wide(read_photographs(root), side=48, scale=1.2)
    assert (faces.crops.shape, faces.served_crops.shape) == ((2, 64, 64), (2, 48, 48))
    assert [EMOTIONS[label] for label in faces.targets] == ["contempt", "happiness"]
    assert faces.label_targets.tolist() == [-1, LABELS.index("happy")]
    assert faces.select(np.array([1])).targets.tolist() == [EMOTIONS.index("happiness")]
    assert len(list((tmp_path / "cache" / "fer-studio").iterdir())) == 1
    image = load_image(PORTRAIT)
    served = GEOMETRIES["blazeface"]
    geometry = replace(served, scale=1.2 * served.scale)
    expected = crop_faces(image, BlazeFace().detect(image)[:1], geometry, (48, 48))[0]
    assert np.abs(faces.served_crops[1].astype(float) - expected).mean() < 2
