"""What the commands of `training` and of `benchmarks` share: checked options, and writing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from fer import DataError
from fer.cli.console import without_chatter


def whole_number(least: int) -> Callable[[str], int]:
    """The parser of an option that is a whole number, `least` or more."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise typer.BadParameter(f"received {text}, expected a whole number from {least} on")
        return value

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """The parser of an option that is a number from `least` to `most`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise typer.BadParameter(
                f"received {text}, expected a number from {least:g} to {most:g}"
            )
        return value

    return parse


def pairs(example: str) -> Callable[[str], dict[str, str]]:
    """The parser of an option that gives words for names, as NAME=WORD,NAME=WORD."""

    def parse(text: str) -> dict[str, str]:
        parts = [pair.partition("=") for pair in text.split(",")]
        if not all(name and equals and word for name, equals, word in parts):
            raise typer.BadParameter(f"received {text}, expected pairs as in {example}")
        return {name: word for name, _, word in parts}

    return parse


@contextmanager
def writing_to(output: Path) -> Iterator[None]:
    """Say in a sentence that `output` cannot be written: no such place, read-only, or full."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{output} cannot be written ({error.strerror or error}); make room and see that this"
            " account may write there, or choose another place."
        ) from error


def write_report(output: Path, report: dict[str, Any]) -> None:
    """Write what was measured as JSON."""
    with writing_to(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(report, indent=2) + "\n")


def printable(text: str) -> str:
    """Words of somebody else for the terminal, where control characters could do anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def load_keras() -> None:
    """Import Keras with its backend, quietly. Raises DataError where there is no such backend."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # warnings and errors alone
    try:
        with without_chatter():
            import keras  # noqa: F401
    except (ImportError, ValueError) as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise DataError(
            f"the Keras backend {backend!r} cannot be loaded ({error}); install it, or unset"
            " KERAS_BACKEND to use TensorFlow."
        ) from error
