"""Batches of augmented crops, the same on every machine and after a resume."""

from __future__ import annotations

import math

import keras
import numpy as np
from numpy.typing import NDArray

from fer.preprocessing import normalize
from training.data.augmentation import augment, mixup
from training.data.training_set import TrainingSet
from training.recipes import Crops


class Batches(keras.utils.PyDataset):
    """The shuffled batches of an epoch, which the seed and the number of the epoch decide."""

    def __init__(
        self, training_set: TrainingSet, crops: Crops, batch_size: int, seed: int, epoch: int
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self.training_set = training_set
        self.crops = crops
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self.training_set) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        order = self.training_set.epoch(np.random.default_rng([self.seed, self.epoch]))
        rows = np.array_split(order, len(self))[index]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        faces = [self.training_set.images[row] for row in rows]
        images = augment(faces, rng, self.crops.augmentation, self.crops.side)
        targets = self.training_set.targets[rows]
        return mixup(normalize(images), targets, self.crops.mixup, rng)

    def on_epoch_end(self) -> None:
        self.epoch += 1
