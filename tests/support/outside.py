"""Run a command as a user of the installed package does: in a folder outside the checkout."""

from __future__ import annotations

import os
import subprocess
from importlib import metadata
from pathlib import Path

import fer

ROOT = Path(__file__).resolve().parents[2]


def installed() -> bool:
    """Whether `pip install --editable .` was run, as `make` does."""
    try:
        return metadata.version("fer-studio") == fer.__version__
    except metadata.PackageNotFoundError:
        return False


def run(*command: object, folder: Path) -> str:
    """What a command prints that runs in `folder` and must succeed.

    Where `fer` is not installed, the checkout is put on the path.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if not installed():
        environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
