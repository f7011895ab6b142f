"""What a network is trained on: the cleaned Training split with both labellings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data import CLASSES, EMOTIONS, FER2013, SPLITS, VOTES

_NOT_A_FACE = 5  # of the ten annotators


@dataclass(frozen=True)
class Examples:
    """`images` (n, 48, 48) uint8; `targets` (n, 15) float32: a distribution over `CLASSES`, one over `EMOTIONS`.

    Where nobody voted the second is all zero, and teaches nothing.
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

    Left out: pictures that most annotators found to show no face, and those that stand in PublicTest or PrivateTest
    too, pixel for pixel. Pictures that stand in Training more than once are taken once, with the mean of their labels.
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


def _targets(classes: NDArray[np.uint8], votes: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    shares = np.zeros((len(classes), len(EMOTIONS)), np.float32)
    if votes is not None:
        counts = votes[:, : len(EMOTIONS)].astype(np.float32)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.concatenate([np.eye(len(CLASSES), dtype=np.float32)[classes], shares], axis=1)
