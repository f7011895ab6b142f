"""How a trained network may be served."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer import DataError
from training.operating_point import OperatingPoint, served_blend
from training.trained import Trained


def trained(voted: int) -> Trained:
    lineage = {"voted": voted, "config": {"recipe": {"labels": {"blend": 0.3}}}}
    return Trained(Path("runs/a"), lineage, side=48)


@pytest.mark.parametrize(
    ("voted", "point", "blend"),
    [
        (20, OperatingPoint(), 0.3),
        (20, OperatingPoint(blend=0.0), 0.0),
        (20, OperatingPoint(blend=0.5, labels="seven"), 0.5),
        (20, OperatingPoint(labels="eight"), 1.0),
        (20, OperatingPoint(blend=1.0, labels="eight"), 1.0),
        (0, OperatingPoint(), 0.0),
        (0, OperatingPoint(blend=0.0), 0.0),
    ],
)
def test_the_blend_is_that_of_the_recipe_unless_the_labels_or_the_votes_decide(voted, point, blend):
    assert served_blend(trained(voted), point) == blend


@pytest.mark.parametrize(
    ("voted", "point", "message"),
    [
        (0, OperatingPoint(blend=0.3), "outputs for them learnt nothing, and received a blend of"),
        (0, OperatingPoint(labels="eight"), "saw no FER.+ votes, which alone know eight labels"),
        (20, OperatingPoint(blend=0.3, labels="eight"), "received a blend of 0.3 of eight labels"),
    ],
)
def test_outputs_that_learnt_nothing_are_not_served(voted, point, message):
    with pytest.raises(DataError, match=message):
        served_blend(trained(voted), point)


def test_offsets_are_of_labels_that_the_version_answers():
    with pytest.raises(DataError, match="received an offset of angry, expected one of happy, sad"):
        OperatingPoint(offsets={"angry": 1.0})
    assert OperatingPoint(labels="seven", offsets={"angry": 1.0}).offsets == {"angry": 1.0}
