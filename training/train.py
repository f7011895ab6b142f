"""Train a network by a recipe of `training.recipes` on FER2013, on labelled photographs, or on both.

    python -m training.train --recipe flagship --data fer2013.npz --photographs natural.zip --output runs/flagship

    a tiny run, under a minute:
    python -m training.train --recipe flagship --data fer2013.npz --output runs/tiny --limit 256 --epochs 2

    photographs of your own alone, <class>/*.jpg of any size:
    python -m training.train --recipe slim --photographs mine --classes grin=happiness,bored=neutral --output runs/mine

On two idle CPU cores an epoch of the flagship takes about a minute, a minute and a half in the
fall; photographs add a quarter. Stopped at any point, the same command with --resume goes on from
the last whole epoch, to the same end as if it had not been stopped; --epochs may then be raised
while the learning rate has not begun to fall. `KERAS_BACKEND=tensorflow|jax|torch` chooses the
backend.

BlazeFace finds the faces of photographs, once: they are kept in `fer-studio` in the user's cache
folder (~/.cache, or XDG_CACHE_HOME). Photographs whose face is not found are neither learnt nor
measured.

Each epoch ends with a line: loss, learning rate, seconds, accuracy on PublicTest, and on the
validation photographs accuracy, mean recall and the recall of each class. The run folder then holds
`train.json` (recipe and lineage), `log.csv` and `curve.html` with what was measured after every
epoch, and `backup/` (the last epoch: weights, their moving average, optimizer). `training.export`
makes a version of it.
"""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer import DataError, read_version
from training.command import (
    command_line,
    finish,
    load_keras,
    number,
    pairs,
    whole_number,
    writing_to,
)
from training.data.examples import (
    Examples,
    Material,
    Validation,
    no_examples,
    photograph_targets,
    resized,
    training_examples,
)
from training.data.fer2013 import load
from training.data.photographs import (
    Photographs,
    WideFaces,
    cut_wide,
    draw_weights,
    read_photographs,
)
from training.recipes import RECIPES, Recipe, changed, read_recipe
from training.runs import LINEAGE, begun, check_place, finished, read_log, write


@dataclass(frozen=True)
class TrainConfig:
    """One training run on FER2013 (`data`), on labelled `photographs`, or on both.

    `recipe` is a name or a file, `changes` are other values of its fields, `epochs` is another
    number of epochs. `classes` tells which emotions further names of the photographs' folders stand
    for.

    `limit` keeps that many rows of each split. `share` of the images, drawn by the seed, is all
    that is learnt, in epochs as long as with all of them: runs that differ in it alone tell what
    more data would bring.

    `initial` is a version folder whose weights the run begins with; `teachers` are folders of
    earlier runs, whose answers make up half of the targets.
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

    @property
    def whole(self) -> Recipe:
        """The recipe with this run's changes and epochs, its fall no longer than half of them."""
        recipe = changed(read_recipe(self.recipe), self.changes)
        schedule = recipe.schedule
        epochs = self.epochs or schedule.epochs
        fall = min(schedule.fall, max(1, epochs // 2))
        warm_up = min(schedule.warm_up, max(1, epochs // 4))
        return replace(
            recipe, schedule=replace(schedule, epochs=epochs, fall=fall, warm_up=warm_up)
        )


@dataclass(frozen=True)
class Sources:
    """What a run learns, what it is measured on, and the digests of both."""

    examples: Examples
    photographs: WideFaces | None
    validation: Validation
    sha256: dict[str, str]


def main(config: TrainConfig, *, resume: bool = False) -> Path:
    """Train as `config` says and return the run folder.

    Which appears once all that the run needs was found.
    """
    output = Path(config.output)
    check_place(output, resume=resume)
    recipe = config.whole
    settings = _described(config, recipe)
    load_keras()
    from training.fitting import Fitting
    from training.lineage import origin

    inputs = (config.recipe, config.data, config.photographs, config.initial, *config.teachers)
    made = origin(config.output, *filter(None, inputs))
    sources = _read(config, recipe)
    settings["split_sha256"] = sources.sha256
    length = len(sources.examples.images)
    sources = _shared(sources, config)
    fitting = Fitting(recipe, seed=config.seed, material=_material(sources, length, config, recipe))
    if config.initial and not resume:
        fitting.begin_from(Path(config.initial))
    with writing_to(output), begun(output, settings, made, resume=resume) as noted:
        fitting.run(output, sources.validation, resume=resume)
        _write_lineage(output, noted, sources)
    return output


def _read(config: TrainConfig, recipe: Recipe) -> Sources:
    """All rows within the limit."""
    sources = Sources(no_examples(), None, Validation(None, None), {})
    if config.data:
        sources = _with_fer2013(sources, config.data, config.limit)
    if config.photographs:
        photographs = read_photographs(config.photographs, config.classes)
        sources = _with_photographs(sources, photographs, config.limit, recipe)
    return sources


def _with_fer2013(sources: Sources, path: str, limit: int | None) -> Sources:
    data = load(path)
    examples = _rows(training_examples(data), slice(limit))
    public = data.split("PublicTest")
    return replace(
        sources,
        examples=examples,
        validation=replace(sources.validation, public=_rows(public, slice(limit))),
        sha256={"Training": examples.sha256, "PublicTest": public.sha256},
    )


def _with_photographs(
    sources: Sources,
    photographs: Photographs,
    limit: int | None,
    recipe: Recipe,
) -> Sources:
    training = photographs.split("Training")
    validation = photographs.split("PublicTest")
    measured = _faces(validation, limit, recipe)
    if not (measured.expressions >= 0).any():
        raise DataError(
            f"{photographs.source}: no validation picture shows a happy, sad, neutral or surprised "
            "face; add some under valid/, or more people."
        )
    digests = {
        "Training photographs": training.sha256,
        "PublicTest photographs": validation.sha256,
    }
    return replace(
        sources,
        photographs=_faces(training, limit, recipe),
        validation=replace(sources.validation, photographs=measured),
        sha256=sources.sha256 | digests,
    )


def _faces(photographs: Photographs, limit: int | None, recipe: Recipe) -> WideFaces:
    """The faces of a split; a limit takes rows from all of it, since it is sorted by class."""
    if limit:
        step = max(1, len(photographs) // limit)
        photographs = photographs.select(np.arange(0, len(photographs), step)[:limit])
    if len(photographs):
        faces = cut_wide(photographs, recipe.fall.side, recipe.photographs.scale)
        if len(faces):
            return faces
    raise DataError(
        f"{photographs.source}: a split for training and one for validation are needed, with a "
        "face that is found in each; add pictures under train/ and valid/, or of more people."
    )


def _shared(sources: Sources, config: TrainConfig) -> Sources:
    """The share of the rows that is learnt."""
    examples, photographs = sources.examples, sources.photographs
    examples = _rows(examples, _drawn(len(examples.images), config.share, config.seed))
    if photographs:
        photographs = photographs.select(_drawn(len(photographs), config.share, config.seed))
    return replace(sources, examples=examples, photographs=photographs)


def _material(sources: Sources, length: int, config: TrainConfig, recipe: Recipe) -> Material:
    """What the network is shown: `length` images of FER2013 an epoch.

    And photographs as the recipe draws them.
    """
    from training.distillation import distil

    teachers = [Path(run) for run in config.teachers]
    examples = sources.examples
    if len(examples.images):
        examples = distil(examples, teachers)
    images = [*resized(examples.images, recipe.fall.side)]
    targets = [examples.targets]
    weights = [np.zeros(len(images))]
    draws = 0
    if faces := sources.photographs:
        face_targets = photograph_targets(faces.labels, recipe.labels.smoothing)
        labelled = Examples(faces.middles, face_targets)
        images += [*faces.crops]
        targets.append(distil(labelled, teachers).targets)
        weights.append(draw_weights(faces.labels, faces.people, recipe.photographs.power))
        draws = min(recipe.photographs.draws, config.limit or recipe.photographs.draws)
    rows = np.resize(np.arange(len(examples.images)), length)
    return Material(images, np.concatenate(targets), rows, draws, np.concatenate(weights))


def _rows(table: Any, rows: slice | NDArray[np.int64]) -> Any:  # noqa: ANN401
    return type(table)(*(array[rows] for array in vars(table).values()))


def _drawn(n: int, share: float, seed: int) -> NDArray[np.int64]:
    """The rows of a share, in their order.

    A smaller share of the same seed lies within a larger one.
    """
    return np.sort(np.random.default_rng(seed).permutation(n)[: math.ceil(share * n)])


def _described(config: TrainConfig, recipe: Recipe) -> dict[str, Any]:
    return {
        "data": config.data and Path(config.data).name,
        "photographs": config.photographs and Path(config.photographs).name,
        "classes": config.classes,
        "seed": config.seed,
        "limit": config.limit,
        "share": config.share,
        "initial": config.initial and _initial_sha256(config, recipe.architecture),
        "teachers": [Path(run).name for run in config.teachers],
        # as it is read back: a tuple is a list there
        "recipe": json.loads(json.dumps(asdict(recipe))),
    }


def _initial_sha256(config: TrainConfig, architecture: str) -> str:
    """The digest of the version to begin with.

    Raises DataError if it is of another architecture than the recipe.
    """
    version = read_version(Path(config.initial or ""))
    if version.architecture != architecture:
        raise DataError(
            f"{config.initial} is a version of the architecture {version.architecture}, and the"
            f" recipe {config.recipe} trains {architecture}; begin with a version of"
            f" {architecture}, or choose a recipe of {version.architecture}."
        )
    return version.sha256


def _write_lineage(output: Path, noted: dict[str, Any], sources: Sources) -> None:
    log = read_log(output)
    origin, resumes, split_sha256 = (
        noted.pop(name) for name in ("origin", "resumes", "split_sha256")
    )
    photographs = len(sources.photographs or ())
    lineage = {
        "config": noted,
        **origin,
        "resumes": resumes,
        "seconds": round(sum(row["seconds"] for row in log)),
        "images": len(sources.examples.images),
        "photographs": photographs,
        "voted": sources.examples.voted + photographs,
        "split_sha256": split_sha256,
        "epochs": len(log),
        "public_test": {
            name: value
            for name, value in log[-1].items()
            if name.startswith(("fer", "photographs"))
        },
    }
    write(output / LINEAGE, lineage)


def _parse(arguments: list[str] | None = None) -> tuple[TrainConfig, bool]:
    options = command_line("training.train", __doc__)
    options.add_argument(
        "--recipe", required=True, help=f"{', '.join(RECIPES)}, or a file that defines RECIPE"
    )
    options.add_argument(
        "--set",
        dest="changes",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help=(
            "another value of one of the recipe's fields, e.g. schedule.learning_rate=1e-3; may be"
            " repeated"
        ),
    )
    options.add_argument("--data", help="fer2013.npz, fer2013.csv or a folder")
    options.add_argument(
        "--photographs", help="folder or zip of <split>/<class>/*.jpg or <class>/*.jpg"
    )
    options.add_argument(
        "--classes",
        type=pairs("joy=happiness,bored=neutral"),
        default={},
        metavar="NAME=EMOTION,...",
        help="what further names of the photographs' class folders stand for, e.g. joy=happiness",
    )
    options.add_argument("--output", required=True, help="run folder, e.g. runs/flagship")
    options.add_argument("--seed", type=whole_number(0), default=1, help="default: 1")
    options.add_argument("--epochs", type=whole_number(1), help="default: the recipe's")
    options.add_argument(
        "--limit", type=whole_number(1), help="train on, and measure, this many rows only"
    )
    options.add_argument(
        "--share",
        type=number(0.001, 1),
        default=1.0,
        help="learn this part of the images only; default: 1",
    )
    options.add_argument(
        "--initial", metavar="VERSION", help="folder of a version whose weights to begin with"
    )
    options.add_argument(
        "--teachers", nargs="+", default=(), help="folders of earlier runs to learn from"
    )
    options.add_argument(
        "--resume", action="store_true", help="go on from the last whole epoch of --output"
    )
    values = vars(options.parse_args(arguments))
    if not values["data"] and not values["photographs"]:
        options.error("there is nothing to learn; name --data, --photographs, or both")
    resume = values.pop("resume")
    lists = {name: tuple(values[name]) for name in ("changes", "teachers")}
    return TrainConfig(**{**values, **lists}), resume


def _tell(config: TrainConfig, *, resume: bool) -> None:
    run = main(config, resume=resume)
    version = str(Path("models") / run.name)
    sources = {"--data": config.data, "--photographs": config.photographs}
    measured = [word for option, path in sources.items() if path for word in (option, path)]
    export = ["training.export", "--run", str(run), "--output", version]
    evaluate = ["training.evaluate", "--version", version, *measured]
    print(f"{run}: {len(read_log(run))} epochs. Next:")
    for command in (export, evaluate):
        print(f"    {shlex.join(['python', '-m', *command])}")


def _interrupted(output: Path) -> str:
    if epochs := finished(output):
        return (
            f"interrupted; {output} holds {int(epochs[-1].name)} whole epochs: the same command"
            " with --resume goes on from there"
        )
    return "interrupted before an epoch was whole; the same command begins again"


if __name__ == "__main__":
    config, resume = _parse()
    finish(partial(_tell, config, resume=resume), partial(_interrupted, Path(config.output)))
