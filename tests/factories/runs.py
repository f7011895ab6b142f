"""Runs of `training.train` on a small FER2013, and versions of them, made once a session."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.factories.fer2013 import arrays, write_npz
from tests.factories.versions import ROOT

RECIPE = ("--recipe", "flagship", "--epochs", "3", "--limit", "20")
FACES = arrays((70, 35, 35))["images"]


def python(*arguments: object, background: bool = False) -> Any:
    """Run Python in the project's folder and return the finished process, or the running one."""
    command = [sys.executable, *map(str, arguments)]
    options = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    if background:
        return subprocess.Popen(command, env=environment, **options)
    return subprocess.run(command, env=environment, check=False, timeout=200, **options)


def succeed(*arguments: object) -> str:
    """Run Python to a good end and return what it printed."""
    process = python(*arguments)
    assert process.returncode == 0, process.stdout
    return str(process.stdout)


def read_log(run: Path) -> list[dict[str, float]]:
    with (run / "log.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def made_once(factory: pytest.TempPathFactory, name: str) -> tuple[Path, bool]:
    """A folder of the session, and whether it is there already."""
    folder = factory.getbasetemp() / name
    return folder, folder.exists()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small FER2013 whose classes a network learns at once."""
    path = tmp_path_factory.getbasetemp() / "data" / "fer2013.npz"
    path.parent.mkdir(exist_ok=True)
    return write_npz(path, arrays((70, 35, 35)))


@pytest.fixture(scope="session")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs that nothing stopped; tests only read it."""
    run, is_there = made_once(tmp_path_factory, "runs/whole")
    if not is_there:
        succeed("-m", "training.train", "--data", data, "--output", run, *RECIPE)
    return run


@pytest.fixture(scope="session")
def exported(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The version of that run, not evaluated; tests only read it."""
    folder, is_there = made_once(tmp_path_factory, "exported/tiny")
    if not is_there:
        options = ("--run", finished, "--output", folder, "--blend", "0.3")
        said = succeed("-m", "training.export", *options)
        assert "1,219,812 parameters, graph sha256" in said
    return folder


@pytest.fixture(scope="session")
def seven(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of seven expressions, not evaluated; tests only read it."""
    folder, is_there = made_once(tmp_path_factory, "seven/seven")
    if not is_there:
        options = ("--run", exported, "--output", folder, "--labels", "seven")
        succeed("-m", "training.export", *options)
    return folder


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of two people to learn from, one to measure, and a face that is not found."""
    root, is_there = made_once(tmp_path_factory, "portraits")
    portrait = ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"
    sources = {
        "train/joy/ann_1.jpg": portrait,
        "train/sad/ann_2.jpg": portrait,
        "train/sad/bo_1.jpg": portrait,
        "valid/joy/cy_1.jpg": portrait,
        "train/joy/dee_1.png": ROOT / "docs" / "compare.png",
    }
    for name, source in sources.items() if not is_there else ():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(source.read_bytes())
    return root
