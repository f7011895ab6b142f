"""What made a run: command, date, commit, backend and versions."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np


def origin(*paths: str) -> dict[str, Any]:
    """To be noted when a run starts, as the code may change while it trains.

    Of `paths` only the names are told.
    """
    arguments = [_with_name_alone(argument, paths) for argument in sys.argv[1:]]
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "command": shlex.join(["python", "-m", "training.train", *arguments]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": _git("rev-parse", "--verify", "HEAD"),
        "git_dirty": None if changes is None else bool(changes),
        "backend": keras.backend.backend(),
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }


def _with_name_alone(argument: str, paths: tuple[str, ...]) -> str:
    """The argument, with the name of a path in its place, alone or after its `=`."""
    option, equals, value = argument.rpartition("=")
    if value in paths:
        value = Path(value).resolve().name
    return f"{option}{equals}{value}"


def _git(*arguments: str) -> str | None:
    """What git says of the code here; None where there is no git, or no commit."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
