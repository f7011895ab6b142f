"""A run: trained, stopped, resumed, in processes of their own as a user has them."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from fer import read_version
from tests.factories.fer2013 import arrays, write_npz
from tests.factories.runs import RECIPE, python, read_log
from training.data.examples import training_examples
from training.data.fer2013_files import load
from training.data.photographs import read_photographs

pytestmark = pytest.mark.timeout(300)


def test_a_run_leaves_what_its_docstring_says(finished, data):
    assert {path.name for path in finished.iterdir()} == {
        "config.json",
        "train.json",
        "log.csv",
        "curve.html",
        "backup",
        "lock",
    }
    assert [path.name for path in (finished / "backup").iterdir()] == ["0003"]
    log, lineage = read_log(finished), json.loads((finished / "train.json").read_text())
    assert [row["epoch"] for row in log] == [1, 2, 3]
    assert lineage["public_test"]["fer2013_half"] == log[-1]["fer2013_half"]
    assert (lineage["epochs"], lineage["images"], lineage["backend"]) == (3, 20, "tensorflow")
    assert lineage["config"]["seed"] == 1
    assert lineage["config"]["recipe"]["schedule"]["decay"] == 1
    assert lineage["command"].startswith(
        "python -m training.train --data fer2013.npz --output whole --recipe "
    )
    assert lineage["git_commit"] is None or len(lineage["git_commit"]) == 40
    assert lineage["git_dirty"] in (None, False, True)
    assert lineage["seconds"] == round(sum(row["seconds"] for row in log)) > 0
    assert (lineage["voted"], lineage["resumes"]) == (20, [])
    examples = training_examples(load(data))
    learnt = replace(examples, images=examples.images[:20], targets=examples.targets[:20])
    assert lineage["split_sha256"] == {
        "Training": learnt.sha256,
        "PublicTest": load(data).split("PublicTest").sha256,
    }


def test_a_killed_run_resumes_to_the_same_end(finished, data, tmp_path):
    run = tmp_path / "killed"
    arguments = ("-m", "training.train", "--data", data, "--output", run, *RECIPE)
    process = python(*arguments, background=True)
    end = time.monotonic() + 150
    while not list(run.glob("backup/0*")):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(read_log(run)) < 3
    with (run / "log.csv").open("a") as log:
        log.write("9,0.99,0.01,0.9")  # an epoch that was logged, and not even whole, but not saved
    result = python(*arguments, "--resume")
    assert result.returncode == 0, result.stdout
    assert len(read_log(run)) == 3
    for resumed, whole in zip(read_log(run), read_log(finished), strict=True):
        assert resumed.pop("seconds") > 0
        assert whole.pop("seconds") > 0
        assert resumed == pytest.approx(whole, abs=1e-3)
    lineage, undisturbed = (
        json.loads((folder / "train.json").read_text()) for folder in (run, finished)
    )
    assert lineage["config"] == undisturbed["config"]
    assert lineage["seconds"] > 0
    assert "--resume" not in lineage["command"]
    (resumed,) = lineage["resumes"]
    assert resumed["command"] == f"{lineage['command']} --resume"
    assert resumed["date"] > lineage["date"]
    assert resumed.keys() == {"command", "date", "git_commit", "git_dirty"}


def test_ctrl_c_says_how_to_go_on(data, tmp_path):
    run = tmp_path / "interrupted"
    arguments = (
        "--data",
        data,
        "--output",
        run,
        "--recipe",
        "slim",
        "--epochs",
        "500",
        "--limit",
        "20",
    )
    process = python("-m", "training.train", *arguments, background=True)
    end = time.monotonic() + 150
    while not list(run.glob("backup/0*")):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    last = (
        rf"interrupted; {run} holds \d+ whole epochs: the same command with --resume goes on from"
        r" there\n$"
    )
    assert re.search(last, said)


def test_an_epoch_of_a_share_of_the_images_is_as_long_as_one_of_all(tmp_path):
    data, run = write_npz(tmp_path / "fer2013.npz", arrays((300, 35, 35))), tmp_path / "half"
    arguments = (
        "--data",
        data,
        "--output",
        run,
        "--recipe",
        "flagship",
        "--epochs",
        1,
        "--share",
        0.5,
    )
    result = python("-m", "training.train", *arguments)
    assert result.returncode == 0, result.stdout
    lineage = json.loads((run / "train.json").read_text())
    examples = training_examples(load(data))
    assert (lineage["config"]["share"], lineage["images"]) == (0.5, -(-len(examples.images) // 2))
    with np.load(run / "backup" / "0001" / "average.npz") as average:
        assert average["steps"] == -(-len(examples.images) // 256) == 2


def test_photographs_are_learnt_and_measured_beside_fer2013(data, portraits, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = tmp_path / "both"
    arguments = [
        "--data",
        data,
        "--photographs",
        portraits,
        "--output",
        run,
        *RECIPE[:2],
        "--epochs",
        2,
    ]
    changes = [
        "--set",
        "decay_crops.side=56",
        "--set",
        "photographs.draws=30",
        "--set",
        "labels.adjustment=1",
    ]
    result = python("-m", "training.train", *arguments, *changes)
    assert result.returncode == 0, result.stdout
    log = read_log(run)
    assert {"fer2013_half", "photographs", "photographs_balanced", "photographs_happy"} <= log[
        0
    ].keys()
    assert "photographs_sad" not in log[0]
    assert [row["learning_rate"] for row in log] == pytest.approx([3e-3, 3e-3], rel=0.01)
    lines = result.stdout.splitlines()
    assert lines[-5].startswith("epoch 1/2  loss ")
    assert re.search(
        r"epoch 2/2  loss \d\.\d+  learning rate 3\.0e-03  \d+ s  fer2013 .* photographs ",
        lines[-4],
    )
    assert lines[-3:] == [
        f"{run}: 2 epochs. Next:",
        f"    python -m training.export --run {run} --output models/both",
        (
            f"    python -m training.evaluate --version models/both --data {data} --photographs"
            f" {portraits}"
        ),
    ]
    assert "learning_rate" in (run / "curve.html").read_text()
    lineage = json.loads((run / "train.json").read_text())
    assert (lineage["images"], lineage["photographs"], lineage["voted"]) == (70, 3, 73)
    assert lineage["config"]["photographs"] == portraits.name
    assert lineage["config"]["recipe"]["photographs"]["draws"] == 30
    photographs = read_photographs(portraits)
    assert lineage["split_sha256"]["Training photographs"] == photographs.split("Training").sha256
    assert f"--photographs {portraits.name} " in lineage["command"]
    with np.load(run / "backup" / "0002" / "average.npz") as average:
        assert average["steps"] == 2  # 100 faces an epoch, in one batch
    arguments[3] = tmp_path / "other"
    shutil.copytree(portraits, arguments[3])
    (arguments[3] / "train/sad/bo_1.jpg").rename(arguments[3] / "train/joy/bo_1.jpg")
    result = python("-m", "training.train", *arguments, *changes, "--resume")
    assert result.returncode == 1
    assert (
        "was started with other data: its Training photographs images and labels" in result.stdout
    )


def test_photographs_alone_are_enough(portraits, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mine, run = tmp_path / "mine", tmp_path / "run"
    shutil.copytree(portraits, mine)
    (mine / "train/joy").rename(mine / "train/grin")
    recipe = tmp_path / "brief.py"
    recipe.write_text(
        "from training.recipes import RECIPES, changed\n"
        "RECIPE = changed(RECIPES['slim'], ['schedule.epochs=1', 'photographs.draws=20'])\n"
    )
    arguments = (
        "--photographs",
        mine,
        "--classes",
        "grin=happiness",
        "--output",
        run,
        "--recipe",
        recipe,
    )
    result = python("-m", "training.train", *arguments)
    assert result.returncode == 0, result.stdout
    assert list(read_log(run)[0]) == [
        "epoch",
        "loss",
        "photographs",
        "photographs_balanced",
        "photographs_happy",
        "learning_rate",
        "seconds",
    ]
    lineage = json.loads((run / "train.json").read_text())
    assert (lineage["images"], lineage["photographs"]) == (0, 3)
    assert lineage["config"]["classes"] == {"grin": "happiness"}
    assert lineage["command"].endswith("--recipe brief.py")


def test_the_command_tells_an_error_in_one_line(tmp_path):
    result = python(
        "-m", "training.train", *RECIPE, "--data", tmp_path, "--output", tmp_path / "run"
    )
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].startswith(
        f"error: {tmp_path}: holds neither fer2013.npz"
    )


def test_a_run_goes_on_from_the_weights_of_a_version(finished, exported, data, tmp_path):
    run = tmp_path / "further"
    result = python(
        "-m", "training.train", "--data", data, "--output", run, *RECIPE, "--initial", exported
    )
    assert result.returncode == 0, result.stdout
    assert (
        json.loads((run / "train.json").read_text())["config"]["initial"]
        == read_version(exported).sha256
    )
    assert read_log(run)[0]["loss"] < read_log(finished)[0]["loss"] - 0.1
