"""What a network is trained on.

The cleaned Training split with both labellings, and faces of photographs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer import EmotionClassifier
from training.data.fer2013 import (
    CLASS_OF,
    CLASSES,
    EMOTION_OF,
    EMOTIONS,
    FER2013,
    SIDE,
    SPLITS,
    VOTES,
    Split,
)
from training.data.photographs import WideFaces

_NOT_A_FACE = 5  # of the ten annotators


@dataclass(frozen=True)
class Examples:
    """`images` (n, side, side) uint8; `targets` (n, 15) float32: a distribution over `CLASSES`, one over `EMOTIONS`.

    One of them is all zero, and teaches nothing, where nobody voted or where the emotion is none of
    the classes.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]

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


def training_examples(data: FER2013) -> Examples:
    """The Training split of all seven classes, without what should not be learnt.

    Left out: pictures that most annotators found to show no face, and those that stand in
    PublicTest or PrivateTest too, pixel for pixel. Pictures that stand in Training more than once
    are taken once, with the mean of their labels.
    """
    training = data.splits == SPLITS.index("Training")
    tested = {image.tobytes() for image in data.images[~training]}
    keep = np.array([image.tobytes() not in tested for image in data.images]) & training
    if data.votes is not None:
        keep &= data.votes[:, VOTES.index("NF")] < _NOT_A_FACE
    rows = np.flatnonzero(keep)
    targets = _targets(data.classes[rows], None if data.votes is None else data.votes[rows])
    _, first, group = np.unique(
        data.images[rows].reshape(len(rows), -1), axis=0, return_index=True, return_inverse=True
    )
    sums = np.zeros((len(first), targets.shape[1]), np.float32)
    np.add.at(sums, group.ravel(), targets)
    order = np.argsort(first)  # the order of the source again
    means = sums / np.bincount(group.ravel()).astype(np.float32)[:, None]
    return Examples(data.images[rows[first[order]]], means[order])


def no_examples() -> Examples:
    """What a run without FER2013 learns of it."""
    images = np.zeros((0, SIDE, SIDE), np.uint8)
    targets = np.zeros((0, len(CLASSES) + len(EMOTIONS)), np.float32)
    return Examples(images, targets)


def resized(images: NDArray[np.uint8], height: int, width: int | None = None) -> NDArray[np.uint8]:
    """Images (n, h, w) at another size: (n, height, width), by default square ones."""
    width = width or height
    if images.shape[1:] == (height, width):
        return images
    enlarged = [
        cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in images
    ]
    return np.array(enlarged, np.uint8).reshape(-1, height, width)


def predict(classifier: EmotionClassifier, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities (n, classes) of faces that are cut already (n, h, w).

    At the size that the version takes.
    """
    return classifier.predict(resized(faces, *classifier.version.input_shape[:2]))


def photograph_targets(labels: NDArray[np.int8], smoothing: float) -> NDArray[np.float32]:
    """What photographs teach: (n,) indices of `EMOTIONS` -> targets (n, 15).

    A label is one opinion, so that of the emotions is smoothed; the loss smooths that of the
    classes.
    """
    emotions = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    classes = np.zeros((len(EMOTIONS), len(CLASSES)), np.float32)
    for label, name in CLASS_OF.items():
        classes[EMOTIONS.index(EMOTION_OF[label]), CLASSES.index(name)] = 1
    smoothed = emotions * (1 - smoothing) + smoothing / len(EMOTIONS)
    return np.concatenate([classes[labels], smoothed], axis=1).astype(np.float32)


@dataclass(frozen=True)
class Validation:
    """What is measured after every epoch.

    PublicTest, photographs of people who are not learnt from, or both.
    """

    public: Split | None
    photographs: WideFaces | None


@dataclass(frozen=True)
class Material:
    """All that a network is shown: some images once an epoch, others as they are drawn.

    `images` are grey squares, of 48 pixels or more; `targets` (n, 15) float32. An epoch shows each
    of `rows`, and `draws` more by the probabilities `weights` (n,).
    """

    images: Sequence[NDArray[np.uint8]]
    targets: NDArray[np.float32]
    rows: NDArray[np.int64]
    draws: int
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows) + self.draws

    def epoch(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The rows of one epoch, shuffled."""
        order = rng.permutation(len(self))
        rows = self.rows
        if self.draws:
            drawn = rng.choice(len(self.images), self.draws, p=self.weights)
            rows = np.concatenate([rows, drawn])
        return rows[order]

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """How often an epoch shows each class and each emotion.

        (15,); both label sets sum to one.
        """
        sums = self.targets[self.rows].sum(axis=0) + self.draws * (self.weights @ self.targets)
        return np.concatenate([_shares(part) for part in np.split(sums, [len(CLASSES)])])


def _shares(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums as shares of one; of nothing, all alike."""
    return sums / sums.sum() if sums.any() else np.full(len(sums), 1 / len(sums))


def _targets(classes: NDArray[np.uint8], votes: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    shares = np.zeros((len(classes), len(EMOTIONS)), np.float32)
    if votes is not None:
        counts = votes[:, : len(EMOTIONS)].astype(np.float32)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.concatenate([np.eye(len(CLASSES), dtype=np.float32)[classes], shares], axis=1)
