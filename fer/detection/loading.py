"""The detectors by name."""

from __future__ import annotations

from fer.detection.base import FaceDetector
from fer.detection.blazeface import BlazeFace
from fer.detection.whole_picture import WholePicture
from fer.detection.yunet import YuNet
from fer.errors import ModelError

DETECTORS = ("blazeface", "yunet", "none")
"""The names that `load_detector` knows."""


def load_detector(name: str, *, threads: int = 2) -> FaceDetector:
    """The detector of a name.

    Args:
        name: One of `DETECTORS`. BlazeFace is fast and always there; YuNet is fetched from the Hub
            once; "none" takes the whole picture for a face.
        threads: How many threads BlazeFace uses for a picture.

    Returns:
        A detector that is ready, and safe to call from many threads.

    Raises:
        ModelError: there is no such detector, or its weights are missing or damaged.
        DownloadError: its weights are out of reach.

    Example:
        >>> import numpy as np
        >>> from fer import load_detector
        >>> load_detector("blazeface").detect(np.zeros((100, 100, 3), np.uint8))
        []
    """
    if name not in DETECTORS:
        raise ModelError(f"there is no detector {name!r}; choose one of {', '.join(DETECTORS)}.")
    if name == "none":
        return WholePicture()
    return BlazeFace(threads=threads) if name == "blazeface" else YuNet()
