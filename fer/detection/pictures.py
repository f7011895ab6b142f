"""Resize pictures and cut parts of them for a detector."""

from __future__ import annotations

import math

import cv2
import numpy as np

from fer.detection.base import Array, Image
from fer.geometry import Box

Tile = tuple[Array, Image]


def longest_side(image: Image) -> int:
    check_picture(image)
    return int(max(image.shape[:2]))


def check_picture(image: Image) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            f"a picture must be RGB uint8 (height, width, 3), received {image.dtype} {image.shape}"
        )


def resized(image: Image, scale: float) -> tuple[Image, Array]:
    """The resized picture, and how many pixels of the picture (x, y) one of its pixels spans."""
    (height, width), method = image.shape[:2], cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
    return small, np.array((width / size[0], height / size[1]), np.float32)


def cut_region(image: Image, region: Box) -> tuple[Array, Image]:
    """The part of a picture that a region covers, at least one pixel, and its top left corner (x.

    Y).
    """
    check_picture(image)
    height, width = image.shape[:2]
    left, top = min(max(int(region.x1), 0), width - 1), min(max(int(region.y1), 0), height - 1)
    right, bottom = max(left + 1, math.ceil(region.x2)), max(top + 1, math.ceil(region.y2))
    return np.array((left, top), np.float32), image[top:bottom, left:right]


def cut_tiles(image: Image, count: int, part: float) -> list[Tile]:
    """Overlapping parts of a picture, `count` a side and `part` of it long.

    Each with its top left corner (x, y).
    """
    height, width = (max(1, round(side * part)) for side in image.shape[:2])
    rows = np.linspace(0, image.shape[0] - height, count).astype(int)
    columns = np.linspace(0, image.shape[1] - width, count).astype(int)
    return [
        (np.array((x, y), np.float32), image[y : y + height, x : x + width])
        for y in rows
        for x in columns
    ]
