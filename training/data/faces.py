"""Cut the faces of labelled photographs as `fer` cuts them when it serves."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer import FaceDetector, load_detector
from fer.cli.console import without_chatter
from fer.preprocessing import GEOMETRIES, CropGeometry, crop_faces
from training.data.classes import EMOTIONS, FERPLUS_INDEX
from training.data.photographs import Photographs


@dataclass(frozen=True)
class Faces:
    """The main face of each photograph.

    Attributes:
        crops: (n, side, side) uint8, grey; black where no face was found.
        found: (n,) bool.
    """

    crops: NDArray[np.uint8]
    found: NDArray[np.bool_]


@dataclass(frozen=True)
class WideFaces:
    """Faces that were found in photographs, each with some of what lies around it.

    Attributes:
        crops: (n, wide, wide) uint8, grey; the middle `side` pixels are the crop that is served.
        targets: (n,) int8, indices of `EMOTIONS`.
        people: (n,) int32, a number for each person.
        side: Of the served crop, in pixels.
    """

    crops: NDArray[np.uint8]
    targets: NDArray[np.int8]
    people: NDArray[np.int32]
    side: int

    def __len__(self) -> int:
        return len(self.crops)

    def select(self, rows: NDArray[np.int64]) -> WideFaces:
        """The faces of these rows."""
        return WideFaces(self.crops[rows], self.targets[rows], self.people[rows], self.side)

    @property
    def served_crops(self) -> NDArray[np.uint8]:
        """The crops that are served: (n, side, side)."""
        edge = (self.crops.shape[1] - self.side) // 2
        return self.crops[:, edge : edge + self.side, edge : edge + self.side]

    @property
    def label_targets(self) -> NDArray[np.int8]:
        """The targets as indices of `fer.LABELS`, -1 for an emotion that is none of them."""
        label_of = np.full(len(EMOTIONS), -1, np.int8)
        label_of[list(FERPLUS_INDEX)] = np.arange(len(FERPLUS_INDEX))
        return label_of[self.targets]


def cut_faces(
    photographs: Photographs,
    detector: FaceDetector,
    geometry: CropGeometry,
    side: int,
    cache: Path | None = None,
) -> Faces:
    """Find the largest face of each picture and cut it; with a folder `cache`, only once."""
    if cache is None:
        return _cut_all(photographs, detector, geometry, side)
    settings = f"{photographs.sha256} {detector.name} {geometry} {side}"
    path = cache / f"faces-{hashlib.sha256(settings.encode()).hexdigest()[:24]}.npz"
    if path.is_file():
        return _read(path)
    faces = _cut_all(photographs, detector, geometry, side)
    _write(path, faces)
    return faces


def cut_wide(photographs: Photographs, side: int, scale: float) -> WideFaces:
    """Find faces with BlazeFace and cut them a third wider than they are served; cached.

    Args:
        photographs: Pictures of one face each.
        side: Of the served crop, in pixels.
        scale: How much larger the served crop is than `GEOMETRIES` says.
    """
    wide_side = side + 2 * (side // 6)
    served = GEOMETRIES["blazeface"]
    geometry = replace(served, scale=served.scale * scale * wide_side / side)
    with without_chatter():
        detector = load_detector("blazeface")
    faces = cut_faces(photographs, detector, geometry, wide_side, user_cache())
    found = photographs.select(np.flatnonzero(faces.found))
    return WideFaces(faces.crops[faces.found], found.targets, found.people, side)


def user_cache() -> Path:
    """Where faces are kept between runs: `fer-studio` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "fer-studio"


def _cut_all(
    photographs: Photographs, detector: FaceDetector, geometry: CropGeometry, side: int
) -> Faces:
    images = tqdm(photographs.images(), total=len(photographs), unit="face", disable=None)
    crops = [_cut(image, detector, geometry, side) for image in images]
    found = np.array([crop is not None for crop in crops], bool)
    black = np.zeros((side, side), np.uint8)
    return Faces(np.stack([black if crop is None else crop for crop in crops]), found)


def _cut(
    image: NDArray[np.uint8], detector: FaceDetector, geometry: CropGeometry, side: int
) -> NDArray[np.uint8] | None:
    faces = detector.detect(image)
    return crop_faces(image, faces[:1], geometry, (side, side))[0] if faces else None


def _read(path: Path) -> Faces:
    with np.load(path, allow_pickle=False) as arrays:
        return Faces(arrays["crops"], arrays["found"])


def _write(path: Path, faces: Faces) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.npz")
    np.savez_compressed(unfinished, crops=faces.crops, found=faces.found)
    unfinished.replace(path)
