"""What a network learns in an epoch, and what is measured after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.classes import CLASSES
from training.data.faces import WideFaces
from training.data.fer2013 import Split


@dataclass(frozen=True)
class TrainingSet:
    """Images of which an epoch takes some once and samples others.

    Attributes:
        images: n grey squares, of 48 pixels or more.
        targets: (n, 15) float32.
        rows: The images that every epoch takes, each as often as it is named.
        draws: How many more images an epoch samples.
        weights: (n,) float64, the probabilities of sampling each image.
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
        if not self.draws:
            return self.rows[order]
        sampled_rows = rng.choice(len(self.images), self.draws, p=self.weights)
        return np.concatenate([self.rows, sampled_rows])[order]

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """How often an epoch takes each class and each emotion: (15,), each label set sums to 1."""
        sums = self.targets[self.rows].sum(axis=0) + self.draws * (self.weights @ self.targets)
        return np.concatenate([_shares(part) for part in np.split(sums, [len(CLASSES)])])


@dataclass(frozen=True)
class Validation:
    """What is measured after every epoch: PublicTest, photographs of other people, or both."""

    public_test: Split | None = None
    photographs: WideFaces | None = None


def _shares(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums as shares of one; of nothing, all alike."""
    return sums / sums.sum() if sums.any() else np.full(len(sums), 1 / len(sums))
