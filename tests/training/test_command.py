"""Commands as one types them: help, numbers that make no sense, places that cannot be written."""

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
    "training.train",
    "training.export",
    "training.evaluate",
    "training.push",
    "training.promote",
    "training.pull",
    "training.data.pack",
    "benchmarks.detectors",
    "benchmarks.geometry",
    "benchmarks.recipes",
    "benchmarks.seeds",
    "benchmarks.turned",
    "benchmarks.views",
    "demo.cycle",
    "demo.faces",
    "demo.hub",
    "demo.show",
    "docs.comparison",
)
TRAIN = ("train", "--recipe", "slim", "--data", "absent.npz", "--output", "runs/absent")
EXPORT = ("export", "--run", "runs/absent", "--output", "models/absent")


def command(name: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of `training`, or a module, in the project's folder."""
    module = name if "." in name else f"training.{name}"
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
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


@pytest.mark.parametrize("module", COMMANDS)
def test_help_loads_nothing_heavy_and_chatters_not(module):
    process = subprocess.run(
        [sys.executable, "-c", HELP, module], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith(f"Usage: {module} ")
    assert f"python -m {module}" in process.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (*TRAIN, "--epochs", "0"),
            "'--epochs': received 0, expected a whole number from 1 on",
        ),
        ((*TRAIN, "--epochs", "-3"), "'--epochs': received -3, expected"),
        ((*TRAIN, "--epochs", "many"), "'--epochs': received many, expected"),
        (
            (*TRAIN, "--limit", "0"),
            "'--limit': received 0, expected a whole number from 1 on",
        ),
        ((*TRAIN, "--limit", "-5"), "'--limit': received -5, expected"),
        (
            (*TRAIN, "--seed", "-1"),
            "'--seed': received -1, expected a whole number from 0 on",
        ),
        (
            (*TRAIN, "--share", "0.00001"),
            "'--share': received 0.00001, expected a number from 0.001 to 1",
        ),
        ((*TRAIN, "--share", "1.5"), "'--share': received 1.5, expected"),
        (
            ("train", "--recipe", "slim", "--output", "x"),
            "there is nothing to learn; name --data, --photographs, or",
        ),
        (
            (*TRAIN, "--classes", "joy"),
            "'--classes': received joy, expected pairs as in joy=happiness,bored",
        ),
        ((*TRAIN, "--share", "nan"), "'--share': received nan, expected"),
        (
            (*EXPORT, "--blend", "7"),
            "'--blend': received 7, expected a number from 0 to 1",
        ),
        ((*EXPORT, "--blend", "-2"), "'--blend': received -2, expected"),
        ((*EXPORT, "--blend", "nan"), "'--blend': received nan, expected"),
        (
            (*EXPORT, "--offsets", "sad"),
            "'--offsets': received sad, expected pairs as in sad=0.5,surprised=0.25",
        ),
        (
            (*EXPORT, "--offsets", "sad=much"),
            "'--offsets': received much, expected a number from -5 to 5",
        ),
        (
            ("benchmarks.geometry", "--data", "x", "--version", "y", "--faces", "0"),
            "Invalid value for '--faces': 0 is not in the range x>=1",
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
    assert process.stderr.endswith(
        "`make training` installs TensorFlow, which is used where KERAS_BACKEND is not set.\n"
    )
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
    packed = command("training.data.pack", "--data", voteless, "--output", file / "packed.npz")
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
