"""Random changes of training faces: what detectors, heads, light and webcams do to a crop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Augmentation:
    """How far a crop is changed. Lengths are shares of the side, angles degrees, levels of 255."""

    roll: float = 8.0  # standard deviation
    scale: tuple[float, float] = (0.85, 1.2)
    shift: float = 0.08  # either way
    perspective: float = 0.05  # of each corner, either way
    gamma: float = 0.35  # standard deviation of log2(gamma)
    contrast: tuple[float, float] = (0.7, 1.3)
    brightness: float = 20.0  # either way
    uneven: float = 0.2  # probability of light from one side
    small: float = 0.12  # probability of a face of 18 to 40 pixels, enlarged
    blur: float = 0.16  # probability, half of it along a line as a moving head is
    noise: float = 0.2  # probability, of 2 to 20 levels
    jpeg: float = 0.12  # probability, of quality 15 to 70
    erase: float = 0.3  # probability of a patch of a tenth to four tenths of the side


def augment(
    images: Iterable[Image],
    rng: np.random.Generator,
    augmentation: Augmentation,
    side: int,
) -> Image:
    """A randomly changed crop of each square uint8 image: (n, side, side) around its middle.

    The input is left alone. Warping a face onto a smaller side cuts its margin off and keeps its
    scale.
    """
    return np.stack([_changed(image, rng, augmentation, side) for image in images])


def mixup(
    images: NDArray[np.float32],
    targets: NDArray[np.float32],
    alpha: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each image, and its targets, with some of another's (Zhang et al. 2018)."""
    if not alpha:
        return images, targets
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    share = np.maximum(share, 1 - share)[:, None]
    other = rng.permutation(len(images))
    image_share = share[:, :, None, None]
    mixed_images = image_share * images + (1 - image_share) * images[other]
    mixed_targets = share * targets + (1 - share) * targets[other]
    return mixed_images, mixed_targets


def _changed(image: Image, rng: np.random.Generator, a: Augmentation, side: int) -> Image:
    image = _warp(image, rng, a, side)
    small, blur, noise, jpeg, erase, uneven = rng.random(6)
    if small < a.small:
        image = _enlarge(image, int(rng.integers(18, 41)))
    if blur < a.blur / 2:
        image = _motion_blur(image, rng)
    elif blur < a.blur:
        image = _blur(image, rng.uniform(0.4, 1.6))
    image = _tone(image, rng, a)
    if uneven < a.uneven:
        image = _light_from_one_side(image, rng)
    if noise < a.noise:
        image = _noise(image, rng)
    if jpeg < a.jpeg:
        image = _compress(image, int(rng.integers(15, 71)))
    return _erase(image, rng) if erase < a.erase else image


def _warp(image: Image, rng: np.random.Generator, a: Augmentation, side: int) -> Image:
    """Flip, turn, scale, shift and tilt at once, onto `side` pixels."""
    size = image.shape[0]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.5
    rotation = _rotation(np.deg2rad(rng.normal(0, a.roll)))
    tilted = corners + rng.uniform(-a.perspective, a.perspective, (4, 2))
    source = tilted @ rotation / rng.uniform(*a.scale)
    source = (source + rng.uniform(-a.shift, a.shift, 2)) * (side / size)
    if rng.random() < 0.5:
        source[:, 0] *= -1
    matrix = cv2.getPerspectiveTransform(_pixels(source, size), _pixels(corners, side))
    warped = cv2.warpPerspective(image, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    return _uint8(warped)


def _rotation(angle: float) -> NDArray[np.float64]:
    cosine = np.cos(angle)
    sine = np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def _pixels(points: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """Points around the middle, in sides, as places of pixels."""
    return ((points + 0.5) * side - 0.5).astype(np.float32)


def _enlarge(image: Image, size: int) -> Image:
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return _uint8(cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _blur(image: Image, sigma: float) -> Image:
    return _uint8(cv2.GaussianBlur(image, (0, 0), sigma))


def _motion_blur(image: Image, rng: np.random.Generator) -> Image:
    kernel = np.zeros((7, 7), np.float32)
    reach = rng.uniform(1, 3.4) * np.exp(1j * rng.uniform(0, np.pi))
    start = (round(3 - reach.real), round(3 - reach.imag))
    end = (round(3 + reach.real), round(3 + reach.imag))
    cv2.line(kernel, start, end, 1.0)
    return _uint8(cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101))


def _tone(image: Image, rng: np.random.Generator, a: Augmentation) -> Image:
    """Another gamma, contrast and brightness."""
    gamma = 2.0 ** rng.normal(0.0, a.gamma)
    levels = (np.arange(256) / 255.0) ** gamma * 255.0
    levels = (levels - 128.0) * rng.uniform(*a.contrast) + 128.0
    levels += rng.uniform(-a.brightness, a.brightness)
    return _uint8(cv2.LUT(image, _clip(levels)))


def _light_from_one_side(image: Image, rng: np.random.Generator) -> Image:
    """Light that falls off across the face, by up to four tenths from its middle."""
    steps = np.linspace(-1, 1, image.shape[0], dtype=np.float32)
    direction = np.exp(1j * rng.uniform(0, 2 * np.pi)) * rng.uniform(0.1, 0.4)
    across = steps * np.float32(direction.real)
    down = steps[:, None] * np.float32(direction.imag)
    return _clip(image.astype(np.float32) * (1 + across + down))


def _noise(image: Image, rng: np.random.Generator) -> Image:
    noise = rng.standard_normal(image.shape, np.float32)
    return _clip(image + noise * rng.uniform(2, 20))


def _compress(image: Image, quality: int) -> Image:
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return _uint8(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def _erase(image: Image, rng: np.random.Generator) -> Image:
    """Random erasing (Zhong et al. 2020): a patch of one grey, or of noise."""
    side = image.shape[0]
    height, width = (rng.uniform(0.1, 0.4, 2) * side).astype(int)
    y = rng.integers(0, side - height + 1)
    x = rng.integers(0, side - width + 1)
    shape = (height, width) if rng.random() < 0.5 else (1, 1)
    image[y : y + height, x : x + width] = rng.integers(0, 256, shape)
    return image


def _clip(levels: NDArray[np.floating]) -> Image:
    return np.clip(levels, 0, 255).astype(np.uint8)


def _uint8(image: object) -> Image:
    """OpenCV's annotations allow any kind of array; what goes in as uint8 comes out as uint8."""
    return np.asarray(image, np.uint8)
