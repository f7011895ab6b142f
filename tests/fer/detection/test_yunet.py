"""YuNet's rows as faces."""

import numpy as np
import pytest

from fer import Box, Landmarks, YuNet
from tests.factories.pictures import YUNET_WEIGHTS, noise

ROW = (10, 20, 30, 40, 18, 32, 32, 30, 25, 40, 20, 50, 30, 52)  # box, eyes, nose, mouth's corners


@pytest.fixture(scope="module")
def yunet():
    if not YUNET_WEIGHTS.is_file():
        pytest.skip(f"needs YuNet's weights in {YUNET_WEIGHTS}, which are not there")
    return YuNet(YUNET_WEIGHTS)


@pytest.mark.parametrize(("confidence", "weak"), [(0.79, True), (0.81, False)])
def test_a_row_becomes_a_face_that_is_weak_under_four_fifths(monkeypatch, yunet, confidence, weak):
    monkeypatch.setattr(yunet, "_rows", lambda _: np.array([(*ROW, confidence)], np.float32))
    (face,) = yunet.detect(noise(100, 100))
    assert (face.box, face.extent) == (Box(10, 20, 40, 60), Box(10, 20, 40, 60))
    assert face.landmarks == Landmarks((18, 32), (32, 30), (25, 40), (25, 51))
    assert face.weak == weak


def test_a_small_input_s_pixels_become_the_picture_s(monkeypatch, yunet):
    monkeypatch.setattr(yunet, "_rows", lambda _: np.array([(*ROW, 0.9)], np.float32))
    (face,) = yunet.detect(noise(1280, 640))
    assert face.box == Box(20, 40, 80, 120)
    (within,) = yunet.detect_within(noise(500, 500), Box(100, 200, 356, 456))
    assert within.box == Box(120, 240, 180, 320)
