"""BlazeFace's outputs, against examples done by hand."""

import numpy as np
import pytest

from fer.detection.blazeface_graph import anchors, decode


@pytest.mark.parametrize(
    ("size", "count"), [((256, 256), 896), ((224, 320), 980), ((320, 224), 980)]
)
def test_there_is_an_anchor_for_every_output(size, count):
    centres = anchors(*size)
    assert centres.shape == (count, 2)
    assert centres[:2].tolist() == [[8, 8], [8, 8]]
    assert centres[2].tolist() == [24, 8]
    assert centres[-1].tolist() == [size[1] - 16, size[0] - 16]


def test_decode_adds_offsets_to_their_anchor():
    """A 20 x 20 square centred at (34, 58) becomes 18.4 x 25.3, and its centre lies 2.2 higher.

    Anchor 2 lies at (24, 8).
    """
    regressors, logits = np.zeros((896, 16), np.float32), np.full(896, -200, np.float32)
    regressors[2] = (10, 50, 20, 20, 6, 45, 14, 46, 10, 52, 10, 56, 2, 47, 18, 48)
    logits[2] = 200
    found = decode(regressors, logits, (256, 256), 0.5)
    expected = [24.8, 43.15, 43.2, 68.45, 30, 53, 38, 54, 34, 60, 34, 64, 26, 55, 42, 56]
    assert found.points[0].ravel().tolist() == pytest.approx(expected, abs=1e-4)
    assert found.scores.tolist() == [1]
