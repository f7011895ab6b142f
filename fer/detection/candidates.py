"""What a detector's network finds, before it is faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer.detection.base import Image
from fer.geometry import Box, Landmarks, Point
from fer.results import Face

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may be faces, one a row.

    Args:
        points: (n, points, 2) float32: the top left and the bottom right corner of the box, then
            the landmarks, each (x, y) in pixels.
        scores: (n,) float32 in [0, 1].
    """

    points: Array
    scores: Array

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray[np.generic]) -> Candidates:
        """Those of some rows, given as NumPy takes them."""
        return Candidates(self.points[rows], self.scores[rows])

    @property
    def widths(self) -> Array:
        """Of the boxes, (n,)."""
        return np.asarray(self.points[:, 1, 0] - self.points[:, 0, 0], np.float32)

    @property
    def heights(self) -> Array:
        """Of the boxes, (n,)."""
        return np.asarray(self.points[:, 1, 1] - self.points[:, 0, 1], np.float32)

    def moved(self, by: Array) -> Candidates:
        """The same, so many pixels (x, y) further right and down."""
        return Candidates(self.points + by, self.scores)

    @property
    def largest_first(self) -> Candidates:
        """The same rows, the highest box first."""
        return self[np.argsort(-self.heights, kind="stable")]

    @property
    def best_first(self) -> Candidates:
        """The same rows, the highest score first."""
        return self[np.argsort(-self.scores, kind="stable")]

    def faces(
        self, image: Image, landmarks: Callable[[list[Point]], Landmarks], *, weak_below: float
    ) -> list[Face]:
        """The faces that lie in the picture, at least in part, the largest first.

        `landmarks` makes them of the points after the corners. A face of a score under `weak_below`
        is weak.
        """
        faces = []
        for points, score in zip(self.points.tolist(), self.scores.tolist(), strict=True):
            top_left, bottom_right, *marks = map(tuple, points)
            extent = Box(*top_left, *bottom_right)
            box = _clipped(extent, image)
            if box:
                weak = score < weak_below
                faces.append(Face(box, min(score, 1.0), landmarks(marks), extent, weak=weak))
        return sorted(faces, key=lambda face: -face.box.area)


def joined(parts: Sequence[Candidates]) -> Candidates:
    """The rows of all parts, of which there is at least one."""
    points = np.concatenate([part.points for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    return Candidates(points, scores)


def _clipped(box: Box, image: Image) -> Box | None:
    """What of a box lies in the picture."""
    height, width = map(float, image.shape[:2])
    left, right = _within(width, box.x1, box.x2)
    top, bottom = _within(height, box.y1, box.y2)
    return Box(left, top, right, bottom) if left < right and top < bottom else None


def _within(length: float, start: float, end: float) -> tuple[float, float]:
    return max(start, 0.0), min(end, length)
