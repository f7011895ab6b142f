"""How good probabilities are, in plain NumPy: used by training and by the pages.

Throughout, `scores` is (n, classes) probabilities and `targets` (n,) indices of the true class.
How well scores tell their own certainty is measured in `fer.calibration`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer.intervals import Clusters, Estimate, share

Scores = NDArray[np.floating]
"""Probabilities of the classes of each example, (n, classes)."""

Targets = NDArray[np.integer]
"""The index of the true class of each example, (n,)."""

_LEAST = 1e-7  # probabilities are clipped here before a logarithm


def with_no_face(scores: Scores, found: NDArray[np.bool_]) -> Scores:
    """Scores with one more class, "no face", which is certain where no face was found.

    It is wrong under every target.

    Args:
        scores: Probabilities, (n, classes); those of faces that were not found are not read.
        found: Whether the face was found, (n,) bool.

    Returns:
        Probabilities, (n, classes + 1).

    Example:
        >>> with_no_face(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([True, False])).tolist()
        [[0.9, 0.1, 0.0], [0.0, 0.0, 1.0]]
    """
    known_classes = np.where(found[:, None], scores, 0.0)
    return np.column_stack((known_classes, ~found))


def among(scores: Scores, known: Sequence[str], labels: Sequence[str]) -> Scores:
    """Scores as if a version knew some of its labels alone.

    Args:
        scores: Probabilities of the labels `known`, (n, known).
        known: The labels of the columns.
        labels: Those to keep, in the order wanted.

    Returns:
        Probabilities of `labels`, (n, labels); each row sums to one again.

    Raises:
        ValueError: one of `labels` is not known.

    Example:
        >>> scores = np.array([[0.5, 0.25, 0.25]])
        >>> among(scores, ["happy", "sad", "angry"], ["sad", "happy"]).round(2).tolist()
        [[0.33, 0.67]]
    """
    if list(labels) == list(known):
        return scores
    columns = [known.index(label) for label in labels]
    part: Scores = scores[:, columns] + np.finfo(np.float32).tiny
    part /= part.sum(axis=1, keepdims=True)
    return part


def is_right(scores: Scores, targets: Targets) -> NDArray[np.bool_]:
    """Whether the most probable class of each example is the true one.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).

    Returns:
        (n,) bool.

    Example:
        >>> is_right(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1])).tolist()
        [True, False]
    """
    return np.asarray(scores.argmax(axis=1) == targets)


def accuracy(scores: Scores, targets: Targets, clusters: Clusters | None = None) -> Estimate:
    """The share of examples whose most probable class is the true one.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).
        clusters: The cluster of each example, as for `fer.intervals.share`.

    Returns:
        The accuracy with its 95 % interval.

    Raises:
        ValueError: there is no example.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> accuracy(scores, np.array([0, 1, 1, 0])).value
        0.75
    """
    return share(is_right(scores, targets), clusters)


def confusion_matrix(scores: Scores, targets: Targets) -> NDArray[np.int64]:
    """How many examples of each true class were taken for which class.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).

    Returns:
        Counts (classes, classes): a row is a true class, a column a predicted one.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> confusion_matrix(scores, np.array([0, 1, 1, 0])).tolist()
        [[2, 0], [1, 1]]
    """
    classes = scores.shape[1]
    cells = targets.astype(np.int64) * classes + scores.argmax(axis=1)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def recalls(
    scores: Scores, targets: Targets, clusters: Clusters | None = None
) -> list[Estimate | None]:
    """The share of each true class that was recognised.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).
        clusters: The cluster of each example, as for `fer.intervals.share`.

    Returns:
        A recall with its 95 % interval for each class; None for a class without examples.

    Example:
        >>> scores = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.3, 0.7, 0.0]])
        >>> [recall and recall.value for recall in recalls(scores, np.array([0, 1, 1]))]
        [1.0, 0.5, None]
    """
    return [_recall(label, scores, targets, clusters) for label in range(scores.shape[1])]


def _recall(
    label: int, scores: Scores, targets: Targets, clusters: Clusters | None
) -> Estimate | None:
    rows = targets == label
    if not rows.any():
        return None
    return accuracy(scores[rows], targets[rows], None if clusters is None else clusters[rows])


def balanced_accuracy(scores: Scores, targets: Targets) -> float:
    """The mean recall of the classes with examples.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).

    Returns:
        The mean, in [0, 1].

    Source:
        Brodersen et al. 2010, "The Balanced Accuracy and Its Posterior Distribution".

    Example:
        >>> scores = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> balanced_accuracy(scores, np.array([1, 1, 0]))
        0.75
    """
    matrix = confusion_matrix(scores, targets)
    totals = matrix.sum(axis=1)
    known = totals > 0
    return float(np.mean(np.diag(matrix)[known] / totals[known]))


def macro_f1(scores: Scores, targets: Targets) -> float:
    """The mean F1 score of the classes with examples.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).

    Returns:
        The mean, over the classes, of the harmonic mean of precision and recall, in [0, 1].

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> round(macro_f1(scores, np.array([0, 1, 1, 0])), 4)
        0.7333
    """
    matrix = confusion_matrix(scores, targets)
    known = matrix.sum(axis=1) > 0
    true_plus_predicted = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(2 * np.diag(matrix)[known] / true_plus_predicted[known]))


def log_loss(scores: Scores, targets: Targets) -> float:
    """The mean negative natural logarithm of the probability given to the true class.

    Args:
        scores: Probabilities, (n, classes).
        targets: Indices of the true classes, (n,).

    Returns:
        The mean in nats; finite where a probability is zero.

    Example:
        >>> round(log_loss(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])), 4)
        0.4904
    """
    likelihoods = np.maximum(_of_true_class(scores, targets), _LEAST)
    return float(-np.log(likelihoods).mean())


def _of_true_class(scores: Scores, targets: Targets) -> NDArray[np.floating]:
    """The probability given to the true class of each example, (n,)."""
    rows = np.arange(len(targets))
    return scores[rows, targets]
