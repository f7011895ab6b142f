"""Find faces in a stream cheaply.

Look where they just were, and at the whole picture now and then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer.detection.base import FaceDetector, RegionDetector
from fer.results import Box, Face

LOOK_EVERY = 8
"""Frames from one look at the whole picture to the next: how long a new face can stay unseen."""

_MANY = 3  # faces, from which on one look at the whole picture costs less than one at each
_REACH = 2.2  # side of the region, in box heights
_SAME = 0.3  # overlap of two boxes of one face


class FollowingDetector:
    """A `FaceDetector` for the frames of one stream, in order and from one thread at a time.

    It searches a region around each face of the frame before. The whole picture is searched too on
    every eighth frame, in a crowd, and at once where a face is not found again or two have become
    one.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self.name = detector.name
        self._detector = detector
        self._faces: list[Face] = []
        self._frames = 0
        self._size: tuple[int, ...] = ()

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces, largest first."""
        known = image.shape == self._size and 0 < len(self._faces) < _MANY
        followed: list[Face] = []
        if known and isinstance(self._detector, RegionDetector):
            followed = self._follow(image, self._detector)
        self._frames = self._frames + 1 if followed else 0
        if self._frames % LOOK_EVERY == 0:
            new = [face for face in self._detector.detect(image) if not _near(face, followed)]
            followed += new
        followed.sort(key=lambda face: -face.box.width * face.box.height)
        self._faces, self._size = followed, image.shape
        return followed

    def _follow(self, image: NDArray[np.uint8], detector: RegionDetector) -> list[Face]:
        """Every known face where it is now.

        Or none at all if one is lost or two have become one.
        """
        found: list[Face] = []
        for face in self._faces:
            near = _near(face, detector.detect_within(image, _around(face)))
            if not near or _near(near[0], found):
                return []
            found.append(near[0])
        return found


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = min(a.x2, b.x2) - max(a.x1, b.x1), min(a.y2, b.y2) - max(a.y1, b.y1)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)


def _near(face: Face, others: list[Face]) -> list[Face]:
    """Those of `others` that show the same face, the closest first."""
    overlaps = {id(other): overlap(face.box, other.box) for other in others}
    same = [other for other in others if overlaps[id(other)] > _SAME]
    return sorted(same, key=lambda other: -overlaps[id(other)])


def _around(face: Face) -> Box:
    (x, y), half = face.box.center, _REACH / 2 * face.box.height
    return Box(x - half, y - half, x + half, y + half)
