"""What the commands of `training` and of `benchmarks` share: writing, and Keras."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fer import DataError
from fer.cli.console import without_chatter


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
            f"the Keras backend {backend!r} cannot be loaded ({error}); `make training` installs"
            " TensorFlow, which is used where KERAS_BACKEND is not set."
        ) from error
