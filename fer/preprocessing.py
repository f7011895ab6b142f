"""How a face becomes the input of a network, here alone; training calls it too.

A network knows faces in the square that its training pictures show, so the same square must be cut
around a detected face. `CropGeometry` says how, for one detector and one data set;
`benchmarks.geometry` measures it. `Views` says which views of a face are averaged;
`benchmarks.views` measures what they are worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer.geometry import Box, Point
from fer.results import Face
from fer.squares import Square, cut_square

MAX_VIEWS = 8
"""The most views of a face that are averaged; each costs one inference."""


@dataclass(frozen=True, slots=True)
class CropGeometry:
    """How to lay the square of the training pictures around a detected face.

    Args:
        scale: The side of the square, in heights of the face's box; in [0.2, 5].
        shift: From the centre of the box to that of the square, (x, y) in heights of the box, each
            in [-1, 1]. Before the box is clipped to the picture: `Face.extent` counts.
        level: Whether the square turns with the line through the eyes.

    Raises:
        ValueError: scale or shift lie outside these ranges.

    Example:
        >>> from fer import Box, CropGeometry, Face
        >>> face = Face(Box(10, 20, 50, 70), confidence=0.9)
        >>> CropGeometry(scale=0.9, shift=(0.0, 0.02)).square(face)
        Square(center=(30.0, 46.0), side=45.0, roll=0.0)
    """

    scale: float
    shift: tuple[float, float] = (0.0, 0.0)
    level: bool = False

    def __post_init__(self) -> None:
        scale_in_range = 0.2 <= self.scale <= 5.0
        shift_in_range = all(-1.0 <= shift <= 1.0 for shift in self.shift)
        if not (scale_in_range and shift_in_range):
            raise ValueError(
                f"scale must lie in [0.2, 5] and each shift in [-1, 1], received {self}"
            )

    def square(self, face: Face) -> Square:
        """The square around a face, which may reach beyond the picture."""
        box = face.extent or face.box
        roll = _eye_roll(face) if self.level else 0.0
        center = self._center(box, roll)
        return Square(center, self.scale * box.height, roll)

    def _center(self, box: Box, roll: float) -> Point:
        x, y = box.center
        right, down = (shift * box.height for shift in self.shift)
        cos, sin = math.cos(roll), math.sin(roll)
        return x + right * cos - down * sin, y + right * sin + down * cos


@dataclass(frozen=True, slots=True)
class Views:
    """The views of a face whose answers are averaged: test-time augmentation.

    Args:
        scales: The sides of the squares to cut, relative to that of the geometry. The first one is
            the crop that pages show.
        mirror: Whether each is seen a second time, in its mirror image.
    """

    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False

    def __post_init__(self) -> None:
        distinct = len(set(self.scales)) == len(self.scales)
        in_range = all(0.5 <= scale <= 2.0 for scale in self.scales)
        if not (distinct and in_range and 0 < len(self) <= MAX_VIEWS):
            raise ValueError(
                f"views need different scales in [0.5, 2] that give at most {MAX_VIEWS} views,"
                f" mirror images included; received {self}"
            )

    def __len__(self) -> int:
        return len(self.scales) * (2 if self.mirror else 1)


ONE_VIEW = Views()

GEOMETRIES = {
    "blazeface": CropGeometry(scale=0.83, shift=(0.0, 0.02), level=True),
    "yunet": CropGeometry(scale=0.9, shift=(0.0, 0.02), level=True),
}
"""For each detector, where the square of FER2013's pictures lies over its boxes.

`benchmarks.geometry` measured it. The scale is 0.9 of the median: of all that were tried on
PublicTest, it served both detectors best.
"""

WHOLE_PICTURE = CropGeometry(scale=1.0)
"""For pictures that are faces already: the square is the picture, whatever the version."""


def crop_faces(
    image: NDArray[np.uint8],
    faces: Sequence[Face],
    geometry: CropGeometry,
    size: tuple[int, int] = (48, 48),
    *,
    scale: float = 1.0,
    grey: bool = True,
) -> NDArray[np.uint8]:
    """Cut the square around each face, as large as the network's input.

    Args:
        image: RGB uint8 (height, width, 3).
        faces: The faces to cut.
        geometry: How the square lies around a face.
        size: (height, width) of a crop in pixels.
        scale: How many times as large as the geometry's the square is, about the same centre.
        grey: Whether crops are grey or keep their colour.

    Returns:
        Crops uint8 (n, height, width), or (n, height, width, 3) in colour. What lies outside the
        picture repeats its nearest edge.
    """
    if not faces:
        return _no_crops(size, grey=grey)
    squares = [geometry.square(face).scaled(scale) for face in faces]
    return np.stack([cut_square(image, square, size, grey=grey) for square in squares])


def crop_views(
    image: NDArray[np.uint8],
    faces: Sequence[Face],
    geometry: CropGeometry,
    views: Views,
    size: tuple[int, int] = (48, 48),
) -> NDArray[np.uint8]:
    """Every view of each face: RGB (h, w, 3) uint8 -> grey (n, views, height, width) uint8."""
    crops = [crop_faces(image, faces, geometry, size, scale=scale) for scale in views.scales]
    return _mirrored(np.stack(crops, axis=1), views)


def views_of_crops(crops: NDArray[np.uint8], views: Views) -> NDArray[np.uint8]:
    """The views of crops: (n, height, width) uint8 -> (n, views, height, width) uint8.

    Nothing is known beyond their edges, so that there is one scale, whatever the scales of the
    views are, and its mirror image where the views have one.
    """
    return _mirrored(crops[:, None], views)


def normalize(
    crops: NDArray[np.uint8], value_range: tuple[float, float] = (0.0, 1.0)
) -> NDArray[np.float32]:
    """Crops (n, height, width) uint8 -> input (n, height, width, 1) float32 in `value_range`."""
    low, high = value_range
    step = (high - low) / 255.0
    return (crops[..., None].astype(np.float32) * step + low).astype(np.float32)


def _no_crops(size: tuple[int, int], *, grey: bool) -> NDArray[np.uint8]:
    shape = size if grey else (*size, 3)
    return np.empty((0, *shape), np.uint8)


def _mirrored(crops: NDArray[np.uint8], views: Views) -> NDArray[np.uint8]:
    """Crops (n, scales, height, width), followed by their mirror images if the views have them."""
    return np.concatenate([crops, crops[..., ::-1]], axis=1) if views.mirror else crops


def _eye_roll(face: Face) -> float:
    if face.landmarks is None:
        return 0.0
    x1, y1 = face.landmarks.left_eye
    x2, y2 = face.landmarks.right_eye
    return math.atan2(y2 - y1, x2 - x1)
