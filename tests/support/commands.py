"""The command line, run in this process and in its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.cli.main import main
from tests.factories.versions import ROOT

COMMAND = [sys.executable, "-m", "fer"]
PORTRAITS = sorted((ROOT / "app_pages" / "photos" / "samples").glob("*.jpg"))
RESULTS_SUFFIXES = {"json": "jsonl", "csv": "csv", "table": "txt"}
# as long as a name can be but three bytes: none is left for the copy's `.jpg`
LONG_NAME = "long" * 62 + ".png"


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        **options,
    )  # type: ignore[call-overload]


def predict(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run `predict` in this process: exit status, standard output, standard error."""
    status = main(["predict", *map(str, arguments)])
    return status, *capsys.readouterr()


def save_blank(path: Path, side: int = 64) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, side, 3), 90, np.uint8)).save(path, "PNG")
