"""Folders that are not fit to be published."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fer import DataError, ModelError
from fer.versions.folder import CARD, CONFIG, GRAPH, METRICS, PREDICTIONS, WEIGHTS
from fer.versions.predictions import Predictions, SetScores
from tests.factories.measured import write_measured
from tests.factories.versions import write_tiny
from tests.support.push_fixtures import reseal
from training.completeness import read_complete

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.push_fixtures"]


def spoil(folder, name, content):
    (folder / name).write_bytes(content)
    reseal(folder)


def remeasure(folder):
    """Predictions of another evaluation beside the metrics of the last one."""
    kept = Predictions.read((folder / PREDICTIONS).read_bytes(), 3)
    scores, labels = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 1])
    other = {"fer2013": SetScores(scores, {"fer2013": labels}, "a" * 64)}
    spoil(folder, PREDICTIONS, Predictions(other, kept.probes).to_bytes())


def exchange(*names):
    """Files of a version with another graph, as a slip of the hand would copy and seal them."""

    def exchanged(folder):
        other = write_measured(folder.parent / "other", seed=1)
        for name in names:
            spoil(folder, name, (other / name).read_bytes())

    return exchanged


def rename_architecture(folder):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "architecture": "cubist"}))


def renamed(folder):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "name": "imposter"}))


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (lambda folder: (folder / CONFIG).unlink(), "config.json cannot be read"),
        (lambda folder: (folder / WEIGHTS).unlink(), "model.safetensors cannot be read"),
        (lambda folder: (folder / GRAPH).write_bytes(b"x"), "model.tflite is corrupt"),
        (lambda folder: spoil(folder, GRAPH, b"x"), "not a LiteRT graph"),
        (lambda folder: spoil(folder, WEIGHTS, b"x"), "model.safetensors cannot be read"),
        (lambda folder: spoil(folder, PREDICTIONS, b"x"), "predictions.npz cannot be used"),
        (lambda folder: spoil(folder, METRICS, b"{}"), "metrics.json: a field is missing"),
        (
            lambda folder: spoil(folder, CARD, b"# A card by hand"),
            "README.md is not the card of this version",
        ),
        (
            lambda folder: spoil(folder, CARD, b"---\n: [\n---\n"),
            "README.md: its head cannot be read",
        ),
        (remeasure, "metrics.json and predictions.npz do not belong together"),
        (renamed, "README.md is not the card of this version"),
        (
            exchange(WEIGHTS),
            (
                r"is not of this model\.tflite: with these weights .* differ by 0\.\d+ in"
                r" probability, ex"
            ),
        ),
        (
            exchange(GRAPH),
            (
                r"answers to probes differ by 0\.\d+, expected within 0\.0001 of those .*evaluate"
                r" again"
            ),
        ),
        (exchange(WEIGHTS, GRAPH), r"answers to probes differ by 0\.\d+"),
        (
            rename_architecture,
            "its architecture 'cubist' is none of seed_cnn, .*publish it with the program that",
        ),
    ],
)
def test_a_version_that_is_not_whole_is_not_sent(hub, send, broken, breaking, message):
    breaking(broken)
    with pytest.raises(ModelError, match=message):
        send(broken)
    assert not hub.requests


def test_a_version_that_was_not_evaluated(send, tmp_path):
    folder = write_tiny(tmp_path / "tiny").folder
    with pytest.raises(
        ModelError,
        match=r"lacks metrics\.json, predictions\.npz, model\.safetensors, README\.md; tra",
    ):
        send(folder)


def test_weights_of_another_size(broken):
    config = json.loads((broken / CONFIG).read_text())
    (broken / CONFIG).write_text(json.dumps({**config, "parameters": 7}))
    with pytest.raises(ModelError, match="holds 147 parameters, not 7"):
        read_complete(broken)


@pytest.mark.parametrize("name", ["train.json", "log.csv"])
def test_a_run_is_no_version(send, tmp_path, name):
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / name).touch()
    with pytest.raises(
        DataError,
        match=r"is a run, not a version.*training\.export --run .*seed --output models/seed",
    ):
        send(tmp_path / "seed")
