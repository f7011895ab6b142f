"""Random views of 48x48 grey faces: what a detector's jitter, a tilted head and a lamp do to a crop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ROLL = 15.0  # degrees, either way
SCALE = (0.88, 1.14)
SHIFT = 0.08  # of the side, either way
GAMMA = 0.35  # standard deviation of log2(gamma)
CONTRAST = (0.75, 1.25)
BRIGHTNESS = 25.0  # grey levels, either way
ERASE = (0.1, 0.35)  # side of the erased patch, of the crop's side
ERASE_PROBABILITY = 0.4


def augment(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A random view of each image: (n, side, side) uint8 -> the same shape; the input is left alone."""
    return np.stack([_erase(_light(_move(image, rng), rng), rng) for image in images])


def _move(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    side = image.shape[0]
    center = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((center, center), rng.uniform(-ROLL, ROLL), rng.uniform(*SCALE))
    matrix[:, 2] += rng.uniform(-SHIFT, SHIFT, 2) * side
    if rng.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, side - 1], [0, 1, 0], [0, 0, 1]], np.float64)
    moved = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return moved.astype(np.uint8, copy=False)


def _light(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    levels = (np.arange(256) / 255.0) ** (2.0 ** rng.normal(0.0, GAMMA)) * 255.0
    levels = (levels - 128.0) * rng.uniform(*CONTRAST) + 128.0 + rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    return cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8)).astype(np.uint8, copy=False)


def _erase(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    if rng.random() >= ERASE_PROBABILITY:
        return image
    side = image.shape[0]
    height, width = (rng.uniform(*ERASE, 2) * side).astype(int)
    y, x = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
    image[y : y + height, x : x + width] = rng.integers(0, 256)
    return image
