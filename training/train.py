r"""Train a network by a recipe of `training.recipes` on FER2013, on labelled photographs, or both.

    python -m training.train --recipe flagship --data fer2013.npz --photographs natural.zip \
        --output runs/flagship

    a tiny run, under a minute:
    python -m training.train --recipe flagship --data fer2013.npz --output runs/tiny \
        --limit 256 --epochs 2

    photographs of your own alone, <class>/*.jpg of any size:
    python -m training.train --recipe slim --photographs mine \
        --classes grin=happiness,bored=neutral --output runs/mine

On two idle CPU cores an epoch of the flagship takes about a minute, a minute and a half in the
decay of the learning rate; photographs add a quarter. Stopped at any point, the same command with
--resume goes on from the last complete epoch, to the same end as if it had not been stopped;
--epochs may then be raised while the learning rate has not begun to fall.
`KERAS_BACKEND=tensorflow|jax|torch` chooses the backend.

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

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from fer.cli.application import number, pairs, run_script, whole_number
from training.command import load_keras, writing_to
from training.recipes import RECIPES
from training.runs import LINEAGE, check_place, finished_epochs, open_run, read_log, write_json
from training.settings import TrainConfig, described
from training.sources import Sources, read_sources, training_set


def main(config: TrainConfig, *, resume: bool = False) -> Path:
    """Train as `config` says and return the run folder.

    The folder appears once everything that the run needs was found.
    """
    output = Path(config.output)
    check_place(output, resume=resume)
    recipe = config.read_recipe()
    settings = described(config, recipe)
    load_keras()
    from training.fitting import Fitting
    from training.lineage import origin

    run_origin = origin(*config.paths)
    sources = read_sources(config, recipe)
    settings["split_sha256"] = sources.sha256
    examples = training_set(sources, config, recipe)
    fitting = Fitting(recipe, seed=config.seed, training_set=examples)
    if config.initial and not resume:
        fitting.begin_from(Path(config.initial))
    with writing_to(output), open_run(output, settings, run_origin, resume=resume) as run_config:
        fitting.run(output, sources.validation, resume=resume)
        _write_lineage(output, run_config, sources)
    return output


def _write_lineage(output: Path, run_config: dict[str, Any], sources: Sources) -> None:
    log = read_log(output)
    notes = ("origin", "resumes", "split_sha256")
    settings = {name: value for name, value in run_config.items() if name not in notes}
    photographs = len(sources.photographs or ())
    measured = {
        name: value for name, value in log[-1].items() if name.startswith(("fer", "photographs"))
    }
    lineage = {
        "config": settings,
        **run_config["origin"],
        "resumes": run_config["resumes"],
        "seconds": round(sum(row["seconds"] for row in log)),
        "images": len(sources.examples),
        "photographs": photographs,
        "voted": sources.examples.voted + photographs,
        "split_sha256": run_config["split_sha256"],
        "epochs": len(log),
        "public_test": measured,
    }
    write_json(output / LINEAGE, lineage)


def command(  # noqa: PLR0913 - an option each
    recipe: Annotated[
        str, typer.Option(help=f"{', '.join(RECIPES)}, or a file that defines RECIPE")
    ],
    output: Annotated[str, typer.Option(help="run folder, e.g. runs/flagship")],
    *,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="another value of one of the recipe's fields, e.g. schedule.learning_rate=1e-3;"
            " may be repeated",
        ),
    ] = None,
    data: Annotated[str | None, typer.Option(help="fer2013.npz, fer2013.csv or a folder")] = None,
    photographs: Annotated[
        str | None, typer.Option(help="folder or zip of <split>/<class>/*.jpg or <class>/*.jpg")
    ] = None,
    classes: Annotated[
        dict[str, str] | None,
        typer.Option(
            parser=pairs("joy=happiness,bored=neutral"),
            metavar="NAME=EMOTION,...",
            help="what further names of the photographs' class folders stand for, e.g."
            " joy=happiness",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(parser=whole_number(0), metavar="N")] = 1,
    epochs: Annotated[
        int | None,
        typer.Option(parser=whole_number(1), metavar="N", help="default: the recipe's"),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            parser=whole_number(1), metavar="N", help="train on, and measure, this many rows only"
        ),
    ] = None,
    share: Annotated[
        float,
        typer.Option(
            parser=number(0.001, 1), metavar="SHARE", help="learn this part of the images only"
        ),
    ] = 1.0,
    initial: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="folder of a version whose weights to begin with"),
    ] = None,
    teachers: Annotated[
        list[str] | None, typer.Option(help="folders of earlier runs to learn from")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on from the last complete epoch of --output")
    ] = False,
) -> None:
    """Train, and print the commands that make a version of the run."""
    if not data and not photographs:
        raise typer.BadParameter("there is nothing to learn; name --data, --photographs, or both")
    config = TrainConfig(
        output=output,
        recipe=recipe,
        changes=tuple(changes or ()),
        data=data,
        photographs=photographs,
        classes=classes or {},
        seed=seed,
        epochs=epochs,
        limit=limit,
        share=share,
        initial=initial,
        teachers=tuple(teachers or ()),
    )
    try:
        main(config, resume=resume)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_to_go_on(Path(output))) from None
    _print_next_commands(config)


def _print_next_commands(config: TrainConfig) -> None:
    run = Path(config.output)
    version = str(Path("models") / run.name)
    export = ["training.export", "--run", str(run), "--output", version]
    evaluate = ["training.evaluate", "--version", version]
    if config.data:
        evaluate += ["--data", config.data]
    if config.photographs:
        evaluate += ["--photographs", config.photographs]
    print(f"{run}: {len(read_log(run))} epochs. Next:")
    for words in (export, evaluate):
        print(f"    {shlex.join(['python', '-m', *words])}")


def _how_to_go_on(output: Path) -> str:
    epochs = finished_epochs(output)
    if not epochs:
        return "interrupted before an epoch was whole; the same command begins again"
    return (
        f"interrupted; {output} holds {int(epochs[-1].name)} whole epochs: the same command"
        " with --resume goes on from there"
    )


if __name__ == "__main__":
    run_script(command, __doc__)
