"""Measure how a detector's boxes lie in the frames of FER2013, and what finding a face again costs in accuracy.

    python -m training.geometry --data fer2013.npz --version models/seed-cnn --output benchmarks/results/geometry.json

    a tiny run, under a minute:
    python -m training.geometry --data fer2013.npz --version models/seed-cnn --faces 100

Takes about five minutes. Training faces give the geometry; PublicTest faces, pasted at random size, place and roll
into larger pictures and found again, choose between the box, the box turned level and the eyes, and its scale.
`fer.preprocessing.GEOMETRIES` holds what was chosen, and every exported version carries a copy.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer import Box, EmotionClassifier, Face, FaceDetector, FERError, YuNet, load_detector, read_version
from fer.metrics import wilson
from fer.preprocessing import GEOMETRIES, CropGeometry, crop_faces
from training.data import SIDE, Split, load

CANVAS = (480, 640)  # rows, columns of the larger pictures
FACE_SIDE = (64.0, 320.0)  # pixels
ROLL = 15.0  # degrees, either way
ENLARGED = 192  # side of a training face shown to the detector, with a margin of half that around it
SCALES = (0.80, 0.85, 0.90, 0.95, 1.00, 1.05, 1.10, 1.15)  # tried around the measured one


@dataclass(frozen=True)
class Pasted:
    """A 48x48 face laid into a larger picture, where its frame truly lies, and what a detector found there."""

    image: NDArray[np.uint8]
    center: tuple[float, float]
    side: float


def main(data: Path, version_folder: Path, detectors: Sequence[FaceDetector], faces: int | None) -> dict[str, Any]:
    """Measure every detector and return the report."""
    dataset = load(data)
    classifier = EmotionClassifier(read_version(version_folder))
    training, public = dataset.split("Training"), dataset.split("PublicTest")
    report: dict[str, Any] = {"version": classifier.version.name, "sha256": classifier.version.sha256}
    for detector in detectors:
        measured = measure(detector, _chosen(training, faces or 1500))
        report[detector.name] = {"training_frames": measured}
        report[detector.name] |= pasted_accuracy(detector, classifier, _chosen(public, faces), measured)
    return report


def _chosen(split: Split, faces: int | None) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    rows = np.flatnonzero(split.fer2013 >= 0)
    if faces is not None and faces < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, faces, replace=False))
    return split.images[rows], split.fer2013[rows]


def measure(detector: FaceDetector, chosen: tuple[NDArray[np.uint8], NDArray[np.int8]]) -> dict[str, Any]:
    """Medians over enlarged training faces: the frame's side and centre in box heights, the eyes in frame units."""
    margin = ENLARGED // 2
    found = []
    for image in tqdm(chosen[0], desc=f"{detector.name}: training frames", disable=None):
        large = cv2.resize(image, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
        canvas = cv2.copyMakeBorder(large, *[margin] * 4, cv2.BORDER_REPLICATE)
        faces = detector.detect(cv2.cvtColor(canvas, cv2.COLOR_GRAY2RGB))
        found += [_in_frame(face, margin) for face in faces[:1]]
    rows = np.array(found)
    names = ("scale", "shift_x", "shift_y", "left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y")
    low, middle, high = np.percentile(rows, (16, 50, 84), axis=0)
    table = {name: {"median": round(m, 4), "spread": round((h - l) / 2, 4)}
             for name, l, m, h in zip(names, low, middle, high, strict=True)}  # fmt: skip
    return {"faces": len(chosen[0]), "found": len(found), **table}


def _in_frame(face: Face, margin: int) -> list[float]:
    box = face.frame or face.box
    x, y = box.center
    shift = [(margin + ENLARGED / 2 - c) / box.height for c in (x, y)]
    eyes = (*face.landmarks.left_eye, *face.landmarks.right_eye) if face.landmarks else (math.nan,) * 4
    return [ENLARGED / box.height, *shift, *((v - margin) / ENLARGED for v in eyes)]


def pasted_accuracy(
    detector: FaceDetector, classifier: EmotionClassifier, chosen: tuple[NDArray[np.uint8], NDArray[np.int8]],
    measured: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Accuracy on faces found again, for each way to crop and scale, beside the undisturbed frames."""
    images, labels = chosen
    rng = np.random.default_rng(1)
    pictures = [paste(image, rng) for image in images]
    found = [_found(detector, p) for p in tqdm(pictures, desc=f"{detector.name}: pasted faces", disable=None)]
    hits = np.array([face is not None for face in found])
    clean = classifier.predict(images).argmax(axis=1) == labels
    base = CropGeometry(measured["scale"]["median"], (measured["shift_x"]["median"], measured["shift_y"]["median"]))

    def correct(geometry: CropGeometry, adapt: Any = lambda face: face) -> NDArray[np.bool_]:
        crops = [
            crop_faces(p.image, [adapt(face)], geometry)[0] for p, face in zip(pictures, found, strict=True) if face
        ]
        result = np.zeros(len(labels), bool)  # a face that was not found is not classified correctly
        result[hits] = classifier.predict(np.stack(crops)).argmax(axis=1) == labels[hits]
        return result

    eyes = CropGeometry(1.0, (0.0, 0.0), level=True)
    ways = {
        "box": {s: correct(replace(base, scale=base.scale * s)) for s in SCALES},
        "box, level": {s: correct(replace(base, scale=base.scale * s, level=True)) for s in SCALES},
        "eyes": {s: correct(eyes, lambda face, s=s: _frame_from_eyes(face, measured, s)) for s in SCALES},
    }
    return {
        "pasted": len(labels),
        "found": int(hits.sum()),
        "undisturbed": _accuracy(clean),
        "undisturbed_of_found": _accuracy(clean[hits]),
        "ways": {
            way: {f"{s:.2f}": {"all": _accuracy(c), "of_found": _accuracy(c[hits])} for s, c in results.items()}
            for way, results in ways.items()
        },
        "chosen": _served(correct(GEOMETRIES[detector.name]), clean, hits),
    }


def _served(correct: NDArray[np.bool_], clean: NDArray[np.bool_], hits: NDArray[np.bool_]) -> dict[str, Any]:
    """What the geometry in `GEOMETRIES` costs, as paired differences in points with 95 % intervals."""
    result: dict[str, Any] = {"accuracy": _accuracy(correct), "accuracy_of_found": _accuracy(correct[hits])}
    for name, lost in (
        ("points_lost", clean.astype(int) - correct),
        ("points_lost_of_found", (clean.astype(int) - correct)[hits]),
    ):
        half = 1.96 * lost.std() / math.sqrt(len(lost))
        result[name] = [round(100 * v, 2) for v in (lost.mean(), lost.mean() - half, lost.mean() + half)]
    return result


def paste(image: NDArray[np.uint8], rng: np.random.Generator) -> Pasted:
    """Lay a 48x48 face at random size, place and roll on a cloudy grey background."""
    rows, columns = CANVAS
    side, roll = rng.uniform(*FACE_SIDE), math.radians(rng.uniform(-ROLL, ROLL))
    reach = side * (math.cos(roll) + abs(math.sin(roll))) / 2
    x, y = rng.uniform(reach, columns - reach), rng.uniform(reach, rows - reach)
    cos, sin = math.cos(roll) * side / SIDE, math.sin(roll) * side / SIDE
    middle = (SIDE - 1) / 2
    matrix = np.array([[cos, -sin, x - 0.5 - (cos - sin) * middle], [sin, cos, y - 0.5 - (sin + cos) * middle]])
    size = (columns, rows)
    face = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), matrix, size, flags=cv2.INTER_LINEAR)
    clouds = cv2.resize(rng.normal(0, 25, (15, 20)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    background = np.clip(rng.uniform(60, 190) + clouds, 0, 255)
    grey = (face * inside + background * (1 - inside)).astype(np.uint8)
    return Pasted(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), (x, y), side)  # type: ignore[arg-type]


def _found(detector: FaceDetector, pasted: Pasted) -> Face | None:
    """The detected face nearest to the pasted one, if its centre lies within a third of its side."""
    faces = detector.detect(pasted.image)
    nearest = min(faces, key=lambda face: math.dist(face.box.center, pasted.center), default=None)
    return nearest if nearest and math.dist(nearest.box.center, pasted.center) < pasted.side / 3 else None


def _frame_from_eyes(face: Face, measured: dict[str, Any], scale: float) -> Face:
    """The face with a box that puts its eyes where training frames have them, once it is turned level."""
    if face.landmarks is None:
        return face
    (x1, y1), (x2, y2) = face.landmarks.left_eye, face.landmarks.right_eye
    medians = {name: measured[name]["median"] for name in ("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y")}
    side = scale * math.dist((x1, y1), (x2, y2)) / (medians["right_eye_x"] - medians["left_eye_x"])
    drop = (0.5 - (medians["left_eye_y"] + medians["right_eye_y"]) / 2) * side
    roll = math.atan2(y2 - y1, x2 - x1)
    x, y = (x1 + x2) / 2 - drop * math.sin(roll), (y1 + y2) / 2 + drop * math.cos(roll)
    return replace(face, frame=Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def _accuracy(correct: NDArray[np.bool_]) -> list[float]:
    estimate = wilson(int(correct.sum()), len(correct))
    return [round(v, 4) for v in (estimate.value, estimate.low, estimate.high)]


def _print(report: dict[str, Any]) -> None:
    for name in GEOMETRIES:
        if name not in report:
            continue
        result = report[name]
        print(
            f"{name}: found {result['found']} of {result['pasted']}, undisturbed {result['undisturbed_of_found'][0]:.4f} on those"
        )
        for way, scales in result["ways"].items():
            print(f"  {way:10}", "  ".join(f"{s}: {v['of_found'][0]:.4f}" for s, v in scales.items()))
        print(f"  served: {result['chosen']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="training.geometry", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="fer2013.npz, fer2013.csv or a folder")
    parser.add_argument("--version", type=Path, required=True, help="version folder")
    parser.add_argument("--yunet-weights", type=Path, help="YuNet's ONNX file; without it, it comes from the Hub")
    parser.add_argument("--faces", type=int, help="measure this many faces only")
    parser.add_argument("--output", type=Path, help="write the report here as JSON")
    options = parser.parse_args()
    try:
        report = main(
            options.data, options.version, [load_detector("blazeface"), YuNet(options.yunet_weights)], options.faces
        )
    except FERError as error:
        sys.exit(f"error: {error}")
    _print(report)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=2) + "\n")
