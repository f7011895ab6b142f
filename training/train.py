"""Train a network on the Training split; choose its epoch on PublicTest.

    python -m training.train --data fer2013.npz --architecture seed_cnn --output runs/seed-cnn

    a tiny run, under a minute:
    python -m training.train --data fer2013.npz --output runs/tiny --limit 256 --epochs 2

On two CPU cores the seed network takes about two minutes an epoch. Stopped at any point, the same command
with --resume goes on from the last whole epoch, to the same end as if it had not been stopped.
`KERAS_BACKEND=tensorflow|jax|torch` chooses the backend.

The run folder then holds `train.json` (configuration and lineage), `log.csv`, `weights.weights.h5` (best epoch)
and `backup/` (last epoch, with the optimizer). `training.export` makes a version of it.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import platform
import shlex
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from fer import LABELS, DataError, FERError
from fer.preprocessing import normalize
from training.architectures import ARCHITECTURES
from training.augment import augment
from training.data import Split, load

BEST_WEIGHTS = "weights.weights.h5"
LATEST_WEIGHTS = "backup/latest.weights.h5"
LOG = "log.csv"


@dataclass(frozen=True)
class TrainConfig:
    """One training run. `limit` keeps that many rows of each split; `patience` counts epochs without a better one."""

    data: str
    output: str
    architecture: str = "seed_cnn"
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    patience: int = 12
    seed: int = 1
    limit: int | None = None


class AugmentedFaces(keras.utils.PyDataset):
    """Shuffled batches of random views; epoch `e` of seed `s` is the same on every machine and after a resume."""

    def __init__(self, split: Split, config: TrainConfig) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        rows = split.fer2013 >= 0
        self.images, self.labels = split.images[rows], np.eye(len(LABELS), dtype=np.float32)[split.fer2013[rows]]
        self.config, self.epoch = config, 0

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.config.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        order = np.random.default_rng([self.config.seed, self.epoch]).permutation(len(self.images))
        rows = order[index * self.config.batch_size : (index + 1) * self.config.batch_size]
        rng = np.random.default_rng([self.config.seed, self.epoch, index])
        return normalize(augment(self.images[rows], rng)), self.labels[rows]

    def on_epoch_end(self) -> None:
        self.epoch += 1


class Progress(keras.callbacks.Callback):
    """Keeps the last whole epoch on disk and ends the run when its accuracy stops rising."""

    def __init__(self, output: Path, patience: int, past: list[dict[str, str]]) -> None:
        super().__init__()
        self.latest, self.patience = output / LATEST_WEIGHTS, patience
        self.accuracies = [float(row["val_accuracy"]) for row in past]

    @property
    def over(self) -> bool:
        since_best = len(self.accuracies) - 1 - int(np.argmax(self.accuracies)) if self.accuracies else 0
        return since_best >= self.patience

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """Weight files leave dropout's random state out, so it starts anew with each epoch."""
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout):
                state = layer.seed_generator.state
                state.assign([int(state[0]), epoch << 20])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Runs after the log was written; a kill while saving leaves the epoch before."""
        new = self.latest.with_name("new.weights.h5")
        self.model.save_weights(new)
        new.replace(self.latest)
        self.accuracies.append((logs or {})["val_accuracy"])
        self.model.stop_training = self.over


def main(config: TrainConfig, *, resume: bool = False) -> Path:
    """Train as `config` says and return the run folder."""
    output = Path(config.output)
    _prepare(output, config, resume)
    origin = _origin(config)
    keras.utils.set_random_seed(config.seed)
    cv2.setNumThreads(1)
    data = load(config.data)
    splits = {name: _limited(data.split(name), config.limit) for name in ("Training", "PublicTest")}
    training = AugmentedFaces(splits["Training"], config)
    model = _compiled(config, len(training))
    past = _restore(model, output, len(training)) if resume else []
    training.epoch = len(past)
    progress = Progress(output, config.patience, past)
    started = time.time()
    if not progress.over:
        model.fit(
            training,
            initial_epoch=len(past),
            epochs=config.epochs,
            shuffle=False,  # the data set shuffles; Keras would shuffle its batches again, without our seed
            validation_data=_arrays(splits["PublicTest"]),
            validation_batch_size=256,
            callbacks=[_keep_best(output, past), keras.callbacks.CSVLogger(str(output / LOG), append=True), progress],
            verbose="auto" if sys.stdout.isatty() else 2,
        )
    seconds = None if resume else round(time.time() - started)
    _write_lineage(output, config, splits, {**origin, "seconds": seconds})
    return output


def _compiled(config: TrainConfig, steps: int) -> keras.Model:
    model = ARCHITECTURES[config.architecture]()
    model.compile(
        optimizer=keras.optimizers.AdamW(_schedule(config, steps), weight_decay=config.weight_decay),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        metrics=["accuracy"],
        jit_compile="auto" if keras.backend.backend() == "jax" else False,  # XLA is several times slower on a CPU
    )
    return model


def _prepare(output: Path, config: TrainConfig, resume: bool) -> None:
    """Create the run folder, or check that it can be resumed."""
    finished = (output / LATEST_WEIGHTS).exists()
    if not resume:
        if finished:
            raise DataError(f"{output} already holds a run; add --resume to go on with it, or choose another --output.")
        (output / LATEST_WEIGHTS).parent.mkdir(parents=True, exist_ok=True)
        (output / LOG).unlink(missing_ok=True)
        (output / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n")
        return
    if not finished:
        raise DataError(f"{output} holds no finished epoch to resume from; leave --resume away.")
    before = json.loads((output / "config.json").read_text())
    changed = [key for key, value in asdict(config).items() if key not in ("data", "output") and before[key] != value]
    if changed:
        raise DataError(f"{output} was started with another {', '.join(changed)}; resume with the same settings.")


def _restore(model: keras.Model, output: Path, steps: int) -> list[dict[str, str]]:
    """Load the last whole epoch and return the log up to it; an epoch logged but not saved is done again."""
    model.optimizer.build(model.trainable_variables)
    model.load_weights(output / LATEST_WEIGHTS)
    epochs = int(model.optimizer.iterations) // steps
    rows = (output / LOG).read_text().splitlines()[: epochs + 1]
    if len(rows) != epochs + 1:
        raise DataError(f"{output}: {LOG} has {len(rows) - 1} epochs, {LATEST_WEIGHTS} {epochs}; start a new run.")
    (output / LOG).write_text("\n".join(rows) + "\n")
    return list(csv.DictReader(rows))


def _arrays(split: Split) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows = split.fer2013 >= 0
    return normalize(split.images[rows]), np.eye(len(LABELS), dtype=np.float32)[split.fer2013[rows]]


def _limited(split: Split, limit: int | None) -> Split:
    return split if limit is None else Split(*(array[:limit] for array in vars(split).values()))


def _schedule(config: TrainConfig, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """One epoch of warm-up, then half a cosine down to 1 % of the peak."""
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=config.learning_rate / 10,
        warmup_target=config.learning_rate,
        warmup_steps=steps,
        decay_steps=max(1, (config.epochs - 1) * steps),
        alpha=0.01,
    )


def _keep_best(output: Path, past: list[dict[str, str]]) -> keras.callbacks.Callback:
    return keras.callbacks.ModelCheckpoint(
        str(output / BEST_WEIGHTS), monitor="val_accuracy", mode="max", save_best_only=True, save_weights_only=True,
        initial_value_threshold=max((float(row["val_accuracy"]) for row in past), default=None),
    )  # fmt: skip


def _origin(config: TrainConfig) -> dict[str, Any]:
    """What made the run, noted at its start: the code may change while it trains. The data keeps its name alone."""
    arguments = [argument.replace(config.data, Path(config.data).name) for argument in sys.argv[1:]]
    return {
        "command": shlex.join(["python", "-m", "training.train", *arguments]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": _git_commit(),
        "backend": keras.backend.backend(),
        "versions": {"python": platform.python_version(), "keras": keras.__version__, "numpy": np.__version__},
    }


def _write_lineage(output: Path, config: TrainConfig, splits: dict[str, Split], origin: dict[str, Any]) -> None:
    with (output / LOG).open(newline="") as file:
        log = list(csv.DictReader(file))
    best = max(log, key=lambda row: float(row["val_accuracy"]))
    lineage = {
        "config": {**asdict(config), "data": Path(config.data).name},
        **origin,
        "split_sha256": {name: split.sha256 for name, split in splits.items()},
        "images": int((splits["Training"].fer2013 >= 0).sum()),
        "best_epoch": int(best["epoch"]) + 1,
        "epochs": len(log),
        "public_test_accuracy": round(float(best["val_accuracy"]), 4),
    }
    (output / "train.json").write_text(json.dumps(lineage, indent=2) + "\n")


def _git_commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--verify", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # no git here, or no commit
        return None


def _parse(arguments: list[str] | None = None) -> tuple[TrainConfig, bool]:
    parser = argparse.ArgumentParser(
        prog="training.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    defaults = {name: field.default for name, field in TrainConfig.__dataclass_fields__.items()}
    parser.add_argument("--data", required=True, help="fer2013.npz, fer2013.csv or a folder")
    parser.add_argument("--output", required=True, help="run folder, e.g. runs/seed-cnn")
    parser.add_argument("--architecture", choices=sorted(ARCHITECTURES), default=defaults["architecture"])
    for name, kind in (
        ("epochs", int), ("batch_size", int), ("learning_rate", float), ("weight_decay", float),
        ("label_smoothing", float), ("patience", int), ("seed", int), ("limit", int),
    ):  # fmt: skip
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, type=kind, default=defaults[name], help=f"default: {defaults[name]}")
    parser.add_argument("--resume", action="store_true", help="go on from the last whole epoch of --output")
    values = vars(parser.parse_args(arguments))
    resume = values.pop("resume")
    return TrainConfig(**values), resume


if __name__ == "__main__":
    try:
        config, resume = _parse()
        main(config, resume=resume)
    except FERError as error:
        sys.exit(f"error: {error}")
