"""What a face detector is. One detector serves all threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fer.geometry import Box, Landmarks, Point
from fer.results import Face

Image = NDArray[np.uint8]
Array = NDArray[np.float32]
REGION = 128  # side of the input for a region, of either detector


class FaceDetector(Protocol):
    """Anything that finds faces; `detect` may be called from several threads at once."""

    @property
    def name(self) -> str: ...

    def detect(self, image: Image) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces, largest first."""


@runtime_checkable
class RegionDetector(FaceDetector, Protocol):
    """A detector that can search a part of the picture.

    Which makes it cheap to follow faces through a stream.
    """

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces within `region` of about half its side.

        Largest first.
        """


def faces_from_points(
    points: Array,
    scores: Array,
    image: Image,
    landmarks: Callable[[list[Point]], Landmarks],
    weak_below: float,
) -> list[Face]:
    """Corners and landmarks (n, points, 2) -> the faces that show in the picture, largest first."""
    height, width = map(float, image.shape[:2])
    faces = []
    for ((x1, y1), (x2, y2), *others), score in zip(points.tolist(), scores.tolist(), strict=True):
        left, top, right, bottom = max(x1, 0.0), max(y1, 0.0), min(x2, width), min(y2, height)
        if left < right and top < bottom:
            box = Box(left, top, right, bottom)
            extent = Box(x1, y1, x2, y2)
            marks = landmarks([(x, y) for x, y in others])
            faces.append(Face(box, min(score, 1.0), marks, extent, weak=score < weak_below))
    return sorted(faces, key=lambda face: -face.box.area)
