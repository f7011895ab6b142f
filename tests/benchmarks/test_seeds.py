"""The spread over seeds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fer import LABELS
from tests.factories.runs import python
from training.data.fer2013_files import load

pytestmark = pytest.mark.timeout(300)


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
