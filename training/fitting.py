"""The gradient steps of a run: the network, its loss, and its epochs on the plateau and in the fall."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import keras
import numpy as np

from fer.preprocessing import normalize
from training import architectures
from training.architectures import trainable
from training.callbacks import MovingAverage, Progress, Trapezoid, restore
from training.data import CLASSES, Split, blend_logits
from training.distil import distil
from training.examples import Examples
from training.pull import restored
from training.recipes import Recipe, Views
from training.views import Batches


class Fitting:
    """A network in training. `length` is how many images an epoch shows: more than `examples` show them repeatedly."""

    def __init__(self, recipe: Recipe, *, seed: int, examples: Examples, length: int, teachers: Sequence[Path]) -> None:
        keras.utils.set_random_seed(seed)
        keras.mixed_precision.set_global_policy(recipe.precision)
        cv2.setNumThreads(1)
        taught = distil(examples, teachers)
        repeated = np.resize(np.arange(len(taught.images)), length)
        shown = replace(taught, images=taught.images[repeated], targets=taught.targets[repeated])
        self.recipe = recipe
        self.model = trainable(recipe.architecture)
        self.batches = partial(Batches, shown, batch_size=recipe.schedule.batch_size, seed=seed)
        _compile(self.model, recipe, len(self.batches(recipe.fall, epoch=0)))

    def begin_from(self, version: Path) -> None:
        """Take the weights of a version."""
        start = restored(self.recipe.architecture, version)
        architectures.begin_from(self.model, start)

    def run(self, output: Path, public: Split, *, resume: bool) -> None:
        """Train every epoch that the run folder lacks; `public` is measured after each."""
        average = MovingAverage(self.recipe.average)
        progress = Progress(output, average, partial(_measure, split=public))
        epoch = restore(output, self.model, average) if resume else 0
        for end, views in _stages(self.recipe):
            if epoch < end:
                self.model.fit(
                    self.batches(views, epoch=epoch),
                    initial_epoch=epoch,
                    epochs=end,
                    shuffle=False,  # the views are shuffled; Keras would shuffle batches again, without our seed
                    callbacks=[average, progress],
                    verbose="auto" if sys.stdout.isatty() else 2,
                )
                epoch = end


def _stages(recipe: Recipe) -> list[tuple[int, Views]]:
    """The last epoch of the plateau and of the fall, and what the network sees until then."""
    schedule = recipe.schedule
    return [(schedule.epochs - schedule.fall, recipe.plateau), (schedule.epochs, recipe.fall)]


def _compile(model: keras.Model, recipe: Recipe, steps: int) -> None:
    schedule = recipe.schedule
    model.compile(
        optimizer=keras.optimizers.AdamW(Trapezoid(schedule, steps), weight_decay=schedule.weight_decay),
        loss=partial(two_labellings, smoothing=recipe.labels.smoothing),
        jit_compile="auto" if keras.backend.backend() == "jax" else False,  # XLA is several times slower on a CPU
    )


def two_labellings(targets: keras.KerasTensor, logits: keras.KerasTensor, smoothing: float = 0.0) -> keras.KerasTensor:
    """The mean cross-entropy of the two label sets; the original label, a single opinion, is smoothed."""
    split = len(CLASSES)
    original = targets[:, :split] * (1 - smoothing) + smoothing / split
    losses = [
        keras.ops.categorical_crossentropy(wanted, given, from_logits=True)
        for wanted, given in ((original, logits[:, :split]), (targets[:, split:], logits[:, split:]))
    ]
    return (losses[0] + losses[1]) / 2


def _measure(model: keras.Model, split: Split) -> dict[str, float]:
    """Accuracy on both labellings, if the data have them: of each label set alone, and of the mean of both."""
    logits = np.asarray(model.predict(normalize(split.images), batch_size=256, verbose=0))
    result = {}
    for labelling in ("fer2013", "ferplus"):
        labels = split.labels(labelling)
        for name, blend in (("original", 0.0), ("half", 0.5), ("votes", 1.0)):
            if (labels >= 0).any():
                correct = blend_logits(logits, blend).argmax(axis=1) == labels
                result[f"{labelling}_{name}"] = float(correct[labels >= 0].mean())
    return result
