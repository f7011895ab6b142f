"""What a network is trained on: the cleaned Training split with both labellings, served as batches of views."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from fer.preprocessing import normalize
from training.augment import augment
from training.data import CLASSES, EMOTIONS, FER2013, SPLITS, VOTES
from training.recipes import Recipe

_NOT_A_FACE = 5  # of the ten annotators


@dataclass(frozen=True)
class Examples:
    """`images` (n, 48, 48) uint8; `targets` (n, 15) float32: a distribution over `CLASSES`, one over `EMOTIONS`.

    Where nobody voted the second is all zero, and teaches nothing.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]


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
    return Examples(data.images[rows[first[order]]], (sums / np.bincount(group.ravel())[:, None])[order])


def _targets(classes: NDArray[np.uint8], votes: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    shares = np.zeros((len(classes), len(EMOTIONS)), np.float32)
    if votes is not None:
        counts = votes[:, : len(EMOTIONS)].astype(np.float32)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.concatenate([np.eye(len(CLASSES), dtype=np.float32)[classes], shares], axis=1)


class Views(keras.utils.PyDataset):
    """Shuffled batches of random views; epoch `e` of seed `s` is the same on every machine and after a resume."""

    def __init__(self, examples: Examples, recipe: Recipe, seed: int, epoch: int, side: int) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self.examples, self.recipe, self.seed, self.epoch, self.side = examples, recipe, seed, epoch, side

    def __len__(self) -> int:
        return math.ceil(len(self.examples.images) / self.recipe.schedule.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.examples.images))
        rows = np.array_split(order, len(self))[index]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        views = augment(self.examples.images[rows], rng, self.recipe.augmentation, self.side)
        return mixup(normalize(views), self.examples.targets[rows], self.recipe.labels.mixup, rng)

    def on_epoch_end(self) -> None:
        self.epoch += 1


def mixup(
    images: NDArray[np.float32], targets: NDArray[np.float32], alpha: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each image, and its targets, with some of another's (Zhang et al. 2018)."""
    if not alpha:
        return images, targets
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    share = np.maximum(share, 1 - share)[:, None]
    other = rng.permutation(len(images))
    mixed = share[:, :, None, None] * images + (1 - share[:, :, None, None]) * images[other]
    return mixed, share * targets + (1 - share) * targets[other]
