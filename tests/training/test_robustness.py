"""The corruptions that versions are measured under."""

from __future__ import annotations

import numpy as np
import pytest

from tests.factories.fer2013 import arrays
from training.robustness import CORRUPTIONS, corrupt, measure

FACES = arrays((40, 4, 7))["images"][:40]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions_grow_and_are_the_same_for_every_caller(name):
    before = FACES.copy()
    corrupted = [corrupt(FACES, name, strength) for strength in range(5)]
    assert all((images.shape, images.dtype) == (FACES.shape, np.uint8) for images in corrupted)
    assert np.array_equal(corrupted[0], corrupt(FACES, name, 0))
    assert np.array_equal(FACES, before)
    distance = [np.abs(images.astype(float) - FACES).mean() for images in corrupted]
    assert 0 < distance[0] < distance[4]


def test_robustness_is_relative_to_the_clean_accuracy():
    """Answers that know the clean pixels alone, and by them three labels of four."""
    known = {image.tobytes() for image in FACES[:30]}
    labels = np.zeros(len(FACES), int)
    scores = {True: [0.9, 0.1], False: [0.1, 0.9]}
    report = measure(
        lambda images: np.array([scores[i.tobytes() in known] for i in images]), FACES, labels
    )
    assert (report.n, report.clean) == (40, 0.75)
    assert set(report.accuracy) == set(report.strengths) == set(CORRUPTIONS)
    assert report.mean_relative == pytest.approx(np.mean(list(report.accuracy.values())) / 0.75)
    assert report.mean_relative < 0.1
