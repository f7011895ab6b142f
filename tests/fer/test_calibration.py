"""Against SciPy, against drawn answers and against cases small enough to do by hand."""

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax

from fer import calibration

SCORES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
TARGETS = np.array([0, 1, 1, 0])


def test_calibration_error_by_hand():
    """Bins of 1/15: confidences 0.9, 0.8, 0.7, 0.6 fall into four bins of one example each."""
    assert calibration.expected_calibration_error(SCORES, TARGETS) == pytest.approx(
        (0.1 + 0.8 + 0.3 + 0.4) / 4
    )


@pytest.mark.parametrize(("wanted", "threshold"), [(1.0, 0.9), (0.75, 0.6), (0.5, 0.6)])
def test_threshold_keeps_as_many_answers_as_it_may(wanted, threshold):
    """From the most confident on, the answers are right, wrong, right, right."""
    assert calibration.fit_threshold(SCORES, TARGETS, wanted) == threshold


def test_threshold_is_one_where_no_answer_is_right():
    assert calibration.fit_threshold(SCORES, 1 - SCORES.argmax(axis=1), 0.5) == 1.0


def test_risk_over_coverage_by_hand():
    curve = calibration.risk_coverage(SCORES, TARGETS, points=4)
    assert np.allclose(curve, [(0.25, 0), (0.5, 1 / 2), (0.75, 1 / 3), (1, 1 / 4)])
    assert calibration.risk_coverage(SCORES[:1], TARGETS[:1], points=2) == [(1.0, 0.0), (1.0, 0.0)]


@pytest.mark.parametrize("confidence", [0.5, 1.0])
def test_reliability_keeps_the_edges(confidence):
    table = calibration.reliability(np.array([[confidence, 1 - confidence]]), np.array([0]))
    assert table[:, 0].sum() == 1
    assert table[table[:, 0] > 0][0].tolist() == [1, confidence, 1]


def test_calibrated_scores_have_a_small_calibration_error():
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(4), 40_000)
    targets = (rng.random((len(scores), 1)) > scores.cumsum(axis=1)).sum(axis=1).clip(max=3)
    assert calibration.expected_calibration_error(scores, targets) < 0.01
    assert (
        calibration.expected_calibration_error(
            calibration.scale_by_temperature(scores, 0.3), targets
        )
        > 0.1
    )


def test_calibration_error_by_chance_is_that_of_labels_drawn_from_the_scores():
    rng = np.random.default_rng(5)
    scores = rng.dirichlet(np.full(4, 0.4), 500)
    drawn = (
        (rng.random((len(scores), 1)) > scores.cumsum(axis=1)).sum(axis=1).clip(max=3)
        for _ in range(1000)
    )
    errors = [calibration.expected_calibration_error(scores, targets) for targets in drawn]
    chance = calibration.calibration_error_by_chance(scores)
    assert chance.value == pytest.approx(np.mean(errors), rel=0.02)
    assert (chance.low, chance.high) == pytest.approx(
        tuple(np.percentile(errors, (2.5, 97.5))), rel=0.05
    )
    assert chance.n == 500


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.7])
def test_softmax_agrees_with_scipy(temperature):
    logits = np.random.default_rng(1).normal(0, 30, (50, 4))
    assert calibration.softmax(logits, temperature) == pytest.approx(
        scipy_softmax(logits / temperature, axis=1)
    )
    assert calibration.scale_by_temperature(
        scipy_softmax(logits / 10, axis=1), temperature
    ) == pytest.approx(scipy_softmax(logits / 10 / temperature, axis=1), abs=1e-9)


@pytest.mark.parametrize("true", [0.6, 1.0, 1.8])
def test_fit_temperature_recovers_the_temperature_that_made_the_labels(true):
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (30_000, 4))
    truth = calibration.softmax(logits, true)
    targets = (rng.random((len(truth), 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(max=3)
    assert calibration.fit_temperature(calibration.softmax(logits), targets) == pytest.approx(
        true, rel=0.04
    )
