"""What a run is asked to do, and what its folder notes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fer import DataError, read_version
from tests.factories.versions import copy_seed
from training.recipes import RECIPES
from training.settings import TrainConfig, described

CONFIG = TrainConfig("runs/a", "flagship")


def test_without_options_the_recipe_is_taken_as_it_is():
    assert CONFIG.read_recipe() == RECIPES["flagship"]


@pytest.mark.parametrize(
    ("epochs", "warm_up", "decay"), [(103, 2, 8), (12, 2, 6), (4, 1, 2), (2, 1, 1), (1, 1, 1)]
)
def test_a_short_run_warms_up_in_a_quarter_and_decays_in_half_of_its_epochs(epochs, warm_up, decay):
    schedule = replace(CONFIG, epochs=epochs).read_recipe().schedule
    assert (schedule.epochs, schedule.warm_up, schedule.decay) == (epochs, warm_up, decay)
    assert schedule.stable_end == epochs - decay


def test_changes_come_before_the_number_of_epochs():
    config = replace(CONFIG, changes=("schedule.epochs=40", "average=0.9"), epochs=20)
    recipe = config.read_recipe()
    assert (recipe.schedule.epochs, recipe.average) == (20, 0.9)


def test_a_run_notes_names_and_never_places(tmp_path):
    config = TrainConfig(
        output=str(tmp_path / "run"),
        recipe="flagship",
        data=str(tmp_path / "fer2013.npz"),
        photographs=str(tmp_path / "natural.zip"),
        teachers=(str(tmp_path / "deep"),),
    )
    noted = described(config, config.read_recipe())
    assert (noted["data"], noted["photographs"]) == ("fer2013.npz", "natural.zip")
    assert (noted["initial"], noted["teachers"]) == (None, ["deep"])
    assert noted["recipe"]["stable_crops"]["augmentation"]["scale"] == [0.85, 1.2]
    assert str(tmp_path) not in str(noted)
    assert len(config.paths) == 5


def test_the_version_to_begin_with_is_noted_by_its_digest_and_must_be_of_the_network(tmp_path):
    version: Path = copy_seed(tmp_path)
    config = replace(CONFIG, initial=str(version))
    noted = described(config, RECIPES["seed-cnn"])
    assert noted["initial"] == read_version(version).sha256
    with pytest.raises(DataError, match="is a version of the architecture seed_cnn, and the"):
        described(config, RECIPES["flagship"])
