r"""Compare the face detectors on annotated pictures: recall, precision, exact counts and time.

    python -m benchmarks.detectors --data wider300 --photos photos \
        --output benchmarks/results/detectors.json

    a tiny run, a few seconds:
    python -m benchmarks.detectors --data wider300 --pictures 10

`--data` is a folder with `boxes.json`: `[{"image": "images/a.jpg", "faces": [[x1, y1, x2, y2],
...]}, ...]`; its pictures are scaled to a longest side of 640. `--photos` is a folder with
`counts.json`: `{"a.jpg": 2, ...}`, used at full size. `--portraits` is a folder of pictures that
show one person each, in folders of any depth, and `--faceless` a video without a face. BlazeFace's
settings were tuned on the even half of wider300 alone. Takes three minutes on two cores; expect a
recall of about 0.82 for BlazeFace and 0.87 for YuNet, both at a precision of 0.96, and exactly one
face in 0.99 of the portraits for both.
"""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.options import OutputOption, YuNetOption
from fer import BlazeFace, Box, DownloadError, Face, FaceDetector, YuNet, load_image
from fer.cli.application import run_script
from fer.images import ACCEPTED_SUFFIXES
from fer.streams.video import VideoFile
from training.command import write_report

SIDE = 640
COLUMNS = ("recall", "precision", "exact_count", "median_ms", "p95_ms")
Image = NDArray[np.uint8]


class Picture(NamedTuple):
    """An annotated picture and the boxes (n, 4) of its faces."""

    image: Image
    boxes: NDArray[np.float64]


class Found(NamedTuple):
    """Whether a detected face is one of the annotated faces, and whether it is a weak detection."""

    right: bool
    weak: bool


class Row(NamedTuple):
    """What was found in a picture, how many faces it has, and how long the detector took."""

    found: list[Found]
    annotated: int
    milliseconds: float


def read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"{path} is missing or is no picture")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def load(folder: Path, limit: int | None) -> list[Picture]:
    """The first pictures, with a longest side of 640, and their boxes."""
    entries = json.loads((folder / "boxes.json").read_text())
    return [_read_annotated(folder, entry) for entry in entries[:limit]]


def _read_annotated(folder: Path, entry: dict[str, Any]) -> Picture:
    image = read(folder / entry["image"])
    scale = SIDE / max(image.shape)
    resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes = np.array(entry["faces"], float).reshape(-1, 4) * scale
    return Picture(np.asarray(resized, np.uint8), boxes)


def match(faces: list[Face], boxes: NDArray[np.float64]) -> list[Found]:
    """The most confident face first: right is one that covers half of a box of its own.

    Half means an intersection over union of 0.5.
    """
    free = np.ones(len(boxes), bool)
    found = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        overlaps = np.where(free, [face.box.iou(Box(*box)) for box in boxes.tolist()], 0)
        right = bool(len(boxes) and overlaps.max() >= 0.5)
        if right:
            free[overlaps.argmax()] = False
        found.append(Found(right, face.weak))
    return found


def measure(detector: FaceDetector, pictures: list[Picture]) -> list[Row]:
    """What the detector finds in each picture, after a first call that is not counted."""
    detector.detect(pictures[0].image)
    rows = []
    for picture in pictures:
        faces, milliseconds = _timed(detector, picture.image)
        found = match(faces, picture.boxes)
        rows.append(Row(found, len(picture.boxes), milliseconds))
    return rows


def _timed(detector: FaceDetector, image: Image) -> tuple[list[Face], float]:
    start = time.perf_counter()
    faces = detector.detect(image)
    return faces, (time.perf_counter() - start) * 1000


def summarize(rows: list[Row]) -> dict[str, Any]:
    """Recall, precision, exact counts and times."""
    found = [face for row in rows for face in row.found]
    right = sum(face.right for face in found)
    annotated = sum(row.annotated for row in rows)
    milliseconds = [row.milliseconds for row in rows]
    return {
        "faces": annotated,
        "recall": right / max(annotated, 1),
        "precision": right / max(len(found), 1),
        "exact_count": _share([len(row.found) == row.annotated for row in rows]),
        "weak": {
            "found": sum(face.weak for face in found),
            "right": sum(face.right for face in found if face.weak),
        },
        "median_ms": float(np.median(milliseconds)),
        "p95_ms": float(np.percentile(milliseconds, 95)),
    }


def _share(values: list[bool]) -> float:
    return float(np.mean(values))


def count(detector: FaceDetector, folder: Path) -> dict[str, dict[str, int]]:
    """How many faces are found in each photo, and how many are there."""
    counts = json.loads((folder / "counts.json").read_text())
    return {
        name: {"there": there, "found": len(detector.detect(read(folder / name)))}
        for name, there in counts.items()
    }


def portraits(detector: FaceDetector, folder: Path) -> dict[str, float]:
    """In which share of pictures of one person a face is found, exactly one, and a weak one."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ACCEPTED_SUFFIXES)
    found = []
    milliseconds = []
    for path in paths:
        faces, spent = _timed(detector, load_image(path))
        found.append(faces)
        milliseconds.append(spent)
    return {
        "n": len(found),
        "found": _share([len(faces) > 0 for faces in found]),
        "exactly_one": _share([len(faces) == 1 for faces in found]),
        "weak": _share([len(faces) > 0 and faces[0].weak for faces in found]),
        "median_ms": float(np.median(milliseconds)),
    }


def faceless(detector: FaceDetector, path: Path) -> dict[str, int]:
    """In how many frames of a video without a face one is found, and one that is not weak."""
    with closing(VideoFile(path)) as video:
        found = [detector.detect(frame.image) for frame in video]
    return {
        "frames": len(found),
        "with_a_face": sum(len(faces) > 0 for faces in found),
        "not_weak": sum(any(not face.weak for face in faces) for faces in found),
    }


def detectors(yunet_weights: Path | None) -> list[FaceDetector]:
    """BlazeFace, and YuNet where its weights can be had."""
    try:
        return [BlazeFace(), YuNet(yunet_weights)]
    except DownloadError as error:
        print(f"YuNet is skipped: {error}")
        return [BlazeFace()]


def print_result(name: str, result: dict[str, Any]) -> None:
    """A line a part of the pictures, then what was measured beside them."""
    for part in ("even", "odd", "all"):
        row = result[part]
        cells = (f"{row[key]:11.3f}" for key in COLUMNS)
        print(f"{name:10}{part:5}{row['faces']:6}", *cells)
    for part in ("portraits", "faceless"):
        if part in result:
            values = ", ".join(f"{key} {value:.4g}" for key, value in result[part].items())
            print(f"{name:10}{part}: {values}")
    for photo, row in result.get("photos", {}).items():
        print(f"{name:10}{photo}: {row['found']} found, {row['there']} there")


def main(  # noqa: PLR0913 - its options
    *,
    data: Annotated[Path, typer.Option(metavar="FOLDER")],
    photos: Annotated[Path | None, typer.Option(metavar="FOLDER")] = None,
    portrait_folder: Annotated[Path | None, typer.Option("--portraits", metavar="FOLDER")] = None,
    faceless_video: Annotated[Path | None, typer.Option("--faceless", metavar="VIDEO")] = None,
    pictures: Annotated[int | None, typer.Option(min=2, help="measure so many only")] = None,
    yunet_weights: YuNetOption = None,
    output: OutputOption = None,
) -> None:
    """Measure each detector, print a table and write the report."""
    annotated = load(data, pictures)
    results: dict[str, Any] = {}
    print(f"{'detector':10}{'part':5}{'faces':>6}", *(f"{key:>11}" for key in COLUMNS))
    for detector in detectors(yunet_weights):
        result = measure_parts(detector, annotated)
        if photos:
            result["photos"] = count(detector, photos)
        if portrait_folder:
            result["portraits"] = portraits(detector, portrait_folder)
        if faceless_video:
            result["faceless"] = faceless(detector, faceless_video)
        print_result(detector.name, result)
        results[detector.name] = result
    if "yunet" in results:
        ratio = results["yunet"]["all"]["median_ms"] / results["blazeface"]["all"]["median_ms"]
        results["yunet_to_blazeface_ms"] = ratio
        print(f"YuNet takes {ratio:.2f} times as long as BlazeFace")
    if output:
        write_report(output, results)


def measure_parts(detector: FaceDetector, pictures: list[Picture]) -> dict[str, Any]:
    """The even pictures, on which BlazeFace was tuned, the odd ones, and all."""
    rows = measure(detector, pictures)
    return {
        "even": summarize(rows[::2]),
        "odd": summarize(rows[1::2]),
        "all": summarize(rows),
    }


if __name__ == "__main__":
    run_script(main, __doc__)
