"""Against SciPy, published tables and each other."""

import numpy as np
import pytest
from scipy import stats

from fer import intervals, metrics


@pytest.mark.parametrize(
    ("k", "n"), [(0, 10), (1, 10), (81, 263), (15, 148), (56, 56), (2012, 2515)]
)
def test_wilson_agrees_with_scipy(k, n):
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    estimate = intervals.wilson(k, n)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (estimate.value, estimate.n) == (k / n, n)


def test_wilson_reproduces_newcombe_1998():
    """Newcombe (1998), table I, method 3: 81 of 263 and 15 of 148."""
    assert (intervals.wilson(81, 263).low, intervals.wilson(81, 263).high) == pytest.approx(
        (0.2553, 0.3662), abs=5e-5
    )
    assert (intervals.wilson(15, 148).low, intervals.wilson(15, 148).high) == pytest.approx(
        (0.0624, 0.1605), abs=5e-5
    )


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_the_impossible(k, n):
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        intervals.wilson(k, n)


def test_bootstrap_of_a_mean_matches_its_standard_error():
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 2, 2000)
    scores = np.eye(2)[np.where(rng.random(2000) < 0.8, targets, 1 - targets)]
    estimate = intervals.bootstrap(
        lambda s, y: float((s.argmax(axis=1) == y).mean()), scores, targets
    )
    exact = metrics.accuracy(scores, targets)
    assert (estimate.low, estimate.high) == pytest.approx((exact.low, exact.high), abs=0.004)
    assert estimate.low < estimate.value < estimate.high


def test_intervals_know_that_pictures_of_one_person_are_alike():
    """40 people of 50 pictures each, answered all right or all wrong.

    Tell no more than 40 pictures.
    """
    rng = np.random.default_rng(6)
    right = rng.random(40) < 0.7
    people = np.repeat(rng.permutation(40), 50)
    scores, targets = np.eye(2)[np.repeat(right, 50).astype(int)], np.ones(2000, int)
    alone = intervals.wilson(int(right.sum()), 40)
    share = intervals.share(np.repeat(right, 50), people)
    assert share == metrics.accuracy(scores, targets, people)
    drawn = intervals.bootstrap(metrics.balanced_accuracy, scores, targets, people)
    for estimate in (share, drawn):
        assert (estimate.value, estimate.n) == (alone.value, 2000)
        assert (estimate.low, estimate.high) == pytest.approx((alone.low, alone.high), abs=0.03)
    assert intervals.share(np.repeat(right, 50)) == intervals.wilson(50 * int(right.sum()), 2000)


def test_a_share_is_never_surer_than_that_of_as_many_people():
    """Where everything is right, resampling alone would be certain."""
    assert intervals.share(np.ones(8, bool), np.arange(8)) == intervals.wilson(8, 8)
