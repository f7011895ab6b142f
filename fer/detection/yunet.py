"""YuNet, whose weights come from the Hub."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from fer.detection.base import REGION, Array, Image, faces_from_points
from fer.detection.pictures import cut_region, longest_side, resized
from fer.detection.weights import yunet_weights
from fer.geometry import Box, Landmarks, Point
from fer.results import Face

_YUNET_SIDE, _YUNET_OPTIONS = 640, (0.7, 0.3, 5000)  # longest side; score, overlap, candidates kept
_YUNET_WEAK = 0.80  # of detections under it one in three is no face, of the others one in fifty


class YuNet:
    """Wu, Peng, Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector".

    Weights from the Hub or from a file.
    """

    name = "yunet"

    def __init__(self, weights: Path | None = None) -> None:
        self._graph = np.frombuffer(yunet_weights(weights), np.uint8)
        self._local = threading.local()
        self._network((_YUNET_SIDE, _YUNET_SIDE))

    def detect(self, image: Image) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces."""
        points, scores = self._candidates(image, _YUNET_SIDE)
        return faces_from_points(points, scores, image, _yunet_landmarks, _YUNET_WEAK)

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces within `region` of about half its side."""
        corner, part = cut_region(image, region)
        points, scores = self._candidates(part, REGION)
        return faces_from_points(points + corner, scores, image, _yunet_landmarks, _YUNET_WEAK)

    def _candidates(self, image: Image, side: int) -> tuple[Array, Array]:
        """Points (n, 7, 2) in picture pixels and scores (n,).

        From a picture shrunk to `side` pixels at most.
        """
        small, ratio = resized(image, min(1.0, side / longest_side(image)))
        network = self._network((small.shape[1], small.shape[0]))
        found = cast("Array | None", network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1])
        rows = np.empty((0, 15), np.float32) if found is None else found
        points = rows[:, :14].reshape(-1, 7, 2).copy()  # top left, size and the landmarks
        points[:, 1] += points[:, 0]
        return points * ratio, rows[:, 14]

    def _network(self, size: tuple[int, int]) -> cv2.FaceDetectorYN:
        """This thread's network, set to pictures of (width, height) pixels."""
        if not hasattr(self._local, "network"):
            self._local.network = cv2.FaceDetectorYN.create(
                "onnx", self._graph, self._graph[:0], size, *_YUNET_OPTIONS
            )
        network: cv2.FaceDetectorYN = self._local.network
        network.setInputSize(size)
        return network


def _yunet_landmarks(points: list[Point]) -> Landmarks:
    *eyes, nose, (x1, y1), (x2, y2) = points
    left_eye, right_eye = sorted(eyes)
    return Landmarks(left_eye, right_eye, nose, ((x1 + x2) / 2, (y1 + y2) / 2))
