"""Batches of random views, the same on every machine and after a resume."""

from __future__ import annotations

import math

import keras
import numpy as np
from numpy.typing import NDArray

from fer.preprocessing import normalize
from training.data.augmentation import augment, mixup
from training.data.examples import Material
from training.recipes import Views


class Batches(keras.utils.PyDataset):
    """Shuffled batches of random views.

    Epoch `e` of seed `s` is the same on every machine and after a resume.
    """

    def __init__(
        self, material: Material, views: Views, batch_size: int, seed: int, epoch: int
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self.material, self.views, self.batch_size = material, views, batch_size
        self.seed, self.epoch = seed, epoch

    def __len__(self) -> int:
        return math.ceil(len(self.material) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        order = self.material.epoch(np.random.default_rng([self.seed, self.epoch]))
        rows = np.array_split(order, len(self))[index]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        faces = [self.material.images[row] for row in rows]
        images = augment(faces, rng, self.views.augmentation, self.views.side)
        return mixup(normalize(images), self.material.targets[rows], self.views.mixup, rng)

    def on_epoch_end(self) -> None:
        self.epoch += 1
