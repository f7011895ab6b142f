"""What happens beside the gradient steps.

The schedule, the moving average, the log and the checkpoints.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from training.learning_curve import draw
from training.recipes import Schedule
from training.runs import (
    AVERAGE,
    BACKUP,
    CURVE,
    LOG,
    STATE,
    Weights,
    finished,
    read_average,
    read_log,
)


class Trapezoid(keras.optimizers.schedules.LearningRateSchedule):
    """Up, level, and down to nothing in straight lines."""

    def __init__(self, schedule: Schedule, steps: int) -> None:
        self.schedule, self.steps = schedule, steps

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        s, step = self.schedule, keras.ops.cast(step, "float32")
        up = (step + 1) / (s.warm_up * self.steps)
        down = (s.epochs * self.steps - step) / (s.fall * self.steps)
        return s.learning_rate * keras.ops.clip(keras.ops.minimum(up, down), 0.0, 1.0)

    def get_config(self) -> dict[str, object]:
        return {"schedule": self.schedule, "steps": self.steps}


class MovingAverage(keras.callbacks.Callback):
    """An exponential moving average of all weights, statistics included.

    At first, their plain mean.
    """

    EVERY = 8  # steps; as good as each step, and it costs nothing

    def __init__(self, per_step: float) -> None:
        super().__init__()
        self.rate, self.steps = 1 - per_step**self.EVERY, 0
        self.weights: Weights = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
        self.steps += 1
        if self.steps % self.EVERY == 0 or not self.weights:
            self.update(self.model.get_weights())

    def update(self, weights: Weights) -> None:
        """Move towards `weights`."""
        rate = max(self.rate, min(1.0, self.EVERY / self.steps))
        averages = self.weights or [np.zeros_like(weight) for weight in weights]
        self.weights = [
            average + np.float32(rate) * (weight - average)
            for average, weight in zip(averages, weights, strict=True)
        ]


class Progress(keras.callbacks.Callback):
    """After each epoch: measure the averaged weights, log, tell, and keep the epoch whole or not at all.

    `epochs` are those of all stages together; the learning rate is that with which an epoch begins.
    """

    def __init__(
        self,
        output: Path,
        epochs: int,
        average: MovingAverage,
        measure: Callable[[keras.Model], dict[str, float]],
    ) -> None:
        super().__init__()
        self.output = output
        self.epochs = epochs
        self.average = average
        self.measure = measure
        self.began = time.perf_counter()
        self.learning_rate = 0.0
        self.bar = tqdm(disable=True)

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """An epoch on disk leaves dropout's random state out, so it starts anew with each epoch."""
        self.began = time.perf_counter()
        self.learning_rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.bar = tqdm(
            total=self.params["steps"],
            desc=f"epoch {epoch + 1}/{self.epochs}",
            unit="batch",
            leave=False,
            disable=None,
        )
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout):
                state = layer.seed_generator.state
                state.assign([int(state[0]), epoch << 20])

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
        self.bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.bar.close()
        row = {
            "epoch": epoch + 1,
            "loss": (logs or {})["loss"],
            **self.measured(),
            "learning_rate": self.learning_rate,
            "seconds": time.perf_counter() - self.began,
        }
        append(self.output / LOG, row)
        save(self.output, epoch + 1, self.model, self.average)
        draw(read_log(self.output), self.output / CURVE)
        print(told(row, self.epochs), flush=True)

    def measured(self) -> dict[str, float]:
        """What `measure` says of the averaged weights."""
        weights = self.model.get_weights()
        self.model.set_weights(self.average.weights)
        result = self.measure(self.model)
        self.model.set_weights(weights)
        return result


def told(row: dict[str, float], epochs: int) -> str:
    """An epoch in one line; of PublicTest it tells the mean of both label sets."""
    parts = [
        f"epoch {row['epoch']:.0f}/{epochs}",
        f"loss {row['loss']:.4f}",
        f"learning rate {row['learning_rate']:.1e}",
        f"{row['seconds']:.0f} s",
    ]
    labellings = [name for name in ("fer2013", "ferplus") if f"{name}_half" in row]
    parts += [f"{name} {row[f'{name}_half']:.3f}" for name in labellings]
    if "photographs" in row:
        prefix = "photographs_"
        names = [name for name in row if name.startswith(prefix)]
        others = ", ".join(f"{name.removeprefix(prefix)} {row[name]:.3f}" for name in names)
        parts.append(f"photographs {row['photographs']:.3f} ({others})")
    return "  ".join(parts)


def append(path: Path, row: dict[str, float]) -> None:
    """Add a row to a csv file, under a header if it is the first."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow({name: float(f"{value:.6g}") for name, value in row.items()})


def save(output: Path, epoch: int, model: keras.Model, average: MovingAverage) -> None:
    """Keep an epoch under its number; the one before goes only when this one is whole."""
    new = output / BACKUP / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    np.savez(new / STATE, *(keras.ops.convert_to_numpy(variable) for variable in _state(model)))
    np.savez(new / AVERAGE, *average.weights, steps=np.array(average.steps))
    new.rename(output / BACKUP / f"{epoch:04d}")
    for older in finished(output)[:-1]:
        shutil.rmtree(older)


def restore(output: Path, model: keras.Model, average: MovingAverage) -> int:
    """Load the last whole epoch, cut the log after it, and return its number."""
    folder = finished(output)[-1]
    model.optimizer.build(model.trainable_variables)
    with np.load(folder / STATE, allow_pickle=False) as arrays:
        for i, variable in enumerate(_state(model)):
            variable.assign(arrays[f"arr_{i}"])
    average.weights, average.steps = read_average(folder)
    rows = (output / LOG).read_text().splitlines()[: int(folder.name) + 1]
    (output / LOG).write_text("\n".join(rows) + "\n")
    return int(folder.name)


def _state(model: keras.Model) -> list[keras.Variable]:
    """What training goes on from: the weights and the optimizer's variables."""
    return [*model.weights, *model.optimizer.variables]
