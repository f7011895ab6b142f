"""Against cases small enough to do by hand."""

import numpy as np
import pytest

from fer import metrics

SCORES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
TARGETS = np.array([0, 1, 1, 0])


def test_confusion_matrix_has_a_row_for_each_true_class():
    assert metrics.confusion_matrix(SCORES, TARGETS).tolist() == [[2, 0], [1, 1]]


def test_accuracy_recall_and_f1_by_hand():
    assert metrics.accuracy(SCORES, TARGETS).value == 0.75
    assert [r.value for r in metrics.recalls(SCORES, TARGETS)] == [1.0, 0.5]
    assert metrics.macro_f1(SCORES, TARGETS) == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert metrics.balanced_accuracy(SCORES[1:], TARGETS[1:]) == 0.75


def test_a_face_that_was_not_found_is_wrong_whatever_its_scores():
    answers = metrics.with_no_face(SCORES, np.array([True, True, False, True]))
    assert metrics.accuracy(answers, TARGETS).value == 0.5
    assert [recall and recall.value for recall in metrics.recalls(answers, TARGETS)] == [
        1.0,
        0.0,
        None,
    ]
    assert metrics.confusion_matrix(answers, TARGETS)[:2].tolist() == [[2, 0, 0], [1, 0, 1]]
    assert metrics.macro_f1(answers, TARGETS) == pytest.approx((4 / 5 + 0) / 2)


def test_a_class_without_examples_has_no_recall_and_no_warning():
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    assert metrics.recalls(scores, np.array([0, 1]))[2] is None
    assert (
        metrics.macro_f1(scores, np.array([0, 1]))
        == metrics.balanced_accuracy(scores, np.array([0, 1]))
        == 1
    )


def test_log_loss_by_hand_and_finite_at_zero():
    assert metrics.log_loss(SCORES, TARGETS) == pytest.approx(-np.log([0.9, 0.2, 0.7, 0.6]).mean())
    assert np.isfinite(metrics.log_loss(np.array([[1.0, 0.0]]), np.array([1])))
