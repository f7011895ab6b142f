"""Faces at the size that a network takes."""

from __future__ import annotations

import pytest

from tests.factories.fer2013 import arrays
from training.data.examples import no_examples
from training.data.resizing import resized

FACES = arrays((40, 4, 7))["images"][:40]


@pytest.mark.parametrize("side", [48, 64])
def test_images_at_another_size(side):
    assert resized(FACES[:2], side).shape == (2, side, side)
    assert resized(no_examples().images, side).shape == (0, side, side)
