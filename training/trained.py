"""What can be exported: a finished run, a version made of one, or the mean of several runs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer import DataError
from fer.versions.folder import GRAPH, read_version
from training.checkpoints import read_network
from training.pull import as_trained, restored
from training.runs import read_lineage

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Trained:
    """A trained network that gives the logits of both label sets.

    Attributes:
        folder: A run, or a version that keeps the weights of all outputs.
        lineage: How it was trained, free to be changed.
        side: Of the crops that it is to be served, in pixels.
    """

    folder: Path
    lineage: dict[str, Any]
    side: int

    @classmethod
    def read(cls, folder: Path) -> Trained:
        """What stands in a folder. Raises DataError where its weights cannot be exported."""
        if not _is_version(folder):
            lineage = read_lineage(folder)
            return cls(folder, lineage, _served_side(folder, lineage))
        version = read_version(folder)
        if not as_trained(version):
            raise DataError(
                f"{folder} keeps the weights of the labels that it serves alone; name the run it"
                " was made of."
            )
        return cls(folder, copy.deepcopy(dict(version.lineage)), version.input_shape[0])

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe, part by part."""
        recipe: dict[str, Any] = self.lineage["config"]["recipe"]
        return recipe

    @property
    def runs(self) -> int:
        """Of how many runs its weights are the mean."""
        return 1 + len(self.lineage.get("averaged_with", ()))

    def network(self) -> keras.Model:
        """The network with its weights."""
        if _is_version(self.folder):
            return restored(self.recipe["architecture"], self.folder)
        return read_network(self.folder)


def _served_side(run: Path, lineage: dict[str, Any]) -> int:
    recipe = lineage["config"]["recipe"]
    if "decay_crops" not in recipe:
        raise DataError(
            f"{run} is a run of an earlier program: its recipe holds {', '.join(sorted(recipe))},"
            " expected decay_crops too; train it again."
        )
    side: int = recipe["decay_crops"]["side"]
    return side


def note_average(trained: Trained, others: Sequence[Path]) -> None:
    """Note in the lineage with which runs the weights are averaged.

    Raises DataError unless all runs began from the same version, and all or none saw FER+ votes.
    """
    notes = [_note(trained, other) for other in others]
    earlier = trained.lineage.get("averaged_with", [])
    trained.lineage["averaged_with"] = [*earlier, *notes]


def averaged(trained: keras.Model, runs: int, others: Sequence[Path]) -> keras.Model:
    """The network with the mean of its weights and those of other runs (Wortsman et al. 2022).

    Its own weights, already the mean of `runs` runs, count as often.
    """
    weights = [trained.get_weights()] * runs
    weights += [read_network(other).get_weights() for other in others]
    trained.set_weights([np.mean(values, axis=0) for values in zip(*weights, strict=True)])
    return trained


def _is_version(folder: Path) -> bool:
    return (folder / GRAPH).exists()


def _note(trained: Trained, other: Path) -> dict[str, Any]:
    lineage = read_lineage(other)
    config = lineage["config"]
    expected = trained.lineage["config"]["initial"]
    received = config["initial"]
    if expected is None or received != expected:
        raise DataError(
            f"{trained.folder} began from {expected or 'chance'} and {other} from"
            f" {received or 'chance'}; only runs with the same --initial may be averaged."
        )
    if bool(lineage["voted"]) != bool(trained.lineage["voted"]):
        with_votes = other if lineage["voted"] else trained.folder
        without_votes = trained.folder if lineage["voted"] else other
        raise DataError(
            f"{with_votes} saw FER+ votes and {without_votes} saw none, so their outputs for them"
            " have no mean; average runs that both learnt FER+, or both did not."
        )
    names = ("command", "date", "git_commit", "git_dirty", "epochs")
    told = {name: lineage[name] for name in names}
    return {**told, "seed": config["seed"], "recipe": config["recipe"]}
