"""Whether a run may go on with these settings and these data."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from fer import DataError

FIXED = ("seed", "limit", "share", "classes", "initial", "teachers", "recipe")
"""Settings that a resume may not change."""


def check_same_settings(
    run: Path, before: dict[str, Any], now: dict[str, Any], epochs_done: int
) -> None:
    """Raise DataError unless a run may go on with the settings `now`.

    The blend may change, which teaches nothing. Until the decay begins, the number of epochs, the
    length of the decay and its crops may change too, but for their side.
    """
    changed = [name for name in FIXED if _differs(name, before, now, epochs_done)]
    if changed == ["recipe"] and not _differs("recipe", before, now, epochs_done=0):
        raise DataError(_other_length(run, before, now, epochs_done))
    if changed:
        raise DataError(
            f"{run} was started with another {', '.join(changed)}; resume with the same settings."
        )
    _check_same_data(run, before, now)


def _check_same_data(run: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    for split in before["split_sha256"] | now["split_sha256"]:
        expected = before["split_sha256"].get(split, "none")
        received = now["split_sha256"].get(split, "none")
        if expected != received:
            sources = ", ".join(filter(None, (before["data"], before["photographs"])))
            raise DataError(
                f"{run} was started with other data: its {split} images and labels have the sha256"
                f" {expected:.12}, those received {received:.12}; resume with the data it was"
                f" started with ({sources})."
            )


def _other_length(run: Path, before: dict[str, Any], now: dict[str, Any], epochs_done: int) -> str:
    epochs = before["recipe"]["schedule"]["epochs"]
    other_epochs = now["recipe"]["schedule"]["epochs"]
    return (
        f"{run} has finished {epochs_done} epochs, and --epochs may change only before the learning"
        f" rate begins to fall: of {epochs} it falls after epoch {_stable_end(before)}, of"
        f" {other_epochs} after epoch {_stable_end(now)}; resume with --epochs {epochs}, or begin a"
        " new run."
    )


def _differs(name: str, before: dict[str, Any], now: dict[str, Any], epochs_done: int) -> bool:
    """Whether a setting is another, as far as it has taught something in so many epochs."""
    if name != "recipe":
        return bool(before[name] != now[name])
    return _taught(before, epochs_done) != _taught(now, epochs_done)


def _taught(settings: dict[str, Any], epochs_done: int) -> dict[str, Any]:
    """What of the recipe has taught something in so many epochs."""
    recipe: dict[str, Any] = copy.deepcopy(settings["recipe"])
    del recipe["labels"]["blend"]
    if epochs_done <= _stable_end(settings):
        del recipe["schedule"]["epochs"]
        del recipe["schedule"]["decay"]
        # the side decides the scale of all faces, before the decay too
        recipe["decay_crops"] = recipe["decay_crops"]["side"]
    return recipe


def _stable_end(settings: dict[str, Any]) -> int:
    """After how many epochs the decay begins."""
    schedule = settings["recipe"]["schedule"]
    return int(schedule["epochs"]) - int(schedule["decay"])
