"""Compare the face detectors on annotated pictures: recall, precision, exact counts and time.

python -m benchmarks.detectors --data wider300 --photos photos --output detectors.json

`--data` is a folder with `boxes.json`: `[{"image": "images/a.jpg", "faces": [[x1, y1, x2, y2],
...]}, ...]`; its pictures are scaled to a longest side of 640. `--photos` is a folder with
`counts.json`: `{"a.jpg": 2, ...}`, used at full size. `--portraits` is a folder of pictures that
show one person each, in folders of any depth, and `--faceless` a video without a face. BlazeFace's
settings were tuned on the even half of wider300 alone. Takes three minutes on two cores; expect a
recall of about 0.82 for BlazeFace and 0.87 for YuNet, both at a precision of 0.96, and exactly one
face in 0.99 of the portraits for both.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer import BlazeFace, Box, DownloadError, Face, FaceDetector, YuNet, load_image
from fer.images import ACCEPTED_SUFFIXES
from fer.streams.video import VideoFile

SIDE = 640
COLUMNS = ("recall", "precision", "exact_count", "median_ms", "p95_ms")
Picture = tuple[NDArray[np.uint8], NDArray[np.float64]]
# of each that was found: whether it is one, and whether it is a weak detection
Faces = list[tuple[bool, bool]]
Row = tuple[Faces, int, float]  # found, how many are there, milliseconds


def read(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"{path} is missing or is no picture")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def load(folder: Path) -> list[Picture]:
    """Pictures with a longest side of 640 and their boxes (n, 4)."""
    pictures = []
    for entry in json.loads((folder / "boxes.json").read_text()):
        image = read(folder / entry["image"])
        scale = SIDE / max(image.shape)
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        pictures.append((image, np.array(entry["faces"], float).reshape(-1, 4) * scale))
    return pictures


def judged(faces: list[Face], boxes: NDArray[np.float64]) -> Faces:
    """The most confident first: right is what covers a box of its own with an intersection over union of 0.5."""
    free = np.ones(len(boxes), bool)
    rows = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        overlaps = np.where(free, [face.box.iou(Box(*box)) for box in boxes.tolist()], 0)
        right = bool(len(boxes) and overlaps.max() >= 0.5)
        if right:
            free[overlaps.argmax()] = False
        rows.append((right, face.weak))
    return rows


def measure(detector: FaceDetector, pictures: list[Picture]) -> list[Row]:
    detector.detect(pictures[0][0])
    rows = []
    for image, boxes in pictures:
        start = time.perf_counter()
        faces = detector.detect(image)
        milliseconds = (time.perf_counter() - start) * 1000
        rows.append((judged(faces, boxes), len(boxes), milliseconds))
    return rows


def summarize(rows: list[Row]) -> dict[str, Any]:
    faces = [face for found, _, _ in rows for face in found]
    right = [right for right, _ in faces]
    there = sum(count for _, count, _ in rows)
    milliseconds = [spent for *_, spent in rows]
    return {
        "faces": there,
        "recall": sum(right) / max(there, 1),
        "precision": sum(right) / max(len(right), 1),
        "exact_count": float(np.mean([len(found) == count for found, count, _ in rows])),
        "weak": {
            "found": sum(weak for _, weak in faces),
            "right": sum(right for right, weak in faces if weak),
        },
        "median_ms": float(np.median(milliseconds)),
        "p95_ms": float(np.percentile(milliseconds, 95)),
    }


def count(detector: FaceDetector, folder: Path) -> dict[str, dict[str, int]]:
    counts = json.loads((folder / "counts.json").read_text())
    return {
        name: {"there": n, "found": len(detector.detect(read(folder / name)))}
        for name, n in counts.items()
    }


def portraits(detector: FaceDetector, folder: Path) -> dict[str, float]:
    """In which share of pictures of one person a face, exactly one.

    And a weak one as the largest was found.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ACCEPTED_SUFFIXES)
    found = []
    milliseconds = []
    for path in paths:
        image = load_image(path)
        start = time.perf_counter()
        found.append(detector.detect(image))
        milliseconds.append((time.perf_counter() - start) * 1000)
    return {
        "n": len(found),
        "found": float(np.mean([len(faces) > 0 for faces in found])),
        "exactly_one": float(np.mean([len(faces) == 1 for faces in found])),
        "weak": float(np.mean([len(faces) > 0 and faces[0].weak for faces in found])),
        "median_ms": float(np.median(milliseconds)),
    }


def faceless(detector: FaceDetector, path: Path) -> dict[str, int]:
    """In how many frames of a video without a face one is found.

    And in how many one that is not weak.
    """
    with closing(VideoFile(path)) as video:
        found = [detector.detect(frame.image) for frame in video]
    return {
        "frames": len(found),
        "with_a_face": sum(len(faces) > 0 for faces in found),
        "not_weak": sum(any(not face.weak for face in faces) for faces in found),
    }


def detectors(yunet_weights: Path | None) -> list[FaceDetector]:
    try:
        return [BlazeFace(), YuNet(yunet_weights)]
    except DownloadError as error:
        print(f"YuNet is skipped: {error}")
        return [BlazeFace()]


def report(name: str, result: dict[str, Any]) -> None:
    for part in ("even", "odd", "all"):
        row = result[part]
        cells = (f"{row[key]:11.3f}" for key in COLUMNS)
        print(f"{name:10}{part:5}{row['faces']:6}", *cells)
    for part in ("portraits", "faceless"):
        if part in result:
            print(
                f"{name:10}{part}:"
                f" {', '.join(f'{key} {value:.4g}' for key, value in result[part].items())}"
            )
    for photo, row in result.get("photos", {}).items():
        print(f"{name:10}{photo}: {row['found']} found, {row['there']} there")


def main(config: argparse.Namespace) -> dict[str, Any]:
    """Measure each detector, print a table and write the JSON file."""
    pictures = load(config.data)
    results: dict[str, Any] = {}
    print(f"{'detector':10}{'part':5}{'faces':>6}", *(f"{key:>11}" for key in COLUMNS))
    for detector in detectors(config.yunet_weights):
        rows = measure(detector, pictures)
        result: dict[str, Any] = {
            "even": summarize(rows[::2]),
            "odd": summarize(rows[1::2]),
            "all": summarize(rows),
        }
        if config.photos:
            result["photos"] = count(detector, config.photos)
        if config.portraits:
            result["portraits"] = portraits(detector, config.portraits)
        if config.faceless:
            result["faceless"] = faceless(detector, config.faceless)
        report(detector.name, result)
        results[detector.name] = result
    if "yunet" in results:
        ratio = results["yunet"]["all"]["median_ms"] / results["blazeface"]["all"]["median_ms"]
        results["yunet_to_blazeface_ms"] = ratio
        print(f"YuNet takes {ratio:.2f} times as long as BlazeFace")
    if config.output:
        config.output.write_text(json.dumps(results, indent=1) + "\n")
    return results


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--photos", type=Path, metavar="FOLDER")
    parser.add_argument("--portraits", type=Path, metavar="FOLDER")
    parser.add_argument("--faceless", type=Path, metavar="VIDEO")
    parser.add_argument("--yunet-weights", type=Path, metavar="FILE")
    parser.add_argument("--output", type=Path, metavar="JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(parse())
