"""Pictures whose values are known, and photos of faces."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer import Face

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "app_pages" / "photos" / "samples"
SHARED = ROOT.parent / "shared"
YUNET_WEIGHTS = SHARED / "weights" / "face_detection_yunet_2023mar.onnx"

PORTRAIT = SAMPLES / "grace-hopper.jpg"

Picture = NDArray[np.uint8]


def picture(grey: NDArray[np.generic]) -> Picture:
    return np.repeat(np.rint(grey).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def ramps(height: int, width: int) -> tuple[Picture, Picture]:
    """Pictures that grow by 255 from edge to edge, across and down."""
    across, down = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return picture(255 * across + 0 * down[:, None]), picture(255 * down[:, None] + 0 * across)


def noise(height: int, width: int) -> Picture:
    """Colours without any face."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def copy_portrait(root: Path, *names: str) -> Path:
    """A folder with the same portrait under every name."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PORTRAIT, path)
    return root


def photo(name: str) -> Picture:
    """A photo of faces that is not part of the project; without it, the test is skipped."""
    path = SHARED / "data" / "photos" / name
    if not path.is_file():
        pytest.skip(f"needs the photo {path}, which is not there")
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def corners(face: Face) -> NDArray[np.float64]:
    """Of a face, before it was clipped to the picture: left, top, right, bottom."""
    return np.array((face.extent.x1, face.extent.y1, face.extent.x2, face.extent.y2))
