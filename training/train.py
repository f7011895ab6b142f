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

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from fer import DataError, FERError, read_version
from fer.preprocessing import normalize
from training.architectures import begin_from, blend_logits, served, trainable
from training.callbacks import MovingAverage, Progress, Trapezoid, restore
from training.data import CLASSES, Split, load
from training.distil import distil
from training.examples import training_examples
from training.lineage import origin
from training.pull import load_weights
from training.recipes import RECIPES, Recipe, Views
from training.runs import CONFIG, LINEAGE, LOG, finished, read_config, read_log
from training.views import Batches


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

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise DataError(f"received a share of {self.share:g}, expected more than 0 and at most 1.")

    @property
    def whole(self) -> Recipe:
        """The recipe with this run's number of epochs, its fall no longer than half of them."""
        recipe = RECIPES[self.recipe]
        epochs = self.epochs or recipe.schedule.epochs
        fall, warm_up = (
            min(recipe.schedule.fall, max(1, epochs // 2)),
            min(recipe.schedule.warm_up, max(1, epochs // 4)),
        )
        return replace(recipe, schedule=replace(recipe.schedule, epochs=epochs, fall=fall, warm_up=warm_up))


def main(config: TrainConfig, *, resume: bool = False) -> Path:
    """Train as `config` says and return the run folder."""
    output, recipe = Path(config.output), config.whole
    _prepare(output, config, resume)
    made = origin(config.data, config.output, *filter(None, [config.initial]), *config.teachers)
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy(recipe.precision)
    cv2.setNumThreads(1)
    data = load(config.data)
    every, public = _rows(training_examples(data), slice(config.limit)), data.split("PublicTest")
    drawn = _rows(every, _drawn(len(every.images), config.share, config.seed))
    examples = distil(drawn, [Path(run) for run in config.teachers])
    shown = _rows(examples, np.resize(np.arange(len(examples.images)), len(every.images)))
    model = trainable(recipe.architecture)
    if config.initial and not resume:
        start = served(recipe.architecture)
        load_weights(start, Path(config.initial))
        begin_from(model, start)
    batches = partial(Batches, shown, batch_size=recipe.schedule.batch_size, seed=config.seed)
    _compile(model, recipe, len(batches(recipe.fall, epoch=0)))
    average = MovingAverage(recipe.average)
    progress = Progress(output, average, partial(_measure, split=_rows(public, slice(config.limit))))
    epoch = restore(output, model, average) if resume else 0
    started = time.time()
    for end, views in _stages(recipe):
        if epoch < end:
            model.fit(
                batches(views, epoch=epoch),
                initial_epoch=epoch,
                epochs=end,
                shuffle=False,  # the views are shuffled; Keras would shuffle batches again, without our seed
                callbacks=[average, progress],
                verbose="auto" if sys.stdout.isatty() else 2,
            )
            epoch = end
    seconds = None if resume else round(time.time() - started)
    _write_lineage(output, config, {**made, "seconds": seconds, "images": len(examples.images)}, public)
    return output


def _stages(recipe: Recipe) -> list[tuple[int, Views]]:
    """The last epoch of the plateau and of the fall, and what the network sees until then."""
    schedule = recipe.schedule
    return [(schedule.epochs - schedule.fall, recipe.plateau), (schedule.epochs, recipe.fall)]


def _compile(model: keras.Model, recipe: Recipe, steps: int) -> None:
    schedule = recipe.schedule
    model.compile(
        optimizer=keras.optimizers.AdamW(Trapezoid(schedule, steps), weight_decay=schedule.weight_decay),
        loss=partial(two_labellings, smoothing=recipe.labels.smoothing),
        jit_compile="auto" if keras.backend.backend() == "jax" else False,  # XLA is several times slower on a CPU
    )


def two_labellings(targets: keras.KerasTensor, logits: keras.KerasTensor, smoothing: float = 0.0) -> keras.KerasTensor:
    """The mean cross-entropy of the two label sets; the original label, a single opinion, is smoothed."""
    split = len(CLASSES)
    original = targets[:, :split] * (1 - smoothing) + smoothing / split
    losses = [
        keras.ops.categorical_crossentropy(wanted, given, from_logits=True)
        for wanted, given in ((original, logits[:, :split]), (targets[:, split:], logits[:, split:]))
    ]
    return (losses[0] + losses[1]) / 2


def _measure(model: keras.Model, split: Split) -> dict[str, float]:
    """Accuracy on both labellings: of each label set alone, and of the mean of both."""
    logits = np.asarray(model.predict(normalize(split.images), batch_size=256, verbose=0))
    result = {}
    for labelling in ("fer2013", "ferplus"):
        labels = split.labels(labelling)
        for name, blend in (("original", 0.0), ("half", 0.5), ("votes", 1.0)):
            correct = blend_logits(logits, blend).argmax(axis=1) == labels
            result[f"{labelling}_{name}"] = float(correct[labels >= 0].mean()) if (labels >= 0).any() else 0.0
    return result


def _rows(table: Any, rows: slice | NDArray[np.int64]) -> Any:  # noqa: ANN401
    return type(table)(*(array[rows] for array in vars(table).values()))


def _drawn(n: int, share: float, seed: int) -> NDArray[np.int64]:
    """The rows of a share, in their order; a smaller share of the same seed lies within a larger one."""
    return np.sort(np.random.default_rng(seed).permutation(n)[: math.ceil(share * n)])


def _prepare(output: Path, config: TrainConfig, resume: bool) -> None:
    """Create the run folder, or check that it can be resumed."""
    started = bool(finished(output))
    if not resume:
        if started:
            raise DataError(f"{output} already holds a run; add --resume to go on with it, or choose another --output.")
        output.mkdir(parents=True, exist_ok=True)
        (output / LOG).unlink(missing_ok=True)
    elif not started:
        raise DataError(f"{output} holds no finished epoch to resume from; leave --resume away.")
    else:
        _check_same(output, config)
    (output / CONFIG).write_text(json.dumps(_described(config), indent=2) + "\n")


def _check_same(output: Path, config: TrainConfig) -> None:
    """The blend may change, which teaches nothing; while the plateau lasts, the number of epochs and the fall too."""
    before, now = read_config(output), json.loads(json.dumps(_described(config)))
    done = int(finished(output)[-1].name)
    for values in (before, now):
        schedule, recipe = values["recipe"]["schedule"], values["recipe"]
        del recipe["labels"]["blend"]
        if done <= schedule["epochs"] - schedule["fall"]:
            recipe["schedule"] = {name: value for name, value in schedule.items() if name not in ("epochs", "fall")}
            del recipe["fall"]
    fixed = ("seed", "limit", "share", "initial", "teachers", "recipe")
    changed = [name for name in fixed if before.get(name) != now[name]]
    if changed:
        raise DataError(f"{output} was started with another {', '.join(changed)}; resume with the same settings.")


def _described(config: TrainConfig) -> dict[str, Any]:
    return {
        "data": Path(config.data).name,
        "seed": config.seed,
        "limit": config.limit,
        "share": config.share,
        "initial": config.initial and read_version(Path(config.initial)).sha256,
        "teachers": [Path(run).name for run in config.teachers],
        "recipe": asdict(config.whole),
    }


def _write_lineage(output: Path, config: TrainConfig, made: dict[str, Any], public: Split) -> None:
    log = read_log(output)
    lineage = {
        "config": _described(config),
        **made,
        "split_sha256": {"PublicTest": public.sha256},
        "epochs": len(log),
        "public_test": {name: value for name, value in log[-1].items() if name.startswith("fer")},
    }
    (output / LINEAGE).write_text(json.dumps(lineage, indent=2) + "\n")


def _parse(arguments: list[str] | None = None) -> tuple[TrainConfig, bool]:
    parser = argparse.ArgumentParser(
        prog="training.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    parser.add_argument("--data", required=True, help="fer2013.npz, fer2013.csv or a folder")
    parser.add_argument("--output", required=True, help="run folder, e.g. runs/flagship")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--limit", type=int, help="train on, and measure, this many rows only")
    parser.add_argument("--share", type=float, default=1.0, help="learn this part of the images only; default: 1")
    parser.add_argument("--initial", metavar="VERSION", help="folder of a version whose weights to begin with")
    parser.add_argument("--teachers", nargs="+", default=(), help="folders of earlier runs to learn from")
    parser.add_argument("--resume", action="store_true", help="go on from the last whole epoch of --output")
    values = vars(parser.parse_args(arguments))
    resume = values.pop("resume")
    return TrainConfig(**{**values, "teachers": tuple(values["teachers"])}), resume


if __name__ == "__main__":
    try:
        config, resume = _parse()
        main(config, resume=resume)
    except FERError as error:
        sys.exit(f"error: {error}")
