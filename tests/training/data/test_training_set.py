"""What an epoch takes, and how often."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.classes import CLASSES, EMOTIONS
from training.data.training_set import TrainingSet


def test_an_epoch_shows_every_row_and_draws_photographs_by_their_weights():
    images = [np.zeros((48, 48), np.uint8)] * 3 + [np.zeros((64, 64), np.uint8)] * 3
    targets = np.zeros((6, len(CLASSES) + len(EMOTIONS)), np.float32)
    targets[:3, 0] = 1
    targets[3:, 1] = 1
    weights = np.array([0, 0, 0, 0.1, 0.9, 0])
    material = TrainingSet(
        images, targets, rows=np.array([0, 1, 2, 0]), draws=1000, weights=weights
    )
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
