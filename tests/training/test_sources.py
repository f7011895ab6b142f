"""The data of a run: limits, shares, and what makes up an epoch."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer import DataError
from tests.factories.fer2013 import arrays, write_npz
from training.data.examples import training_examples
from training.data.fer2013_files import load
from training.recipes import RECIPES
from training.settings import TrainConfig
from training.sources import Sources, read_sources, training_set

RECIPE = RECIPES["flagship"]


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    data = write_npz(tmp_path / "fer2013.npz", arrays((70, 35, 35)))
    return TrainConfig("runs/a", "flagship", data=str(data))


def test_nothing_is_read_where_nothing_is_named():
    sources = read_sources(TrainConfig("runs/a", "flagship"), RECIPE)
    assert (len(sources.examples), sources.photographs, sources.epoch_length) == (0, None, 0)
    assert sources.sha256 == Sources().sha256 == {}


def test_all_of_fer2013_is_learnt_once_an_epoch(config):
    sources = read_sources(config, RECIPE)
    data = load(config.data)
    assert np.array_equal(sources.examples.images, training_examples(data).images)
    assert sources.sha256["PublicTest"] == data.split("PublicTest").sha256
    assert len(sources.validation.public_test.images) == len(data.split("PublicTest").images)
    epoch = training_set(sources, config, RECIPE)
    assert (len(epoch), epoch.draws) == (70, 0)
    assert np.array_equal(epoch.rows, np.arange(70))


def test_a_limit_keeps_the_first_rows_of_each_split(config):
    sources = read_sources(replace(config, limit=12), RECIPE)
    assert (len(sources.examples), len(sources.validation.public_test.images)) == (12, 12)
    assert sources.epoch_length == 12


def test_a_share_is_learnt_in_epochs_as_long_as_all_and_lies_within_a_larger_one(config):
    half, quarter = (replace(config, share=share) for share in (0.5, 0.25))
    sources = read_sources(half, RECIPE)
    assert (len(sources.examples), sources.epoch_length) == (35, 70)
    assert sources.sha256 == read_sources(config, RECIPE).sha256
    epoch = training_set(sources, half, RECIPE)
    assert np.bincount(epoch.rows).tolist() == [2] * 35
    images = {image.tobytes() for image in sources.examples.images}
    fewer = read_sources(quarter, RECIPE).examples.images
    assert {image.tobytes() for image in fewer} < images


def test_photographs_are_sampled_beside_it(config, portraits, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    both = replace(config, photographs=str(portraits), limit=20)
    sources = read_sources(both, RECIPE)
    assert list(sources.sha256) == [
        "Training",
        "PublicTest",
        "Training photographs",
        "PublicTest photographs",
    ]
    assert (len(sources.photographs), len(sources.validation.photographs)) == (3, 1)
    epoch = training_set(sources, both, RECIPE)
    assert (len(epoch.images), len(epoch.rows), epoch.draws) == (23, 20, 20)
    assert epoch.weights[:20].tolist() == [0.0] * 20
    assert epoch.weights.sum() == pytest.approx(1)


def test_photographs_without_a_known_face_to_validate_on_are_refused(
    portraits, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = shutil.copytree(portraits, tmp_path / "photographs")
    config = TrainConfig("runs/a", "flagship", photographs=str(root))
    (root / "valid" / "joy").rename(root / "valid" / "anger")
    with pytest.raises(DataError, match="no validation picture shows a happy, sad, neutral or"):
        read_sources(config, RECIPE)
    shutil.rmtree(root / "valid")
    with pytest.raises(DataError, match="a split for training and one for validation are needed"):
        read_sources(config, RECIPE)
