"""YuNet, whose weights come from the Hub."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.detection.base import Image
from fer.detection.candidates import Array, Candidates
from fer.detection.pictures import REGION_SIDE, cut_region, longest_side, resized
from fer.detection.weights import yunet_weights
from fer.geometry import Box, Landmarks, Point
from fer.results import Face

_SIDE = 640
"""The longest side of the network's input for a whole picture, in pixels."""

_LEAST_SCORE = 0.7
_SAME_FACE = 0.3  # intersection over union
_MOST_CANDIDATES = 5000

_WEAK_BELOW = 0.80
"""Of detections under this score one in three is no face, of the others one in fifty."""


class YuNet:
    """A detector for the desktop, with weights from the Hub or from a file.

    Args:
        weights: The ONNX graph; by default it is fetched from the Hub once.

    Raises:
        ModelError: the file is missing or damaged.
        DownloadError: the Hub is out of reach.

    Source:
        Wu, Peng, Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector".

    Example:
        >>> import numpy as np
        >>> from fer import YuNet
        >>> YuNet().detect(np.zeros((100, 100, 3), np.uint8))  # doctest: +SKIP
        []
    """

    name = "yunet"

    def __init__(self, weights: Path | None = None) -> None:
        graph = np.frombuffer(yunet_weights(weights), np.uint8)
        self._network_of_thread = _NetworkOfThread(graph)

    def detect(self, image: Image) -> list[Face]:
        """Find the faces of a picture.

        Args:
            image: RGB uint8 (height, width, 3).

        Returns:
            Faces with eyes, nose and mouth in pixels of the picture, the largest first.

        Raises:
            ValueError: the picture is not RGB uint8.
        """
        return _faces(self._candidates(image, _SIDE), image)

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """Find the faces within a region about twice as high as they are.

        Args:
            image: RGB uint8 (height, width, 3).
            region: Where to search, in pixels.

        Returns:
            Faces in pixels of the picture, the largest first.

        Raises:
            ValueError: the picture is not RGB uint8.
        """
        corner, part = cut_region(image, region)
        found = self._candidates(part, REGION_SIDE)
        return _faces(found.moved(corner), image)

    def _candidates(self, image: Image, side: int) -> Candidates:
        """What a picture shows that is shrunk to `side` pixels at most, in its own pixels."""
        small, ratio = resized(image, min(1.0, side / longest_side(image)))
        rows = self._rows(small)
        return Candidates(_points(rows) * ratio, rows[:, 14])

    def _rows(self, image: Image) -> Array:
        """The network's output, (n, 15)."""
        network = self._network_of_thread.network
        height, width = image.shape[:2]
        network.setInputSize((width, height))
        _, output = network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        rows = cast("Array | None", output)  # the stubs do not know that it may be None
        return np.empty((0, 15), np.float32) if rows is None else rows


class _NetworkOfThread(threading.local):
    """A network for each thread that asks for it, since its input size is a state."""

    def __init__(self, graph: NDArray[np.uint8]) -> None:
        no_config = graph[:0]
        size = (_SIDE, _SIDE)
        self.network: cv2.FaceDetectorYN = cv2.FaceDetectorYN.create(
            "onnx", graph, no_config, size, _LEAST_SCORE, _SAME_FACE, _MOST_CANDIDATES
        )


def _faces(found: Candidates, image: Image) -> list[Face]:
    return found.faces(image, _landmarks, weak_below=_WEAK_BELOW)


def _points(rows: Array) -> Array:
    """Corners and landmarks (n, 7, 2) of the network's rows."""
    points = rows[:, :14].reshape(-1, 7, 2).copy()  # top left, size and the landmarks
    points[:, 1] += points[:, 0]
    return points


def _landmarks(points: list[Point]) -> Landmarks:
    *eyes, nose, (x1, y1), (x2, y2) = points
    left_eye, right_eye = sorted(eyes)
    mouth = ((x1 + x2) / 2, (y1 + y2) / 2)
    return Landmarks(left_eye, right_eye, nose, mouth)
