"""No detector: the picture is the face."""

from __future__ import annotations

from fer.detection.base import Image
from fer.detection.pictures import longest_side
from fer.geometry import Box
from fer.results import Face


class WholePicture:
    """No detector, for pictures that are faces already: each holds one, which is the whole picture.

    A picture that is not square is shown whole too: its extent is as long as its longer side.
    """

    name = "none"

    def detect(self, image: Image) -> list[Face]:
        """RGB uint8 (height, width, 3) -> its one face."""
        half = longest_side(image) / 2
        height, width = image.shape[:2]
        x, y = width / 2, height / 2
        extent = Box(x - half, y - half, x + half, y + half)
        return [Face(Box(0, 0, width, height), confidence=1.0, extent=extent)]
