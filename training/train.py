"""Train a network on the Training split; choose its epoch on PublicTest.

    python -m training.train --data fer2013.npz --architecture seed_cnn --output runs/seed-cnn

    a tiny run, under a minute:
    python -m training.train --data fer2013.npz --output runs/tiny --limit 256 --epochs 2

On two CPU cores the seed network takes about two minutes an epoch. Stopped at any point, the same command
with --resume goes on from the last whole epoch. `KERAS_BACKEND=tensorflow|jax|torch` chooses the backend.

The run folder then holds `train.json` (configuration and lineage), `log.csv`, `weights.weights.h5` (best epoch)
and `backup/` (last epoch, with the optimizer). `training.export` makes a version of it.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from fer import LABELS, DataError, FERError
from fer.preprocessing import normalize
from training.architectures import ARCHITECTURES
from training.augment import augment
from training.data import Split, load

WEIGHTS = "weights.weights.h5"


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

    def __init__(self, split: Split, config: TrainConfig, first_epoch: int) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        rows = split.fer2013 >= 0
        self.images, self.labels = split.images[rows], np.eye(len(LABELS), dtype=np.float32)[split.fer2013[rows]]
        self.config, self.epoch = config, first_epoch
        self.order = self._shuffled()

    def _shuffled(self) -> NDArray[np.int64]:
        return np.random.default_rng([self.config.seed, self.epoch]).permutation(len(self.images))

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.config.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows = self.order[index * self.config.batch_size : (index + 1) * self.config.batch_size]
        rng = np.random.default_rng([self.config.seed, self.epoch, index])
        return normalize(augment(self.images[rows], rng)), self.labels[rows]

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.order = self._shuffled()


def main(config: TrainConfig, *, resume: bool = False) -> Path:
    """Train as `config` says and return the run folder."""
    output = Path(config.output)
    past = _prepare(output, config, resume)
    keras.utils.set_random_seed(config.seed)
    cv2.setNumThreads(1)
    data = load(config.data)
    splits = {name: _limited(data.split(name), config.limit) for name in ("Training", "PublicTest")}
    training = AugmentedFaces(splits["Training"], config, first_epoch=len(past))
    validation = splits["PublicTest"]
    rows = validation.fer2013 >= 0
    model = ARCHITECTURES[config.architecture]()
    model.compile(
        optimizer=keras.optimizers.AdamW(_schedule(config, len(training)), weight_decay=config.weight_decay),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        metrics=["accuracy"],
        jit_compile="auto" if keras.backend.backend() == "jax" else False,  # XLA is several times slower on a CPU
    )
    started = time.time()
    model.fit(
        training,
        epochs=config.epochs,
        validation_data=(
            normalize(validation.images[rows]),
            np.eye(len(LABELS), dtype=np.float32)[validation.fer2013[rows]],
        ),
        validation_batch_size=256,
        callbacks=_callbacks(output, config, past),
        verbose="auto" if sys.stdout.isatty() else 2,
    )
    _write_lineage(output, config, splits, time.time() - started)
    return output


def _prepare(output: Path, config: TrainConfig, resume: bool) -> list[dict[str, str]]:
    """Create the run folder, or check that it can be resumed; return the epochs already logged."""
    log = output / "log.csv"
    if not resume:
        if log.exists():
            raise DataError(f"{output} already holds a run; add --resume to go on with it, or choose another --output.")
        output.mkdir(parents=True, exist_ok=True)
        (output / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n")
        return []
    if not log.exists():
        raise DataError(f"{output} holds no finished epoch to resume from; leave --resume away.")
    before = json.loads((output / "config.json").read_text())
    changed = [key for key, value in asdict(config).items() if key not in ("data", "output") and before[key] != value]
    if changed:
        raise DataError(f"{output} was started with another {', '.join(changed)}; resume with the same settings.")
    with log.open(newline="") as file:
        return list(csv.DictReader(file))


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


def _callbacks(output: Path, config: TrainConfig, past: list[dict[str, str]]) -> list[keras.callbacks.Callback]:
    accuracies = [float(row["val_accuracy"]) for row in past]
    early = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=config.patience, verbose=1)
    best = keras.callbacks.ModelCheckpoint(
        str(output / WEIGHTS), monitor="val_accuracy", mode="max", save_best_only=True, save_weights_only=True,
        initial_value_threshold=max(accuracies, default=None),
    )  # fmt: skip
    backup = keras.callbacks.BackupAndRestore(str(output / "backup"), delete_checkpoint=False)
    return [backup, best, keras.callbacks.CSVLogger(str(output / "log.csv"), append=True), early]


def _write_lineage(output: Path, config: TrainConfig, splits: dict[str, Split], seconds: float) -> None:
    with (output / "log.csv").open(newline="") as file:
        log = list(csv.DictReader(file))
    best = max(log, key=lambda row: float(row["val_accuracy"]))
    lineage = {
        "config": {**asdict(config), "data": Path(config.data).name},
        "command": "python -m training.train " + " ".join(sys.argv[1:]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": _git_commit(),
        "backend": keras.backend.backend(),
        "versions": {"python": platform.python_version(), "keras": keras.__version__, "numpy": np.__version__},
        "split_sha256": {name: split.sha256 for name, split in splits.items()},
        "images": int((splits["Training"].fer2013 >= 0).sum()),
        "best_epoch": int(best["epoch"]) + 1,
        "epochs": len(log),
        "public_test_accuracy": round(float(best["val_accuracy"]), 4),
        "seconds": round(seconds),
    }
    (output / "train.json").write_text(json.dumps(lineage, indent=2) + "\n")


def _git_commit() -> str | None:
    result = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return result.stdout.strip() or None


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
        main(*_parse()[:1], resume=_parse()[1])
    except FERError as error:
        sys.exit(f"error: {error}")
