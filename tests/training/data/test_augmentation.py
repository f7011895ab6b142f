"""Random changes of training faces."""

from __future__ import annotations

import numpy as np
import pytest

from tests.factories.fer2013 import arrays
from training.data.augmentation import Augmentation, augment, mixup

FACES = arrays((70, 35, 35))["images"]
FEW_FACES = FACES[:40]
WEBCAM = Augmentation()
UNCHANGED = Augmentation(0, (1, 1), 0, 0, 0, (1, 1), 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("n", [1, 3, 140])
def test_augment_keeps_shape_and_kind_and_leaves_its_input_alone(n):
    before = FACES[:n].copy()
    crops = augment(FACES[:n], np.random.default_rng(0), WEBCAM, 48)
    assert (crops.shape, crops.dtype) == ((n, 48, 48), np.uint8)
    assert np.array_equal(FACES[:n], before)


def test_augment_follows_its_generator():
    first, again, other = (
        augment(FACES, np.random.default_rng(seed), WEBCAM, 48) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not any(np.array_equal(one, two) for one, two in zip(first, other, strict=True))
    assert not any(np.array_equal(one, two) for one, two in zip(first, FACES, strict=True))


def test_augment_keeps_faces_recognisable():
    """On average a crop correlates with its picture or its mirror image, and stays as bright."""
    rng = np.random.default_rng(3)
    yy, xx = np.mgrid[-1:1:48j, -1:1:48j]
    blob = (255 * np.exp(-4 * ((xx - 0.2) ** 2 + yy**2))).astype(np.uint8)
    crops = augment(np.repeat(blob[None], 300, axis=0), rng, WEBCAM, 48).astype(float)
    similar = [
        max(np.corrcoef(v.ravel(), b.ravel())[0, 1] for b in (blob, blob[:, ::-1])) for v in crops
    ]
    assert np.median(similar) > 0.9
    assert crops.mean() == pytest.approx(blob.mean(), abs=15)


def test_a_smaller_crop_is_the_middle_at_the_same_scale():
    whole = augment(FEW_FACES, np.random.default_rng(0), UNCHANGED, 48)
    middle = augment(FEW_FACES, np.random.default_rng(0), UNCHANGED, 40)
    assert middle.shape == (40, 40, 40)
    assert np.abs(whole[:, 4:-4, 4:-4].astype(int) - middle).max() <= 1
    flipped = (whole == FEW_FACES[:, :, ::-1]).all(axis=(1, 2))
    assert np.array_equal(whole[~flipped], FEW_FACES[~flipped])
    assert 5 < flipped.sum() < 35


def test_the_middle_of_a_wider_picture_is_the_face():
    wide = np.pad(FEW_FACES, ((0, 0), (8, 8), (8, 8)))
    crops = augment(wide, np.random.default_rng(0), UNCHANGED, 48)
    assert np.array_equal(crops, augment(FEW_FACES, np.random.default_rng(0), UNCHANGED, 48))


@pytest.mark.parametrize("name", ["small", "blur", "noise", "jpeg", "erase", "uneven"])
def test_every_change_happens_as_often_as_it_says(name):
    crops = augment(FEW_FACES, np.random.default_rng(0), UNCHANGED, 48)
    changed = augment(
        FEW_FACES, np.random.default_rng(0), Augmentation(**{**vars(UNCHANGED), name: 1.0}), 48
    )
    assert (changed != crops).any(axis=(1, 2)).mean() > 0.9


def test_mixup_mixes_pictures_and_targets_alike():
    rng = np.random.default_rng(0)
    images = np.eye(8, dtype=np.float32).reshape(8, 8, 1, 1)
    mixed, targets = mixup(images, np.eye(8, dtype=np.float32), 0.5, rng)
    assert np.allclose(mixed[:, :, 0, 0], targets)
    assert np.allclose(targets.sum(axis=1), 1)
    assert (np.diag(targets) >= 0.5).all()
    assert (np.diag(targets) < 1).any()
    assert mixup(images, targets, 0, rng)[0] is images
