"""What a run folder holds, and the network in it.

`config.json`: the settings, written at the start; `log.csv`: a row for every epoch; `backup/0042/`: the last whole
epoch, under its number; `train.json`: recipe and lineage, written at the end.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer import DataError
from training.architectures import trainable

CONFIG, LOG, BACKUP, LINEAGE = "config.json", "log.csv", "backup", "train.json"
WEIGHTS, AVERAGE = "latest.weights.h5", "average.npz"
Weights = list[NDArray[np.float32]]


def finished(run: Path) -> list[Path]:
    """The epochs on disk, the last one last."""
    return sorted((run / BACKUP).glob("[0-9]" * 4))


def read_average(epoch: Path) -> tuple[Weights, int]:
    """The averaged weights of an epoch, and after how many steps."""
    with np.load(epoch / AVERAGE, allow_pickle=False) as arrays:
        return [arrays[f"arr_{i}"] for i in range(len(arrays.files) - 1)], int(arrays["steps"])


def read_config(run: Path) -> dict[str, Any]:
    """The settings a run was started with."""
    return _read(run, CONFIG, "name a run folder of training.train")


def read_lineage(run: Path) -> dict[str, Any]:
    """What a finished run says of itself."""
    return _read(run, LINEAGE, "finish the run with training.train first")


def read_log(run: Path) -> list[dict[str, float]]:
    """The rows of the log, one for every epoch."""
    with (run / LOG).open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def read_network(run: Path) -> keras.Model:
    """The network that a run trains, with the average of its weights after the last epoch."""
    model = trainable(read_config(run)["recipe"]["architecture"])
    epochs = finished(run)
    if not epochs:
        raise DataError(f"{run}: holds no finished epoch; train for one at least with training.train.")
    model.set_weights(read_average(epochs[-1])[0])
    return model


def _read(run: Path, name: str, remedy: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((run / name).read_text())
    except OSError as error:
        raise DataError(f"{run}: holds no {name}; {remedy}.") from error
    return content
