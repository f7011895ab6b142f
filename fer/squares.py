"""Cut turned squares out of pictures, as the crops that a network sees."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.geometry import Point

Image = NDArray[np.uint8]
Grid = tuple[int, int]

_LEAST_CELLS = 2  # grid cells a side for each crop pixel that shrinking a large square leaves
_REACH = math.sqrt(0.5)  # from the centre of a square to its corners, in sides


class Square(NamedTuple):
    """A square in a picture: its centre and side in pixels, its roll in radians, clockwise."""

    center: Point
    side: float
    roll: float = 0.0

    def scaled(self, scale: float) -> Square:
        """The square `scale` times as large, about the same centre."""
        return self._replace(side=scale * self.side)


def cut_square(image: Image, square: Square, size: tuple[int, int], *, grey: bool) -> Image:
    """The picture within a square, as a crop of (height, width) pixels.

    The square is sampled on a grid at least as fine as the pixels, then averaged, so that nothing
    aliases. A large one is shrunk first, by averaging too, which bounds the grid at four cells a
    side for each crop pixel. What lies outside the picture repeats its nearest edge.
    """
    surroundings, corner = _surroundings(image, square)
    if grey:
        surroundings = _luminance(surroundings)
    shrinkage = _shrinkage(square.side, size)
    shrunk = _shrunk(surroundings, shrinkage)
    grid = _grid(square.side / shrinkage, size)
    to_picture = _grid_to_picture(square, grid)
    to_picture[:, 2] -= corner
    to_picture *= _ratios(shrunk, surroundings)
    samples = _sampled(shrunk, to_picture, grid)
    return _averaged(samples, size)


def _surroundings(image: Image, square: Square) -> tuple[Image, tuple[int, int]]:
    """The part of the picture that the square can touch, and the part's (left, top) in pixels."""
    height, width = image.shape[:2]
    x, y = square.center
    left, right = _span(x, square.side, width)
    top, bottom = _span(y, square.side, height)
    return image[top : bottom + 1, left : right + 1], (left, top)


def _span(center: float, side: float, length: int) -> tuple[int, int]:
    """The first and the last pixel that a square can touch, of a row or column of the picture."""
    reach = side * _REACH + 2
    return _nearest(center - reach, length), _nearest(center + reach, length)


def _nearest(place: float, length: int) -> int:
    return int(min(max(place, 0), length - 1))


def _luminance(picture: Image) -> Image:
    return _as_uint8(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def _shrinkage(side: float, size: tuple[int, int]) -> int:
    """How many times smaller a large square is made before it is sampled."""
    return max(1, int(side / (_LEAST_CELLS * max(size))))


def _shrunk(picture: Image, shrinkage: int) -> Image:
    if shrinkage == 1:
        return picture
    height, width = (max(1, round(length / shrinkage)) for length in picture.shape[:2])
    return _averaged(picture, (height, width))


def _averaged(picture: Image, size: tuple[int, int]) -> Image:
    """A smaller picture of (height, width) pixels, each the mean of those that it covers."""
    return _as_uint8(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA))


def _grid(side: float, size: tuple[int, int]) -> Grid:
    """Rows and columns of a grid as fine as the pixels, with whole cells for each crop pixel."""
    cells = math.ceil(side / max(size))
    return cells * size[0], cells * size[1]


def _ratios(shrunk: Image, picture: Image) -> list[list[float]]:
    """How many pixels of a shrunk picture one of the picture spans: across, then down."""
    (height, width), (old_height, old_width) = shrunk.shape[:2], picture.shape[:2]
    return [[width / old_width], [height / old_height]]


def _grid_to_picture(square: Square, grid: Grid) -> NDArray[np.float64]:
    """The affine map (2, 3) from a grid over the square to the picture.

    Both are measured from corners: the first cell and the first pixel lie from 0 to 1.
    """
    rows, columns = grid
    x, y = square.center
    cos = math.cos(square.roll) * square.side
    sin = math.sin(square.roll) * square.side
    return np.array(
        [
            [cos / columns, -sin / rows, x + (-cos + sin) / 2],
            [sin / columns, cos / rows, y + (-sin - cos) / 2],
        ]
    )


def _sampled(picture: Image, to_picture: NDArray[np.float64], grid: Grid) -> Image:
    """The picture's values in the centres of a grid of (rows, columns)."""
    samples = cv2.warpAffine(
        picture,
        _between_centers(to_picture),
        grid[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _as_uint8(samples)


def _between_centers(between_corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """An affine map for OpenCV, which measures from the centre of the first pixel."""
    shifted = between_corners.copy()
    shifted[:, 2] += between_corners[:, :2] @ (0.5, 0.5) - 0.5
    return shifted


def _as_uint8(picture: cv2.typing.MatLike) -> Image:
    return picture.astype(np.uint8, copy=False)
