"""The command line: `fer predict PHOTO...`, `fer watch VIDEO|CAMERA`, `fer models`.

Also as `python -m fer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from fer import __version__
from fer.cli import models, predict, watch
from fer.cli.application import add_command, application, run

APP = application("Classify the expressions of faces in photos and video.", completion=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, which `--help` explains."""
    return run(APP, arguments, name="fer", error_status=2)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fer {__version__}")
        raise typer.Exit


@APP.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="print the version and exit"
        ),
    ] = False,
) -> None:
    """Options of the program itself."""


for module, work in ((predict, predict.predict), (watch, watch.watch), (models, models.models)):
    add_command(APP, work, description=module.SUMMARY, epilog=module.EXIT_STATUS)
