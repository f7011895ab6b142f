"""Names of test sets, and what a version is asked for on each."""

from __future__ import annotations

import pytest

from fer import LABELS
from fer.versions.labels import LABEL_SETS
from training.evaluation_sets import asked_labels, order, title


def test_ordinary_faces_come_first_then_fer2013_then_all_others():
    names = ["mine", "fer2013-seven", "fer2013", "aged", "natural"]
    assert sorted(names, key=order) == ["natural", "fer2013", "aged", "fer2013-seven", "mine"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fer2013", "FER2013"),
        ("natural", "Ordinary faces"),
        ("natural-eight", "Ordinary faces, eight expressions"),
        ("mine", "mine"),
        ("mine-seven", "mine-seven"),
    ],
)
def test_titles(name, expected):
    assert title(name) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (LABELS, {"": LABELS}),
        (("happy", "bored"), {"": ("happy", "bored")}),
        (LABEL_SETS["seven"], {"": LABELS, "-seven": LABEL_SETS["seven"]}),
        (LABEL_SETS["eight"], {"": LABELS, "-eight": LABEL_SETS["eight"]}),
    ],
)
def test_a_version_of_more_than_four_labels_is_asked_twice(labels, expected):
    assert asked_labels(labels) == expected
