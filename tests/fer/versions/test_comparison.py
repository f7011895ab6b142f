"""Pairs of versions, against SciPy and against worked examples."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from fer.intervals import Z_95
from fer.versions import comparison

# Fagerland, Lydersen and Laake (2017), chapter 8: both, only a, only b, neither; then what they
# report.
BENTUR, CAVO = (1, 1, 7, 12), (59, 6, 16, 80)


def counted(both, only_a, only_b, neither):
    """Scores of two versions, and labels, with these counts."""
    right_a, right_b = np.repeat(
        [[1, 1], [1, 0], [0, 1], [0, 0]], (both, only_a, only_b, neither), axis=0
    ).T
    return np.eye(2)[right_a], np.eye(2)[right_b], np.ones(len(right_a), int)


@pytest.mark.parametrize(("counts", "p_value"), [(BENTUR, 0.0703), (CAVO, 0.052479)])
def test_mcnemar_reproduces_worked_examples(counts, p_value):
    assert comparison.compare(*counted(*counts)).p_value == pytest.approx(p_value, abs=5e-5)


@pytest.mark.parametrize("a", [0, 1, 4, 37, 160, 1300])
@pytest.mark.parametrize("b", [0, 1, 5, 41, 1215])
def test_mcnemar_agrees_with_scipy(a, b):
    expected = stats.binomtest(a, a + b).pvalue if a + b else 1.0
    assert comparison.mcnemar(a, b) == comparison.mcnemar(b, a) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("counts", "difference", "low", "high"),
    [(BENTUR, -0.286, -0.517, -0.026), (CAVO, -0.0621, -0.1240, -0.0054)],
)
def test_the_paired_interval_reproduces_worked_examples(counts, difference, low, high):
    """The authors' R package contingencytables gives the second with one digit more."""
    found = comparison.compare(*counted(*counts))
    digits = 5e-4 if counts is BENTUR else 5e-5
    assert (found.difference, found.low, found.high) == pytest.approx(
        (difference, low, high), abs=digits
    )


def score_statistic(delta, only_a, only_b, n):
    """Tango's statistic by brute force.

    The likelihood is maximised numerically where the difference is `delta`.
    """
    rest = n - only_a - only_b

    def loss(q):
        shares = (q + delta, q, 1 - 2 * q - delta)
        return -sum(
            k * math.log(p) for k, p in zip((only_a, only_b, rest), shares, strict=True) if k
        )

    bounds = (max(0.0, -delta) + 1e-12, (1 - delta) / 2 - 1e-12)
    q = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-13}).x
    return (only_a - only_b - n * delta) / math.sqrt(n * (2 * q + delta - delta**2))


@pytest.mark.parametrize(
    ("only_a", "only_b", "n"), [(1, 7, 21), (6, 16, 161), (0, 3, 40), (150, 97, 2515), (9, 9, 18)]
)
def test_the_paired_interval_is_where_the_score_test_ceases_to_reject(only_a, only_b, n):
    interval = comparison.tango(only_a, only_b, n)
    assert score_statistic(interval.low, only_a, only_b, n) == pytest.approx(Z_95, abs=1e-4)
    assert score_statistic(interval.high, only_a, only_b, n) == pytest.approx(-Z_95, abs=1e-4)


@pytest.mark.parametrize(
    ("a", "b", "n"), [(0, 0, 1), (0, 0, 50), (5, 0, 5), (0, 5, 5), (10, 10, 20), (0, 1, 9)]
)
def test_the_paired_interval_at_its_edges(a, b, n):
    one, other = comparison.tango(a, b, n), comparison.tango(b, a, n)
    assert -1 <= one.low <= one.value <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert one.low < one.high


@pytest.mark.parametrize(("a", "b", "n"), [(0, 0, 0), (-1, 2, 5), (3, 3, 5)])
def test_the_paired_interval_refuses_the_impossible(a, b, n):
    with pytest.raises(ValueError, match="0 <= only_a"):
        comparison.tango(a, b, n)


def test_the_paired_interval_covers_the_truth():
    """3,000 pairs of versions on 400 examples each, of which a gets 84 % and b 80 % right."""
    draws = np.random.default_rng(4).multinomial(400, (0.75, 0.09, 0.05, 0.11), 3000)
    intervals = [comparison.tango(int(a), int(b), 400) for _, a, b, _ in draws]
    assert np.mean([i.low <= 0.04 <= i.high for i in intervals]) == pytest.approx(0.95, abs=0.012)


def test_where_the_exact_test_rejects_the_interval_leaves_out_zero():
    """Not the other way round: then `distinguishable` follows the test."""
    outcomes = {
        (a, b): (comparison.mcnemar(a, b) < 0.05, comparison.tango(a, b, 300))
        for a in range(90)
        for b in range(a)
    }
    assert all(interval.low > 0 for rejected, interval in outcomes.values() if rejected)
    assert any(interval.low > 0 for rejected, interval in outcomes.values() if not rejected)


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ((1936, 150, 97, 332), "v2 is better: +2.1 points, 95 % interval 0.9 to 3.3, n=2,515"),
        ((1936, 97, 150, 332), "v1 is better: +2.1 points, 95 % interval 0.9 to 3.3, n=2,515"),
        (
            (1936, 100, 97, 382),
            "v2 and v1 are not distinguishable at n=2,515: +0.1 points, 95 % interval -1.0 to 1.2",
        ),
        (
            (3000, 4, 5, 0),
            "v2 and v1 are not distinguishable at n=3,009: +0.0 points, 95 % interval -0.3 to 0.2",
        ),
        (
            (5, 0, 0, 0),
            "v2 and v1 are not distinguishable at n=5: +0.0 points, 95 % interval -43.4 to 43.4",
        ),
        (
            CAVO,
            (
                "v2 and v1 are not distinguishable at n=161 by the paired test (p = 0.052): "
                "-6.2 points, 95 % interval -12.4 to -0.5"
            ),
        ),
    ],
)
def test_a_comparison_in_plain_words(counts, sentence):
    found = comparison.compare(*counted(*counts))
    assert (found.both, found.only_a, found.only_b, found.neither) == counts
    assert found.sentence("v2", "v1") == sentence


# Several pictures of one person


def test_obuchowski_by_hand():
    """Three people with two, two and one pictures.

    The sums of differences deviate from their share of the mean.
    """
    right_a, right_b = np.array([1, 1, 1, 0, 1], bool), np.array([0, 0, 1, 1, 1], bool)
    half, p_value = comparison.obuchowski(right_a, right_b, np.array([4, 4, 7, 7, 9]))
    mean, sums, sizes = 1 / 5, np.array([2, -1, 0]), np.array([2, 2, 1])
    error = math.sqrt(3 / 2 * ((sums - mean * sizes) ** 2).sum()) / 5
    assert half == pytest.approx(Z_95 * error)
    assert p_value == pytest.approx(2 * stats.norm.sf(mean / error))


def test_pictures_of_one_person_count_for_less():
    """The same answers forty times over.

    Without knowing whose they are, chance would look like proof.
    """
    right_a, right_b, labels = counted(8, 4, 1, 7)
    people = np.arange(20)
    many = [np.repeat(array, 40, axis=0) for array in (right_a, right_b, labels)]
    assert comparison.compare(*many).distinguishable
    clustered = comparison.compare(*many, np.repeat(people, 40))
    assert not clustered.distinguishable
    assert clustered.people == 20
    alone = comparison.compare(right_a, right_b, labels, people)
    assert (alone.low, alone.high) == pytest.approx((clustered.low, clustered.high), abs=0.07)


def test_two_versions_that_answer_alike_are_not_told_apart():
    right, _, labels = counted(8, 0, 0, 7)
    found = comparison.compare(right, right, labels, np.zeros(15, int))
    assert (found.difference, found.p_value, found.distinguishable) == (0, 1, False)
    assert found.low < 0 < found.high
