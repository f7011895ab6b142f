"""What is left out of training, and what is taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.factories.fer2013 import arrays, write_npz
from training.data.classes import CLASSES, EMOTIONS
from training.data.examples import Examples, no_examples, photograph_targets, training_examples
from training.data.fer2013 import VOTES
from training.data.fer2013_files import load


def examples(path: Path, **changes: tuple[int, object]) -> Examples:
    """Training examples of a data set of which one row of each named array was replaced."""
    data = arrays()
    for name, (row, value) in changes.items():
        data[name][row] = value
    return training_examples(load(write_npz(path / "fer2013.npz", data)))


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
