"""The gradient steps of a run, epoch by epoch."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from fer import DataError
from training import architectures
from training.architectures import BODIES, FIXED_SIDE, trainable
from training.callbacks import ExponentialMovingAverage, Progress, WarmupStableDecay
from training.checkpoints import read_average, restore
from training.data.batches import Batches
from training.data.fer2013 import SIDE
from training.data.training_set import TrainingSet, Validation
from training.loss import two_labellings
from training.pull import restored
from training.recipes import Crops, Recipe
from training.runs import cut_log, finished_epochs
from training.validation import measure


class Fitting:
    """A network in training."""

    def __init__(self, recipe: Recipe, *, seed: int, training_set: TrainingSet) -> None:
        _check(recipe)
        _prepare_keras(recipe.precision, seed)
        self.recipe = recipe
        self.model = trainable(recipe.architecture)
        self.average = ExponentialMovingAverage(recipe.average)
        self.batches = partial(
            Batches, training_set, batch_size=recipe.schedule.batch_size, seed=seed
        )
        steps_per_epoch = len(self.batches(recipe.decay_crops, epoch=0))
        _compile(self.model, recipe, steps_per_epoch, training_set.frequencies)

    def begin_from(self, version: Path) -> None:
        """Take the weights of a version."""
        architectures.begin_from(self.model, restored(self.recipe.architecture, version))

    def run(self, output: Path, validation: Validation, *, resume: bool) -> None:
        """Train every epoch that the run folder lacks, and measure after each."""
        schedule = self.recipe.schedule
        measure_on_validation = partial(measure, validation=validation, recipe=self.recipe)
        progress = Progress(output, schedule.epochs, self.average, measure_on_validation)
        epochs_done = self._resume(output) if resume else 0
        phases = {
            schedule.stable_end: self.recipe.stable_crops,
            schedule.epochs: self.recipe.decay_crops,
        }
        for end, crops in phases.items():
            if epochs_done < end:
                self._fit(epochs_done, end, crops, progress)
                epochs_done = end

    def _resume(self, output: Path) -> int:
        """Go on from the last epoch on disk, and return its number."""
        last_epoch = finished_epochs(output)[-1]
        restore(last_epoch, self.model)
        self.average.weights, self.average.steps = read_average(last_epoch)
        number = int(last_epoch.name)
        cut_log(output, number)
        return number

    def _fit(self, begin: int, end: int, crops: Crops, progress: Progress) -> None:
        self.model.fit(
            self.batches(crops, epoch=begin),
            initial_epoch=begin,
            epochs=end,
            # the batches are shuffled; Keras would shuffle them again, without our seed
            shuffle=False,
            callbacks=[self.average, progress],
            verbose=0,
        )


def _check(recipe: Recipe) -> None:
    """Raise DataError unless there is such a network, and it takes crops of these sides."""
    if recipe.architecture not in BODIES:
        raise DataError(
            f"unknown architecture {recipe.architecture}, expected {', '.join(BODIES)}."
        )
    sides = {recipe.stable_crops.side, recipe.decay_crops.side}
    if recipe.architecture in FIXED_SIDE and sides != {SIDE}:
        raise DataError(
            f"{recipe.architecture} takes faces of {SIDE} pixels alone, received crops of "
            f"{', '.join(map(str, sorted(sides)))}; leave the sides of its crops at {SIDE}."
        )


def _prepare_keras(precision: str, seed: int) -> None:
    keras.utils.set_random_seed(seed)
    try:
        keras.mixed_precision.set_global_policy(precision)
    except ValueError as error:
        raise DataError(
            f"unknown precision {precision}, expected mixed_bfloat16 or float32, say."
        ) from error
    cv2.setNumThreads(1)


def _compile(
    model: keras.Model, recipe: Recipe, steps_per_epoch: int, frequencies: NDArray[np.float64]
) -> None:
    learning_rate = WarmupStableDecay(recipe.schedule, steps_per_epoch)
    log_frequencies = np.log(np.maximum(frequencies, 1e-4))
    adjustment = recipe.labels.adjustment * log_frequencies
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate, weight_decay=recipe.schedule.weight_decay),
        loss=partial(
            two_labellings,
            smoothing=recipe.labels.smoothing,
            adjustment=adjustment.astype(np.float32),
        ),
        # XLA is several times slower on a CPU
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
