"""The last epoch of a run on disk: its weights, their average and the state of the optimizer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer import DataError
from training.runs import BACKUP, finished_epochs, read_config

if TYPE_CHECKING:
    import keras

STATE = "state.npz"
AVERAGE = "average.npz"
Weights = list[NDArray[np.float32]]


def save(output: Path, epoch: int, model: keras.Model, average: Weights, steps: int) -> None:
    """Keep an epoch under its number; the one before goes only when this one is complete."""
    import keras

    unfinished = output / BACKUP / "new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    state = [keras.ops.convert_to_numpy(variable) for variable in _state(model)]
    np.savez(unfinished / STATE, *state)
    np.savez(unfinished / AVERAGE, *average, steps=np.array(steps))
    unfinished.rename(output / BACKUP / f"{epoch:04d}")
    for older in finished_epochs(output)[:-1]:
        shutil.rmtree(older)


def restore(epoch: Path, model: keras.Model) -> None:
    """Give a compiled network the weights and the state of the optimizer after an epoch."""
    model.optimizer.build(model.trainable_variables)
    with np.load(epoch / STATE, allow_pickle=False) as arrays:
        for i, variable in enumerate(_state(model)):
            variable.assign(arrays[f"arr_{i}"])


def read_average(epoch: Path) -> tuple[Weights, int]:
    """The averaged weights of an epoch, and after how many steps."""
    with np.load(epoch / AVERAGE, allow_pickle=False) as arrays:
        weights = [arrays[f"arr_{i}"] for i in range(len(arrays.files) - 1)]
        return weights, int(arrays["steps"])


def read_network(run: Path) -> keras.Model:
    """The network that a run trains, with the average of its weights after the last epoch."""
    from training.architectures import trainable

    model = trainable(read_config(run)["recipe"]["architecture"])
    epochs = finished_epochs(run)
    if not epochs:
        raise DataError(
            f"{run}: holds no finished epoch; train for one at least with training.train."
        )
    weights, _ = read_average(epochs[-1])
    model.set_weights(weights)
    return model


def _state(model: keras.Model) -> list[keras.Variable]:
    """What training goes on from: the weights and the optimizer's variables."""
    return [*model.weights, *model.optimizer.variables]
