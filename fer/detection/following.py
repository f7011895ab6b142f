"""Find faces in a stream cheaply: where they just were, and in the whole picture now and then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer.detection.base import FaceDetector, RegionDetector
from fer.geometry import Box
from fer.results import Face

LOOK_EVERY = 8
"""Frames from one search of the whole picture to the next: how long a new face can be missed."""

_CROWD = 3  # faces, from which on one search of the whole picture costs less than one around each
_REGION_SIDE = 2.2  # in box heights
_SAME_FACE = 0.3  # intersection over union of two boxes of one face


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
        self._shape: tuple[int, ...] = ()
        self._frames_followed = 0

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces, largest first."""
        faces = self._follow(image)
        self._frames_followed = self._frames_followed + 1 if faces else 0
        if self._frames_followed % LOOK_EVERY == 0:
            found = self._detector.detect(image)
            faces += [face for face in found if _same_face(face, faces) is None]
        faces.sort(key=lambda face: -face.box.area)
        self._faces = faces
        self._shape = image.shape
        return faces

    def _follow(self, image: NDArray[np.uint8]) -> list[Face]:
        """Every known face where it is now, or none if one is lost or two have become one."""
        few = 0 < len(self._faces) < _CROWD
        if not few or image.shape != self._shape or not isinstance(self._detector, RegionDetector):
            return []
        followed: list[Face] = []
        for face in self._faces:
            found = self._detector.detect_within(image, _region_around(face.box))
            again = _same_face(face, found)
            if again is None or _same_face(again, followed):
                return []
            followed.append(again)
        return followed


def _same_face(face: Face, others: list[Face]) -> Face | None:
    """The one of `others` that shows the same face."""
    closest = max(others, key=lambda other: face.box.iou(other.box), default=None)
    return closest if closest and face.box.iou(closest.box) > _SAME_FACE else None


def _region_around(box: Box) -> Box:
    x, y = box.center
    half = _REGION_SIDE / 2 * box.height
    return Box(x - half, y - half, x + half, y + half)
