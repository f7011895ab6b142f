"""What is left out of training, what is taught.

And the disturbances that versions are measured under.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer import DataError
from tests.factories.fer2013 import arrays, write_npz
from training.data.augmentation import Augmentation, augment, mixup
from training.data.examples import (
    Examples,
    Material,
    no_examples,
    photograph_targets,
    resized,
    training_examples,
)
from training.data.fer2013 import CLASSES, EMOTIONS, FER2013_INDEX, FERPLUS_INDEX, VOTES, load
from training.recipes import RECIPES, changed, read_recipe
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


def test_photographs_teach_both_label_sets_and_contempt_no_class():
    labels = np.array([EMOTIONS.index(name) for name in ("anger", "neutral", "contempt")])
    targets = photograph_targets(labels, smoothing=0.08)
    classes, emotions = np.split(targets, [len(CLASSES)], axis=1)
    assert [CLASSES[i] for i in classes[:2].argmax(axis=1)] == ["angry", "neutral"]
    assert classes.sum(axis=1).tolist() == [1, 1, 0]
    assert np.array_equal(emotions.argmax(axis=1), labels)
    assert np.allclose(emotions.sum(axis=1), 1)
    assert np.allclose(emotions[0, 1:4], 0.01)
    assert targets.dtype == no_examples().targets.dtype == np.float32


@pytest.mark.parametrize("side", [48, 64])
def test_images_at_another_size(side):
    assert resized(FACES[:2], side).shape == (2, side, side)
    assert resized(no_examples().images, side).shape == (0, side, side)


def test_an_epoch_shows_every_row_and_draws_photographs_by_their_weights():
    images = [np.zeros((48, 48), np.uint8)] * 3 + [np.zeros((64, 64), np.uint8)] * 3
    targets = np.zeros((6, len(CLASSES) + len(EMOTIONS)), np.float32)
    targets[:3, 0] = 1
    targets[3:, 1] = 1
    weights = np.array([0, 0, 0, 0.1, 0.9, 0])
    material = Material(images, targets, rows=np.array([0, 1, 2, 0]), draws=1000, weights=weights)
    epoch, again, other = (material.epoch(np.random.default_rng(seed)) for seed in (1, 1, 2))
    counts = np.bincount(epoch, minlength=6)
    assert counts[:3].tolist() == [2, 1, 1]
    assert counts[5] == 0
    assert counts[4] == pytest.approx(900, abs=40)
    assert np.array_equal(epoch, again)
    assert not np.array_equal(epoch, other)
    frequencies = material.frequencies
    assert frequencies[:2] == pytest.approx([4 / 1004, 1000 / 1004])
    assert frequencies[len(CLASSES) :] == pytest.approx([1 / 8] * 8)  # no emotion was named


# Recipes


def test_fields_of_a_recipe_take_other_values_of_their_kind():
    recipe = RECIPES["flagship"]
    assert changed(recipe, []) == recipe
    assignments = (
        "schedule.learning_rate=1e-3",
        "schedule.epochs=5",
        "fall.side=64",
        "plateau.augmentation.scale=0.5,2",
        "precision=float32",
    )
    result = changed(recipe, assignments)
    assert (result.schedule.learning_rate, result.schedule.epochs) == (1e-3, 5)
    assert (result.fall.side, result.plateau.augmentation.scale) == (64, (0.5, 2.0))
    assert result.precision == "float32"
    assert result.labels == recipe.labels


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("schedule", "received 'schedule', expected FIELD=VALUE as in schedule.learning_rate=1e-3"),
        (
            "lerning=1",
            "Recipe has no field 'lerning', expected one of architecture, schedule, labels",
        ),
        ("schedule.rate=1", "Schedule has no field 'rate', expected one of epochs, warm_up, fall"),
        ("schedule=1", "received the field 'schedule', expected one such as schedule.epochs"),
        ("average.rate=1", "received the field 'average.rate', expected one such as average"),
        ("schedule.epochs=1.5", "epochs is '1.5', expected a whole number"),
        ("average=nan", "average is 'nan', expected a number"),
        ("fall.augmentation.scale=1", "scale is '1', expected two numbers as in 0.8,1.2"),
        ("schedule.warm_up=0", "schedule.warm_up is 0, expected a whole number from 1 on"),
        (
            "photographs.draws=0",
            "photographs.draws is 0, expected a whole number from 1 on; leave --photographs",
        ),
        ("photographs.scale=9", "photographs.scale is 9, expected a number from 0.5 to 2"),
        ("fall.side=50", "the side of a view is 50 pixels, expected a multiple of eight"),
    ],
)
def test_fields_and_values_that_make_no_sense_are_refused(assignment, message):
    with pytest.raises(DataError, match=re.escape(message)):
        changed(RECIPES["flagship"], [assignment])


def test_a_recipe_of_ones_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from training.recipes import RECIPES, changed\nRECIPE = changed(RECIPES['slim'],"
        " ['average=0.9'])\n"
    )
    assert read_recipe(str(file)) == replace(RECIPES["slim"], average=0.9)
    file.write_text("RECIPE = 'slim'\n")
    with pytest.raises(DataError, match="defines no RECIPE, expected RECIPE = Recipe"):
        read_recipe(str(file))
    with pytest.raises(DataError, match=r"absent\.py cannot be read \(No such file"):
        read_recipe(str(tmp_path / "absent.py"))
    with pytest.raises(
        DataError,
        match="unknown recipe grand, expected flagship, ordinary, ordinary-long, slim, deep",
    ):
        read_recipe("grand")


# Views


def test_a_smaller_view_is_the_middle_at_the_same_scale():
    still = Augmentation(0, (1, 1), 0, 0, 0, (1, 1), 0, 0, 0, 0, 0, 0, 0)
    whole = augment(FACES, np.random.default_rng(0), still, 48)
    middle = augment(FACES, np.random.default_rng(0), still, 40)
    assert middle.shape == (40, 40, 40)
    assert np.abs(whole[:, 4:-4, 4:-4].astype(int) - middle).max() <= 1
    flipped = (whole == FACES[:, :, ::-1]).all(axis=(1, 2))
    assert np.array_equal(whole[~flipped], FACES[~flipped])
    assert 5 < flipped.sum() < 35


def test_the_middle_of_a_wider_picture_is_the_face():
    still = Augmentation(0, (1, 1), 0, 0, 0, (1, 1), 0, 0, 0, 0, 0, 0, 0)
    wide = np.pad(FACES, ((0, 0), (8, 8), (8, 8)))
    views = augment(wide, np.random.default_rng(0), still, 48)
    assert np.array_equal(views, augment(FACES, np.random.default_rng(0), still, 48))


@pytest.mark.parametrize("name", ["small", "blur", "noise", "jpeg", "erase", "uneven"])
def test_every_change_happens_as_often_as_it_says(name):
    still = Augmentation(0, (1, 1), 0, 0, 0, (1, 1), 0, 0, 0, 0, 0, 0, 0)
    views = augment(FACES, np.random.default_rng(0), still, 48)
    changed = augment(
        FACES, np.random.default_rng(0), Augmentation(**{**vars(still), name: 1.0}), 48
    )
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
    """Answers that know the undisturbed pixels alone, and by them three labels of four."""
    known = {image.tobytes() for image in FACES[:30]}
    labels = np.zeros(len(FACES), int)
    scores = {True: [0.9, 0.1], False: [0.1, 0.9]}
    report = measure(
        lambda images: np.array([scores[i.tobytes() in known] for i in images]), FACES, labels
    )
    assert (report.n, report.clean) == (40, 0.75)
    assert set(report.accuracy) == set(report.strengths) == set(DISTURBANCES)
    assert report.mean_relative == pytest.approx(np.mean(list(report.accuracy.values())) / 0.75)
    assert report.mean_relative < 0.1
