"""Measured values with their 95 % intervals, in plain NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Clusters = NDArray[np.integer]
"""For each example (n,) which cluster it belongs to, such as who is in the picture."""

Z_95 = 1.959963984540054
"""Standard deviations from the mean to either end of a 95 % interval of a normal distribution."""

_RESAMPLES = 1000


class Estimate(Struct, frozen=True, forbid_unknown_fields=True):
    """A measured value, its 95 % interval and the number of examples behind it."""

    value: float
    low: float
    high: float
    n: int


def wilson(successes: int, n: int) -> Estimate:
    """A proportion with its 95 % score interval.

    Args:
        successes: How many of the examples succeeded.
        n: How many examples there are.

    Returns:
        `successes / n`, with an interval that holds it and stays within [0, 1].

    Raises:
        ValueError: there is no example, or fewer examples than successes.

    Source:
        Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".

    Example:
        >>> estimate = wilson(81, 263)
        >>> round(estimate.low, 4), round(estimate.high, 4)
        (0.2553, 0.3662)
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"need 0 <= successes <= n and n > 0, received {successes} of {n}")
    proportion = successes / n
    center, half_width = _score_interval(proportion, n)
    low = max(0.0, center - half_width)
    high = min(1.0, center + half_width)
    return Estimate(proportion, min(proportion, low), max(proportion, high), n)


def _score_interval(p: float, n: int) -> tuple[float, float]:
    """Its centre and half its width."""
    z2 = Z_95**2
    shrinkage = 1 + z2 / n
    center = (p + z2 / (2 * n)) / shrinkage
    half_width = Z_95 / shrinkage * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return center, half_width


def percentile_interval(values: Sequence[float] | NDArray[np.floating]) -> tuple[float, float]:
    """The bounds between which the middle 95 % of values lie.

    Args:
        values: Such as a metric of each resample.

    Returns:
        The 2.5th and the 97.5th percentile.

    Example:
        >>> percentile_interval(range(1001))
        (25.0, 975.0)
    """
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def share(holds: NDArray[np.bool_], clusters: Clusters | None = None) -> Estimate:
    """The share of examples for which something holds.

    Without clusters its interval is Wilson's. With them it is at least that wide: examples of one
    cluster tell less than as many of different ones, so clusters are resampled as in `bootstrap`.

    Args:
        holds: Whether it holds for each example, (n,) bool.
        clusters: The cluster of each example, (n,) integers.

    Returns:
        The share with its interval.

    Raises:
        ValueError: there is no example.

    Example:
        >>> share(np.array([True, True, False, True])).value
        0.75
    """
    alone = wilson(int(holds.sum()), len(holds))
    if clusters is None:
        return alone
    low, high = percentile_interval(_shares_of_resamples(holds, clusters))
    return Estimate(alone.value, min(alone.low, low), max(alone.high, high), alone.n)


def bootstrap(
    metric: Callable[[NDArray[np.floating], NDArray[np.integer]], float],
    scores: NDArray[np.floating],
    targets: NDArray[np.integer],
    clusters: Clusters | None = None,
) -> Estimate:
    """Any metric with its 95 % percentile interval over resampled examples.

    Args:
        metric: A function of scores and targets, such as `fer.metrics.macro_f1`.
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).
        clusters: The cluster of each example, (n,) integers; whole clusters are then resampled.

    Returns:
        The metric of all examples, with its interval; the same at every call.

    Source:
        Efron 1979, "Bootstrap Methods: Another Look at the Jackknife"; for clusters, Davison and
        Hinkley 1997, "Bootstrap Methods and their Application", section 3.8.

    Example:
        >>> from fer.metrics import macro_f1
        >>> scores = np.eye(2)[[0, 1] * 20]
        >>> targets = np.array([0, 1] * 15 + [1, 0] * 5)
        >>> bootstrap(macro_f1, scores, targets).value
        0.75
    """
    values = [
        metric(scores[rows], targets[rows]) for rows in _resampled_rows(len(targets), clusters)
    ]
    return Estimate(metric(scores, targets), *percentile_interval(values), n=len(targets))


def _shares_of_resamples(holds: NDArray[np.bool_], clusters: Clusters) -> NDArray[np.floating]:
    cluster_of_example = _numbered(clusters)
    sizes = np.bincount(cluster_of_example)
    sums = np.bincount(cluster_of_example, holds)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(sizes), (_RESAMPLES, len(sizes)))
    shares: NDArray[np.floating] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return shares


def _resampled_rows(n: int, clusters: Clusters | None) -> Iterator[NDArray[np.integer]]:
    """The rows of each resample: n of n examples, or the members of as many clusters."""
    if clusters is None:
        yield from _draws(n)
        return
    members = _members(clusters)
    for drawn in _draws(len(members)):
        yield np.concatenate([members[cluster] for cluster in drawn])


def _draws(n: int) -> Iterator[NDArray[np.integer]]:
    """N of n with replacement, for each resample."""
    rng = np.random.default_rng(0)
    for _ in range(_RESAMPLES):
        yield rng.integers(0, n, n)


def _members(clusters: Clusters) -> list[NDArray[np.integer]]:
    """The rows of each cluster."""
    cluster_of_example = _numbered(clusters)
    rows_by_cluster = np.argsort(cluster_of_example, kind="stable")
    ends = np.cumsum(np.bincount(cluster_of_example))
    return np.split(rows_by_cluster, ends[:-1])


def _numbered(clusters: Clusters) -> NDArray[np.integer]:
    """The cluster of each example, counted from 0."""
    _, numbers = np.unique(clusters, return_inverse=True)
    return numbers
