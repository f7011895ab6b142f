"""Resize pictures and cut parts of them for a detector."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.detection.base import Image
from fer.detection.candidates import Array
from fer.geometry import Box

REGION_SIDE = 128
"""Side in pixels of a network's input for a region of a picture, whichever the detector."""


class Part(NamedTuple):
    """A part of a picture."""

    corner: Array
    """Where its top left corner lies in the picture, (x, y) in pixels."""
    image: Image


def longest_side(image: Image) -> int:
    """Of a picture, in pixels; ValueError if it is none."""
    check_picture(image)
    return int(max(image.shape[:2]))


def check_picture(image: Image) -> None:
    """Raise ValueError for what is not RGB uint8 (height, width, 3)."""
    is_rgb = image.ndim == 3 and image.shape[2] == 3
    if image.dtype != np.uint8 or not is_rgb or not image.size:
        raise ValueError(
            f"a picture must be RGB uint8 (height, width, 3), received {image.dtype} {image.shape}"
        )


def resized(image: Image, scale: float) -> tuple[Image, Array]:
    """The resized picture, and how many pixels of the picture (x, y) one of its pixels spans."""
    height, width = image.shape[:2]
    new_height, new_width = _scaled_size(image, scale)
    small = cv2.resize(image, (new_width, new_height), interpolation=_method(scale))
    ratio = np.array((width / new_width, height / new_height), np.float32)
    return np.asarray(small, np.uint8), ratio


def _method(scale: float) -> int:
    return cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR


def _scaled_size(image: Image, scale: float) -> tuple[int, int]:
    """(height, width) of a picture `scale` times as large, at least one pixel each."""
    height, width = image.shape[:2]
    return _scaled(height, scale), _scaled(width, scale)


def _scaled(length: int, scale: float) -> int:
    return max(1, round(length * scale))


def cut_region(image: Image, region: Box) -> Part:
    """The part of a picture that a region covers, at least one pixel."""
    check_picture(image)
    height, width = image.shape[:2]
    left, right = _span(region.x1, region.x2, width)
    top, bottom = _span(region.y1, region.y2, height)
    return _part(image, left, top, right, bottom)


def _span(start: float, end: float, length: int) -> tuple[int, int]:
    """The first pixel, and the one past the last, that a span covers; at least one is between."""
    first = min(max(int(start), 0), length - 1)
    return first, max(first + 1, math.ceil(end))


def cut_tiles(image: Image, count: int, share: float) -> list[Part]:
    """`count` times `count` parts that cover a picture and overlap, each `share` of its sides."""
    height, width = _scaled_size(image, share)
    tops = _starts(image.shape[0], height, count)
    lefts = _starts(image.shape[1], width, count)
    return [_part(image, x, y, x + width, y + height) for y in tops for x in lefts]


def _starts(length: int, tile: int, count: int) -> NDArray[np.integer]:
    """Where evenly spaced tiles of a row or column begin."""
    return np.linspace(0, length - tile, count).astype(int)


def _part(image: Image, left: int, top: int, right: int, bottom: int) -> Part:
    corner = np.array((left, top), np.float32)
    return Part(corner, image[top:bottom, left:right])
