"""Against SciPy, against worked examples and against cases small enough to do by hand."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import softmax as scipy_softmax

from fer import metrics

SCORES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
LABELS = np.array([0, 1, 1, 0])


@pytest.mark.parametrize(
    ("k", "n"), [(0, 10), (1, 10), (81, 263), (15, 148), (56, 56), (2012, 2515)]
)
def test_wilson_agrees_with_scipy(k, n):
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    estimate = metrics.wilson(k, n)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (estimate.value, estimate.n) == (k / n, n)


def test_wilson_reproduces_newcombe_1998():
    """Newcombe (1998), table I, method 3: 81 of 263 and 15 of 148."""
    assert (metrics.wilson(81, 263).low, metrics.wilson(81, 263).high) == pytest.approx(
        (0.2553, 0.3662), abs=5e-5
    )
    assert (metrics.wilson(15, 148).low, metrics.wilson(15, 148).high) == pytest.approx(
        (0.0624, 0.1605), abs=5e-5
    )


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_the_impossible(k, n):
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        metrics.wilson(k, n)


def test_confusion_matrix_has_a_row_for_each_true_class():
    assert metrics.confusion_matrix(SCORES, LABELS).tolist() == [[2, 0], [1, 1]]


def test_accuracy_recall_and_f1_by_hand():
    assert metrics.accuracy(SCORES, LABELS).value == 0.75
    assert [r.value for r in metrics.recalls(SCORES, LABELS)] == [1.0, 0.5]
    assert metrics.macro_f1(SCORES, LABELS) == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert metrics.balanced_accuracy(SCORES[1:], LABELS[1:]) == 0.75


def test_a_face_that_was_not_found_is_wrong_whatever_its_scores():
    answers = metrics.with_no_face(SCORES, np.array([True, True, False, True]))
    assert metrics.accuracy(answers, LABELS).value == 0.5
    assert [recall and recall.value for recall in metrics.recalls(answers, LABELS)] == [
        1.0,
        0.0,
        None,
    ]
    assert metrics.confusion_matrix(answers, LABELS)[:2].tolist() == [[2, 0, 0], [1, 0, 1]]
    assert metrics.macro_f1(answers, LABELS) == pytest.approx((4 / 5 + 0) / 2)


def test_a_class_without_examples_has_no_recall_and_no_warning():
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    assert metrics.recalls(scores, np.array([0, 1]))[2] is None
    assert (
        metrics.macro_f1(scores, np.array([0, 1]))
        == metrics.balanced_accuracy(scores, np.array([0, 1]))
        == 1
    )


def test_log_loss_by_hand_and_finite_at_zero():
    assert metrics.log_loss(SCORES, LABELS) == pytest.approx(-np.log([0.9, 0.2, 0.7, 0.6]).mean())
    assert np.isfinite(metrics.log_loss(np.array([[1.0, 0.0]]), np.array([1])))


def test_calibration_error_by_hand():
    """Bins of 1/15: confidences 0.9, 0.8, 0.7, 0.6 fall into four bins of one example each."""
    assert metrics.expected_calibration_error(SCORES, LABELS) == pytest.approx(
        (0.1 + 0.8 + 0.3 + 0.4) / 4
    )


@pytest.mark.parametrize(("wanted", "threshold"), [(1.0, 0.9), (0.75, 0.6), (0.5, 0.6)])
def test_threshold_keeps_as_many_answers_as_it_may(wanted, threshold):
    """From the most confident on, the answers are right, wrong, right, right."""
    assert metrics.fit_threshold(SCORES, LABELS, wanted) == threshold


def test_threshold_is_one_where_no_answer_is_right():
    assert metrics.fit_threshold(SCORES, 1 - SCORES.argmax(axis=1), 0.5) == 1.0


def test_risk_over_coverage_by_hand():
    curve = metrics.risk_coverage(SCORES, LABELS, points=4)
    assert np.allclose(curve, [(0.25, 0), (0.5, 1 / 2), (0.75, 1 / 3), (1, 1 / 4)])
    assert metrics.risk_coverage(SCORES[:1], LABELS[:1], points=2) == [(1.0, 0.0), (1.0, 0.0)]


@pytest.mark.parametrize("confidence", [0.5, 1.0])
def test_reliability_keeps_the_edges(confidence):
    table = metrics.reliability(np.array([[confidence, 1 - confidence]]), np.array([0]))
    assert table[:, 0].sum() == 1
    assert table[table[:, 0] > 0][0].tolist() == [1, confidence, 1]


def test_calibrated_scores_have_a_small_calibration_error():
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(4), 40_000)
    labels = (rng.random((len(scores), 1)) > scores.cumsum(axis=1)).sum(axis=1).clip(max=3)
    assert metrics.expected_calibration_error(scores, labels) < 0.01
    assert metrics.expected_calibration_error(metrics.soften(scores, 0.3), labels) > 0.1


def test_calibration_error_by_chance_is_that_of_labels_drawn_from_the_scores():
    rng = np.random.default_rng(5)
    scores = rng.dirichlet(np.full(4, 0.4), 500)
    drawn = (
        (rng.random((len(scores), 1)) > scores.cumsum(axis=1)).sum(axis=1).clip(max=3)
        for _ in range(1000)
    )
    errors = [metrics.expected_calibration_error(scores, labels) for labels in drawn]
    chance = metrics.calibration_error_by_chance(scores)
    assert chance.value == pytest.approx(np.mean(errors), rel=0.02)
    assert (chance.low, chance.high) == pytest.approx(
        tuple(np.percentile(errors, (2.5, 97.5))), rel=0.05
    )
    assert chance.n == 500


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.7])
def test_softmax_agrees_with_scipy(temperature):
    logits = np.random.default_rng(1).normal(0, 30, (50, 4))
    assert metrics.softmax(logits, temperature) == pytest.approx(
        scipy_softmax(logits / temperature, axis=1)
    )
    assert metrics.soften(scipy_softmax(logits / 10, axis=1), temperature) == pytest.approx(
        scipy_softmax(logits / 10 / temperature, axis=1), abs=1e-9
    )


@pytest.mark.parametrize("true", [0.6, 1.0, 1.8])
def test_fit_temperature_recovers_the_temperature_that_made_the_labels(true):
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (30_000, 4))
    truth = metrics.softmax(logits, true)
    labels = (rng.random((len(truth), 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(max=3)
    assert metrics.fit_temperature(metrics.softmax(logits), labels) == pytest.approx(true, rel=0.04)


def test_bootstrap_of_a_mean_matches_its_standard_error():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 2000)
    scores = np.eye(2)[np.where(rng.random(2000) < 0.8, labels, 1 - labels)]
    estimate = metrics.bootstrap(lambda s, y: float((s.argmax(axis=1) == y).mean()), scores, labels)
    exact = metrics.accuracy(scores, labels)
    assert (estimate.low, estimate.high) == pytest.approx((exact.low, exact.high), abs=0.004)
    assert estimate.low < estimate.value < estimate.high


def test_intervals_know_that_pictures_of_one_person_are_alike():
    """40 people of 50 pictures each, answered all right or all wrong.

    Tell no more than 40 pictures.
    """
    rng = np.random.default_rng(6)
    right = rng.random(40) < 0.7
    people = np.repeat(rng.permutation(40), 50)
    scores, labels = np.eye(2)[np.repeat(right, 50).astype(int)], np.ones(2000, int)
    alone = metrics.wilson(int(right.sum()), 40)
    share = metrics.share(np.repeat(right, 50), people)
    assert share == metrics.accuracy(scores, labels, people)
    drawn = metrics.bootstrap(metrics.balanced_accuracy, scores, labels, people)
    for estimate in (share, drawn):
        assert (estimate.value, estimate.n) == (alone.value, 2000)
        assert (estimate.low, estimate.high) == pytest.approx((alone.low, alone.high), abs=0.03)
    assert metrics.share(np.repeat(right, 50)) == metrics.wilson(50 * int(right.sum()), 2000)


def test_a_share_is_never_surer_than_that_of_as_many_people():
    """Where everything is right, resampling alone would be certain."""
    assert metrics.share(np.ones(8, bool), np.arange(8)) == metrics.wilson(8, 8)
