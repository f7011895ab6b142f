"""Measure how a detector's boxes lie in the frames of FER2013, and what finding a face again costs in accuracy.

    python -m benchmarks.geometry --data fer2013.npz --version models/seed-cnn --output benchmarks/results/geometry.json

    a tiny run, under a minute:
    python -m benchmarks.geometry --data fer2013.npz --version models/seed-cnn --faces 100

Takes about five minutes. Training faces give the geometry; PublicTest faces, pasted at random size,
place and roll into larger pictures and found again, choose between the box, the box turned level
and the eyes, and its scale. `fer.preprocessing.GEOMETRIES` holds what was chosen, and every
exported version carries a copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer import Box, EmotionClassifier, Face, FaceDetector, YuNet, load_detector, read_version
from fer.intervals import Z_95, wilson
from fer.preprocessing import GEOMETRIES, CropGeometry, crop_faces
from training.command import command_line, finish, whole_number, write_report
from training.data.fer2013 import SIDE, Split
from training.data.fer2013_files import load
from training.data.resizing import predict

CANVAS = (480, 640)  # rows, columns of the larger pictures
FACE_SIDE = (64.0, 320.0)  # pixels
ROLL = 15.0  # degrees, either way
TRAINING_FACES = 1500
# side of a training face shown to the detector, with a margin of half that around it
ENLARGED = 192
SCALES = (0.80, 0.85, 0.90, 0.95, 1.00, 1.05, 1.10, 1.15)  # tried around the measured one


@dataclass(frozen=True)
class Pasted:
    """A larger picture with a 48x48 face in it.

    And where the centre and the side of its frame lie in pixels.
    """

    image: NDArray[np.uint8]
    center: tuple[float, float]
    side: float


@dataclass(frozen=True)
class Trial:
    """Pasted faces, the face found for each (None for a miss).

    And which undisturbed frames are classified rightly.
    """

    classifier: EmotionClassifier
    labels: NDArray[np.int8]
    pictures: list[Pasted]
    found: list[Face | None]
    clean: NDArray[np.bool_]

    @classmethod
    def run(
        cls,
        detector: FaceDetector,
        classifier: EmotionClassifier,
        images: NDArray[np.uint8],
        labels: NDArray[np.int8],
    ) -> Trial:
        """Paste every image and look for it."""
        rng = np.random.default_rng(1)
        pictures = [paste(image, rng) for image in images]
        found = [
            _found(detector, p)
            for p in tqdm(pictures, desc=f"{detector.name}: pasted faces", disable=None)
        ]
        return cls(
            classifier,
            labels,
            pictures,
            found,
            predict(classifier, images).argmax(axis=1) == labels,
        )

    @property
    def hits(self) -> NDArray[np.bool_]:
        """Which faces were found."""
        return np.array([face is not None for face in self.found])

    def correct(
        self, geometry: CropGeometry, adapt: Callable[[Face], Face] = lambda face: face
    ) -> NDArray[np.bool_]:
        """Which faces are classified rightly when cropped so.

        One that was not found counts as wrong.
        """
        pairs = [
            (picture, face) for picture, face in zip(self.pictures, self.found, strict=True) if face
        ]
        size = self.classifier.version.input_shape[:2]
        crops = [
            crop_faces(picture.image, [adapt(face)], geometry, size)[0] for picture, face in pairs
        ]
        result = np.zeros(len(self.labels), bool)
        result[self.hits] = (
            self.classifier.predict(np.stack(crops)).argmax(axis=1) == self.labels[self.hits]
        )
        return result

    def compare(self, frames: dict[str, Any]) -> dict[str, Any]:
        """Accuracy of each way to crop, at each scale, on the faces found."""
        scale, *shift = (frames[name]["median"] for name in ("scale", "shift_x", "shift_y"))
        box, eyes = CropGeometry(scale, (shift[0], shift[1])), CropGeometry(1.0, level=True)
        ways = {
            "box": {s: self.correct(replace(box, scale=scale * s)) for s in SCALES},
            "box, level": {
                s: self.correct(replace(box, scale=scale * s, level=True)) for s in SCALES
            },
            "eyes": {
                s: self.correct(eyes, partial(_frame_from_eyes, frames=frames, scale=s))
                for s in SCALES
            },
        }
        return {
            "pasted": len(self.labels),
            "found": int(self.hits.sum()),
            "undisturbed_of_found": _accuracy(self.clean[self.hits]),
            "ways": {
                way: {f"{s:.2f}": _accuracy(right[self.hits]) for s, right in scales.items()}
                for way, scales in ways.items()
            },
        }

    def cost(self, detector: str) -> dict[str, Any]:
        """What the served geometry costs against the undisturbed frames.

        Paired points lost, with 95 % intervals.
        """
        right, hits = self.correct(GEOMETRIES[detector]), self.hits
        return {
            "served": asdict(GEOMETRIES[detector]),
            "accuracy": _accuracy(right),
            "undisturbed": _accuracy(self.clean),
            "points_lost": _points(self.clean, right),
            "accuracy_of_found": _accuracy(right[hits]),
            "points_lost_of_found": _points(self.clean[hits], right[hits]),
        }


def main(
    data: Path, version_folder: Path, detectors: Sequence[FaceDetector], faces: int | None
) -> dict[str, Any]:
    """Measure every detector and return the report."""
    dataset = load(data)
    classifier = EmotionClassifier(read_version(version_folder))
    training, public = (_chosen(dataset.split(name), faces) for name in ("Training", "PublicTest"))
    report: dict[str, Any] = {
        "version": classifier.version.name,
        "sha256": classifier.version.sha256,
    }
    for detector in detectors:
        frames = measure(detector, training[0][:TRAINING_FACES])
        trial = Trial.run(detector, classifier, *public)
        report[detector.name] = {
            "training_frames": frames,
            **trial.compare(frames),
            **trial.cost(detector.name),
        }
    return report


def _chosen(split: Split, faces: int | None) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    rows = np.flatnonzero(split.fer2013 >= 0)
    if faces is not None and faces < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, faces, replace=False))
    return split.images[rows], split.fer2013[rows]


def measure(detector: FaceDetector, images: NDArray[np.uint8]) -> dict[str, Any]:
    """Medians over enlarged training faces.

    The frame's side and centre in box heights, the eyes in frame units.
    """
    margin = ENLARGED // 2
    found = []
    for image in tqdm(images, desc=f"{detector.name}: training frames", disable=None):
        large = cv2.resize(image, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
        canvas = cv2.copyMakeBorder(large, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        faces = detector.detect(
            cv2.cvtColor(canvas, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
        )
        found += [_in_frame(face, margin) for face in faces[:1]]
    names = (
        "scale",
        "shift_x",
        "shift_y",
        "left_eye_x",
        "left_eye_y",
        "right_eye_x",
        "right_eye_y",
    )
    table = np.percentile(found, (16, 50, 84), axis=0).T
    spans = {
        name: {"median": round(middle, 4), "spread": round((high - low) / 2, 4)}
        for name, (low, middle, high) in zip(names, table.tolist(), strict=True)
    }
    return {"faces": len(images), "found": len(found), **spans}


def _in_frame(face: Face, margin: int) -> list[float]:
    box = face.extent or face.box
    x, y = box.center
    shift = [(margin + ENLARGED / 2 - c) / box.height for c in (x, y)]
    eyes = (
        (*face.landmarks.left_eye, *face.landmarks.right_eye) if face.landmarks else (math.nan,) * 4
    )
    return [ENLARGED / box.height, *shift, *((v - margin) / ENLARGED for v in eyes)]


def paste(image: NDArray[np.uint8], rng: np.random.Generator) -> Pasted:
    """Lay a 48x48 face at random size, place and roll on a cloudy grey background."""
    rows, columns = CANVAS
    side, roll = rng.uniform(*FACE_SIDE), math.radians(rng.uniform(-ROLL, ROLL))
    reach = side * (math.cos(roll) + abs(math.sin(roll))) / 2
    x, y = rng.uniform(reach, columns - reach), rng.uniform(reach, rows - reach)
    cos, sin = math.cos(roll) * side / SIDE, math.sin(roll) * side / SIDE
    middle = (SIDE - 1) / 2
    matrix = np.array(
        [[cos, -sin, x - 0.5 - (cos - sin) * middle], [sin, cos, y - 0.5 - (sin + cos) * middle]]
    )
    size = (columns, rows)
    face = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), matrix, size, flags=cv2.INTER_LINEAR)
    clouds = cv2.resize(
        rng.normal(0, 25, (15, 20)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC
    )
    background = np.clip(rng.uniform(60, 190) + clouds, 0, 255)
    grey = (face * inside + background * (1 - inside)).astype(np.uint8)
    return Pasted(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False), (x, y), side)


def _found(detector: FaceDetector, pasted: Pasted) -> Face | None:
    """The detected face nearest to the pasted one.

    If its centre lies within a third of its side.
    """
    faces = detector.detect(pasted.image)
    nearest = min(faces, key=lambda face: math.dist(face.box.center, pasted.center), default=None)
    return (
        nearest
        if nearest and math.dist(nearest.box.center, pasted.center) < pasted.side / 3
        else None
    )


def _frame_from_eyes(face: Face, frames: dict[str, Any], scale: float) -> Face:
    """The face with a box that puts its eyes where training frames have them.

    Once it is turned level.
    """
    if face.landmarks is None:
        return face
    (x1, y1), (x2, y2) = face.landmarks.left_eye, face.landmarks.right_eye
    names = ("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y")
    left, left_height, right, right_height = (frames[name]["median"] for name in names)
    side = scale * math.dist((x1, y1), (x2, y2)) / (right - left)
    drop = (0.5 - (left_height + right_height) / 2) * side
    roll = math.atan2(y2 - y1, x2 - x1)
    x, y = (x1 + x2) / 2 - drop * math.sin(roll), (y1 + y2) / 2 + drop * math.cos(roll)
    return replace(face, extent=Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def _points(clean: NDArray[np.bool_], right: NDArray[np.bool_]) -> list[float]:
    """Percentage points that the paired difference loses, with its normal 95 % interval."""
    lost = 100.0 * (clean.astype(float) - right)
    half = Z_95 * float(lost.std()) / math.sqrt(len(lost))
    mean = float(lost.mean())
    return [round(v, 2) for v in (mean, mean - half, mean + half)]


def _accuracy(correct: NDArray[np.bool_]) -> list[float]:
    estimate = wilson(int(correct.sum()), len(correct))
    return [round(v, 4) for v in (estimate.value, estimate.low, estimate.high)]


def _print(report: dict[str, Any]) -> None:
    for name in GEOMETRIES:
        result = report[name]
        print(
            f"{name}: found {result['found']} of {result['pasted']} pasted faces; accuracy on those"
        )
        print(f"  {'undisturbed':12}{result['undisturbed_of_found'][0]:.4f}")
        for way, scales in result["ways"].items():
            print(f"  {way:12}" + "  ".join(f"x{s} {v[0]:.4f}" for s, v in scales.items()))
        lost, with_misses = result["points_lost_of_found"], result["points_lost"]
        print(
            f"  served {result['served']}: {lost} points lost, {with_misses} if misses count as"
            " wrong"
        )


def _tell(
    data: Path, version: Path, yunet_weights: Path | None, faces: int | None, output: Path | None
) -> None:
    report = main(data, version, [load_detector("blazeface"), YuNet(yunet_weights)], faces)
    _print(report)
    if output:
        write_report(output, report)


if __name__ == "__main__":
    options = command_line("benchmarks.geometry", __doc__)
    options.add_argument(
        "--data", type=Path, required=True, help="fer2013.npz, fer2013.csv or a folder"
    )
    options.add_argument("--version", type=Path, required=True, help="version folder")
    options.add_argument(
        "--yunet-weights", type=Path, help="YuNet's ONNX file; without it, it comes from the Hub"
    )
    options.add_argument("--faces", type=whole_number(1), help="measure this many faces only")
    options.add_argument("--output", type=Path, help="write the report here as JSON")
    finish(partial(_tell, **vars(options.parse_args())))
