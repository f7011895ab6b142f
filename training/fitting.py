"""The gradient steps of a run.

The network, its loss, and its epochs on the plateau and in the fall.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from fer import LABELS, DataError, metrics
from fer.preprocessing import normalize
from training import architectures
from training.architectures import BODIES, FIXED_SIDE, trainable
from training.callbacks import MovingAverage, Progress, Trapezoid, restore
from training.data.batches import Batches
from training.data.examples import Material, Validation, resized
from training.data.fer2013 import CLASSES, SIDE, Split, blend_logits
from training.data.photographs import WideFaces
from training.pull import restored
from training.recipes import Recipe, Views


class Fitting:
    """A network in training."""

    def __init__(self, recipe: Recipe, *, seed: int, material: Material) -> None:
        _check(recipe)
        keras.utils.set_random_seed(seed)
        try:
            keras.mixed_precision.set_global_policy(recipe.precision)
        except ValueError as error:
            raise DataError(
                f"unknown precision {recipe.precision}, expected mixed_bfloat16 or float32, say."
            ) from error
        cv2.setNumThreads(1)
        self.recipe = recipe
        self.model = trainable(recipe.architecture)
        self.batches = partial(Batches, material, batch_size=recipe.schedule.batch_size, seed=seed)
        _compile(self.model, recipe, len(self.batches(recipe.fall, epoch=0)), material.frequencies)

    def begin_from(self, version: Path) -> None:
        """Take the weights of a version."""
        start = restored(self.recipe.architecture, version)
        architectures.begin_from(self.model, start)

    def run(self, output: Path, validation: Validation, *, resume: bool) -> None:
        """Train every epoch that the run folder lacks, and measure after each."""
        average = MovingAverage(self.recipe.average)
        measure = partial(_measure, validation=validation, recipe=self.recipe)
        progress = Progress(output, self.recipe.schedule.epochs, average, measure)
        epoch = restore(output, self.model, average) if resume else 0
        for end, views in _stages(self.recipe):
            if epoch < end:
                self.model.fit(
                    self.batches(views, epoch=epoch),
                    initial_epoch=epoch,
                    epochs=end,
                    # the views are shuffled; Keras would shuffle batches again, without our seed
                    shuffle=False,
                    callbacks=[average, progress],
                    verbose=0,
                )
                epoch = end


def _stages(recipe: Recipe) -> list[tuple[int, Views]]:
    """The last epoch of the plateau and of the fall, and what the network sees until then."""
    schedule = recipe.schedule
    return [(schedule.epochs - schedule.fall, recipe.plateau), (schedule.epochs, recipe.fall)]


def _check(recipe: Recipe) -> None:
    """Raise DataError unless there is such a network, and it takes views of these sides."""
    if recipe.architecture not in BODIES:
        raise DataError(
            f"unknown architecture {recipe.architecture}, expected {', '.join(BODIES)}."
        )
    sides = {recipe.plateau.side, recipe.fall.side}
    if recipe.architecture in FIXED_SIDE and sides != {SIDE}:
        raise DataError(
            f"{recipe.architecture} takes faces of {SIDE} pixels alone, received views of "
            f"{', '.join(map(str, sorted(sides)))}; leave the sides of its views at {SIDE}."
        )


def _compile(
    model: keras.Model, recipe: Recipe, steps: int, frequencies: NDArray[np.float64]
) -> None:
    schedule, labels = recipe.schedule, recipe.labels
    adjustment = labels.adjustment * np.log(np.maximum(frequencies, 1e-4))
    model.compile(
        optimizer=keras.optimizers.AdamW(
            Trapezoid(schedule, steps), weight_decay=schedule.weight_decay
        ),
        loss=partial(
            two_labellings,
            smoothing=labels.smoothing,
            adjustment=adjustment.astype(np.float32),
        ),
        # XLA is several times slower on a CPU
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )


def two_labellings(
    targets: keras.KerasTensor,
    logits: keras.KerasTensor,
    smoothing: float,
    adjustment: NDArray[np.float32],
) -> keras.KerasTensor:
    """The mean cross-entropy of the two label sets; the original label, a single opinion, is smoothed.

    `adjustment` (15,) is added to the logits. A target of nothing stays so, and teaches nothing:
    TensorFlow's own cross-entropy is not asked, as its gradient takes for granted that targets sum
    to one.
    """
    split = len(CLASSES)
    logits = logits + adjustment
    original, emotions = targets[:, :split], targets[:, split:]
    taught = keras.ops.sum(original, axis=1, keepdims=True)
    original = original * (1 - smoothing) + taught * smoothing / split
    losses = [
        -keras.ops.sum(wanted * keras.ops.log_softmax(given), axis=1)
        for wanted, given in ((original, logits[:, :split]), (emotions, logits[:, split:]))
    ]
    return (losses[0] + losses[1]) / 2


def _measure(model: keras.Model, validation: Validation, recipe: Recipe) -> dict[str, float]:
    result: dict[str, float] = {}
    if validation.public is not None:
        result |= _measure_public(model, validation.public, recipe.fall.side)
    if validation.photographs is not None:
        logits = _logits(model, validation.photographs.middles)
        result |= _measure_photographs(logits, validation.photographs, recipe.labels.blend)
    return result


def _logits(model: keras.Model, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(model.predict(normalize(faces), batch_size=256, verbose=0))


def _measure_public(model: keras.Model, split: Split, side: int) -> dict[str, float]:
    """Accuracy on both labellings, if the data have them.

    Of each label set alone, and of the mean of both.
    """
    logits = _logits(model, resized(split.images, side))
    result = {}
    for labelling in ("fer2013", "ferplus"):
        labels = split.labels(labelling)
        for name, blend in (("original", 0.0), ("half", 0.5), ("votes", 1.0)):
            if (labels >= 0).any():
                correct = blend_logits(logits, blend).argmax(axis=1) == labels
                result[f"{labelling}_{name}"] = float(correct[labels >= 0].mean())
    return result


def _measure_photographs(
    logits: NDArray[np.float32],
    faces: WideFaces,
    blend: float,
) -> dict[str, float]:
    """Of the faces that were found: accuracy, the mean recall, and the recall of each class."""
    labels = faces.expressions
    rows = labels >= 0
    scores = blend_logits(logits[rows], blend)
    estimates = zip(LABELS, metrics.recalls(scores, labels[rows]), strict=True)
    recalls = {label: recall.value for label, recall in estimates if recall}
    return {
        "photographs": metrics.accuracy(scores, labels[rows]).value,
        "photographs_balanced": float(np.mean(list(recalls.values()))),
        **{f"photographs_{label}": value for label, value in recalls.items()},
    }
