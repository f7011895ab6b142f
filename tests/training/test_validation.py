"""The accuracies that the log tells after an epoch."""

from __future__ import annotations

import numpy as np
import pytest

from tests.factories.fer2013 import arrays, write_npz
from training.command import load_keras
from training.data.classes import CLASSES
from training.data.faces import WideFaces
from training.data.fer2013_files import load
from training.data.training_set import Validation
from training.recipes import RECIPES


class AlwaysHappy:
    """A network whose logits name happy under both label sets, whatever the picture."""

    def predict(self, images: np.ndarray, **_: object) -> np.ndarray:
        logits = np.zeros((len(images), 15), np.float32)
        logits[:, [CLASSES.index("happy"), len(CLASSES) + 1]] = 9
        return logits


@pytest.fixture
def measure():
    load_keras()
    from training.validation import measure

    return lambda validation: measure(AlwaysHappy(), validation, RECIPES["flagship"])


def test_nothing_to_measure_tells_nothing(measure):
    assert measure(Validation()) == {}


def test_public_test_is_told_under_each_labelling_and_blend(measure, tmp_path):
    data = arrays((70, 35, 35))
    public_test = load(write_npz(tmp_path / "a.npz", data)).split("PublicTest")
    result = measure(Validation(public_test))
    happy = float((public_test.fer2013[public_test.fer2013 >= 0] == 0).mean())
    assert list(result) == [
        f"{labelling}_{blend}"
        for labelling in ("fer2013", "ferplus")
        for blend in ("original", "half", "votes")
    ]
    assert result["fer2013_half"] == pytest.approx(happy)


def test_photographs_are_told_with_the_recall_of_each_label(measure):
    crops = np.zeros((4, 64, 64), np.uint8)
    emotions = np.array([1, 1, 3, 7], np.int8)  # happiness twice, sadness, contempt
    faces = WideFaces(crops, emotions, np.arange(4, dtype=np.int32), side=48)
    assert measure(Validation(photographs=faces)) == {
        "photographs": pytest.approx(2 / 3),
        "photographs_balanced": 0.5,
        "photographs_happy": 1.0,
        "photographs_sad": 0.0,
    }
