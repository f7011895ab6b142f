"""Whether scores are as sure as they are right, and the temperature that makes them so.

`scores` and `targets` are those of `fer.metrics`; the confidence of an answer is its highest score.
Guo et al. 2017 is "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer.intervals import Estimate, percentile_interval
from fer.metrics import Scores, Targets, is_right, log_loss

BINS = 15
"""Bins of confidence, of equal width, of which the calibration error is made."""

_LEAST = 1e-12  # probabilities are clipped here before a logarithm
_TEMPERATURES = np.geomspace(0.2, 5.0, 645)  # half a percent from one to the next


def reliability(scores: Scores, targets: Targets, *, bins: int = BINS) -> NDArray[np.float64]:
    """How often answers are right, by their confidence.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).
        bins: How many bins of equal width the confidences fall into.

    Returns:
        A row (count, mean confidence, accuracy) for each bin, (bins, 3); (0, nan, nan) where empty.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
        >>> reliability(scores, np.array([0, 0, 1]), bins=4)[2:].round(2).tolist()
        [[1.0, 0.6, 1.0], [2.0, 0.85, 0.5]]
    """
    confidence = scores.max(axis=1)
    index = _bins(confidence, bins)
    count = np.bincount(index, minlength=bins).astype(np.float64)
    filled = np.where(count > 0, count, np.nan)
    mean_confidence = np.bincount(index, confidence, bins) / filled
    accuracy = np.bincount(index, is_right(scores, targets), bins) / filled
    return np.stack([count, mean_confidence, accuracy], axis=1)


def expected_calibration_error(scores: Scores, targets: Targets) -> float:
    """The mean gap between confidence and accuracy over 15 bins of equal width.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).

    Returns:
        The mean over the examples, in [0, 1].

    Source:
        Guo et al. 2017, equation 3.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> round(expected_calibration_error(scores, np.array([0, 1, 1, 0])), 4)
        0.4
    """
    table = reliability(scores, targets)
    count, confidence, correct = table[table[:, 0] > 0].T
    return float((count * np.abs(confidence - correct)).sum() / len(targets))


def calibration_error_by_chance(scores: Scores, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """The calibration error that scores as these would show if they were exactly right.

    It is above zero, since few pictures fall into a bin. Whether an answer is right is drawn from
    its own confidence.

    Args:
        scores: Probabilities, (n, classes).
        draws: How often the answers are drawn.
        seed: Of the random numbers.

    Returns:
        The mean error of the draws, and the interval that holds 95 % of them.

    Source:
        Bröcker and Smith 2007, "Increasing the Reliability of Reliability Diagrams".

    Example:
        >>> scores = np.tile([0.8, 0.2], (100, 1))
        >>> 0.02 < calibration_error_by_chance(scores).value < 0.05
        True
    """
    confidence = scores.max(axis=1)
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(draws):
        right = rng.random(len(scores)) < confidence
        errors.append(_calibration_error(confidence, right))
    return Estimate(float(np.mean(errors)), *percentile_interval(errors), n=len(scores))


def _calibration_error(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    gaps = np.bincount(_bins(confidence, BINS), right - confidence)
    return float(np.abs(gaps).sum()) / len(confidence)


def softmax(logits: Scores, temperature: float = 1.0) -> NDArray[np.float64]:
    """The probabilities of logits, at a temperature.

    Args:
        logits: Outputs of a network, (n, classes).
        temperature: What they are divided by; above one, the probabilities become less certain.

    Returns:
        Probabilities (n, classes); each row sums to one.

    Example:
        >>> logits = np.log([[0.8, 0.2]])
        >>> softmax(logits).round(2).tolist(), softmax(logits, temperature=2).round(2).tolist()
        ([[0.8, 0.2]], [[0.67, 0.33]])
    """
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def logarithms(scores: Scores) -> Scores:
    """The logits of probabilities, up to a constant.

    Args:
        scores: Probabilities, of any shape.

    Returns:
        Their natural logarithms; finite where a probability is zero.

    Example:
        >>> logarithms(np.array([1.0, 0.0])).round(1).tolist()
        [0.0, -27.6]
    """
    return np.log(np.maximum(scores, _LEAST))


def scale_by_temperature(scores: Scores, temperature: float) -> NDArray[np.float64]:
    """Temperature scaling of probabilities, whose logits are known up to a constant.

    Args:
        scores: Probabilities, (n, classes).
        temperature: What their logits are divided by.

    Returns:
        Probabilities (n, classes); each row sums to one.

    Source:
        Guo et al. 2017, section 4.2.

    Example:
        >>> scale_by_temperature(np.array([[0.8, 0.2]]), 2.0).round(2).tolist()
        [[0.67, 0.33]]
    """
    return softmax(logarithms(scores), temperature)


def fit_temperature(scores: Scores, targets: Targets) -> float:
    """The temperature that gives scores the least log loss.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).

    Returns:
        A temperature in [0.2, 5], to half a percent.

    Example:
        >>> scores = np.tile([0.9, 0.1], (10, 1))
        >>> targets = np.array([0] * 8 + [1] * 2)
        >>> scale_by_temperature(scores, fit_temperature(scores, targets))[0].round(2).tolist()
        [0.8, 0.2]
    """

    def loss(temperature: float) -> float:
        return log_loss(scale_by_temperature(scores, temperature), targets)

    return float(min(_TEMPERATURES, key=loss))


def fit_threshold(scores: Scores, targets: Targets, wanted: float) -> float:
    """The least confidence at and above which enough answers are right.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).
        wanted: The share of right answers that is enough.

    Returns:
        A confidence; 1 if none is enough.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> fit_threshold(scores, np.array([0, 1, 1, 0]), wanted=0.75)
        0.6
    """
    confidence, right = _most_confident_first(scores, targets)
    answered = np.arange(1, len(right) + 1)
    enough = np.flatnonzero(np.cumsum(right) >= wanted * answered)
    return float(confidence[enough[-1]]) if len(enough) else 1.0


def risk_coverage(
    scores: Scores, targets: Targets, *, points: int = 20
) -> list[tuple[float, float]]:
    """How many answers are wrong, by how many are given; the most confident are given first.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).
        points: How many points the curve has.

    Returns:
        Points (share answered, share of those wrong).

    Source:
        El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective Classification".

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> risk_coverage(scores, np.array([0, 1, 1, 0]), points=2)
        [(0.5, 0.5), (1.0, 0.25)]
    """
    _, right = _most_confident_first(scores, targets)
    wrong = np.cumsum(~right)
    total = len(targets)
    return [(n / total, float(wrong[n - 1]) / n) for n in _answered(total, points)]


def _answered(total: int, points: int) -> list[int]:
    """How many are answered at each point of the curve, at least one."""
    return [max(1, round(total * point / points)) for point in range(1, points + 1)]


def _bins(confidence: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def _most_confident_first(
    scores: Scores, targets: Targets
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """The confidence of each answer, (n,), and whether it is right, (n,)."""
    confidence = scores.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    return confidence[order], is_right(scores, targets)[order]
