"""What happens beside the gradient steps: schedule, averaged weights, log and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from training.checkpoints import Weights, save
from training.learning_curve import draw
from training.recipes import Schedule
from training.runs import CURVE, append_to_log, read_log


class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of each step, by a recipe's schedule."""

    def __init__(self, schedule: Schedule, steps_per_epoch: int) -> None:
        self.schedule = schedule
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        step = keras.ops.cast(step, "float32")
        last_step = self.schedule.epochs * self.steps_per_epoch
        warm_up = (step + 1) / (self.schedule.warm_up * self.steps_per_epoch)
        decay = (last_step - step) / (self.schedule.decay * self.steps_per_epoch)
        share = keras.ops.clip(keras.ops.minimum(warm_up, decay), 0.0, 1.0)
        return self.schedule.learning_rate * share

    def get_config(self) -> dict[str, object]:
        return {"schedule": self.schedule, "steps_per_epoch": self.steps_per_epoch}


class ExponentialMovingAverage(keras.callbacks.Callback):
    """The exponential moving average of all weights, statistics included; at first their mean."""

    EVERY = 8  # steps; as good as each step, and it costs nothing

    def __init__(self, per_step: float) -> None:
        super().__init__()
        self.rate = 1 - per_step**self.EVERY
        self.steps = 0
        self.weights: Weights = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
        self.steps += 1
        if self.steps % self.EVERY == 0 or not self.weights:
            self.update(self.model.get_weights())

    def update(self, weights: Weights) -> None:
        """Move towards `weights`."""
        rate = np.float32(max(self.rate, min(1.0, self.EVERY / self.steps)))
        averages = self.weights or [np.zeros_like(weight) for weight in weights]
        self.weights = [
            average + rate * (weight - average)
            for average, weight in zip(averages, weights, strict=True)
        ]


class Progress(keras.callbacks.Callback):
    """After each epoch: measure the averaged weights, log and print, and save the epoch."""

    def __init__(
        self,
        output: Path,
        epochs: int,
        average: ExponentialMovingAverage,
        measure: Callable[[keras.Model], dict[str, float]],
    ) -> None:
        """`epochs` are those of the stable phase and of the decay together."""
        super().__init__()
        self.output = output
        self.epochs = epochs
        self.average = average
        self.measure = measure
        self.began = time.perf_counter()
        self.learning_rate = 0.0
        self.bar = tqdm(disable=True)

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """Note when the epoch begins, and with which learning rate."""
        self.began = time.perf_counter()
        self.learning_rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.bar = tqdm(
            total=self.params["steps"],
            desc=f"epoch {epoch + 1}/{self.epochs}",
            unit="batch",
            leave=False,
            disable=None,
        )
        self._restart_dropout(epoch)

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
        self.bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.bar.close()
        row = {
            "epoch": epoch + 1,
            "loss": (logs or {})["loss"],
            **self._measured(),
            "learning_rate": self.learning_rate,
            "seconds": time.perf_counter() - self.began,
        }
        append_to_log(self.output, row)
        save(self.output, epoch + 1, self.model, self.average.weights, self.average.steps)
        draw(read_log(self.output), self.output / CURVE)
        print(epoch_line(row, self.epochs), flush=True)

    def _restart_dropout(self, epoch: int) -> None:
        """A saved epoch leaves dropout's random state out, so it starts anew with each epoch."""
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout):
                state = layer.seed_generator.state
                state.assign([int(state[0]), epoch << 20])

    def _measured(self) -> dict[str, float]:
        """What `measure` says of the averaged weights."""
        weights = self.model.get_weights()
        self.model.set_weights(self.average.weights)
        result = self.measure(self.model)
        self.model.set_weights(weights)
        return result


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """An epoch of the log in one line; of PublicTest it tells the mean of both label sets."""
    parts = [
        f"epoch {row['epoch']:.0f}/{epochs}",
        f"loss {row['loss']:.4f}",
        f"learning rate {row['learning_rate']:.1e}",
        f"{row['seconds']:.0f} s",
    ]
    labellings = [name for name in ("fer2013", "ferplus") if f"{name}_half" in row]
    parts += [f"{name} {row[f'{name}_half']:.3f}" for name in labellings]
    if "photographs" in row:
        parts.append(f"photographs {row['photographs']:.3f} ({_photograph_details(row)})")
    return "  ".join(parts)


def _photograph_details(row: dict[str, float]) -> str:
    prefix = "photographs_"
    names = [name for name in row if name.startswith(prefix)]
    return ", ".join(f"{name.removeprefix(prefix)} {row[name]:.3f}" for name in names)
