"""What a run folder holds, who may write there, and the network in it.

`config.json`: settings, digests of the data, and how the run was started and resumed; `log.csv`: a
row for every epoch; `curve.html`: the same as curves; `backup/0042/`: the last whole epoch, under
its number; `train.json`: recipe and lineage, written at the end; `lock`: held by the process that
trains.
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fer import DataError

if TYPE_CHECKING:
    import keras

CONFIG, LOG, BACKUP, LINEAGE, LOCK = "config.json", "log.csv", "backup", "train.json", "lock"
CURVE = "curve.html"
STATE, AVERAGE = "state.npz", "average.npz"
# settings that a resume may not change
FIXED = ("seed", "limit", "share", "classes", "initial", "teachers", "recipe")
Weights = list[NDArray[np.float32]]


def finished(run: Path) -> list[Path]:
    """The epochs on disk, the last one last."""
    return sorted((run / BACKUP).glob("[0-9]" * 4))


def check_place(output: Path, *, resume: bool) -> None:
    """Raise DataError unless a run may begin in `output`, or go on there."""
    started = bool(finished(output))
    if resume and not started:
        raise DataError(f"{output} holds no finished epoch to resume from; leave --resume away.")
    if started and not resume:
        raise DataError(
            f"{output} already holds a run; add --resume to go on with it, or choose another"
            " --output."
        )
    if not started and not _is_free(output):
        raise DataError(
            f"{output} is there and holds no run; it is left alone, choose another --output."
        )


def _is_free(output: Path) -> bool:
    """Whether nothing is there, or no more than a run that was stopped in its first epoch."""
    if not output.exists():
        return True
    if not output.is_dir():
        return False
    if all(path.name == LOCK for path in output.iterdir()):
        return True
    try:
        read_config(output)
    except DataError:
        return False
    return True


@contextmanager
def begun(
    output: Path, settings: dict[str, Any], origin: dict[str, Any], *, resume: bool
) -> Iterator[dict[str, Any]]:
    """Hold the run folder for this process alone, note there how the run begins or goes on.

    And give what is noted.
    """
    output.mkdir(parents=True, exist_ok=True)
    with _locked(output):
        check_place(output, resume=resume)
        if resume:
            noted = read_config(output)
            check_same(output, noted, settings)
            resumed = {
                name: origin[name] for name in ("command", "date", "git_commit", "git_dirty")
            }
            noted |= {"recipe": settings["recipe"], "resumes": [*noted["resumes"], resumed]}
        else:
            (output / LOG).unlink(missing_ok=True)
            noted = {**settings, "origin": origin, "resumes": []}
        write(output / CONFIG, noted)
        yield noted


@contextmanager
def _locked(run: Path) -> Iterator[None]:
    """The system drops a lock with the process that held it, so none is ever stale."""
    with (run / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise DataError(
                f"process {lock.read().strip()} is training in {run}; wait until it ends, or choose"
                " another --output."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def check_same(run: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise DataError unless a run may go on with the settings `now`.

    The blend may change, which teaches nothing; while the plateau lasts, the number of epochs and
    the fall too.
    """
    done = int(finished(run)[-1].name)
    changed = [name for name in FIXED if _fixed(before, name, done) != _fixed(now, name, done)]
    if changed == ["recipe"] and _fixed(before, "recipe", 0) == _fixed(now, "recipe", 0):
        (epochs, plateau), (wanted, other_plateau) = _length(before), _length(now)
        raise DataError(
            f"{run} has finished {done} epochs, and --epochs may change only before the learning"
            f" rate begins to fall: of {epochs} it falls after epoch {plateau}, of {wanted} after"
            f" epoch {other_plateau}; resume with --epochs {epochs}, or begin a new run."
        )
    if changed:
        raise DataError(
            f"{run} was started with another {', '.join(changed)}; resume with the same settings."
        )
    began_with, received = before["split_sha256"], now["split_sha256"]
    for split in began_with | received:
        digest, other = (digests.get(split, "none") for digests in (began_with, received))
        if digest != other:
            sources = ", ".join(filter(None, (before["data"], before["photographs"])))
            raise DataError(
                f"{run} was started with other data: its {split} images and labels have the sha256"
                f" {digest:.12}, those received {other:.12}; resume with the data it was started"
                f" with ({sources})."
            )


def _length(settings: dict[str, Any]) -> tuple[int, int]:
    """All epochs of a run, and those of its plateau."""
    schedule = settings["recipe"]["schedule"]
    return schedule["epochs"], schedule["epochs"] - schedule["fall"]


def _fixed(settings: dict[str, Any], name: str, done: int) -> object:
    """A setting as far as it has taught something in `done` epochs."""
    if name != "recipe":
        return settings[name]
    recipe = {
        part: dict(value) if isinstance(value, dict) else value
        for part, value in settings[name].items()
    }
    del recipe["labels"]["blend"]
    if done <= _length(settings)[1]:
        del recipe["schedule"]["epochs"], recipe["schedule"]["fall"]
        recipe["fall"] = recipe["fall"]["side"]  # the scale of all faces, on the plateau too
    return recipe


def read_average(epoch: Path) -> tuple[Weights, int]:
    """The averaged weights of an epoch, and after how many steps."""
    with np.load(epoch / AVERAGE, allow_pickle=False) as arrays:
        return [arrays[f"arr_{i}"] for i in range(len(arrays.files) - 1)], int(arrays["steps"])


def read_config(run: Path) -> dict[str, Any]:
    """How a run was started."""
    config = _read(run, CONFIG, "name a run folder of training.train")
    if "recipe" not in config:
        raise DataError(
            f"{run}: its {CONFIG} is not that of a run; name a run folder of training.train."
        )
    return config


def read_lineage(run: Path) -> dict[str, Any]:
    """What a finished run says of itself."""
    return _read(run, LINEAGE, "finish the run with training.train first")


def read_log(run: Path) -> list[dict[str, float]]:
    """The rows of the log, one for every epoch."""
    try:
        with (run / LOG).open(newline="") as file:
            return [
                {name: float(value) for name, value in row.items()} for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise DataError(
            f"{run}: holds no {LOG}; train for one epoch at least with training.train."
        ) from error


def read_network(run: Path) -> keras.Model:
    """The network that a run trains, with the average of its weights after the last epoch."""
    from training.architectures import trainable

    model = trainable(read_config(run)["recipe"]["architecture"])
    epochs = finished(run)
    if not epochs:
        raise DataError(
            f"{run}: holds no finished epoch; train for one at least with training.train."
        )
    model.set_weights(read_average(epochs[-1])[0])
    return model


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(content, indent=2) + "\n")
    new.replace(path)


def _read(run: Path, name: str, remedy: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((run / name).read_text())
    except OSError as error:
        raise DataError(f"{run}: holds no {name}; {remedy}.") from error
    except ValueError as error:
        raise DataError(f"{run / name}: not valid JSON ({error}); {remedy}.") from error
    return content
