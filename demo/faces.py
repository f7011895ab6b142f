"""Draw a small data set of faces, in the form of fer2013.npz, for trying the tools without FER2013.

    python -m demo.faces build/fer2013.npz --images 200

    a tiny set:
    python -m demo.faces build/fer2013.npz --images 8

Takes a second and prints how many faces there are to train on. The faces are simple drawings, such
that the bundled version reads most of them: numbers measured on them say nothing of real faces.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from fer.cli.application import run_script
from training.data.classes import CLASSES
from training.data.fer2013 import SIDE

Image = NDArray[np.uint8]
Point = tuple[float, float]

CANVAS = 192  # drawn large, then made small, as a photo is
WHITE = 250


@dataclass(frozen=True)
class Look:
    """What tells an expression: pixels on the canvas, and each mouth as `cv2.ellipse` takes it."""

    eye: int
    brow: int
    slope: int
    mouth: tuple[int, int, int, int, int, int]
    """Below the nose, half width, half height, first and last angle, thickness."""
    teeth: bool = False


LOOKS = {
    "happy": Look(4, 26, 0, (32, 40, 26, 0, 180, -1), teeth=True),
    "sad": Look(5, 14, 14, (60, 24, 16, 200, 340, 5)),
    "neutral": Look(4, 18, -3, (44, 22, 1, 0, 360, 5)),
    "surprise": Look(13, 34, 0, (52, 15, 22, 0, 360, -1)),
}


def write_faces(path: Path, images: int, seed: int = 0) -> Path:
    """Write this many faces for training, half as many for each of validation and test."""
    rng = np.random.default_rng(seed)
    counts = (images, images // 2, images // 2)
    names = list(itertools.islice(itertools.cycle(LOOKS), sum(counts)))
    np.savez_compressed(
        path,
        images=np.stack([face(LOOKS[name], rng) for name in names]),
        label=np.array([CLASSES.index(name) for name in names], np.uint8),
        usage=np.repeat(np.arange(3), counts).astype(np.uint8),
    )
    return path


def face(look: Look, rng: np.random.Generator) -> Image:
    """A face (48, 48) whose place, size, tilt, skin, hair, light and noise come by chance."""
    canvas = np.full((CANVAS, CANVAS), rng.integers(20, 120), np.uint8)
    skin = int(rng.integers(140, 220))
    dark = int(rng.integers(10, 60))
    middle = (CANVAS / 2 + rng.normal(0, 4), CANVAS / 2 + rng.normal(0, 4))
    size = (62 + rng.normal(0, 4), 84 + rng.normal(0, 4))
    _head(canvas, middle, size, skin, dark)
    for side in (-1, 1):
        _eye(canvas, (middle[0] + side * 27, middle[1] - 18), side, look, dark)
    _mouth(canvas, middle, look, dark)
    return _photo(canvas, rng)


def _head(canvas: Image, middle: Point, size: Point, skin: int, dark: int) -> None:
    (x, y), (width, height) = middle, size
    _ellipse(canvas, (x, y - 12), (width + 6, height + 2), (180, 360), dark)
    _ellipse(canvas, middle, size, (0, 360), skin)
    _ellipse(canvas, (x, y - 0.85 * height), (0.95 * width, 0.35 * height), (0, 360), dark)
    _line(canvas, (x - 5, y + 18), (x + 6, y + 20), skin - 45)


def _eye(canvas: Image, at: Point, side: int, look: Look, dark: int) -> None:
    x, y = at
    _ellipse(canvas, at, (13, look.eye), (0, 360), WHITE)
    _ellipse(canvas, at, (6, min(6, look.eye)), (0, 360), dark)
    _ellipse(canvas, at, (13, look.eye), (180, 360), dark, 2)
    outer_end = (x + side * 14, y - look.brow + look.slope / 2)
    inner_end = (x - side * 14, y - look.brow - look.slope / 2)
    _line(canvas, outer_end, inner_end, dark)


def _mouth(canvas: Image, middle: Point, look: Look, dark: int) -> None:
    below, width, height, first, last, thickness = look.mouth
    at = (middle[0], middle[1] + below)
    _ellipse(canvas, at, (width, height), (first, last), dark, thickness)
    if look.teeth:
        _ellipse(canvas, (at[0], at[1] + 1), (width - 4, height - 8), (first, last), WHITE)


def _photo(canvas: Image, rng: np.random.Generator) -> Image:
    """Tilted, blurred, lit from one side, small and noisy."""
    center = (CANVAS / 2, CANVAS / 2)
    turn = cv2.getRotationMatrix2D(center, rng.normal(0, 6), rng.uniform(1.0, 1.2))
    turned = cv2.warpAffine(canvas, turn, (CANVAS, CANVAS), borderMode=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(turned, (0, 0), 2.5)
    small = cv2.resize(blurred, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    light = 1 + 0.35 * rng.uniform(-1, 1) * np.linspace(-1, 1, SIDE)
    return (small * light + rng.normal(0, 8, small.shape)).clip(0, 255).astype(np.uint8)


def _ellipse(
    canvas: Image, at: Point, size: Point, angles: tuple[int, int], shade: int, thickness: int = -1
) -> None:
    cv2.ellipse(canvas, _whole(at), _whole(size), 0, *angles, shade, thickness)


def _line(canvas: Image, start: Point, end: Point, shade: int) -> None:
    cv2.line(canvas, _whole(start), _whole(end), shade, 5)


def _whole(point: Point) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def main(
    path: Annotated[Path, typer.Argument(help="file to write, fer2013.npz")],
    *,
    images: Annotated[int, typer.Option(help="for training")] = 200,
) -> None:
    """Write the data set."""
    print(f"{write_faces(path, images)}: {images} drawn faces to train on")


if __name__ == "__main__":
    run_script(main, __doc__)
