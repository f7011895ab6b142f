"""No detector."""

import pytest

from fer import Box, WholePicture
from tests.factories.pictures import noise


@pytest.mark.parametrize(
    ("size", "extent"),
    [
        ((48, 48), (0, 0, 48, 48)),
        ((1, 1), (0, 0, 1, 1)),
        ((100, 60), (-20, 0, 80, 100)),
        ((60, 100), (0, -20, 100, 80)),
    ],
)
def test_without_a_detector_the_whole_picture_is_one_face(size, extent):
    (face,) = WholePicture().detect(noise(*size))
    assert (face.box, face.confidence, face.doubts) == (Box(0, 0, size[1], size[0]), 1.0, ())
    assert face.extent == Box(*extent)
