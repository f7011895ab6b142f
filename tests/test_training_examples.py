"""What is left out of training, what is taught, and the disturbances that versions are measured under."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.fer2013 import arrays, write_npz
from training.augment import Augmentation, augment, mixup
from training.data import CLASSES, EMOTIONS, FER2013_INDEX, FERPLUS_INDEX, VOTES, load
from training.examples import Examples, training_examples
from training.robustness import DISTURBANCES, disturb, measure

FACES = arrays((40, 4, 7))["images"][:40]


def examples(path: Path, **changes: tuple[int, object]) -> Examples:
    """Training examples of a data set of which one row of each named array was replaced."""
    data = arrays()
    for name, (row, value) in changes.items():
        data[name][row] = value
    return training_examples(load(write_npz(path / "fer2013.npz", data)))


# Cleaning and targets


def test_every_clean_training_row_is_kept_with_both_labellings(tmp_path):
    data = arrays()
    result = examples(tmp_path)
    assert np.array_equal(result.images, data["images"][:70])
    original, votes = result.targets[:, : len(CLASSES)], result.targets[:, len(CLASSES) :]
    assert np.array_equal(original.argmax(axis=1), data["label"][:70])
    counts = data["ferplus_votes"][:70, : len(EMOTIONS)]
    assert np.allclose(votes, counts / counts.sum(axis=1, keepdims=True))
    assert result.targets.dtype == np.float32


@pytest.mark.parametrize("twin", [70, 84])
def test_a_picture_that_is_tested_is_not_learnt(tmp_path, twin):
    """Row 70 is the first of PublicTest, row 84 of PrivateTest."""
    data = arrays()
    result = examples(tmp_path, images=(3, data["images"][twin]))
    assert len(result.images) == 69
    assert not (result.images == data["images"][twin]).all(axis=(1, 2)).any()


def test_a_picture_of_no_face_is_not_learnt(tmp_path):
    votes = np.zeros(len(VOTES), np.uint8)
    votes[VOTES.index("NF")], votes[VOTES.index("neutral")] = 5, 5
    assert len(examples(tmp_path, ferplus_votes=(3, votes)).images) == 69


def test_a_picture_that_stands_twice_is_learnt_once_with_the_mean_of_its_labels(tmp_path):
    data = arrays()
    result = examples(tmp_path, images=(8, data["images"][3]))
    assert np.array_equal(result.images, np.delete(data["images"][:70], 8, axis=0))
    shares = np.bincount(data["label"][[3, 8]], minlength=len(CLASSES)) / 2
    assert np.allclose(result.targets[3, : len(CLASSES)], shares)
    assert np.allclose(result.targets.sum(axis=1), 2)


def test_without_votes_the_second_labelling_teaches_nothing(tmp_path):
    data = arrays()
    del data["ferplus_votes"]
    result = training_examples(load(write_npz(tmp_path / "fer2013.npz", data)))
    assert not result.targets[:, len(CLASSES) :].any()
    assert np.allclose(result.targets[:, : len(CLASSES)].sum(axis=1), 1)


def test_the_labels_stand_where_the_indices_say():
    assert [CLASSES[i] for i in FER2013_INDEX] == ["happy", "sad", "neutral", "surprise"]
    assert [EMOTIONS[i] for i in FERPLUS_INDEX] == ["happiness", "sadness", "neutral", "surprise"]


# Views


def test_a_smaller_view_is_the_middle_at_the_same_scale():
    still = Augmentation(0, (1, 1), 0, 0, 0, (1, 1), 0, 0, 0, 0, 0, 0, 0)
    whole = augment(FACES, np.random.default_rng(0), still)
    middle = augment(FACES, np.random.default_rng(0), still, side=40)
    assert middle.shape == (40, 40, 40)
    assert np.abs(whole[:, 4:-4, 4:-4].astype(int) - middle).max() <= 1
    flipped = (whole == FACES[:, :, ::-1]).all(axis=(1, 2))
    assert np.array_equal(whole[~flipped], FACES[~flipped])
    assert 5 < flipped.sum() < 35


@pytest.mark.parametrize("name", ["small", "blur", "noise", "jpeg", "erase", "uneven"])
def test_every_change_happens_as_often_as_it_says(name):
    still = Augmentation(0, (1, 1), 0, 0, 0, (1, 1), 0, 0, 0, 0, 0, 0, 0)
    views = augment(FACES, np.random.default_rng(0), still)
    changed = augment(FACES, np.random.default_rng(0), Augmentation(**{**vars(still), name: 1.0}))
    assert (changed != views).any(axis=(1, 2)).mean() > 0.9


def test_mixup_mixes_pictures_and_targets_alike():
    rng = np.random.default_rng(0)
    images = np.eye(8, dtype=np.float32).reshape(8, 8, 1, 1)
    mixed, targets = mixup(images, np.eye(8, dtype=np.float32), 0.5, rng)
    assert np.allclose(mixed[:, :, 0, 0], targets)
    assert np.allclose(targets.sum(axis=1), 1)
    assert (np.diag(targets) >= 0.5).all()
    assert (np.diag(targets) < 1).any()
    assert mixup(images, targets, 0, rng)[0] is images


# Robustness


@pytest.mark.parametrize("name", DISTURBANCES)
def test_disturbances_grow_and_are_the_same_for_every_caller(name):
    before = FACES.copy()
    disturbed = [disturb(FACES, name, strength) for strength in range(5)]
    assert all((images.shape, images.dtype) == (FACES.shape, np.uint8) for images in disturbed)
    assert np.array_equal(disturbed[0], disturb(FACES, name, 0))
    assert np.array_equal(FACES, before)
    distance = [np.abs(images.astype(float) - FACES).mean() for images in disturbed]
    assert 0 < distance[0] < distance[4]


def test_robustness_is_relative_to_the_clean_accuracy():
    """A classifier that knows the undisturbed pixels alone, and by them three labels of four."""
    known = {image.tobytes() for image in FACES[:30]}
    labels = np.zeros(len(FACES), int)
    scores = {True: [0.9, 0.1], False: [0.1, 0.9]}
    classifier = SimpleNamespace(predict=lambda images: np.array([scores[i.tobytes() in known] for i in images]))
    report = measure(classifier, FACES, labels)
    assert (report["n"], report["clean"]) == (40, 0.75)
    assert set(report["accuracy"]) == set(report["strengths"]) == set(DISTURBANCES)
    assert report["mean_relative"] == pytest.approx(np.mean(list(report["accuracy"].values())) / 0.75)
    assert report["mean_relative"] < 0.1
