"""Run folders: what is there is not overwritten, and a resume goes on with the same settings."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer import DataError
from tests.factories.fer2013 import arrays, write_npz
from tests.factories.runs import RECIPE, python
from tests.factories.versions import copy_seed
from training.runs import read_config, read_log

pytestmark = pytest.mark.timeout(300)

REFUSALS = """
import json, sys
from fer.cli.application import add_command, application, run
from training import export, train

for module, *arguments in json.loads(sys.argv[1]):
    app = application()
    add_command(app, {"export": export, "train": train}[module].command, description=None)
    if run(app, arguments) == 0:
        print("did it")
"""


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file of a run or a version, but the lock, which notes who held it last."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def altered(path: Path, split: int) -> Path:
    """The data set with other images in one split."""
    changed = arrays((70, 35, 35))
    rows = changed["usage"] == split
    changed["images"][rows] = changed["images"][rows][:, :, ::-1]
    return write_npz(path / f"altered{split}.npz", changed)


@pytest.fixture
def taken(finished: Path, tmp_path: Path) -> Iterator[Path]:
    """A run in which another process trains."""
    run = shutil.copytree(finished, tmp_path / "taken")
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        yield run


def test_runs_and_other_folders_are_not_overwritten(finished, taken, data, tmp_path):
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("three years of work")
    begun = tmp_path / "begun"
    begun.mkdir()
    shutil.copy(finished / "config.json", begun)
    other = tmp_path / "other"
    (other / "notes").mkdir(parents=True)
    (other / "log.csv").write_text("three years of measuring")
    version = copy_seed(tmp_path)
    sealed = contents(version)
    before = contents(finished)
    new = tmp_path / "new"
    absent = tmp_path / "absent"

    def train(output: Path, *options: object, recipe: tuple[str, ...] = RECIPE) -> list[str]:
        return ["train", "--data", str(data), "--output", str(output), *recipe, *map(str, options)]

    def resume(*options: object) -> list[str]:
        return train(finished, "--resume", *options)

    def export(run: Path, output: Path) -> list[str]:
        return ["export", "--run", str(run), "--output", str(output)]

    cases = {
        "already holds a run; add --resume to go on with it": train(finished),
        "seed-cnn is there and holds no run; it is left alone": train(version),
        "other is there and holds no run; it is left alone": train(other),
        "thesis.txt is there and holds no run; it is left alone": train(thesis),
        "run cannot be written (Not a directory)": train(thesis / "run"),
        "process 4711 is training in": train(taken, "--resume"),
        "its Training images and labels have the sha256": resume("--data", altered(tmp_path, 0)),
        "its PublicTest images and labels have the sha256": resume("--data", altered(tmp_path, 1)),
        "begins to fall: of 3 it falls after epoch 2, of 5 after epoch 3; resume with --epochs 3": (
            resume("--epochs", "5")
        ),
        "seed-cnn is a version of the architecture seed_cnn, and the recipe flagship trains"
        " flagship": train(new, "--initial", version),
        "absent/config.json cannot be read": train(new, "--initial", absent),
        "unknown recipe grand, expected flagship": train(new, recipe=("--recipe", "grand")),
        "Schedule has no field 'rate'": train(new, "--set", "schedule.rate=1"),
        "unknown architecture grand, expected seed_cnn": train(new, "--set", "architecture=grand"),
        "unknown precision grand, expected mixed_bfloat16": train(new, "--set", "precision=grand"),
        "seed_cnn takes faces of 48 pixels alone": train(
            new, "--set", "decay_crops.side=56", recipe=("--recipe", "seed-cnn")
        ),
        "there is no picture in it; expected <split>": train(new, "--photographs", begun),
        "started with another share; resume": resume("--share", "0.5"),
        "started with another limit, recipe; resume": train(
            finished, "--epochs", "5", "--resume", recipe=RECIPE[:2]
        ),
        "no finished epoch to resume from; leave --resume away": train(new, "--resume"),
        "no.npz does not exist; expected fer2013.npz": train(new, "--data", tmp_path / "no.npz"),
        "is there and is no version folder; it is left alone": export(finished, tmp_path),
        "begun/config.json: its schema is None, expected 1": export(finished, begun),
        "holds the version seed-cnn of another run, begun 20": export(finished, version),
        "newer cannot be written (File exists)": export(finished, thesis / "newer"),
        "holds no train.json; finish the run with training.train": export(
            tmp_path, tmp_path / "newer"
        ),
        "holds no config.json; name a run folder": train(new, "--teachers", absent),
        "begun: holds no finished epoch; train": train(new, "--teachers", begun),
    }
    said = python("-c", REFUSALS, json.dumps(list(cases.values()))).stdout
    lines = [line for line in said.splitlines() if line.startswith(("error: ", "did it"))]
    answered = [reason in line for reason, line in zip(cases, lines, strict=True)]
    assert answered == [True] * len(cases), said
    assert contents(finished) == before
    assert thesis.read_text() == "three years of work"
    assert (other / "log.csv").read_text() == "three years of measuring"
    assert contents(version) == sealed
    assert not (tmp_path / "newer").exists()
    assert not new.exists()


def test_a_folder_that_is_no_run_is_refused(finished, tmp_path):
    with pytest.raises(DataError, match=r"seed-cnn: its config\.json is not that of a run"):
        read_config(copy_seed(tmp_path))
    begun = tmp_path / "begun"
    begun.mkdir()
    shutil.copy(finished / "config.json", begun)
    assert read_config(begun)["recipe"]["architecture"] == "flagship"
    with pytest.raises(DataError, match=r"begun: holds no log\.csv; train for one epoch"):
        read_log(begun)
