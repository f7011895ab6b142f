"""The commands of `training` as one types them.

Numbers that make no sense, places that cannot be written, help.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.factories.fer2013 import arrays, write_npz
from tests.factories.versions import ROOT, copy_seed

pytestmark = pytest.mark.timeout(300)
COMMANDS = (
    "train",
    "export",
    "evaluate",
    "push",
    "promote",
    "pull",
    "tried",
    "seeds",
    "pack",
    "geometry",
    "turned",
    "crops",
)
TRAIN = ("train", "--recipe", "slim", "--data", "absent.npz", "--output", "runs/absent")
EXPORT = ("export", "--run", "runs/absent", "--output", "models/absent")


def command(name: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one of the commands in the project's folder."""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", f"training.{name}", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


HELP = """
import runpy, sys
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_module(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert end.code == 0
loaded = {"keras", "tensorflow", "jax", "torch"} & sys.modules.keys()
assert not loaded, loaded
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_loads_nothing_heavy_and_chatters_not(name):
    module = f"training.{name}"
    process = subprocess.run(
        [sys.executable, "-c", HELP, module], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith(f"usage: {module} ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (*TRAIN, "--epochs", "0"),
            "argument --epochs: received 0, expected a whole number from 1 on",
        ),
        ((*TRAIN, "--epochs", "-3"), "argument --epochs: received -3, expected"),
        ((*TRAIN, "--epochs", "many"), "argument --epochs: received many, expected"),
        (
            (*TRAIN, "--limit", "0"),
            "argument --limit: received 0, expected a whole number from 1 on",
        ),
        ((*TRAIN, "--limit", "-5"), "argument --limit: received -5, expected"),
        (
            (*TRAIN, "--seed", "-1"),
            "argument --seed: received -1, expected a whole number from 0 on",
        ),
        (
            (*TRAIN, "--share", "0.00001"),
            "argument --share: received 0.00001, expected a number from 0.001 to 1",
        ),
        ((*TRAIN, "--share", "1.5"), "argument --share: received 1.5, expected"),
        (
            ("train", "--recipe", "slim", "--output", "x"),
            "there is nothing to learn; name --data, --photographs, or",
        ),
        (
            (*TRAIN, "--classes", "joy"),
            "argument --classes: received joy, expected pairs as in joy=happiness,bored",
        ),
        ((*TRAIN, "--share", "nan"), "argument --share: received nan, expected"),
        ((*EXPORT, "--blend", "7"), "argument --blend: received 7, expected a number from 0 to 1"),
        ((*EXPORT, "--blend", "-2"), "argument --blend: received -2, expected"),
        ((*EXPORT, "--blend", "nan"), "argument --blend: received nan, expected"),
        (
            (*EXPORT, "--offsets", "sad"),
            "argument --offsets: received sad, expected pairs as in sad=0.5,surprised=0.25",
        ),
        (
            (*EXPORT, "--offsets", "sad=much"),
            "argument --offsets: received much, expected a number from -5 to 5",
        ),
        (
            ("geometry", "--data", "x", "--version", "y", "--faces", "0"),
            "argument --faces: received 0, expected",
        ),
    ],
)
def test_numbers_that_make_no_sense_are_refused(arguments, message):
    process = command(*arguments)
    assert process.returncode == 2
    assert message in process.stderr.splitlines()[-1]


@pytest.mark.parametrize("backend", ["torch", "cubist"])
def test_a_backend_that_is_not_there(tmp_path, backend):
    if importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is installed here")
    run = tmp_path / "run"
    process = command("train", *TRAIN[1:5], "--output", run, env={"KERAS_BACKEND": backend})
    assert process.returncode == 1
    assert process.stderr.startswith(f"error: the Keras backend {backend!r} cannot be loaded (")
    assert process.stderr.endswith("install it, or unset KERAS_BACKEND to use TensorFlow.\n")
    assert not run.exists()


@pytest.fixture(scope="module")
def voteless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set without FER+ votes."""
    data = arrays((70, 35, 35))
    del data["ferplus_votes"]
    return write_npz(tmp_path_factory.mktemp("data") / "fer2013.npz", data)


def full(kilobytes: int) -> Any:
    """Before a command starts: let it write no file beyond this size, as if the disk were full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000 * kilobytes, 1000 * kilobytes))

    return limit


def test_what_nobody_voted_on_is_neither_shown_nor_served(voteless, tmp_path):
    run, version = tmp_path / "run", tmp_path / "version"
    start = ("--recipe", "slim", "--epochs", "1", "--limit", "20", "--data", voteless, "--output")
    assert command("train", *start, run).returncode == 0
    header = (run / "log.csv").read_text().splitlines()[0]
    assert header == "epoch,loss,fer2013_original,fer2013_half,fer2013_votes,learning_rate,seconds"
    assert json.loads((run / "train.json").read_text())["voted"] == 0

    blended = command("export", "--run", run, "--output", version, "--blend", "0.3")
    assert blended.returncode == 1
    assert (
        blended.stderr
        == f"error: {run} saw no FER+ votes, so its outputs for them learnt nothing, and received a"
        " blend of 0.3; leave --blend away.\n"
    )
    eight = command("export", "--run", run, "--output", version, "--labels", "eight")
    assert eight.returncode == 1
    assert (
        eight.stderr
        == f"error: {run} saw no FER+ votes, which alone know eight labels; export seven or four.\n"
    )
    filled = command("export", "--run", run, "--output", version, preexec_fn=full(100))
    assert filled.returncode == 1
    assert re.search(
        r"^error: the graph cannot be made in .* File too large.*; make room there, or name",
        filled.stderr,
        re.M,
    )
    assert not version.exists()

    exported = command("export", "--run", run, "--output", version)
    assert exported.returncode == 0
    lineage = json.loads((version / "config.json").read_text())["lineage"]
    assert lineage["config"]["recipe"]["labels"]["blend"] == 0.0


def test_a_run_on_a_full_disk_ends_in_a_sentence(voteless, tmp_path):
    run = tmp_path / "run"
    start = ("--recipe", "slim", "--epochs", "1", "--limit", "20", "--data", voteless)
    process = command("train", *start, "--output", run, preexec_fn=full(100))
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].startswith(
        f"error: {run} cannot be written (File too large); make room"
    )


def test_other_places_that_cannot_be_written(voteless, tmp_path):
    file = tmp_path / "file"
    file.touch()
    packed = command("pack", "--data", voteless, "--output", file / "packed.npz")
    assert packed.returncode == 1
    assert packed.stderr.startswith(
        f"error: {file}/packed.npz cannot be written (Not a directory); make room"
    )
    version = copy_seed(tmp_path)
    card = command("evaluate", "--version", version, preexec_fn=full(1))
    assert card.returncode == 1
    assert card.stderr.splitlines()[-1].startswith(
        f"error: {version} cannot be written (File too large)"
    )
