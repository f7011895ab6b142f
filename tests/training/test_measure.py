"""Metrics of one test set; versions are measured in test_evaluate."""

from __future__ import annotations

import numpy as np
import pytest

from fer import DataError
from fer.versions.predictions import SetScores
from training.measure import measure

LABELS = ("happy", "sad")
SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])
TARGETS = np.array([0, 1, 1, -1], np.int8)


def test_examples_without_a_target_are_left_out():
    known = SetScores(SCORES, {"mine": TARGETS}, "a" * 64)
    metrics = measure(known, "mine", LABELS, np.array([True, True, False, True]))
    assert (metrics.n, metrics.accuracy.value) == (3, pytest.approx(2 / 3))
    assert metrics.confusion_matrix == ((1, 0), (1, 1))
    assert {label: recall.value for label, recall in metrics.recall.items()} == {
        "happy": 1.0,
        "sad": 0.5,
    }
    assert metrics.certain.coverage.value == pytest.approx(2 / 3)
    assert metrics.certain.accuracy.value == 1.0


def test_a_face_that_is_not_found_is_answered_wrong_and_gives_no_confidence():
    found = np.array([True, False, True, True])
    known = SetScores(SCORES, {"mine": TARGETS}, "a" * 64, found, np.array([1, 2, 2, 3]))
    metrics = measure(known, "mine", LABELS, np.zeros(4, bool))
    assert (metrics.n, metrics.log_loss.n) == (3, 2)
    assert metrics.accuracy.value == pytest.approx(1 / 3)
    assert metrics.confusion_matrix == ((1, 0, 0), (1, 0, 1))
    assert (metrics.certain.coverage.value, metrics.certain.accuracy) == (0.0, None)


def test_where_no_face_was_found_there_is_nothing_to_measure():
    known = SetScores(SCORES, {"mine": TARGETS}, "a" * 64, np.zeros(4, bool))
    with pytest.raises(DataError, match="in none of the 3 pictures of mine was a face found"):
        measure(known, "mine", LABELS, np.zeros(4, bool))
