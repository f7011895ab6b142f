"""Two versions on the same test examples, pair by pair: is one of them really better?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fer.intervals import Z_95, Clusters, Estimate
from fer.metrics import Scores, Targets

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two versions on the same examples: how many each got right, and how their accuracies differ.

    `difference` is the accuracy of a minus that of b, `low` to `high` its 95 % interval. `p_value`
    is that of McNemar's exact test. Where it is known how many `people` the examples show,
    interval and p-value allow for several pictures of one person.
    """

    n: int
    both: int
    only_a: int
    only_b: int
    neither: int
    difference: float
    low: float
    high: float
    p_value: float
    people: int | None = None

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves out zero and the test, which is the stricter one, agrees."""
        return self.p_value < 0.05 and not self._may_be_equal

    def sentence(self, a: str, b: str) -> str:
        """The comparison in plain words, given the names of the two versions."""
        if self.distinguishable:
            better, sign = (a, 1) if self.difference > 0 else (b, -1)
            return f"{better} is better: {self._points(sign)}, n={self.n:,}"
        doubt = "" if self._may_be_equal else f" by the paired test (p = {self.p_value:.3f})"
        return f"{a} and {b} are not distinguishable at n={self.n:,}{doubt}: {self._points(1)}"

    @property
    def _may_be_equal(self) -> bool:
        return self.low <= 0 <= self.high

    def _points(self, sign: int) -> str:
        low, high = sorted((100 * sign * self.low, 100 * sign * self.high))
        difference = round(100 * sign * self.difference, 1) + 0.0  # -0.0 becomes 0.0
        return f"{difference:+.1f} points, 95 % interval {low:.1f} to {high:.1f}"


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Which of the same examples two versions got right, (n,) each."""

    right_a: Flags
    right_b: Flags

    @property
    def n(self) -> int:
        return len(self.right_a)

    @property
    def both(self) -> int:
        return int((self.right_a & self.right_b).sum())

    @property
    def only_a(self) -> int:
        return int((self.right_a & ~self.right_b).sum())

    @property
    def only_b(self) -> int:
        return int((self.right_b & ~self.right_a).sum())

    @property
    def neither(self) -> int:
        return int((~self.right_a & ~self.right_b).sum())


def compare(
    scores_a: Scores, scores_b: Scores, targets: Targets, people: Clusters | None = None
) -> PairedComparison:
    """Compare two versions by McNemar's exact test and Tango's interval.

    `people` (n,) tells who is in each picture. A version answers pictures of one person alike, so
    they tell less than as many pictures of different people: with `people`, the interval is the
    wider of Tango's and `obuchowski`'s, and the p-value the larger.
    """
    pairs = _Pairs(_right(scores_a, targets), _right(scores_b, targets))
    interval = tango(pairs.only_a, pairs.only_b, pairs.n)
    p_value = mcnemar(pairs.only_a, pairs.only_b)
    if people is None:
        return _comparison(pairs, interval, p_value)
    half, p_value_by_people = obuchowski(pairs.right_a, pairs.right_b, people)
    wider = _widened(interval, half)
    count = len(np.unique(people))
    return _comparison(pairs, wider, max(p_value, p_value_by_people), count)


def _right(scores: Scores, targets: Targets) -> Flags:
    right: Flags = scores.argmax(axis=1) == targets
    return right


def _widened(interval: Estimate, half: float) -> Estimate:
    """The interval, at least `half` wide on either side."""
    low = min(interval.low, interval.value - half)
    high = max(interval.high, interval.value + half)
    return Estimate(interval.value, low, high, interval.n)


def _comparison(
    pairs: _Pairs, interval: Estimate, p_value: float, people: int | None = None
) -> PairedComparison:
    return PairedComparison(
        n=pairs.n,
        both=pairs.both,
        only_a=pairs.only_a,
        only_b=pairs.only_b,
        neither=pairs.neither,
        difference=interval.value,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        people=people,
    )


def obuchowski(right_a: Flags, right_b: Flags, clusters: Clusters) -> tuple[float, float]:
    """Half the 95 % interval of a difference of clustered paired proportions, and its p-value.

    Obuchowski (1998), "On the comparison of correlated proportions for clustered data": the
    variance of a ratio, from the deviations of each cluster's sum of differences.
    """
    differences = right_a.astype(np.float64) - right_b
    mean = float(differences.mean())
    error = _error_of_mean(differences, clusters)
    if not error:
        return 0.0, 1.0
    return Z_95 * error, math.erfc(abs(mean) / error / math.sqrt(2))


def _error_of_mean(values: NDArray[np.float64], clusters: Clusters) -> float:
    """The standard error of the mean of values that come in clusters."""
    _, index = np.unique(clusters, return_inverse=True)
    deviations = np.bincount(index, values - values.mean())
    count = len(deviations)
    variance = count / max(1, count - 1) * float((deviations**2).sum())
    return math.sqrt(variance) / len(values)


def mcnemar(only_a: int, only_b: int) -> float:
    """The two-sided p-value of McNemar's exact test (1947).

    It is that of a fair coin, thrown once for each example that one version alone got right.
    """
    n = only_a + only_b
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, float(2 * tail / 2**n))


def tango(only_a: int, only_b: int, n: int) -> Estimate:
    """A difference of paired proportions with its 95 % score interval (Tango 1998).

    The interval holds every difference that the score test, McNemar's for zero, does not reject.
    """
    if min(only_a, only_b) < 0 or only_a + only_b > n or n == 0:
        raise ValueError(
            f"need 0 <= only_a + only_b <= n and n > 0, received {only_a} and {only_b} of {n}"
        )
    difference = (only_a - only_b) / n
    accepted = partial(_score_test_accepts, only_a, only_b, n)
    low = _last(accepted, difference, -1.0)
    high = _last(accepted, difference, 1.0)
    return Estimate(difference, low, high, n)


def _score_test_accepts(only_a: int, only_b: int, n: int, delta: float) -> bool:
    """Whether the score test at 5 % accepts `delta` as the difference."""
    share = _likeliest_share(only_a, only_b, n, delta)
    variance = n * (2 * share + delta * (1 - delta))
    return (only_a - only_b - n * delta) ** 2 <= Z_95**2 * variance


def _likeliest_share(only_a: int, only_b: int, n: int, delta: float) -> float:
    """The most likely share of examples that b alone gets right, if the difference is `delta`."""
    b = (2 * n - only_a + only_b) * delta - only_a - only_b
    c = -only_b * delta * (1 - delta)
    root = math.sqrt(max(0.0, b * b - 8 * n * c))
    return (root - b) / (4 * n)


def _last(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where a condition ceases to hold on the way from `inside` to `outside`, by bisection."""
    for _ in range(60):
        middle = (inside + outside) / 2
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return inside
