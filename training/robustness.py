"""How much of its accuracy a version keeps on corrupted crops, as webcams and detectors give them.

Each corruption has five strengths and its own fixed seed, so that all versions are measured on the
same pixels (after Hendrycks and Dietterich 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer.metrics import Scores, Targets, accuracy
from fer.versions.report import Robustness

Image = NDArray[np.uint8]
Change = Callable[[Image, float, np.random.Generator], object]

# the heights at which FER2013 has them, in heights of the picture
EYES = 0.39
MOUTH = 0.75


@dataclass(frozen=True)
class Corruption:
    """A change of a test picture, in five strengths from weak to strong."""

    change: Change
    strengths: tuple[float, ...]


def measure(predict: Callable[[Image], Scores], images: Image, targets: Targets) -> Robustness:
    """The accuracy of `predict` under every corruption at every strength.

    `mean_relative` is the mean of all, relative to the accuracy on the pictures as they are.
    """
    clean = accuracy(predict(images), targets).value
    accuracies: dict[str, list[float]] = {name: [] for name in CORRUPTIONS}
    rounds = [
        (name, strength)
        for name, corruption in CORRUPTIONS.items()
        for strength in range(len(corruption.strengths))
    ]
    for name, strength in tqdm(rounds, "corrupted crops", unit="round", disable=None):
        scores = predict(corrupt(images, name, strength))
        accuracies[name].append(accuracy(scores, targets).value)
    mean = float(np.mean(list(accuracies.values())))
    return Robustness(
        n=len(targets),
        clean=clean,
        strengths={name: known.strengths for name, known in CORRUPTIONS.items()},
        accuracy={name: tuple(values) for name, values in accuracies.items()},
        mean_relative=mean / clean if clean else 0.0,
    )


def corrupt(images: Image, name: str, strength: int) -> Image:
    """The images under one corruption at strength 0 to 4; the same for every caller."""
    corruption = CORRUPTIONS[name]
    rng = np.random.default_rng([list(CORRUPTIONS).index(name), strength])
    value = corruption.strengths[strength]
    corrupted = [np.asarray(corruption.change(image, value, rng)) for image in images]
    return np.clip(np.rint(corrupted), 0, 255).astype(np.uint8)


def _noise(image: Image, levels: float, rng: np.random.Generator) -> object:
    return image + rng.normal(0, levels, image.shape)


def _blur(image: Image, sigma: float, rng: np.random.Generator) -> object:  # noqa: ARG001
    return cv2.GaussianBlur(image, (0, 0), sigma)


def _motion_blur(image: Image, length: float, rng: np.random.Generator) -> object:
    """The mean of copies along a line of `length` pixels."""
    angle = rng.uniform(0, np.pi)
    distances = np.linspace(-length / 2, length / 2, 9)
    copies = [_moved(image, distance, angle) for distance in distances]
    return np.mean(copies, axis=0)


def _low_light(image: Image, share: float, rng: np.random.Generator) -> object:
    """A share of the light, with the noise that a sensor then adds."""
    return image * share + rng.normal(0, 3, image.shape)


def _over_exposure(image: Image, factor: float, rng: np.random.Generator) -> object:  # noqa: ARG001
    return image * factor


def _jpeg(image: Image, quality: float, rng: np.random.Generator) -> object:  # noqa: ARG001
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)


def _small_face(image: Image, side: float, rng: np.random.Generator) -> object:  # noqa: ARG001
    small = cv2.resize(image, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _roll(image: Image, degrees: float, rng: np.random.Generator) -> object:
    return _warp(image, degrees=degrees * rng.choice((-1, 1)))


def _shift(image: Image, share: float, rng: np.random.Generator) -> object:
    angle = rng.uniform(0, 2 * np.pi)
    return _moved(image, share * image.shape[0], angle)


def _scale(image: Image, share: float, rng: np.random.Generator) -> object:
    return _warp(image, scale=(1 + share) ** rng.choice((-1, 1)))


def _moved(image: Image, distance: float, angle: float) -> Image:
    return _warp(image, shift=(distance * np.cos(angle), distance * np.sin(angle)))


def _warp(
    image: Image, degrees: float = 0, scale: float = 1, shift: tuple[float, float] = (0, 0)
) -> Image:
    middle = (image.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees, scale)
    matrix[:, 2] += np.array(shift)
    size = image.shape[::-1]
    warped = cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _cover(height: float) -> Change:
    """A grey bar across the face around `height`."""

    def cover(image: Image, share: float, rng: np.random.Generator) -> object:
        side = image.shape[0]
        top = round(side * (height - share / 2))
        bottom = round(side * (height + share / 2))
        margin = side // 8
        covered = image.copy()
        covered[top:bottom, margin : side - margin] = rng.integers(0, 256)
        return covered

    return cover


CORRUPTIONS: dict[str, Corruption] = {
    "noise (levels)": Corruption(_noise, (4, 8, 12, 18, 25)),
    "blur (sigma, pixels)": Corruption(_blur, (0.5, 0.8, 1.1, 1.5, 2.0)),
    "motion blur (pixels)": Corruption(_motion_blur, (2, 3.5, 5, 7, 9)),
    "low light (share)": Corruption(_low_light, (0.6, 0.45, 0.3, 0.2, 0.12)),
    "over-exposure (factor)": Corruption(_over_exposure, (1.2, 1.5, 1.8, 2.2, 2.7)),
    "JPEG (quality)": Corruption(_jpeg, (60, 40, 25, 15, 8)),
    "small face (pixels)": Corruption(_small_face, (40, 34, 29, 24, 20)),
    "roll (degrees)": Corruption(_roll, (5, 10, 15, 20, 25)),
    "eyes covered (share)": Corruption(_cover(EYES), (0.06, 0.1, 0.14, 0.19, 0.25)),
    "mouth covered (share)": Corruption(_cover(MOUTH), (0.06, 0.1, 0.14, 0.19, 0.25)),
    "shift (share)": Corruption(_shift, (0.03, 0.06, 0.09, 0.12, 0.15)),
    "scale (share)": Corruption(_scale, (0.05, 0.1, 0.15, 0.2, 0.3)),
}
"""By name, with the unit of its strengths; `metrics.json` and the pages name them so."""
