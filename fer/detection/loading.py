"""The detectors by name."""

from __future__ import annotations

from fer.detection.base import FaceDetector
from fer.detection.blazeface import BlazeFace
from fer.detection.whole_picture import WholePicture
from fer.detection.yunet import YuNet
from fer.errors import ModelError

DETECTORS = ("blazeface", "yunet", "none")


def load_detector(name: str, *, threads: int = 2) -> FaceDetector:
    """The detector called `name`.

    Raises ModelError for other names, DownloadError if its weights are out of reach.
    """
    if name not in DETECTORS:
        raise ModelError(f"there is no detector {name!r}; choose one of {', '.join(DETECTORS)}.")
    if name == "none":
        return WholePicture()
    return BlazeFace(threads=threads) if name == "blazeface" else YuNet()
