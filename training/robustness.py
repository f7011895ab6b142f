"""How much of its accuracy a version keeps when crops are disturbed as webcams and detectors disturb them.

Each disturbance has five strengths and its own fixed seed, so two versions are measured on the same
pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer.metrics import Scores, Targets, accuracy
from fer.versions.report import Robustness

Image = NDArray[np.uint8]
Disturbance = Callable[[Image, float, np.random.Generator], object]

# heights at which FER2013 has them, in frames; see docs/decisions on crop geometry
EYES, MOUTH = 0.39, 0.75


def measure(answer: Callable[[Image], Scores], images: Image, labels: Targets) -> Robustness:
    """How right `answer` is about faces: under every disturbance at every strength, and what it keeps on average.

    The mean of all is relative to the accuracy on undisturbed faces.
    """
    clean = accuracy(answer(images), labels).value
    disturbed: dict[str, list[float]] = {name: [] for name in DISTURBANCES}
    rounds = [
        (name, i) for name, (_, strengths) in DISTURBANCES.items() for i in range(len(strengths))
    ]
    for name, i in tqdm(rounds, "disturbed crops", unit="round", disable=None):
        disturbed[name].append(accuracy(answer(disturb(images, name, i)), labels).value)
    return Robustness(
        n=len(labels),
        clean=clean,
        strengths={name: strengths for name, (_, strengths) in DISTURBANCES.items()},
        accuracy={name: tuple(values) for name, values in disturbed.items()},
        mean_relative=float(np.mean(list(disturbed.values()))) / clean if clean else 0.0,
    )


def disturb(images: Image, name: str, strength: int) -> Image:
    """The images under one disturbance at strength 0 to 4; the same for every caller."""
    change, strengths = DISTURBANCES[name]
    rng = np.random.default_rng([list(DISTURBANCES).index(name), strength])
    changed = [np.asarray(change(image, strengths[strength], rng)) for image in images]
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def _noise(image: Image, levels: float, rng: np.random.Generator) -> object:
    return image + rng.normal(0, levels, image.shape)


def _blur(image: Image, sigma: float, rng: np.random.Generator) -> object:  # noqa: ARG001
    return cv2.GaussianBlur(image, (0, 0), sigma)


def _motion_blur(image: Image, length: float, rng: np.random.Generator) -> object:
    """The mean of copies along a line of `length` pixels."""
    angle = rng.uniform(0, np.pi)
    places = np.linspace(-length / 2, length / 2, 9)
    return np.mean(
        [_warp(image, shift=(p * np.cos(angle), p * np.sin(angle))) for p in places], axis=0
    )


def _low_light(image: Image, share: float, rng: np.random.Generator) -> object:
    """A share of the light, with the noise that a sensor then adds."""
    return image * share + rng.normal(0, 3, image.shape)


def _over_exposure(image: Image, factor: float, rng: np.random.Generator) -> object:  # noqa: ARG001
    return image * factor


def _jpeg(image: Image, quality: float, rng: np.random.Generator) -> object:  # noqa: ARG001
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)


def _small(image: Image, side: float, rng: np.random.Generator) -> object:  # noqa: ARG001
    small = cv2.resize(image, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _roll(image: Image, degrees: float, rng: np.random.Generator) -> object:
    return _warp(image, degrees=degrees * rng.choice((-1, 1)))


def _shift(image: Image, share: float, rng: np.random.Generator) -> object:
    angle, reach = rng.uniform(0, 2 * np.pi), share * image.shape[0]
    return _warp(image, shift=(reach * np.cos(angle), reach * np.sin(angle)))


def _scale(image: Image, share: float, rng: np.random.Generator) -> object:
    return _warp(image, scale=(1 + share) ** rng.choice((-1, 1)))


def _warp(
    image: Image, degrees: float = 0, scale: float = 1, shift: tuple[float, float] = (0, 0)
) -> Image:
    middle = (image.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees, scale)
    matrix[:, 2] += np.array(shift)
    return np.asarray(
        cv2.warpAffine(image, matrix, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _cover(height: float) -> Disturbance:
    """A grey bar across the face around `height`."""

    def cover(image: Image, share: float, rng: np.random.Generator) -> object:
        side, changed = image.shape[0], image.copy()
        top, bottom = (round(side * (height + sign * share / 2)) for sign in (-1, 1))
        changed[top:bottom, side // 8 : side - side // 8] = rng.integers(0, 256)
        return changed

    return cover


DISTURBANCES: dict[str, tuple[Disturbance, tuple[float, ...]]] = {
    "noise (levels)": (_noise, (4, 8, 12, 18, 25)),
    "blur (sigma, pixels)": (_blur, (0.5, 0.8, 1.1, 1.5, 2.0)),
    "motion blur (pixels)": (_motion_blur, (2, 3.5, 5, 7, 9)),
    "low light (share)": (_low_light, (0.6, 0.45, 0.3, 0.2, 0.12)),
    "over-exposure (factor)": (_over_exposure, (1.2, 1.5, 1.8, 2.2, 2.7)),
    "JPEG (quality)": (_jpeg, (60, 40, 25, 15, 8)),
    "small face (pixels)": (_small, (40, 34, 29, 24, 20)),
    "roll (degrees)": (_roll, (5, 10, 15, 20, 25)),
    "eyes covered (share)": (_cover(EYES), (0.06, 0.1, 0.14, 0.19, 0.25)),
    "mouth covered (share)": (_cover(MOUTH), (0.06, 0.1, 0.14, 0.19, 0.25)),
    "shift (share)": (_shift, (0.03, 0.06, 0.09, 0.12, 0.15)),
    "scale (share)": (_scale, (0.05, 0.1, 0.15, 0.2, 0.3)),
}
