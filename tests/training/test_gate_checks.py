"""The checks on one test set, and their table."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from fer import read_version
from fer.versions.folder import GRAPH
from tests.factories.measured import N, write_measured
from tests.support.gate import checks, read_predictions, rescored
from training import gate_costs
from training.gate import run_gate
from training.gate_checks import table


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A version that gets 0.80 right; tests only read it."""
    return read_version(write_measured(tmp_path_factory.mktemp("gate") / "good", 0.80, seed=1))


def test_a_graph_that_was_not_measured_is_refused(tmp_path, monkeypatch, good):
    """Another graph under its good metrics, and one that answered other probes."""
    monkeypatch.setattr(gate_costs, "ROUNDS", 5)
    stored = read_predictions(good.folder)
    fer2013 = stored.test_sets["fer2013"]
    folder = shutil.copytree(good.folder, tmp_path / "good")
    (folder / GRAPH).write_bytes((write_measured(tmp_path / "other", seed=7) / GRAPH).read_bytes())
    for probes, found in ((stored.probes, "differ by 0."), (stored.probes[:3], "are 128, kept 3")):
        new = rescored(folder, fer2013.scores, fer2013.targets["fer2013"], probes=probes)
        failed = [check for check in run_gate(new, good) if not check.passed]
        assert [check.name for check in failed] == ["answers to probes"]
        assert failed[0].new.startswith(found)
        assert "run training.evaluate again" in failed[0].required


def test_too_few_examples_to_tell_do_not_pass(tmp_path, monkeypatch):
    """At n=60, an equal version may be 10 points worse for all that is known."""
    monkeypatch.setattr(gate_costs, "ROUNDS", 5)
    labels = np.arange(60) % 3
    versions = []
    for name, wrong in (("one", slice(0, 6)), ("two", slice(6, 12))):
        scores = np.eye(3)[labels]
        scores[wrong] = np.roll(scores[wrong], 1, axis=1)
        versions.append(rescored(write_measured(tmp_path / name), scores, labels))
    found = checks(*versions, calibration_error=1.0)
    assert {name for name, check in found.items() if not check.passed} == {"accuracy, paired"}
    assert "p = 1" in found["accuracy, paired"].required


def test_overconfidence_is_refused(tmp_path, monkeypatch, good):
    monkeypatch.setattr(gate_costs, "ROUNDS", 5)
    stored = read_predictions(good.folder).test_sets["fer2013"]
    sure = np.eye(3)[stored.scores.argmax(axis=1)]
    new = rescored(shutil.copytree(good.folder, tmp_path / "sure"), sure, stored.targets["fer2013"])
    for current in (None, good):
        failed = [check for check in run_gate(new, current) if not check.passed]
        assert [(check.name, check.new) for check in failed] == [
            ("fer2013: calibration error", "0.200")
        ]
    assert checks(new, new, calibration_error=1.0)["calibration error"].passed
    assert checks(new, good, calibration_error=1.0)["calibration error"].required == "at most 0.020"


def test_versions_with_other_labels_have_no_pairs(tmp_path, monkeypatch, good):
    monkeypatch.setattr(gate_costs, "ROUNDS", 5)
    found = checks(
        read_version(write_measured(tmp_path / "other", labels=("happy", "sad", "asleep"))), good
    )
    assert "the same labels" in found["accuracy, paired"].required
    assert not found["accuracy, paired"].passed


def test_a_class_without_test_examples_cannot_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(gate_costs, "ROUNDS", 5)
    labels = np.arange(N) % 2
    new = rescored(write_measured(tmp_path / "new"), np.eye(3)[labels], labels)
    check = checks(new)["recall of asleep"]
    assert (check.new, check.passed) == ("no example", False)


def test_the_table_is_aligned(good, monkeypatch):
    monkeypatch.setattr(gate_costs, "latencies", lambda versions: [1.0] * len(versions))
    lines = table(run_gate(good, good)).splitlines()
    assert [line[:6] for line in lines] == [" " * 6] + ["pass  "] * 9
    assert {line.index("at ") for line in lines if " at " in line} == {lines[0].index("required")}
