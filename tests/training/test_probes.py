"""The pictures that tell graphs apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer import EmotionClassifier, load_version
from training.probes import answers, precision, probes


def test_probes_are_noise_and_ramps_and_the_same_each_time():
    pictures = probes((48, 40, 1), n=3)
    assert (pictures.shape, pictures.dtype) == ((6, 48, 40), np.uint8)
    assert np.array_equal(pictures, probes((48, 40, 1), n=3))
    ramps = pictures[3:].astype(int)
    assert (np.diff(ramps, axis=2) >= 0).all()
    assert (np.diff(ramps, axis=1) == 0).all()


def test_two_graphs_differ_on_them():
    flagship, seven = (
        answers(EmotionClassifier(load_version(name))) for name in ("flagship", "flagship-seven")
    )
    assert flagship.shape == (128, 4)
    assert seven.shape == (128, 7)
    assert np.abs(flagship - seven[:, :4]).max() > 0.1


@pytest.mark.parametrize(
    ("lineage", "expected"),
    [({}, "float32"), ({"precision": "int8"}, "int8"), ({"precision": "odd"}, "float32")],
)
def test_the_precision_is_that_of_the_lineage(lineage, expected):
    assert precision(replace(load_version("seed-cnn"), lineage=lineage)) == expected
