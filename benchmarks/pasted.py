"""Faces of FER2013 pasted into larger pictures and found again, cut in one way or another."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer import Box, EmotionClassifier, Face, FaceDetector
from fer.intervals import Z_95, wilson
from fer.preprocessing import GEOMETRIES, CropGeometry, crop_faces
from training.data.fer2013 import SIDE
from training.data.resizing import predict

CANVAS = (480, 640)  # rows, columns of the larger pictures
FACE_SIDE = (64.0, 320.0)  # pixels
ROLL = 15.0  # degrees, either way
SCALES = (0.80, 0.85, 0.90, 0.95, 1.00, 1.05, 1.10, 1.15)  # tried around the measured one
EYES = ("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y")


@dataclass(frozen=True)
class Pasted:
    """A larger picture with a 48x48 face in it, and the face's centre and side in pixels."""

    image: NDArray[np.uint8]
    center: tuple[float, float]
    side: float

    def find(self, detector: FaceDetector) -> Face | None:
        """The detected face nearest to the pasted one, if it lies within a third of its side."""
        faces = detector.detect(self.image)
        nearest = min(faces, key=self._distance, default=None)
        if nearest is None or self._distance(nearest) >= self.side / 3:
            return None
        return nearest

    def _distance(self, face: Face) -> float:
        return math.dist(face.box.center, self.center)


def paste(image: NDArray[np.uint8], rng: np.random.Generator) -> Pasted:
    """Lay a 48x48 face at random size, place and roll on a cloudy grey background."""
    rows, columns = CANVAS
    side = rng.uniform(*FACE_SIDE)
    roll = math.radians(rng.uniform(-ROLL, ROLL))
    reach = side * (math.cos(roll) + abs(math.sin(roll))) / 2
    x = rng.uniform(reach, columns - reach)
    y = rng.uniform(reach, rows - reach)
    matrix = _placement(side, roll, (x, y))
    size = (columns, rows)
    face = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), matrix, size, flags=cv2.INTER_LINEAR)
    grey = (face * inside + _clouds(size, rng) * (1 - inside)).astype(np.uint8)
    return Pasted(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False), (x, y), side)


def _placement(side: float, roll: float, center: tuple[float, float]) -> NDArray[np.float64]:
    """The affine map from a 48x48 face to its place in the larger picture."""
    x, y = center
    cos = math.cos(roll) * side / SIDE
    sin = math.sin(roll) * side / SIDE
    middle = (SIDE - 1) / 2
    return np.array(
        [[cos, -sin, x - 0.5 - (cos - sin) * middle], [sin, cos, y - 0.5 - (sin + cos) * middle]]
    )


def _clouds(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.floating]:
    coarse = rng.normal(0, 25, (15, 20)).astype(np.float32)
    clouds = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.clip(rng.uniform(60, 190) + clouds, 0, 255)


@dataclass(frozen=True)
class Trial:
    """Pasted faces, the face found for each, and which were classified rightly before.

    A face that was not found is None.
    """

    classifier: EmotionClassifier
    targets: NDArray[np.int8]
    pictures: list[Pasted]
    found: list[Face | None]
    clean: NDArray[np.bool_]

    @classmethod
    def run(
        cls,
        detector: FaceDetector,
        classifier: EmotionClassifier,
        images: NDArray[np.uint8],
        targets: NDArray[np.int8],
    ) -> Trial:
        """Paste every image and look for it."""
        rng = np.random.default_rng(1)
        pictures = [paste(image, rng) for image in images]
        progress = tqdm(pictures, desc=f"{detector.name}: pasted faces", disable=None)
        found = [picture.find(detector) for picture in progress]
        clean = predict(classifier, images).argmax(axis=1) == targets
        return cls(classifier, targets, pictures, found, clean)

    @property
    def hits(self) -> NDArray[np.bool_]:
        """Which faces were found."""
        return np.array([face is not None for face in self.found])

    def correct(
        self, geometry: CropGeometry, adapt: Callable[[Face], Face] = lambda face: face
    ) -> NDArray[np.bool_]:
        """Which faces are classified rightly when cropped so; one that was not found is wrong."""
        size = self.classifier.version.input_shape[:2]
        crops = [
            crop_faces(picture.image, [adapt(face)], geometry, size)[0]
            for picture, face in zip(self.pictures, self.found, strict=True)
            if face
        ]
        answers = self.classifier.predict(np.stack(crops)).argmax(axis=1)
        result = np.zeros(len(self.targets), bool)
        result[self.hits] = answers == self.targets[self.hits]
        return result

    def compare(self, square: dict[str, Any]) -> dict[str, Any]:
        """Accuracy of each way to crop, at each scale, on the faces found."""
        return {
            "pasted": len(self.targets),
            "found": int(self.hits.sum()),
            "undisturbed_of_found": _accuracy(self.clean[self.hits]),
            "ways": {
                way: {f"{scale:.2f}": self._accuracy_of_found(*cut(scale)) for scale in SCALES}
                for way, cut in _ways(square).items()
            },
        }

    def _accuracy_of_found(
        self, geometry: CropGeometry, adapt: Callable[[Face], Face] = lambda face: face
    ) -> list[float]:
        return _accuracy(self.correct(geometry, adapt)[self.hits])

    def cost(self, detector: str) -> dict[str, Any]:
        """Paired points that the served geometry loses against the faces as they were."""
        right = self.correct(GEOMETRIES[detector])
        hits = self.hits
        return {
            "served": asdict(GEOMETRIES[detector]),
            "accuracy": _accuracy(right),
            "undisturbed": _accuracy(self.clean),
            "points_lost": _points(self.clean, right),
            "accuracy_of_found": _accuracy(right[hits]),
            "points_lost_of_found": _points(self.clean[hits], right[hits]),
        }


def _ways(square: dict[str, Any]) -> dict[str, Callable[[float], tuple[Any, ...]]]:
    """How to cut a face by the name of the way: what `Trial.correct` takes for each scale."""
    side = square["scale"]["median"]
    shift = (square["shift_x"]["median"], square["shift_y"]["median"])
    box = CropGeometry(side, shift)
    eyes = CropGeometry(1.0, level=True)
    return {
        "box": lambda scale: (replace(box, scale=side * scale),),
        "box, level": lambda scale: (replace(box, scale=side * scale, level=True),),
        "eyes": lambda scale: (eyes, partial(_square_from_eyes, square=square, scale=scale)),
    }


def _square_from_eyes(face: Face, square: dict[str, Any], scale: float) -> Face:
    """The face with a box that puts its eyes where training faces have them, once it is level."""
    if face.landmarks is None:
        return face
    (x1, y1), (x2, y2) = face.landmarks.left_eye, face.landmarks.right_eye
    left, left_height, right, right_height = (square[name]["median"] for name in EYES)
    side = scale * math.dist((x1, y1), (x2, y2)) / (right - left)
    drop = (0.5 - (left_height + right_height) / 2) * side
    roll = math.atan2(y2 - y1, x2 - x1)
    x = (x1 + x2) / 2 - drop * math.sin(roll)
    y = (y1 + y2) / 2 + drop * math.cos(roll)
    half = side / 2
    return replace(face, extent=Box(x - half, y - half, x + half, y + half))


def _points(clean: NDArray[np.bool_], right: NDArray[np.bool_]) -> list[float]:
    """Percentage points that the paired difference loses, with its normal 95 % interval."""
    lost = 100.0 * (clean.astype(float) - right)
    half = Z_95 * float(lost.std()) / math.sqrt(len(lost))
    mean = float(lost.mean())
    return [round(v, 2) for v in (mean, mean - half, mean + half)]


def _accuracy(correct: NDArray[np.bool_]) -> list[float]:
    estimate = wilson(int(correct.sum()), len(correct))
    return [round(v, 4) for v in (estimate.value, estimate.low, estimate.high)]
