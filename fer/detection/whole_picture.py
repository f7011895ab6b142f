"""No detector: the picture is the face."""

from __future__ import annotations

from fer.detection.base import Image
from fer.detection.pictures import check_picture
from fer.geometry import Box
from fer.results import Face


class WholePicture:
    """No detector, for pictures that are faces already: each holds one, which is the whole picture.

    Example:
        >>> import numpy as np
        >>> from fer import WholePicture
        >>> [face] = WholePicture().detect(np.zeros((60, 100, 3), np.uint8))
        >>> face.box
        Box(x1=0, y1=0, x2=100, y2=60)
    """

    name = "none"

    def detect(self, image: Image) -> list[Face]:
        """The face that the picture is.

        Args:
            image: RGB uint8 (height, width, 3).

        Returns:
            One face. Its box is the picture, its extent the square around that, so that a picture
            that is not square is cropped whole too.

        Raises:
            ValueError: the picture is not RGB uint8.
        """
        check_picture(image)
        height, width = image.shape[:2]
        box = Box(0, 0, width, height)
        return [Face(box, confidence=1.0, extent=_square_around(box))]


def _square_around(box: Box) -> Box:
    x, y = box.center
    half = max(box.width, box.height) / 2
    return Box(x - half, y - half, x + half, y + half)
