"""What a run is asked to do: the options of `training.train`, and what its folder notes of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from fer import DataError, read_version
from training.recipes import Recipe, changed, read_recipe


@dataclass(frozen=True)
class TrainConfig:
    """One training run on FER2013, on labelled photographs, or on both.

    Attributes:
        output: The run folder.
        recipe: A name or a file.
        changes: Other values of the recipe's fields, as `schedule.learning_rate=1e-3`.
        data: FER2013, in any of its forms.
        photographs: A folder or a zip.
        classes: What further names of the photographs' folders stand for.
        seed: Of everything random.
        epochs: Instead of the recipe's.
        limit: Keeps that many rows of each split.
        share: Of the images, sampled by the seed, is all that is learnt, in epochs as long as with
            all of them: runs that differ in it alone tell what more data would bring.
        initial: A version folder whose weights the run begins with.
        teachers: Folders of earlier runs, whose answers make up half of the targets.
    """

    output: str
    recipe: str
    changes: tuple[str, ...] = ()
    data: str | None = None
    photographs: str | None = None
    classes: dict[str, str] = field(default_factory=dict)
    seed: int = 1
    epochs: int | None = None
    limit: int | None = None
    share: float = 1.0
    initial: str | None = None
    teachers: tuple[str, ...] = ()

    def read_recipe(self) -> Recipe:
        """The recipe with this run's changes and epochs; it decays in half of them at most."""
        recipe = changed(read_recipe(self.recipe), self.changes)
        epochs = self.epochs or recipe.schedule.epochs
        schedule = replace(
            recipe.schedule,
            epochs=epochs,
            warm_up=min(recipe.schedule.warm_up, max(1, epochs // 4)),
            decay=min(recipe.schedule.decay, max(1, epochs // 2)),
        )
        return replace(recipe, schedule=schedule)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that was named; a lineage tells only what they are called."""
        inputs = (self.recipe, self.data, self.photographs, self.initial)
        return (self.output, *filter(None, inputs), *self.teachers)


def described(config: TrainConfig, recipe: Recipe) -> dict[str, Any]:
    """What the run folder and the lineage note: names of files, never their places."""
    return {
        "data": config.data and Path(config.data).name,
        "photographs": config.photographs and Path(config.photographs).name,
        "classes": config.classes,
        "seed": config.seed,
        "limit": config.limit,
        "share": config.share,
        "initial": _initial_sha256(config, recipe.architecture) if config.initial else None,
        "teachers": [Path(run).name for run in config.teachers],
        # as it is read back: a tuple is a list there
        "recipe": json.loads(json.dumps(asdict(recipe))),
    }


def _initial_sha256(config: TrainConfig, architecture: str) -> str:
    """The digest of the version to begin with. Raises DataError if it is another network."""
    version = read_version(Path(config.initial or ""))
    if version.architecture != architecture:
        raise DataError(
            f"{config.initial} is a version of the architecture {version.architecture}, and the"
            f" recipe {config.recipe} trains {architecture}; begin with a version of"
            f" {architecture}, or choose a recipe of {version.architecture}."
        )
    return version.sha256
