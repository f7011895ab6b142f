"""Batches are the same on every machine and after a resume."""

from __future__ import annotations

import numpy as np
import pytest

from tests.factories.fer2013 import arrays
from training.command import load_keras
from training.data.training_set import TrainingSet
from training.recipes import Crops


@pytest.fixture(scope="module")
def batches():
    load_keras()
    from training.data.batches import Batches

    images = list(arrays((40, 7, 7))["images"][:40])
    targets = np.eye(40, 15, dtype=np.float32)
    training_set = TrainingSet(images, targets, np.arange(40), 0, np.zeros(40))

    def batches(seed: int = 1, epoch: int = 0) -> Batches:
        return Batches(training_set, Crops(side=40), batch_size=16, seed=seed, epoch=epoch)

    return batches


def test_an_epoch_is_dealt_into_batches_of_nearly_one_size(batches):
    assert len(batches()) == 3
    sizes = [len(batches()[index][0]) for index in range(3)]
    assert sizes == [14, 13, 13]
    images, targets = batches()[0]
    assert (images.shape, images.dtype) == ((14, 40, 40, 1), np.float32)
    assert targets.shape == (14, 15)


def test_the_seed_and_the_epoch_decide_them(batches):
    first, _ = batches()[0]
    assert np.array_equal(first, batches()[0][0])
    assert not np.array_equal(first, batches(seed=2)[0][0])
    assert not np.array_equal(first, batches(epoch=1)[0][0])


def test_the_next_epoch_is_the_one_that_a_resume_would_take(batches):
    going_on = batches(epoch=3)
    going_on.on_epoch_end()
    assert np.array_equal(going_on[2][0], batches(epoch=4)[2][0])
