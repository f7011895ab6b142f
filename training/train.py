"""Train a network by a recipe of `training.recipes` on the Training split.

    python -m training.train --recipe flagship --data fer2013.npz --output runs/flagship

    a tiny run, under a minute:
    python -m training.train --recipe flagship --data fer2013.npz --output runs/tiny --limit 256 --epochs 2

On two idle CPU cores an epoch of the flagship takes about a minute, a minute and a half in the fall. Stopped at any
point, the same command with --resume goes on from the last whole epoch, to the same end as if it had not been
stopped; --epochs may then be raised while the learning rate has not begun to fall.
`KERAS_BACKEND=tensorflow|jax|torch` chooses the backend.

The run folder then holds `train.json` (recipe and lineage), `log.csv` with PublicTest after every epoch, and
`backup/` (the last epoch: weights, their moving average, optimizer). `training.export` makes a version of it.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer import DataError, read_version
from training.command import command_line, finish, load_keras, number, whole_number, writing_to
from training.data import load
from training.examples import Examples, training_examples
from training.recipes import RECIPES, Recipe
from training.runs import LINEAGE, begun, check_place, finished, read_log, write


@dataclass(frozen=True)
class TrainConfig:
    """One training run. `limit` keeps that many rows of each split; `epochs` replaces the recipe's.

    `share` of the images, drawn by the seed, is all that is learnt, in epochs as long as with all of them: runs that
    differ in it alone tell what more data would bring.

    `initial` is a version folder whose weights the run begins with; `teachers` are folders of earlier runs, whose
    answers make up half of the targets.
    """

    data: str
    output: str
    recipe: str
    seed: int = 1
    epochs: int | None = None
    limit: int | None = None
    share: float = 1.0
    initial: str | None = None
    teachers: tuple[str, ...] = ()

    @property
    def whole(self) -> Recipe:
        """The recipe with this run's number of epochs, its fall no longer than half of them."""
        recipe = RECIPES[self.recipe]
        epochs = self.epochs or recipe.schedule.epochs
        fall = min(recipe.schedule.fall, max(1, epochs // 2))
        warm_up = min(recipe.schedule.warm_up, max(1, epochs // 4))
        return replace(recipe, schedule=replace(recipe.schedule, epochs=epochs, fall=fall, warm_up=warm_up))


def main(config: TrainConfig, *, resume: bool = False) -> Path:
    """Train as `config` says and return the run folder, which appears once all that the run needs was found."""
    output = Path(config.output)
    check_place(output, resume=resume)
    settings = _described(config)
    load_keras()
    from training.fitting import Fitting
    from training.lineage import origin

    made = origin(config.data, config.output, *filter(None, [config.initial]), *config.teachers)
    data = load(config.data)
    public = data.split("PublicTest")
    examples = _rows(training_examples(data), slice(config.limit))
    settings["split_sha256"] = {"Training": examples.sha256, "PublicTest": public.sha256}
    drawn = _rows(examples, _drawn(len(examples.images), config.share, config.seed))
    fitting = Fitting(
        config.whole,
        seed=config.seed,
        examples=drawn,
        length=len(examples.images),
        teachers=[Path(run) for run in config.teachers],
    )
    if config.initial and not resume:
        fitting.begin_from(Path(config.initial))
    with writing_to(output), begun(output, settings, made, resume=resume) as noted:
        fitting.run(output, _rows(public, slice(config.limit)), resume=resume)
        _write_lineage(output, noted, drawn)
    return output


def _rows(table: Any, rows: slice | NDArray[np.int64]) -> Any:  # noqa: ANN401
    return type(table)(*(array[rows] for array in vars(table).values()))


def _drawn(n: int, share: float, seed: int) -> NDArray[np.int64]:
    """The rows of a share, in their order; a smaller share of the same seed lies within a larger one."""
    return np.sort(np.random.default_rng(seed).permutation(n)[: math.ceil(share * n)])


def _described(config: TrainConfig) -> dict[str, Any]:
    return {
        "data": Path(config.data).name,
        "seed": config.seed,
        "limit": config.limit,
        "share": config.share,
        "initial": config.initial and _initial_sha256(config),
        "teachers": [Path(run).name for run in config.teachers],
        "recipe": json.loads(json.dumps(asdict(config.whole))),  # as it is read back: a tuple is a list there
    }


def _initial_sha256(config: TrainConfig) -> str:
    """The digest of the version to begin with. Raises DataError if it is of another architecture than the recipe."""
    version = read_version(Path(config.initial or ""))
    architecture = config.whole.architecture
    if version.architecture != architecture:
        raise DataError(
            f"{config.initial} is a version of the architecture {version.architecture}, and the recipe "
            f"{config.recipe} trains {architecture}; begin with a version of {architecture}, or choose a recipe of "
            f"{version.architecture}."
        )
    return version.sha256


def _write_lineage(output: Path, noted: dict[str, Any], examples: Examples) -> None:
    log = read_log(output)
    origin, resumes, split_sha256 = (noted.pop(name) for name in ("origin", "resumes", "split_sha256"))
    lineage = {
        "config": noted,
        **origin,
        "resumes": resumes,
        "seconds": round(sum(row["seconds"] for row in log)),
        "images": len(examples.images),
        "voted": examples.voted,
        "split_sha256": split_sha256,
        "epochs": len(log),
        "public_test": {name: value for name, value in log[-1].items() if name.startswith("fer")},
    }
    write(output / LINEAGE, lineage)


def _parse(arguments: list[str] | None = None) -> tuple[TrainConfig, bool]:
    options = command_line("training.train", __doc__)
    options.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    options.add_argument("--data", required=True, help="fer2013.npz, fer2013.csv or a folder")
    options.add_argument("--output", required=True, help="run folder, e.g. runs/flagship")
    options.add_argument("--seed", type=whole_number(0), default=1, help="default: 1")
    options.add_argument("--epochs", type=whole_number(1), help="default: the recipe's")
    options.add_argument("--limit", type=whole_number(1), help="train on, and measure, this many rows only")
    options.add_argument(
        "--share", type=number(0.001, 1), default=1.0, help="learn this part of the images only; default: 1"
    )
    options.add_argument("--initial", metavar="VERSION", help="folder of a version whose weights to begin with")
    options.add_argument("--teachers", nargs="+", default=(), help="folders of earlier runs to learn from")
    options.add_argument("--resume", action="store_true", help="go on from the last whole epoch of --output")
    values = vars(options.parse_args(arguments))
    resume = values.pop("resume")
    return TrainConfig(**{**values, "teachers": tuple(values["teachers"])}), resume


def _interrupted(output: Path) -> str:
    if epochs := finished(output):
        return (
            f"interrupted; {output} holds {int(epochs[-1].name)} whole epochs: the same command with --resume goes on "
            "from there"
        )
    return "interrupted before an epoch was whole; the same command begins again"


if __name__ == "__main__":
    config, resume = _parse()
    finish(partial(main, config, resume=resume), partial(_interrupted, Path(config.output)))
