"""Recipes: fields with other values, files of recipes, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fer import DataError
from training.recipes import RECIPES, changed, read_recipe


def test_fields_of_a_recipe_take_other_values_of_their_kind():
    recipe = RECIPES["flagship"]
    assert changed(recipe, []) == recipe
    assignments = (
        "schedule.learning_rate=1e-3",
        "schedule.epochs=5",
        "decay_crops.side=64",
        "stable_crops.augmentation.scale=0.5,2",
        "precision=float32",
    )
    result = changed(recipe, assignments)
    assert (result.schedule.learning_rate, result.schedule.epochs) == (1e-3, 5)
    assert (result.decay_crops.side, result.stable_crops.augmentation.scale) == (64, (0.5, 2.0))
    assert result.precision == "float32"
    assert result.labels == recipe.labels


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("schedule", "received 'schedule', expected FIELD=VALUE as in schedule.learning_rate=1e-3"),
        (
            "lerning=1",
            "Recipe has no field 'lerning', expected one of architecture, schedule, labels",
        ),
        ("schedule.rate=1", "Schedule has no field 'rate', expected one of epochs, warm_up, decay"),
        ("schedule=1", "received the field 'schedule', expected one such as schedule.epochs"),
        ("average.rate=1", "received the field 'average.rate', expected one such as average"),
        ("schedule.epochs=1.5", "epochs is '1.5', expected a whole number"),
        ("average=nan", "average is 'nan', expected a number"),
        ("decay_crops.augmentation.scale=1", "scale is '1', expected two numbers as in 0.8,1.2"),
        ("schedule.warm_up=0", "schedule.warm_up is 0, expected a whole number from 1 on"),
        (
            "photographs.draws=0",
            "photographs.draws is 0, expected a whole number from 1 on; leave --photographs",
        ),
        ("photographs.scale=9", "photographs.scale is 9, expected a number from 0.5 to 2"),
        ("decay_crops.side=50", "the side of a crop is 50 pixels, expected a multiple of eight"),
    ],
)
def test_fields_and_values_that_make_no_sense_are_refused(assignment, message):
    with pytest.raises(DataError, match=re.escape(message)):
        changed(RECIPES["flagship"], [assignment])


def test_a_recipe_of_ones_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from training.recipes import RECIPES, changed\nRECIPE = changed(RECIPES['slim'],"
        " ['average=0.9'])\n"
    )
    assert read_recipe(str(file)) == replace(RECIPES["slim"], average=0.9)
    file.write_text("RECIPE = 'slim'\n")
    with pytest.raises(DataError, match="defines no RECIPE, expected RECIPE = Recipe"):
        read_recipe(str(file))
    with pytest.raises(DataError, match=r"absent\.py cannot be read \(No such file"):
        read_recipe(str(tmp_path / "absent.py"))
    with pytest.raises(
        DataError,
        match="unknown recipe grand, expected flagship, ordinary, ordinary-long, slim, deep",
    ):
        read_recipe("grand")
