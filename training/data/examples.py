"""The examples that a network learns: cleaned FER2013 and faces of photographs, with targets.

A target is 15 numbers: a distribution over the seven classes of FER2013, then one over the eight
emotions of FER+.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.classes import CLASS_OF, CLASSES, EMOTION_OF, EMOTIONS
from training.data.fer2013 import FER2013, SIDE, SPLITS, VOTES

TARGETS = len(CLASSES) + len(EMOTIONS)
_NOT_A_FACE = 5  # of the ten annotators
_CLASS_OF_EMOTION = {EMOTION_OF[label]: class_name for label, class_name in CLASS_OF.items()}


@dataclass(frozen=True)
class Examples:
    """Images with what they teach.

    Attributes:
        images: (n, side, side) uint8, grey.
        targets: (n, 15) float32. One of the two distributions is all zero, and teaches nothing,
            where nobody voted or where the emotion is none of the classes.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)

    def select(self, rows: slice | NDArray[np.int64]) -> Examples:
        """The examples of these rows."""
        return Examples(self.images[rows], self.targets[rows])

    @property
    def voted(self) -> int:
        """How many images have FER+ votes."""
        return int(self.targets[:, len(CLASSES) :].any(axis=1).sum())

    @property
    def sha256(self) -> str:
        """Digest of images and targets: a run may be resumed only where it agrees."""
        digest = hashlib.sha256()
        for array in (self.images, self.targets):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def no_examples() -> Examples:
    """What a run without FER2013 learns of it."""
    return Examples(np.zeros((0, SIDE, SIDE), np.uint8), np.zeros((0, TARGETS), np.float32))


def training_examples(data: FER2013) -> Examples:
    """The Training split of all seven classes, without what should not be learnt.

    Left out are pictures that most annotators found to show no face, and those that stand in
    PublicTest or PrivateTest too, pixel for pixel. Pictures that stand in Training more than once
    are taken once, with the mean of their targets.
    """
    rows = np.flatnonzero(_is_learnable(data))
    votes = None if data.votes is None else data.votes[rows]
    return _without_repetitions(Examples(data.images[rows], _targets(data.classes[rows], votes)))


def photograph_targets(emotions: NDArray[np.int8], smoothing: float) -> NDArray[np.float32]:
    """What photographs teach: indices of `EMOTIONS` (n,) as targets (n, 15).

    A label is one person's opinion, so that of the emotions is smoothed here; the loss smooths
    that of the classes.
    """
    one_hot = np.eye(len(EMOTIONS), dtype=np.float32)
    smoothed = one_hot * (1 - smoothing) + smoothing / len(EMOTIONS)
    classes = np.zeros((len(EMOTIONS), len(CLASSES)), np.float32)
    for emotion, class_name in _CLASS_OF_EMOTION.items():
        classes[EMOTIONS.index(emotion), CLASSES.index(class_name)] = 1
    return np.concatenate([classes, smoothed], axis=1)[emotions].astype(np.float32)


def _is_learnable(data: FER2013) -> NDArray[np.bool_]:
    in_training = data.splits == SPLITS.index("Training")
    test_images = {image.tobytes() for image in data.images[~in_training]}
    is_tested = np.array([image.tobytes() in test_images for image in data.images])
    learnable = in_training & ~is_tested
    if data.votes is not None:
        learnable &= data.votes[:, VOTES.index("NF")] < _NOT_A_FACE
    return learnable


def _targets(classes: NDArray[np.uint8], votes: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    one_hot = np.eye(len(CLASSES), dtype=np.float32)[classes]
    if votes is None:
        no_votes = np.zeros((len(classes), len(EMOTIONS)), np.float32)
        return np.concatenate([one_hot, no_votes], axis=1)
    counts = votes[:, : len(EMOTIONS)].astype(np.float32)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.concatenate([one_hot, shares], axis=1)


def _without_repetitions(examples: Examples) -> Examples:
    """Each picture once, where it stood first, with the mean of its targets."""
    pixels = examples.images.reshape(len(examples), -1)
    _, first_rows, group = np.unique(pixels, axis=0, return_index=True, return_inverse=True)
    sums = np.zeros((len(first_rows), TARGETS), np.float32)
    np.add.at(sums, group.ravel(), examples.targets)
    sizes = np.bincount(group.ravel()).astype(np.float32)
    means = sums / sizes[:, None]
    order = np.argsort(first_rows)  # the order of the source again
    return Examples(examples.images[first_rows[order]], means[order])
