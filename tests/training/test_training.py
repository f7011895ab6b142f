"""The network and a whole run.

Train, stop, resume, export, evaluate, in processes of their own as a user has them.
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from scipy.special import softmax

from fer import (
    LABELS,
    BlazeFace,
    DataError,
    EmotionClassifier,
    FERPipeline,
    ModelError,
    load_image,
    metrics,
    read_version,
)
from fer.preprocessing import Views
from fer.versions.folder import CARD, CONFIG, GRAPH, METRICS, PREDICTIONS, WEIGHTS
from fer.versions.predictions import Predictions
from tests.factories.fer2013 import arrays, write_folder, write_npz
from tests.factories.versions import ROOT, copy_seed, write_tiny
from training import evaluate, robustness
from training.data.augmentation import Augmentation, augment
from training.data.examples import resized, training_examples
from training.data.fer2013 import load
from training.data.photographs import read_photographs
from training.probes import answers
from training.robustness import DISTURBANCES

pytestmark = pytest.mark.timeout(300)
RUN = ("--recipe", "flagship", "--epochs", "3", "--limit", "20")
FACES = arrays((70, 35, 35))["images"]
WEBCAM = Augmentation()


def python(*arguments: object, background: bool = False) -> Any:
    """Run Python in the project's folder and return the finished process, or the running one."""
    command = [sys.executable, *map(str, arguments)]
    options = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    if background:
        return subprocess.Popen(command, env=environment, **options)
    return subprocess.run(command, env=environment, check=False, timeout=200, **options)


def read_log(run: Path) -> list[dict[str, float]]:
    with (run / "log.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_npz(tmp_path_factory.mktemp("data") / "fer2013.npz", arrays((70, 35, 35)))


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs that nothing stopped; tests only read it."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    result = python("-m", "training.train", "--data", data, "--output", run, *RUN)
    assert result.returncode == 0, result.stdout
    return run


@pytest.fixture(scope="module")
def exported(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The version of that run, not evaluated yet; tests only read it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    result = python(
        "-m", "training.export", "--run", finished, "--output", folder, "--blend", "0.3"
    )
    assert result.returncode == 0, result.stdout
    assert "1,219,812 parameters, graph sha256" in result.stdout
    return folder


# Architecture and augmentation

FACTS = """
import json
import numpy as np
import tensorflow as tf
from training.architectures import begin_from, served, serve, trainable
from fer.versions.labels import LABEL_SETS
from training.data.fer2013 import blend_logits
from training.callbacks import MovingAverage, Trapezoid
from training.fitting import two_labellings
from training.recipes import RECIPES, Schedule

def described(model):
    layers = model.layers
    return {
        "input": list(model.input_shape),
        "layers": [(type(layer).__name__, list(layer.output.shape[1:])) for layer in layers],
        "total": sum(w.numpy().size for w in model.weights),
        "trainable": sum(w.numpy().size for w in model.trainable_weights),
        "activations": sorted({layer.activation.__name__ for layer in layers if hasattr(layer, "activation")}),
        "rates": [layer.rate for layer in layers if hasattr(layer, "rate")],
    }

trained = trainable("flagship")
faces = np.random.default_rng(0).random((3, 48, 48, 1), np.float32)
logits = np.asarray(trained(faces))
continued = trainable("flagship")
begin_from(continued, serve(trained, 0.3))
def loss(targets, adjustment):
    target, shown = np.zeros((1, 15), np.float32), np.linspace(-1, 1, 15, dtype=np.float32)[None]
    target[0, targets] = 1
    return float(np.asarray(two_labellings(target, shown, 0.1, np.array(adjustment, np.float32)))[0])

def pull(targets):
    target, shown = np.zeros((1, 15), np.float32), tf.constant(np.linspace(-1, 1, 15, dtype=np.float32)[None])
    target[0, targets] = 1
    with tf.GradientTape() as tape:
        tape.watch(shown)
        value = two_labellings(target, shown, 0.1, np.zeros(15, np.float32))
    return np.asarray(tape.gradient(value, shown))[0].tolist()

rate = Trapezoid(Schedule(epochs=10, warm_up=2, fall=4, learning_rate=1.0), steps=5)
average = MovingAverage(0.9)
averages = []
for step in range(1, 201):
    average.steps = step
    if step % 8 == 0:
        average.update([np.full(2, 1.0 if step <= 16 else 2.0, np.float32)])
        averages.append(float(average.weights[0][0]))
print(json.dumps({
    "seed_cnn": described(served("seed_cnn")),
    "flagship": described(served("flagship")),
    "parameters": {name: served(recipe.architecture).count_params() for name, recipe in RECIPES.items()},
    "any_side": [list(trained(faces[:, :side, :side]).shape) for side in (40, 48)],
    "served": np.asarray(serve(trained, 0.3)(faces)).tolist(),
    "continued": np.asarray(serve(continued, 0.7)(faces)).tolist(),
    "blended": blend_logits(logits, 0.3).tolist(),
    "seven": np.asarray(serve(trained, 0.3, LABEL_SETS["seven"])(faces)).tolist(),
    "eight": np.asarray(serve(trained, 1.0, LABEL_SETS["eight"])(faces)).tolist(),
    "logits": logits.tolist(),
    "rates": [float(rate(step)) for step in (0, 9, 10, 29, 30, 40, 49, 50)],
    "averages": averages,
    "losses": [loss(targets, np.zeros(15)) for targets in ([], [2], [9], [2, 9])],
    "adjusted": loss([2, 9], np.arange(15)),
    "pulls": [pull(targets) for targets in ([], [9])],
}))
"""


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What a process with Keras says of the networks, the schedule and the average."""
    result = python("-c", FACTS)
    assert result.returncode == 0, result.stdout
    facts: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return facts


def test_the_seed_network_is_the_published_one(facts):
    expected: list[list[object]] = [["InputLayer", [48, 48, 1]]]
    for side, filters in ((48, 32), (24, 64), (12, 128), (6, 256)):
        block = ["Conv2D", "Activation", "BatchNormalization"] * 2
        expected += [[name, [side, side, filters]] for name in block]
        expected += [
            [name, [side // 2, side // 2, filters]] for name in ("MaxPooling2D", "Dropout")
        ]
    expected += [["Flatten", [2304]]]
    expected += [
        [name, [64]] for name in ("Dense", "Activation", "BatchNormalization", "Dropout")
    ] * 2
    expected += [["Dense", [7]], ["Dense", [4]]]
    seed = facts["seed_cnn"]
    assert seed["layers"] == expected
    assert (seed["total"], seed["trainable"], seed["total"] - seed["trainable"]) == (
        1_328_199,
        1_326_023,
        2_176,
    )
    assert seed["activations"] == ["elu", "linear", "softmax"]
    assert seed["rates"] == [0.15] * 4 + [0.3] * 2
    assert seed["input"] == [None, 48, 48, 1]


def test_the_flagship_is_as_large_as_its_docstring_says_and_takes_smaller_crops(facts):
    flagship = facts["flagship"]
    assert (flagship["input"], flagship["total"]) == ([None, 48, 48, 1], 1_219_812)
    assert flagship["activations"] == ["linear", "relu", "sigmoid", "softmax"]
    assert max(side for _, (side, *_) in flagship["layers"][1:]) <= 192
    assert facts["any_side"] == [[3, 15], [3, 15]]


def test_every_recipe_names_a_network(facts):
    assert facts["parameters"] == {
        "flagship": 1_219_812,
        "ordinary": 1_219_812,
        "ordinary-long": 1_219_812,
        "slim": 306_804,
        "deep": 3_169_204,
        "seed-cnn": 1_328_199,
    }


def test_the_served_network_blends_the_logits_of_the_trained_one(facts):
    powers = np.exp(facts["blended"])
    assert np.allclose(facts["served"], powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


def test_seven_and_eight_labels_are_the_outputs_of_their_data_set(facts):
    logits = np.array(facts["logits"])
    original, ferplus = logits[:, [3, 4, 6, 5, 0, 1, 2]], logits[:, [8, 10, 7, 9, 11, 12, 13, 14]]
    mixed = 0.7 * original + 0.3 * ferplus[:, :7]
    assert np.allclose(facts["seven"], softmax(mixed, axis=1), atol=1e-5)
    assert np.allclose(facts["eight"], softmax(ferplus, axis=1), atol=1e-5)


def test_a_run_begins_from_a_served_network_whatever_the_blend(facts):
    assert np.allclose(facts["continued"], facts["served"], atol=1e-5)


def test_the_learning_rate_is_a_trapezoid(facts):
    assert facts["rates"] == pytest.approx([0.1, 1.0, 1.0, 1.0, 1.0, 0.5, 0.05, 0.0])


def cross_entropy(logits: np.ndarray, target: np.ndarray) -> float:
    return float(-(target * (logits - np.log(np.exp(logits).sum()))).sum())


def test_the_loss_is_the_mean_of_both_label_sets_and_nothing_teaches_nothing(facts):
    nothing, one, other, both = facts["losses"]
    shown = np.linspace(-1, 1, 15)
    classes, emotions = np.eye(7)[2] * 0.9 + 0.1 / 7, np.eye(8)[2]
    assert nothing == 0
    assert one == pytest.approx(cross_entropy(shown[:7], classes) / 2, rel=1e-5)
    assert other == pytest.approx(cross_entropy(shown[7:], emotions) / 2, rel=1e-5)
    assert both == pytest.approx(one + other, rel=1e-5)
    shown = shown + np.arange(15)
    expected = (cross_entropy(shown[:7], classes) + cross_entropy(shown[7:], emotions)) / 2
    assert facts["adjusted"] == pytest.approx(expected, rel=1e-5)
    without, voted = facts["pulls"]
    assert without == [0.0] * 15
    assert voted[:7] == [0.0] * 7
    assert sum(voted[7:]) == pytest.approx(0, abs=1e-6)
    assert voted[9] < 0


def test_the_moving_average_begins_as_a_mean_and_forgets_its_beginning(facts):
    averages = facts["averages"]
    assert averages[:2] == [1.0, 1.0]
    assert averages[2] == pytest.approx(1.0 + 1.0 - 0.9**8, abs=1e-6)
    assert averages[-1] == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize("n", [1, 3, 140])
def test_augment_keeps_shape_and_kind_and_leaves_its_input_alone(n):
    before = FACES[:n].copy()
    views = augment(FACES[:n], np.random.default_rng(0), WEBCAM, 48)
    assert (views.shape, views.dtype) == ((n, 48, 48), np.uint8)
    assert np.array_equal(FACES[:n], before)


def test_augment_follows_its_generator():
    first, again, other = (
        augment(FACES, np.random.default_rng(seed), WEBCAM, 48) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not any(np.array_equal(one, two) for one, two in zip(first, other, strict=True))
    assert not any(np.array_equal(one, two) for one, two in zip(first, FACES, strict=True))


def test_augment_keeps_faces_recognisable():
    """On average a view correlates with its picture or with its mirror image.

    And stays about as bright.
    """
    rng = np.random.default_rng(3)
    yy, xx = np.mgrid[-1:1:48j, -1:1:48j]
    blob = (255 * np.exp(-4 * ((xx - 0.2) ** 2 + yy**2))).astype(np.uint8)
    views = augment(np.repeat(blob[None], 300, axis=0), rng, WEBCAM, 48).astype(float)
    similar = [
        max(np.corrcoef(v.ravel(), b.ravel())[0, 1] for b in (blob, blob[:, ::-1])) for v in views
    ]
    assert np.median(similar) > 0.9
    assert views.mean() == pytest.approx(blob.mean(), abs=15)


# A run


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
    assert lineage["config"]["recipe"]["schedule"]["fall"] == 1
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
    arguments = ("-m", "training.train", "--data", data, "--output", run, *RUN)
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


def test_a_share_of_the_images_is_shown_as_long_as_all_of_them(tmp_path):
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


@pytest.fixture(scope="module")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of photographs: two people to learn from, one to measure.

    And one whose face is not found.
    """
    root = tmp_path_factory.mktemp("photographs")
    portrait = ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"
    for name in (
        "train/joy/ann_1.jpg",
        "train/sad/ann_2.jpg",
        "train/sad/bo_1.jpg",
        "valid/joy/cy_1.jpg",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(portrait, root / name)
    shutil.copy(ROOT / "docs" / "compare.png", root / "train/joy/dee_1.png")
    return root


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
        *RUN[:2],
        "--epochs",
        2,
    ]
    changes = [
        "--set",
        "fall.side=56",
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


REFUSALS = """
import json, sys
from pathlib import Path
from fer import FERError
from training import export, train, tried
for arguments in json.loads(sys.argv[1]):
    try:
        if arguments[0] == "export":
            export.main(*map(Path, arguments[1:]))
        elif arguments[0] == "tried":
            tried.main([Path(arguments[1])], Path(arguments[2]))
        else:
            config, resume = train._parse(arguments)
            train.main(config, resume=resume)
        print("did it")
    except FERError as error:
        print(f"refused: {error}")
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
    (tmp_path / "thesis.txt").write_text("three years of work")
    begun, other = tmp_path / "begun", tmp_path / "other"
    begun.mkdir()
    shutil.copy(finished / "config.json", begun)
    (other / "notes").mkdir(parents=True)
    (other / "log.csv").write_text("three years of measuring")
    version = copy_seed(tmp_path)
    sealed = contents(version)
    before = contents(finished)
    start, new = ["--data", str(data), "--output"], str(tmp_path / "new")
    again = ["--output", str(finished), *RUN, "--resume"]
    file = tmp_path / "thesis.txt"
    cases = {
        "already holds a run; add --resume to go on with it": [*start, str(finished), *RUN],
        "seed-cnn is there and holds no run; it is left alone": [*start, str(version), *RUN],
        "other is there and holds no run; it is left alone": [*start, str(other), *RUN],
        "thesis.txt is there and holds no run; it is left alone": [*start, str(file), *RUN],
        "run cannot be written (Not a directory)": [*start, str(file / "run"), *RUN],
        "process 4711 is training in": [*start, str(taken), *RUN, "--resume"],
        "its Training images and labels have the sha256": [
            *again,
            "--data",
            str(altered(tmp_path, 0)),
        ],
        "its PublicTest images and labels have the sha256": [
            *again,
            "--data",
            str(altered(tmp_path, 1)),
        ],
        "begins to fall: of 3 it falls after epoch 2, of 5 after epoch 3; resume with --epochs 3": [
            *again,
            "--data",
            str(data),
            "--epochs",
            "5",
        ],
        "seed-cnn is a version of the architecture seed_cnn, and the recipe flagship trains flagship": [
            *start,
            new,
            *RUN,
            "--initial",
            str(version),
        ],
        "absent/config.json cannot be read": [
            *start,
            new,
            *RUN,
            "--initial",
            str(tmp_path / "absent"),
        ],
        "unknown recipe grand, expected flagship": [*start, new, "--recipe", "grand"],
        "Schedule has no field 'rate'": [*start, new, *RUN, "--set", "schedule.rate=1"],
        "unknown architecture grand, expected seed_cnn": [
            *start,
            new,
            *RUN,
            "--set",
            "architecture=grand",
        ],
        "unknown precision grand, expected mixed_bfloat16": [
            *start,
            new,
            *RUN,
            "--set",
            "precision=grand",
        ],
        "seed_cnn takes faces of 48 pixels alone": [
            *start,
            new,
            "--recipe",
            "seed-cnn",
            "--set",
            "fall.side=56",
        ],
        "there is no picture in it; expected <split>": [
            *start,
            new,
            *RUN,
            "--photographs",
            str(begun),
        ],
        "started with another share; resume": [*again, "--data", str(data), "--share", "0.5"],
        "started with another limit, recipe; resume": [
            *start,
            str(finished),
            *RUN[:2],
            "--epochs",
            "5",
            "--resume",
        ],
        "no finished epoch to resume from; leave --resume away": [*start, new, *RUN, "--resume"],
        "no.npz does not exist; expected fer2013.npz": [
            *RUN,
            "--data",
            str(tmp_path / "no.npz"),
            "--output",
            new,
        ],
        "is there and is no version folder; it is left alone": [
            "export",
            str(finished),
            str(tmp_path),
        ],
        "begun/config.json: its schema is None, expected 1": ["export", str(finished), str(begun)],
        "holds the version seed-cnn of another run, begun 20": [
            "export",
            str(finished),
            str(version),
        ],
        "newer cannot be written (File exists)": ["export", str(finished), str(file / "newer")],
        "seed-cnn: its config.json is not that of a run": ["tried", str(version), str(data)],
        "begun: holds no log.csv; train for one epoch": ["tried", str(begun), str(data)],
        "holds no train.json; finish the run with training.train": [
            "export",
            str(tmp_path),
            str(tmp_path / "newer"),
        ],
        "holds no config.json; name a run folder": [
            *start,
            new,
            *RUN,
            "--teachers",
            str(tmp_path / "absent"),
        ],
        "begun: holds no finished epoch; train": [*start, new, *RUN, "--teachers", str(begun)],
    }
    result = python("-c", REFUSALS, json.dumps(list(cases.values())))
    lines = [line for line in result.stdout.splitlines() if line.startswith(("refused", "did it"))]
    assert [reason in line for reason, line in zip(cases, lines, strict=True)] == [True] * len(
        cases
    ), result.stdout
    assert contents(finished) == before
    assert file.read_text() == "three years of work"
    assert (other / "log.csv").read_text() == "three years of measuring"
    assert contents(version) == sealed
    assert not (tmp_path / "newer").exists()
    assert not (tmp_path / "new").exists()


def test_the_command_tells_an_error_in_one_line(tmp_path):
    result = python("-m", "training.train", *RUN, "--data", tmp_path, "--output", tmp_path / "run")
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].startswith(
        f"error: {tmp_path}: holds neither fer2013.npz"
    )


def test_runs_are_compared_on_public_test_and_on_photographs(
    finished, data, portraits, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    arguments = (
        "--runs",
        finished,
        "--data",
        data,
        "--photographs",
        portraits,
        "--output",
        tmp_path / "tried.json",
    )
    result = python("-m", "benchmarks.recipes", *arguments)
    assert result.returncode == 0, result.stdout
    assert "whole: 3 epochs; blend, fer2013, fer2013-dedup, ferplus, recalls" in result.stdout
    report = json.loads((tmp_path / "tried.json").read_text())
    (run,) = report["runs"]
    assert (run["seed"], run["epochs"], list(run["blends"])) == (
        1,
        3,
        [f"{i / 10:.1f}" for i in range(11)],
    )
    accuracy = run["blends"]["0.0"]["fer2013"]
    assert accuracy["n"] == (load(data).split("PublicTest").fer2013 >= 0).sum()
    assert run["log"] == read_log(finished)
    faces = run["blends"]["0.5"]["photographs"]
    happy, *others = faces["recall"]
    assert faces["accuracy"]["n"] == 1  # the one face of the validation split is happy
    assert faces["accuracy"]["value"] == faces["balanced"] == happy
    assert others == [None, None, None]
    assert f"photographs {happy:.4f}, balanced {happy:.4f}" in result.stdout
    private = report["agreement"]["PrivateTest"]
    assert (private["both"], private["agree"]["value"]) == (private["agree"]["n"], 1.0)
    groups = run["favourite"]
    assert list(groups) == ["up to 5", "6 or 7", "8", "9", "10"]
    assert (groups["up to 5"]["ferplus"], groups["10"]["agree"]["value"]) == (None, 1.0)
    public = load(data).split("PublicTest")
    assert groups["8"]["fer2013"]["n"] == ((public.favourite == 8) & (public.fer2013 >= 0)).sum()
    assert run["labellings"]["differ"] == {"agree": None, "fer2013": None, "ferplus": None}
    assert (run["labellings"]["agree"]["agree"]["value"], run["labellings"]["one"]["ferplus"]) == (
        1.0,
        None,
    )
    for (labelling, blend), parts in product(
        (("fer2013", "0.0"), ("ferplus", "1.0")), (groups, run["labellings"])
    ):
        counted = [group[labelling] for group in parts.values() if group[labelling]]
        whole = run["blends"][blend][labelling]
        assert sum(part["n"] for part in counted) == whole["n"]
        assert sum(part["value"] * part["n"] for part in counted) == pytest.approx(
            whole["value"] * whole["n"]
        )


ADDITIONS = """
import json, sys
from pathlib import Path
from fer import DataError
from benchmarks.recipes import main

run, data, folder = map(Path, sys.argv[1:])
new = main([run], data, folder / "absent.json")
earlier = [{**new["runs"][0], "run": name, "seed": 7} for name in ("gone", run.name)]
reports = {
    "earlier": {**new, "runs": earlier},
    "other data": {**new, "agreement": {}},
    "list": [],
    "runs": {"agreement": new["agreement"], "runs": [{}]},
}
for name, report in reports.items():
    path = folder / f"{name}.json"
    path.write_text(json.dumps(report))
    try:
        print([(entry["run"], entry["seed"]) for entry in main([run], data, path)["runs"]])
    except DataError as error:
        print("refused:", error)
"""


def test_a_report_keeps_the_runs_whose_folders_are_gone(finished, data, tmp_path):
    result = python("-c", ADDITIONS, finished, data, tmp_path)
    assert result.returncode == 0, result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith(("[(", "refused"))]
    assert lines == [
        str([("gone", 7), ("whole", 1)]),
        (
            f"refused: {tmp_path}/other data.json was measured on other data than {data}; choose"
            " another --output."
        ),
        *(
            f"refused: {tmp_path}/{name}.json is there and is no report of this command; choose"
            " another --output."
            for name in ("list", "runs")
        ),
    ]


def test_runs_are_compared_without_votes_too(finished, tmp_path):
    data = write_folder(tmp_path / "images", arrays((70, 35, 35)))
    result = python(
        "-m",
        "benchmarks.recipes",
        "--runs",
        finished,
        "--data",
        data,
        "--output",
        tmp_path / "tried.json",
    )
    assert result.returncode == 0, result.stdout
    report = json.loads((tmp_path / "tried.json").read_text())
    (run,) = report["runs"]
    assert report["agreement"]["PublicTest"]["agree"] is None
    assert {name: blend["ferplus"] for name, blend in run["blends"].items()} == dict.fromkeys(
        run["blends"]
    )
    whole = run["blends"]["0.0"]["fer2013"]
    assert run["labellings"]["one"]["fer2013"] == whole
    assert run["favourite"]["10"] == {"agree": None, "fer2013": None, "ferplus": None}


@pytest.fixture(scope="module")
def reseeded(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That run as another seed might have left it.

    The same settings, other weights; tests only read it.
    """
    run = shutil.copytree(finished, tmp_path_factory.mktemp("runs") / "reseeded")
    lineage = json.loads((run / "train.json").read_text())
    lineage["config"]["seed"] = 2
    (run / "train.json").write_text(json.dumps(lineage))
    (path,) = (run / "backup").glob("*/average.npz")
    with np.load(path) as saved:
        average = dict(saved)
    # the bias of sad in both label sets
    average[f"arr_{len(average) - 2}"] += 100 * np.isin(np.arange(15), (4, 10))
    np.savez(path, **average)
    return run


def test_the_spread_over_seeds_is_measured_on_private_test(finished, reseeded, data, tmp_path):
    arguments = ("--runs", finished, reseeded, "--data", data, "--output", tmp_path / "seeds.json")
    result = python("-m", "benchmarks.seeds", *arguments)
    assert result.returncode == 0, result.stdout
    report = json.loads((tmp_path / "seeds.json").read_text())
    assert [run["seed"] for run in report["runs"]] == [1, 2]
    one, other = (run["results"] for run in report["runs"])
    assert (
        one["fer2013"]["n"]
        == other["fer2013"]["n"]
        == (load(data).split("PrivateTest").fer2013 >= 0).sum()
    )
    assert one["recall of sad"]["value"] < other["recall of sad"]["value"] == 1.0
    for name, spread in report["spread"].items():
        values = one[name]["value"], other[name]["value"]
        assert spread["mean"] == pytest.approx(sum(values) / 2)
        assert spread["standard_deviation"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
        assert (spread["least"], spread["greatest"]) == (min(values), max(values))
    assert list(report["spread"]) == [
        "fer2013",
        "fer2013-dedup",
        "ferplus",
        *(f"recall of {label}" for label in LABELS),
    ]
    assert 0 <= report["same_answer"] < 1
    assert "recall of sad" in result.stdout


def test_runs_that_tell_nothing_of_the_seed_are_refused(finished, reseeded, data, tmp_path):
    twice = python("-m", "benchmarks.seeds", "--runs", finished, finished, "--data", data)
    assert twice.returncode == 1
    assert "error: received the seeds 1, 1, expected two or more, each once" in twice.stdout
    other = shutil.copytree(reseeded, tmp_path / "other")
    lineage = json.loads((other / "train.json").read_text())
    lineage["config"]["recipe"]["average"] = 0.9
    (other / "train.json").write_text(json.dumps(lineage))
    mixed = python("-m", "benchmarks.seeds", "--runs", finished, other, "--data", data)
    assert mixed.returncode == 1
    assert (
        f"error: {other} and {finished} differ in recipe; only the seed may differ" in mixed.stdout
    )


DISTIL = """
import json, sys
import numpy as np
from pathlib import Path
from training.data.fer2013 import CLASSES, load
from training.distillation import answer, distil
from training.data.examples import training_examples
examples, run = training_examples(load(sys.argv[1])), Path(sys.argv[2])
examples.targets[0, len(CLASSES):] = 0
given, taught = answer(run, examples.images), distil(examples, [run, run]).targets
print(json.dumps({
    "sums": given.reshape(len(given), -1)[:, : len(CLASSES)].sum(axis=1).tolist(),
    "error": float(np.abs(taught - (examples.targets + given) / 2)[1:].max()),
    "unlabelled": float(taught[0, len(CLASSES):].max()),
    "same": distil(examples, []) is examples,
}))
"""


def test_teachers_give_half_of_the_targets(finished, data):
    result = python("-c", DISTIL, data, finished)
    assert result.returncode == 0, result.stdout
    report = json.loads(result.stdout.splitlines()[-1])
    assert np.allclose(report["sums"], 1)
    assert report["error"] < 1e-6
    assert (report["unlabelled"], report["same"]) == (0.0, True)


# Export

PARITY = """
import json, sys
import numpy as np
from pathlib import Path
from PIL import Image
from safetensors.numpy import load_file
from scipy.special import softmax
from fer.preprocessing import normalize
from training.architectures import serve
from training.runs import read_network
trained = read_network(Path(sys.argv[1]))
model = serve(trained, 0.3)
tensors = load_file(Path(sys.argv[2]) / "model.safetensors")
assert set(tensors) == {v.path for v in trained.weights}
assert all(np.array_equal(tensors[v.path], v.numpy()) for v in trained.weights)
faces = np.load(sys.argv[3])["images"]
np.save(sys.argv[4], np.asarray(model(normalize(faces), training=False)))
"""


def test_the_exported_graph_computes_what_keras_computes(finished, exported, data, tmp_path):
    version = read_version(exported)
    assert (version.name, version.labels, version.parameters) == ("tiny", LABELS, 1_219_812)
    assert (version.output, version.temperature, version.input_range) == (
        "probabilities",
        1.0,
        (0.0, 1.0),
    )
    assert set(version.files) == {GRAPH, WEIGHTS}
    assert version.report() is None
    lineage = json.loads((finished / "train.json").read_text())
    lineage["config"]["recipe"]["labels"]["blend"] = 0.3
    assert dict(version.lineage) == lineage | {"precision": "float32", "offsets": {}}
    result = python("-c", PARITY, finished, exported, data, tmp_path / "keras.npy")
    assert result.returncode == 0, result.stdout
    difference = EmotionClassifier(version).predict(FACES) - np.load(tmp_path / "keras.npy")
    assert np.abs(difference).max() < 1e-5
    assert load_file(exported / WEIGHTS)["logits/kernel"].shape == (192, 15)
    assert [path.name for path in exported.parent.iterdir()] == ["tiny"]
    assert len({stat.S_IMODE(path.stat().st_mode) for path in exported.iterdir()}) == 1


def test_an_int8_graph_is_small_and_computes_nearly_the_same(finished, exported, tmp_path):
    """Each face is scaled for itself: what else is in the batch changes nothing."""
    options = ["--blend", "0.3", "--precision", "int8", "--views", "0.9", "1.2", "--mirror"]
    result = python(
        "-m", "training.export", "--run", finished, "--output", tmp_path / "small", *options
    )
    assert result.returncode == 0, result.stdout
    version, reference = read_version(tmp_path / "small"), read_version(exported)
    assert version.lineage["precision"] == "int8"
    assert version.views == Views((0.9, 1.2), mirror=True)
    assert version.files[GRAPH].bytes < 0.3 * reference.files[GRAPH].bytes
    assert version.read(WEIGHTS) == reference.read(WEIGHTS)
    one_view = FACES[:, None]
    scores = EmotionClassifier(version).predict(one_view)
    assert 0 < np.abs(scores - EmotionClassifier(reference).predict(one_view)).max() < 0.02
    alone = np.concatenate([EmotionClassifier(version).predict(face[None]) for face in one_view])
    assert np.abs(scores - alone).max() < 1e-5


WEIGHTS_OF_GRAPH = """
import json, sys
from pathlib import Path
from fer import ModelError
from fer.versions.folder import CONFIG, read_version, write_config
from training.gate import _check_weights

folder = Path(sys.argv[1])
_check_weights(read_version(folder))
config = json.loads((folder / CONFIG).read_text())
config["lineage"]["config"]["recipe"]["labels"]["blend"] = 0.9
for change in ({}, {"labels": list("abcdefg")}):
    write_config(folder, config | change)
    try:
        _check_weights(read_version(folder))
    except ModelError as error:
        print(error)
"""


def test_offsets_and_larger_faces_belong_to_the_weights(data, tmp_path):
    run, folder = tmp_path / "large", tmp_path / "version"
    begun = python(
        "-m",
        "training.train",
        "--data",
        data,
        "--output",
        run,
        *RUN,
        "--epochs",
        "1",
        "--set",
        "fall.side=56",
    )
    assert begun.returncode == 0, begun.stdout
    told = {}
    for offsets in ({"sad": 0.0}, {"sad": 1.5, "surprised": -1.0}):
        words = ",".join(f"{label}={offset}" for label, offset in offsets.items())
        result = python(
            "-m", "training.export", "--run", run, "--output", folder, "--offsets", words
        )
        assert result.returncode == 0, result.stdout
        version = read_version(folder)
        assert version.input_shape == (56, 56, 1)
        assert version.lineage["offsets"] == offsets
        told[words] = np.log(EmotionClassifier(version).predict(resized(FACES, 56)))
    before, after = told.values()
    shift = (after - after[:, 2:3]) - (before - before[:, 2:3])  # over neutral
    assert np.allclose(shift, [0, 1.5, 0, -1], atol=1e-3)
    checked = python("-c", WEIGHTS_OF_GRAPH, folder)
    assert checked.returncode == 0, checked.stdout
    assert "model.safetensors is not of this model.tflite" in checked.stdout
    refused = python(
        "-m", "training.export", "--run", run, "--output", folder, "--offsets", "angry=1"
    )
    assert refused.returncode == 1
    assert (
        "received an offset of angry, expected one of happy, sad, neutral, surprised"
        in refused.stdout
    )


def test_the_mean_of_runs_from_one_version(finished, exported, data, tmp_path):
    runs = [tmp_path / "one", tmp_path / "two"]
    for seed, run in enumerate(runs):
        options = ("--epochs", "1", "--initial", exported, "--seed", seed)
        begun = python("-m", "training.train", "--data", data, "--output", run, *RUN, *options)
        assert begun.returncode == 0, begun.stdout
    folders = [tmp_path / "alone", tmp_path / "other", tmp_path / "mean"]
    choices = [(runs[0],), (runs[1],), (runs[0], "--with", runs[1])]
    for folder, choice in zip(folders, choices, strict=True):
        result = python("-m", "training.export", "--output", folder, "--run", *choice)
        assert result.returncode == 0, result.stdout
    one, other, mean = (load_file(folder / WEIGHTS)["logits/kernel"] for folder in folders)
    assert np.abs(one - other).max() > 1e-3
    assert np.allclose(mean, (one + other) / 2, atol=1e-7)
    (told,) = read_version(folders[2]).lineage["averaged_with"]
    assert (told["seed"], told["epochs"]) == (1, 1)
    assert "--output two" in told["command"]
    result = python(
        "-m", "training.export", "--output", tmp_path / "new", "--run", runs[0], "--with", finished
    )
    assert result.returncode == 1
    assert "only runs with the same --initial may be averaged" in result.stdout


def test_the_weights_that_only_serve_four_labels_give_no_others(tmp_path):
    result = python(
        "-m", "training.export", "--run", copy_seed(tmp_path), "--output", tmp_path / "new"
    )
    assert result.returncode == 1
    assert (
        "keeps the weights of the labels that it serves alone; name the run it was made of"
        in result.stdout
    )


@pytest.fixture(scope="module")
def seven(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of seven expressions that was not evaluated."""
    folder = tmp_path_factory.mktemp("versions") / "seven"
    result = python(
        "-m", "training.export", "--run", exported, "--output", folder, "--labels", "seven"
    )
    assert result.returncode == 0, result.stdout
    return folder


def test_a_version_of_seven_labels_comes_from_the_weights_of_one_of_four(exported, seven, tmp_path):
    folder = shutil.copytree(seven, tmp_path / "seven")
    version = read_version(folder)
    assert version.labels == (
        "happy",
        "sad",
        "neutral",
        "surprised",
        "angry",
        "disgusted",
        "afraid",
    )
    assert version.read(WEIGHTS) == read_version(exported).read(WEIGHTS)
    assert EmotionClassifier(version).predict(FACES).shape == (len(FACES), 7)
    checked = python("-c", WEIGHTS_OF_GRAPH, folder)
    assert checked.returncode == 0, checked.stdout
    assert (
        "model.safetensors is not of this model.tflite: with these weights the answers"
        in checked.stdout
    )
    assert (
        "its labels are a, b, c, d, e, f, g, which no export of these weights gives"
        in checked.stdout
    )


@pytest.mark.parametrize(
    "scales", [["1", "1"], ["0.8", "0.9", "1", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]]
)
def test_impossible_views_are_refused(finished, tmp_path, scales):
    result = python(
        "-m", "training.export", "--run", finished, "--output", tmp_path / "new", "--views", *scales
    )
    assert result.returncode == 1
    assert "at most 8 views, mirror images included" in result.stdout
    assert "Traceback" not in result.stdout
    assert not (tmp_path / "new").exists()


def test_a_run_goes_on_from_the_weights_of_a_version(finished, exported, data, tmp_path):
    run = tmp_path / "further"
    result = python(
        "-m", "training.train", "--data", data, "--output", run, *RUN, "--initial", exported
    )
    assert result.returncode == 0, result.stdout
    assert (
        json.loads((run / "train.json").read_text())["config"]["initial"]
        == read_version(exported).sha256
    )
    assert read_log(run)[0]["loss"] < read_log(finished)[0]["loss"] - 0.1


# Evaluation


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A version that was not evaluated, to be evaluated."""
    return shutil.copytree(exported, tmp_path / "tiny")


def test_evaluate_measures_seals_and_tells(folder, data):
    result = python("-m", "training.evaluate", "--version", folder, "--data", data)
    assert result.returncode == 0, result.stdout
    version = read_version(folder)
    report = version.report()
    assert set(version.files) == {GRAPH, WEIGHTS, METRICS, PREDICTIONS, CARD}
    assert {path.name for path in folder.iterdir()} == {*version.files, CONFIG}
    private = load(data).split("PrivateTest")
    measured = report.test_sets["fer2013"]
    stored = Predictions.read(version.read(PREDICTIONS), 4)
    known = stored.test_sets["fer2013"]
    assert known.sha256 == measured.sha256 == private.sha256
    assert np.abs(answers(EmotionClassifier(version)) - stored.probes).max() < 1e-6
    assert np.abs(EmotionClassifier(version).predict(private.images) - known.scores).max() < 1e-6
    for name in ("fer2013", "fer2013-dedup", "ferplus"):
        assert np.array_equal(known.targets[name], private.labels(name))
        rows = private.labels(name) >= 0
        estimate = metrics.accuracy(known.scores[rows], private.labels(name)[rows])
        assert measured.labellings[name].accuracy.value == estimate.value
        assert measured.labellings[name].n == estimate.n == rows.sum()
        assert f"{name:14} accuracy {estimate.value:.4f} ({estimate.low:.4f} to" in result.stdout
    assert version.temperature == report.temperature
    assert version.uncertain_below == report.uncertain_below
    card = (folder / CARD).read_text(encoding="utf-8")
    assert card.startswith("---\n")
    accuracy = measured.labellings["fer2013"].accuracy.value
    assert f"| FER2013, PrivateTest, fer2013 | 20 | {accuracy:.4f} (" in card
    assert version.lineage["command"] in card
    assert "{{" not in card


def test_evaluate_again_gives_the_same_files(folder, data):
    evaluate.main(folder, data)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    evaluate.main(folder, data)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    # a zip tells the time
    assert {name for name in before if before[name] != after[name]} <= {PREDICTIONS, CONFIG}
    assert before[METRICS] == after[METRICS]


def test_evaluate_without_votes_leaves_ferplus_out(folder, tmp_path):
    images = write_folder(tmp_path / "images", arrays((70, 35, 35)))
    report = evaluate.main(folder, images)
    assert set(report.test_sets["fer2013"].labellings) == {"fer2013", "fer2013-dedup"}
    assert read_version(folder).report() == report
    assert "PrivateTest, ferplus" not in (folder / CARD).read_text(encoding="utf-8")


def photographed(root: Path, folders: dict[str, int]) -> Path:
    """So many copies of a photograph with one large face by class folder, of two people.

    The last shows nobody.
    """
    face = Image.open(ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg")
    for folder, n in folders.items():
        (root / folder).mkdir(parents=True)
        for i in range(n):
            face.save(root / folder / f"{'anna' if i % 2 else 'bert'}_{i}.jpg")
    Image.new("RGB", (100, 100), "grey").save(root / next(iter(folders)) / "nobody_0.jpg")
    return root


def test_photographs_are_measured_end_to_end_beside_what_was_measured_before(
    folder, data, tmp_path
):
    before = evaluate.main(folder, data)
    photographs = photographed(tmp_path / "photos", {"happy": 2, "neutral": 2, "angry": 1})
    report = evaluate.main(folder, photographs=photographs, name="mine")
    assert report.test_sets["fer2013"] == before.test_sets["fer2013"]
    assert list(report.test_sets) == ["fer2013", "mine"]
    version = read_version(folder)
    assert version.report() == report
    mine, known = (
        report.test_sets["mine"],
        Predictions.read(version.read(PREDICTIONS), 4).test_sets["mine"],
    )
    assert (mine.split, mine.people, mine.left_out) == ("all", 3, {"anger": 1})
    assert (mine.found.value, mine.found.n) == (0.8, 5)
    assert known.targets["mine"].tolist() == [-1, 0, 0, 0, 2, 2]
    assert known.found.tolist() == [True, True, True, False, True, True]
    prediction, *_ = FERPipeline(BlazeFace(), EmotionClassifier(version))(
        load_image(photographs / "happy/anna_1.jpg")
    )
    assert known.scores[2] == pytest.approx(list(prediction.scores.values()), abs=1e-5)
    result = mine.labellings["mine"]
    right = {"happy": 2, "neutral": 2}.get(prediction.label, 0)
    assert (result.n, result.accuracy.value) == (5, right / 5)
    assert result.recall["happy"].n == 3
    assert np.array(result.confusion_matrix)[:, 4].tolist() == [1, 0, 0, 0]
    assert result.log_loss.n == result.expected_calibration_error.n == 4
    card = (folder / CARD).read_text(encoding="utf-8")
    assert "Whole photographs of 3 people" in card
    assert "left out: 1 of anger" in card


def test_a_version_of_seven_labels_is_asked_for_the_four_and_for_all(folder, seven, data, tmp_path):
    evaluate.main(folder, data)
    wide = shutil.copytree(seven, tmp_path / "seven")
    photographs = photographed(tmp_path / "photos", {"happy": 2, "angry": 1})
    report = evaluate.main(wide, data, photographs, name="mine")
    version = read_version(wide)
    assert version.report() == report
    kept = Predictions.read(version.read(PREDICTIONS), 7)
    for name in ("fer2013", "mine"):
        narrow, full = report.test_sets[name], report.test_sets[f"{name}-seven"]
        assert (narrow.labels, full.labels) == (LABELS, version.labels)
        assert kept.test_sets[name].scores.shape[1] == 4
        assert kept.test_sets[f"{name}-seven"].scores.shape[1] == 7
    assert list(report.test_sets["fer2013-seven"].labellings) == [
        "fer2013-seven",
        "fer2013-dedup-seven",
        "ferplus-seven",
    ]
    assert report.test_sets["fer2013-seven"].title == "FER2013, seven expressions"
    assert [report.test_sets[name].labellings[name].n for name in ("mine", "mine-seven")] == [3, 4]
    served = EmotionClassifier(version).predict(load(data).split("PrivateTest").images)
    among = kept.test_sets["fer2013"].scores
    assert np.array_equal(among.argmax(axis=1), served[:, :4].argmax(axis=1))
    assert among.sum(axis=1) == pytest.approx(1)
    other = Predictions.read(read_version(folder).read(PREDICTIONS), 4)
    assert kept.compare(other, "fer2013", "fer2013").n == 20


@pytest.mark.parametrize(
    ("folders", "split", "measured", "n"),
    [
        ({"train/happy": 1, "valid/happy": 2}, None, "valid", 2),
        ({"train/happy": 1, "valid/happy": 2, "test/happy": 3}, None, "test", 3),
        ({"train/happy": 1, "valid/happy": 2, "test/happy": 3}, "PublicTest", "valid", 2),
        ({"happy": 2}, None, "all", 3),
    ],
)
def test_the_test_split_of_photographs_is_measured(folder, tmp_path, folders, split, measured, n):
    photographs = photographed(tmp_path / "mine", folders)
    report = evaluate.main(folder, photographs=photographs, split=split)
    assert (report.test_sets["mine"].split, report.test_sets["mine"].found.n) == (
        measured,
        n,
    )


@pytest.mark.parametrize(
    ("folders", "options", "message"),
    [
        ({"happy": 1}, {"name": "fer2013"}, "received the name 'fer2013'"),
        ({"happy": 1}, {"name": "two words"}, "received the name 'two words'"),
        ({"angry": 1}, {}, "no picture is labelled happy or sad or neutral or surprised"),
        (
            {"train/happy": 1},
            {"split": "PrivateTest"},
            "holds no PrivateTest; choose a --split of Training",
        ),
    ],
)
def test_photographs_that_cannot_be_measured(folder, tmp_path, folders, options, message):
    photographs = photographed(tmp_path / "mine", folders)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(DataError, match=message):
        evaluate.main(folder, photographs=photographs, **options)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_was_measured_at_another_temperature_is_dropped(folder, data, tmp_path):
    photographs = photographed(tmp_path / "mine", {"happy": 2})
    evaluate.main(folder, photographs=photographs)
    assert list(evaluate.main(folder, data).test_sets) == ["fer2013"]
    assert list(evaluate.main(folder, photographs=photographs).test_sets) == ["fer2013", "mine"]
    assert list(evaluate.main(folder, data).test_sets) == ["fer2013", "mine"]


class Stop(BaseException):
    """What Ctrl-C or a full disk do to a script."""


@pytest.mark.parametrize("evaluated", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("step", range(9))
def test_a_stopped_evaluation_leaves_a_readable_version(folder, data, monkeypatch, evaluated, step):
    """Stopped before its first, second, ... change to the folder; then run again to the end."""
    monkeypatch.setattr(
        evaluate.metrics, "bootstrap", lambda *_: metrics.Estimate(0.5, 0.4, 0.6, 1)
    )
    monkeypatch.setattr(robustness, "DISTURBANCES", dict(list(DISTURBANCES.items())[:1]))
    if evaluated:
        evaluate.main(folder, data)
    changes = iter(range(100))

    def stopping(method):
        def changed(path, *arguments, **options):
            if path.parent == folder and next(changes) == step:
                if method.__name__.startswith("write"):
                    method(path, arguments[0][: len(arguments[0]) // 2], **options)
                raise Stop
            return method(path, *arguments, **options)

        return changed

    with monkeypatch.context() as patch:
        for name in ("write_bytes", "write_text", "unlink", "replace"):
            patch.setattr(Path, name, stopping(getattr(Path, name)))
        with pytest.raises(Stop):
            evaluate.main(folder, data)
    version = read_version(folder)
    assert EmotionClassifier(version).predict(FACES[:1]).shape == (1, 4)
    report = evaluate.main(folder, data)
    assert read_version(folder).report() == report


def test_evaluate_refuses_a_version_of_other_labels_and_a_broken_one(tmp_path, data):
    with pytest.raises(
        ModelError,
        match=(
            r"happy, bored, asleep, expected those of training\.export --labels four, seven, eight"
        ),
    ):
        evaluate.main(write_tiny(tmp_path / "other").folder, data)
    seed = copy_seed(tmp_path)
    (seed / GRAPH).write_bytes(b"broken")
    with pytest.raises(ModelError, match=r"model\.tflite is corrupt"):
        evaluate.main(seed, data)
