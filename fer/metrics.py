"""How good probabilities are, in plain NumPy: used by training and by the pages.

Throughout, `scores` is (n, classes) probabilities and `labels` (n,) indices of the true class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating]
Labels = NDArray[np.integer]

Z_95 = 1.959963984540054
BINS = 15  # of equal width, of confidence
_RESAMPLES = 1000
_LEAST = 1e-7  # probabilities are clipped here before a logarithm


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value, its 95 % interval and the number of examples behind it."""

    value: float
    low: float
    high: float
    n: int


def wilson(successes: int, n: int) -> Estimate:
    """A proportion with its 95 % score interval (Wilson 1927)."""
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"need 0 <= successes <= n and n > 0, received {successes} of {n}")
    p, z2 = successes / n, Z_95**2
    center = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return Estimate(p, min(p, max(0.0, center - half)), max(p, min(1.0, center + half)), n)


def share(holds: NDArray[np.bool_], clusters: Labels | None = None) -> Estimate:
    """The share of examples for which something holds.

    Without clusters its interval is Wilson's. With them (n,), such as who is in each picture, it is
    at least that wide: examples of one cluster tell less than as many of different ones, so
    clusters are resampled as in `bootstrap`.
    """
    alone = wilson(int(holds.sum()), len(holds))
    if clusters is None:
        return alone
    _, index = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(index)
    sums = np.bincount(index, holds)
    drawn = np.random.default_rng(0).integers(0, len(sizes), (_RESAMPLES, len(sizes)))
    shares = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(shares, (2.5, 97.5))
    return Estimate(alone.value, min(alone.low, float(low)), max(alone.high, float(high)), alone.n)


def bootstrap(
    metric: Callable[[Scores, Labels], float],
    scores: Scores,
    labels: Labels,
    clusters: Labels | None = None,
) -> Estimate:
    """Any metric with its 95 % percentile interval over resampled examples (Efron 1979).

    With clusters (n,), whole clusters are resampled (Davison and Hinkley 1997, section 3.8).
    """
    rng = np.random.default_rng(0)
    index = (
        np.arange(len(labels)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    )
    members = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    values = []
    for _ in range(_RESAMPLES):
        drawn = rng.integers(0, len(members), len(members))
        rows = drawn if clusters is None else np.concatenate([members[i] for i in drawn])
        values.append(metric(scores[rows], labels[rows]))
    low, high = np.percentile(values, (2.5, 97.5))
    return Estimate(metric(scores, labels), float(low), float(high), len(labels))


def with_no_face(scores: Scores, found: NDArray[np.bool_]) -> Scores:
    """Scores with one more column, the certain answer "no face" where none was found.

    Wrong under every label.
    """
    return np.column_stack((np.where(found[:, None], scores, 0.0), ~found))


def among(scores: Scores, known: Sequence[str], labels: Sequence[str]) -> Scores:
    """Scores (n, known) as if there were no other labels.

    (n, labels), each row summing to one again.
    """
    if list(labels) == list(known):
        return scores
    part: Scores = scores[:, [known.index(label) for label in labels]] + np.finfo(np.float32).tiny
    part /= part.sum(axis=1, keepdims=True)
    return part


def accuracy(scores: Scores, labels: Labels, clusters: Labels | None = None) -> Estimate:
    """The share of examples whose most probable class is the true one."""
    return share(scores.argmax(axis=1) == labels, clusters)


def confusion_matrix(scores: Scores, labels: Labels) -> NDArray[np.int64]:
    """Counts (classes, classes): row = true class, column = predicted class."""
    classes = scores.shape[1]
    cells = labels.astype(np.int64) * classes + scores.argmax(axis=1)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def recalls(
    scores: Scores, labels: Labels, clusters: Labels | None = None
) -> list[Estimate | None]:
    """The share of each true class that was recognised; None for a class without examples."""
    found = []
    for label in range(scores.shape[1]):
        rows = labels == label
        known = None if clusters is None else clusters[rows]
        found.append(accuracy(scores[rows], labels[rows], known) if rows.any() else None)
    return found


def balanced_accuracy(scores: Scores, labels: Labels) -> float:
    """The mean recall of the classes with examples (Brodersen et al. 2010)."""
    matrix = confusion_matrix(scores, labels)
    totals = matrix.sum(axis=1)
    known = totals > 0
    return float(np.mean(np.diag(matrix)[known] / totals[known]))


def macro_f1(scores: Scores, labels: Labels) -> float:
    """The mean, over the classes with examples, of the harmonic mean of precision and recall."""
    matrix = confusion_matrix(scores, labels)
    known = matrix.sum(axis=1) > 0
    totals = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(2 * np.diag(matrix)[known] / totals[known]))


def log_loss(scores: Scores, labels: Labels) -> float:
    """The mean negative natural logarithm of the probability given to the true class."""
    return float(-np.log(np.maximum(scores[np.arange(len(labels)), labels], _LEAST)).mean())


def reliability(scores: Scores, labels: Labels, *, bins: int = BINS) -> NDArray[np.float64]:
    """Rows (count, mean confidence, accuracy) of `bins` equal-width confidence bins.

    Empty bins are (0, nan, nan).
    """
    confidence = scores.max(axis=1)
    correct = scores.argmax(axis=1) == labels
    index = _bins(confidence, bins)
    count = np.bincount(index, minlength=bins).astype(np.float64)
    sums = np.stack(
        [count, np.bincount(index, confidence, bins), np.bincount(index, correct, bins)], axis=1
    )
    sums[:, 1:] = np.divide(
        sums[:, 1:], count[:, None], out=np.full((bins, 2), np.nan), where=count[:, None] > 0
    )
    return sums


def _bins(confidence: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def expected_calibration_error(scores: Scores, labels: Labels) -> float:
    """The mean gap between confidence and accuracy over 15 equal-width bins (Guo et al. 2017.

    Equation 3).
    """
    table = reliability(scores, labels)
    filled = table[table[:, 0] > 0]
    return float((filled[:, 0] * np.abs(filled[:, 1] - filled[:, 2])).sum() / len(labels))


def calibration_error_by_chance(scores: Scores, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """The calibration error that scores as these would show if they were exactly right.

    It is above zero, as few pictures fall into a bin. Whether an answer is right is drawn from its
    own confidence (Bröcker and Smith 2007): the mean and the 95 % interval of the draws.
    """
    confidence, rng = scores.max(axis=1), np.random.default_rng(seed)
    index = _bins(confidence, BINS)
    drawn = (rng.random(len(scores)) < confidence for _ in range(draws))
    errors = [
        float(np.abs(np.bincount(index, right - confidence)).sum()) / len(scores) for right in drawn
    ]
    low, high = np.percentile(errors, (2.5, 97.5))
    return Estimate(float(np.mean(errors)), float(low), float(high), len(scores))


def softmax(logits: Scores, temperature: float = 1.0) -> NDArray[np.float64]:
    """Logits (n, classes) divided by `temperature` (Guo et al. 2017.

    Section 4.2) -> probabilities that sum to 1.
    """
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def soften(scores: Scores, temperature: float) -> NDArray[np.float64]:
    """Probabilities whose logits, known up to a constant, are divided by `temperature`."""
    return softmax(logarithms(scores), temperature)


def logarithms(scores: Scores) -> Scores:
    """The logits of probabilities, up to a constant; finite where a probability is zero."""
    return np.log(np.maximum(scores, 1e-12))


def fit_temperature(scores: Scores, labels: Labels) -> float:
    """The temperature in [0.2, 5] that minimises the log loss, to half a percent."""
    candidates = np.geomspace(0.2, 5.0, 645)
    return float(
        min(candidates, key=lambda temperature: log_loss(soften(scores, temperature), labels))
    )


def fit_threshold(scores: Scores, labels: Labels, wanted: float) -> float:
    """The least confidence at and above which the share of right answers is `wanted`.

    1 if no confidence gives it.
    """
    order = np.argsort(-scores.max(axis=1), kind="stable")
    right = (scores.argmax(axis=1) == labels)[order]
    enough = np.flatnonzero(np.cumsum(right) >= wanted * np.arange(1, len(right) + 1))
    return float(scores.max(axis=1)[order[enough[-1]]]) if len(enough) else 1.0


def risk_coverage(scores: Scores, labels: Labels, *, points: int = 20) -> list[tuple[float, float]]:
    """(share answered, share of those wrong).

    The most confident answered first (El-Yaniv and Wiener 2010).
    """
    order = np.argsort(-scores.max(axis=1), kind="stable")
    wrong = np.cumsum((scores.argmax(axis=1) != labels)[order])
    answered = [max(1, round(len(labels) * i / points)) for i in range(1, points + 1)]
    return [(n / len(labels), float(wrong[n - 1]) / n) for n in answered]
