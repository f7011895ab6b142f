"""What a run folder holds, and who may write there.

config.json   the settings, the digests of the data, how the run was started and resumed
log.csv       a row for every epoch
curve.html    the same as curves
backup/0042/  the last complete epoch, under its number
train.json    recipe and lineage, written at the end
lock          held by the process that trains
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fer import DataError
from training.resuming import check_same_settings

CONFIG = "config.json"
LOG = "log.csv"
CURVE = "curve.html"
BACKUP = "backup"
LINEAGE = "train.json"
LOCK = "lock"


def finished_epochs(run: Path) -> list[Path]:
    """The epochs on disk, the last one last."""
    return sorted((run / BACKUP).glob("[0-9]" * 4))


def check_place(output: Path, *, resume: bool) -> None:
    """Raise DataError unless a run may begin in `output`, or go on there."""
    started = bool(finished_epochs(output))
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


@contextmanager
def open_run(
    output: Path, settings: dict[str, Any], origin: dict[str, Any], *, resume: bool
) -> Iterator[dict[str, Any]]:
    """Hold the run folder for this process alone, and give what its config.json now says.

    `settings` are those of the run, `origin` says how this process was started.
    """
    output.mkdir(parents=True, exist_ok=True)
    with _locked(output):
        check_place(output, resume=resume)
        if resume:
            config = _resumed_config(output, settings, origin)
        else:
            (output / LOG).unlink(missing_ok=True)
            config = {**settings, "origin": origin, "resumes": []}
        write_json(output / CONFIG, config)
        yield config


def read_config(run: Path) -> dict[str, Any]:
    """How a run was started."""
    config = _read_json(run, CONFIG, "name a run folder of training.train")
    if "recipe" not in config:
        raise DataError(
            f"{run}: its {CONFIG} is not that of a run; name a run folder of training.train."
        )
    return config


def read_lineage(run: Path) -> dict[str, Any]:
    """What a finished run says of itself."""
    return _read_json(run, LINEAGE, "finish the run with training.train first")


def read_log(run: Path) -> list[dict[str, float]]:
    """The rows of the log, one for every epoch."""
    try:
        with (run / LOG).open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(
            f"{run}: holds no {LOG}; train for one epoch at least with training.train."
        ) from error
    return [{name: float(value) for name, value in row.items()} for row in rows]


def append_to_log(run: Path, row: dict[str, float]) -> None:
    """Add the row of an epoch to the log, under a header if it is the first."""
    path = run / LOG
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if is_new:
            writer.writeheader()
        writer.writerow({name: float(f"{value:.6g}") for name, value in row.items()})


def cut_log(run: Path, epochs: int) -> None:
    """Drop the rows after so many epochs: of one that was logged and not saved."""
    lines = (run / LOG).read_text().splitlines()
    (run / LOG).write_text("\n".join(lines[: epochs + 1]) + "\n")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file completely or not at all."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    unfinished.replace(path)


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


def _resumed_config(run: Path, settings: dict[str, Any], origin: dict[str, Any]) -> dict[str, Any]:
    config = read_config(run)
    epochs_done = int(finished_epochs(run)[-1].name)
    check_same_settings(run, config, settings, epochs_done)
    resumed = {name: origin[name] for name in ("command", "date", "git_commit", "git_dirty")}
    resumes = [*config["resumes"], resumed]
    return config | {"recipe": settings["recipe"], "resumes": resumes}


def _read_json(run: Path, name: str, remedy: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((run / name).read_text())
    except OSError as error:
        raise DataError(f"{run}: holds no {name}; {remedy}.") from error
    except ValueError as error:
        raise DataError(f"{run / name}: not valid JSON ({error}); {remedy}.") from error
    return content
