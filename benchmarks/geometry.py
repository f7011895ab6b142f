r"""Measure how a detector's boxes lie over the square of FER2013's pictures, and what they cost.

    python -m benchmarks.geometry --data fer2013.npz --version models/seed-cnn \
        --output benchmarks/results/geometry.json

    a tiny run, under a minute:
    python -m benchmarks.geometry --data fer2013.npz --version models/seed-cnn --faces 100

Takes about five minutes and prints, for each detector, the accuracy of every way to cut a face and
the points that the served one loses. Training faces give the geometry; PublicTest faces, pasted at
random size, place and roll into larger pictures and found again, choose between the box, the box
turned level and the eyes, and its scale. `fer.preprocessing.GEOMETRIES` holds what was chosen, and
every exported version carries a copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.options import FER2013Option, OutputOption, VersionOption, YuNetOption
from benchmarks.pasted import EYES, Trial
from fer import EmotionClassifier, Face, FaceDetector, YuNet, load_detector, read_version
from fer.cli.application import run_script
from fer.preprocessing import GEOMETRIES
from training.command import write_report
from training.data.fer2013 import Split
from training.data.fer2013_files import load

TRAINING_FACES = 1500
# side of a training face shown to the detector, with a margin of half that around it
ENLARGED = 192


def measure_all(
    data: Path, version_folder: Path, detectors: Sequence[FaceDetector], faces: int | None
) -> dict[str, Any]:
    """Measure every detector and return the report."""
    dataset = load(data)
    classifier = EmotionClassifier(read_version(version_folder))
    training_images, _ = _choose(dataset.split("Training"), faces)
    public = _choose(dataset.split("PublicTest"), faces)
    report: dict[str, Any] = {
        "version": classifier.version.name,
        "sha256": classifier.version.sha256,
    }
    for detector in detectors:
        square = measure(detector, training_images[:TRAINING_FACES])
        trial = Trial.run(detector, classifier, *public)
        report[detector.name] = {
            "training_frames": square,
            **trial.compare(square),
            **trial.cost(detector.name),
        }
    return report


def _choose(split: Split, faces: int | None) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """The images of a split with a class, all or some by chance, and their targets."""
    rows = np.flatnonzero(split.fer2013 >= 0)
    if faces is not None and faces < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, faces, replace=False))
    return split.images[rows], split.fer2013[rows]


def measure(detector: FaceDetector, images: NDArray[np.uint8]) -> dict[str, Any]:
    """Medians over enlarged training faces.

    The side and the centre of FER2013's square in heights of the box, the eyes in sides of it.
    """
    found = []
    for image in tqdm(images, desc=f"{detector.name}: training frames", disable=None):
        faces = detector.detect(_enlarged(image))
        found += [_square_over(face) for face in faces[:1]]
    names = ("scale", "shift_x", "shift_y", *EYES)
    table = np.percentile(found, (16, 50, 84), axis=0).T
    spans = {
        name: {"median": round(middle, 4), "spread": round((high - low) / 2, 4)}
        for name, (low, middle, high) in zip(names, table.tolist(), strict=True)
    }
    return {"faces": len(images), "found": len(found), **spans}


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A training face large enough for the detector, with a margin around it."""
    large = cv2.resize(image, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
    margin = ENLARGED // 2
    canvas = cv2.copyMakeBorder(large, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    return cv2.cvtColor(canvas, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


def _square_over(face: Face) -> list[float]:
    """Where the enlarged training face lies over the box found in it, and the eyes in its sides."""
    margin = ENLARGED // 2
    box = face.extent or face.box
    shift = [(margin + ENLARGED / 2 - center) / box.height for center in box.center]
    if face.landmarks is None:
        eyes = (math.nan,) * 4
    else:
        eyes = (*face.landmarks.left_eye, *face.landmarks.right_eye)
    return [ENLARGED / box.height, *shift, *((place - margin) / ENLARGED for place in eyes)]


def _print(name: str, result: dict[str, Any]) -> None:
    print(f"{name}: found {result['found']} of {result['pasted']} pasted faces; accuracy on those")
    print(f"  {'undisturbed':12}{result['undisturbed_of_found'][0]:.4f}")
    for way, scales in result["ways"].items():
        cells = (f"x{scale} {accuracy[0]:.4f}" for scale, accuracy in scales.items())
        print(f"  {way:12}" + "  ".join(cells))
    lost = result["points_lost_of_found"]
    with_misses = result["points_lost"]
    print(
        f"  served {result['served']}: {lost} points lost, {with_misses} if misses count as wrong"
    )


def main(
    *,
    data: FER2013Option,
    version: VersionOption,
    yunet_weights: YuNetOption = None,
    faces: Annotated[int | None, typer.Option(min=1, help="measure so many faces only")] = None,
    output: OutputOption = None,
) -> None:
    """Measure both detectors, print what each way to cut gives and write the report."""
    report = measure_all(data, version, [load_detector("blazeface"), YuNet(yunet_weights)], faces)
    for name in GEOMETRIES:
        _print(name, report[name])
    if output:
        write_report(output, report)


if __name__ == "__main__":
    run_script(main, __doc__)
