"""The only crop, align, resize and normalise code of the project; training calls it too.

A network knows faces as its training frames show them, so a detected face must be cut to that
frame. `CropGeometry` says how, for one detector and one data set; `benchmarks.geometry` measures
it. `Views` says which views of a face are averaged; `benchmarks.views` measures what they are
worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.results import Face

MAX_VIEWS = 8


@dataclass(frozen=True, slots=True)
class CropGeometry:
    """How to lay the square training frame over a detected face.

    The frame's side is `scale` times the box height, its centre lies `shift` (x, y) box heights
    from the centre of the box, and with `level` it turns with the line through the eyes.
    """

    scale: float
    shift: tuple[float, float] = (0.0, 0.0)
    level: bool = False

    def __post_init__(self) -> None:
        if not 0.2 <= self.scale <= 5.0 or not all(-1.0 <= s <= 1.0 for s in self.shift):
            raise ValueError(
                f"scale must lie in [0.2, 5] and each shift in [-1, 1], received {self}"
            )

    def frame(self, face: Face) -> tuple[tuple[float, float], float, float]:
        """Centre (x, y) and side of the frame in pixels and its roll in radians.

        Clockwise in the picture.
        """
        box = face.extent or face.box
        roll = _eye_roll(face) if self.level else 0.0
        dx, dy = (s * box.height for s in self.shift)
        cos, sin = math.cos(roll), math.sin(roll)
        x, y = box.center
        return (x + dx * cos - dy * sin, y + dx * sin + dy * cos), self.scale * box.height, roll


@dataclass(frozen=True, slots=True)
class Views:
    """The views of a face whose answers are averaged: frames `scales` times as large as the geometry's.

    With `mirror`, each frame is seen a second time in its mirror image. The first view is the one
    that is shown.
    """

    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False

    def __post_init__(self) -> None:
        distinct = len(set(self.scales)) == len(self.scales) > 0
        if (
            not distinct
            or not all(0.5 <= scale <= 2.0 for scale in self.scales)
            or len(self) > MAX_VIEWS
        ):
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
"""For each detector, where the frame of FER2013 lies over its boxes; `benchmarks.geometry` measured it.

The scale is 0.9 of the median of training frames: of all tried on PublicTest it served both
detectors best. """

WHOLE_PICTURE = CropGeometry(scale=1.0)
"""For pictures that are faces already: the frame is the picture, whatever the version."""


def crop_faces(
    image: NDArray[np.uint8],
    faces: Sequence[Face],
    geometry: CropGeometry,
    size: tuple[int, int] = (48, 48),
    *,
    scale: float = 1.0,
    grey: bool = True,
) -> NDArray[np.uint8]:
    """The training frame of each face: RGB (h, w, 3) uint8 -> (n, height, width) uint8, or (n, height, width, 3).

    `scale` makes the frame larger about its centre. What lies outside the picture repeats its
    nearest edge.
    """
    if not faces:
        return np.empty((0, *size) if grey else (0, *size, 3), np.uint8)
    frames = [geometry.frame(face) for face in faces]
    return np.stack(
        [_crop(image, center, scale * side, roll, size, grey) for center, side, roll in frames]
    )


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
    """The views of faces that are cut already: (n, height, width) uint8 -> (n, views, height, width) uint8.

    Nothing lies beyond their edges, so each is seen as it is, whatever the scales, and mirrored
    where the views are.
    """
    return _mirrored(crops[:, None], views)


def normalize(
    crops: NDArray[np.uint8], value_range: tuple[float, float] = (0.0, 1.0)
) -> NDArray[np.float32]:
    """Grey crops (n, height, width) uint8 -> network input (n, height, width.

    1) float32 in `value_range`.
    """
    low, high = value_range
    return (crops[..., None].astype(np.float32) * ((high - low) / 255.0) + low).astype(np.float32)


def _mirrored(crops: NDArray[np.uint8], views: Views) -> NDArray[np.uint8]:
    """Crops (n, scales, height, width), and where the views are mirrored.

    Their mirror images after them.
    """
    return np.concatenate([crops, crops[..., ::-1]], axis=1) if views.mirror else crops


def _eye_roll(face: Face) -> float:
    if face.landmarks is None:
        return 0.0
    (x1, y1), (x2, y2) = face.landmarks.left_eye, face.landmarks.right_eye
    return math.atan2(y2 - y1, x2 - x1)


def _crop(
    image: NDArray[np.uint8],
    center: tuple[float, float],
    side: float,
    roll: float,
    size: tuple[int, int],
    grey: bool,
) -> NDArray[np.uint8]:
    """Cut the turned square on a grid at least as fine as the pixels, then average, so that nothing aliases.

    A large face is shrunk before, by averaging too, which bounds the grid at four cells a side for
    each crop pixel.
    """
    region, left, top = _surroundings(image, center, side)
    if grey:
        region = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    full_height, full_width = region.shape[:2]
    shrink = max(1, int(side / (2 * max(size))))
    if shrink > 1:
        smaller = (max(1, round(full_width / shrink)), max(1, round(full_height / shrink)))
        region = cv2.resize(region, smaller, interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
    # A pixel's centre lies half a pixel from its corner, in the crop and in the picture alike.
    cells = math.ceil(side / shrink / max(size))
    rows, columns = cells * size[0], cells * size[1]
    cos, sin = math.cos(roll) * side, math.sin(roll) * side
    to_picture = np.array(
        [
            [cos / columns, -sin / rows, center[0] + (-cos + sin) / 2 - left],
            [sin / columns, cos / rows, center[1] + (-sin - cos) / 2 - top],
        ]
    )
    to_picture *= [[region.shape[1] / full_width], [region.shape[0] / full_height]]
    to_picture[:, 2] += to_picture[:, :2] @ (0.5, 0.5) - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(
        region, to_picture, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.resize(fine, size[::-1], interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _surroundings(
    image: NDArray[np.uint8], center: tuple[float, float], side: float
) -> tuple[NDArray[np.uint8], int, int]:
    """The part of the picture that the turned square can touch, and its left and top in pixels."""
    height, width = image.shape[:2]
    reach = side * math.sqrt(0.5) + 2
    left, right = (int(np.clip(x, 0, width - 1)) for x in (center[0] - reach, center[0] + reach))
    top, bottom = (int(np.clip(y, 0, height - 1)) for y in (center[1] - reach, center[1] + reach))
    return image[top : bottom + 1, left : right + 1], left, top
