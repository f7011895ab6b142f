r"""Measure what the size of the crop and the number of views of a face are worth, in accuracy and in time.

    python -m benchmarks.views --photographs natural.zip --data fer2013.npz --clock models/seed-cnn \
        --versions models/flagship models/flagship-fer2013 --output benchmarks/results/views.json

    a tiny run, under a minute:
    python -m benchmarks.views --photographs natural.zip --data fer2013.npz --clock models/seed-cnn \
        --versions models/flagship --faces 100

Takes about ten minutes. The photographs are those of the validation split with one of the four
expressions, seen as BlazeFace finds them; one without a found face counts as wrong. The faces of
PublicTest are cut already, so that of the views only the mirror image is left. Time is that of one
face with all its views, in units of one look of the `--clock` version, taken in turns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer import LABELS, EmotionClassifier, calibration, intervals, load_detector, read_version
from fer.cli.console import without_chatter
from fer.preprocessing import Views, crop_views
from training.command import command_line, finish, whole_number, write_report
from training.data.fer2013_files import load
from training.data.photographs import Photographs, read_photographs
from training.data.resizing import resized

SCALES = (0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
VIEWS = (
    *(Views((scale,)) for scale in SCALES),
    *(Views((scale,), mirror=True) for scale in SCALES),
    Views((0.9, 1.2), mirror=True),
    Views((1.0, 1.2), mirror=True),
    Views((1.0, 1.3), mirror=True),
    Views((1.1, 1.4), mirror=True),
    Views((0.9, 1.1, 1.3), mirror=True),
)
_DETECTOR = "blazeface"
_ROUNDS = 100


def main(
    photographs: Path, data: Path, folders: Sequence[Path], clock: Path, faces: int | None
) -> dict[str, Any]:
    """Measure every version with all of `VIEWS` and return the report."""
    with without_chatter():
        classifiers = [EmotionClassifier(read_version(folder)) for folder in folders]
        reference = EmotionClassifier(read_version(clock))
    pictures = _chosen(read_photographs(photographs).split("PublicTest"), faces)
    labels = pictures.targets_among(LABELS)
    public = load(data).split("PublicTest")
    targets = {name: public.targets(name)[:faces] for name in ("fer2013", "ferplus")}
    report: dict[str, Any] = {
        "photographs": len(labels),
        "detector": _DETECTOR,
        "clock": reference.version.name,
    }
    for classifier, looks in zip(classifiers, _looks(pictures, classifiers), strict=True):
        frames = _frames(classifier, public.images[:faces])
        times = _times(classifier, reference)
        report["found"] = int(np.isfinite(looks[:, 0, 0, 0]).sum())
        report[classifier.version.name] = [
            {
                **asdict(views),
                "natural": _natural(_average(looks, views), labels),
                "public_test": {
                    name: _accuracy(_average(frames, Views((1.0,), views.mirror)), target)
                    for name, target in targets.items()
                },
                "time": round(times[len(views)], 2),
            }
            for views in VIEWS
        ]
    return report


def _chosen(photographs: Photographs, faces: int | None) -> Photographs:
    """Those of the four expressions, or some of them by chance."""
    rows = np.flatnonzero(photographs.targets_among(LABELS) >= 0)
    if faces is not None and faces < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, faces, replace=False))
    return photographs.select(rows)


def _looks(
    photographs: Photographs, classifiers: Sequence[EmotionClassifier]
) -> list[NDArray[np.floating]]:
    """Each version's log-probabilities for the largest face: (n, 2, scales, classes), plain and mirrored.

    NaN where no face was found.
    """
    detector = load_detector(_DETECTOR)
    looks = [np.full((len(photographs), 2, len(SCALES), len(LABELS)), np.nan) for _ in classifiers]
    pictures = tqdm(photographs.images(), total=len(photographs), unit="face", disable=None)
    for row, image in enumerate(pictures):
        faces = detector.detect(image)[:1]
        for classifier, of_version in zip(classifiers, looks, strict=True):
            version = classifier.version
            geometry, size = version.geometry(detector.name), version.input_shape[:2]
            if faces:
                crops = crop_views(image, faces, geometry, Views(SCALES, mirror=False), size)
                of_version[row] = _log_probabilities(
                    classifier, np.concatenate([crops, crops[..., ::-1]])
                )
    return looks


def _frames(classifier: EmotionClassifier, images: NDArray[np.uint8]) -> NDArray[np.floating]:
    """Log-probabilities of faces that are cut already: (n, 2, 1, classes), plain and mirrored."""
    faces = resized(images, classifier.version.input_shape[0])
    both = np.stack([faces, faces[..., ::-1]], axis=1)
    return _log_probabilities(classifier, both[:, :, None])


def _log_probabilities(
    classifier: EmotionClassifier, crops: NDArray[np.uint8]
) -> NDArray[np.floating]:
    """Crops (..., height, width), each a face of one view -> (..., classes)."""
    *leading, height, width = crops.shape
    scores = classifier.predict(crops.reshape(-1, 1, height, width))
    return calibration.logarithms(scores).reshape(*leading, -1)


def _average(looks: NDArray[np.floating], views: Views) -> NDArray[np.floating]:
    """The mean of the log-probabilities of some views."""
    columns = [SCALES.index(scale) for scale in views.scales] if looks.shape[2] > 1 else [0]
    return looks[:, : 1 + views.mirror, columns].mean(axis=(1, 2))


def _natural(answers: NDArray[np.floating], labels: NDArray[np.int8]) -> dict[str, Any]:
    """Accuracy, balanced accuracy and recalls; a face that was not found is wrong."""
    right = np.isfinite(answers[:, 0]) & (answers.argmax(axis=1) == labels)
    recalls = {
        name: _wilson(right[labels == i]) for i, name in enumerate(LABELS) if (labels == i).any()
    }
    return {
        "accuracy": _wilson(right),
        "balanced_accuracy": round(
            float(np.mean([recall["value"] for recall in recalls.values()])), 4
        ),
        "recall": recalls,
    }


def _accuracy(answers: NDArray[np.floating], labels: NDArray[np.int8]) -> dict[str, Any] | None:
    known = labels >= 0
    return _wilson((answers.argmax(axis=1) == labels)[known]) if known.any() else None


def _wilson(right: NDArray[np.bool_]) -> dict[str, Any]:
    estimate = msgspec.structs.asdict(intervals.wilson(int(right.sum()), len(right)))
    return {name: round(value, 4) for name, value in estimate.items()}


def _times(classifier: EmotionClassifier, reference: EmotionClassifier) -> dict[int, float]:
    """The time for one face by the number of its views, one look of the reference being 1.

    Medians, taken in turns.
    """
    numbers = sorted({len(views) for views in VIEWS})
    runs = [(reference, 1), *((classifier, number) for number in numbers)]
    taken: list[list[float]] = [[] for _ in runs]
    for turn in range(_ROUNDS + 1):
        for (one, number), seconds in zip(runs, taken, strict=True):
            face = np.zeros((1, number, *one.version.input_shape[:2]), np.uint8)
            one.predict(face)  # sets the size of the batch
            begun = time.perf_counter()
            one.predict(face)
            if turn:
                seconds.append(time.perf_counter() - begun)
    unit, *medians = (float(np.median(seconds)) for seconds in taken)
    return {number: median / unit for number, median in zip(numbers, medians, strict=True)}


def _print(report: dict[str, Any], versions: Sequence[str]) -> None:
    print(
        f"{report['found']} of {report['photographs']} faces found; natural, balanced, neutral,"
        " fer2013, ferplus, time"
    )
    for name in versions:
        print(name)
        for row in report[name]:
            scales = ", ".join(f"{scale:g}" for scale in row["scales"]) + (
                " + mirror" if row["mirror"] else ""
            )
            natural, public = row["natural"], row["public_test"]
            figures = [
                natural["accuracy"]["value"],
                natural["balanced_accuracy"],
                natural["recall"].get("neutral", {}).get("value", float("nan")),
                *(estimate["value"] if estimate else float("nan") for estimate in public.values()),
            ]
            print(
                f"  {scales:24}"
                + "  ".join(f"{value:.4f}" for value in figures)
                + f"  {row['time']:.2f}"
            )


def _tell(
    photographs: Path,
    data: Path,
    versions: list[Path],
    clock: Path,
    faces: int | None,
    output: Path | None,
) -> None:
    report = main(photographs, data, versions, clock, faces)
    _print(report, [folder.name for folder in versions])
    if output:
        write_report(output, report)


if __name__ == "__main__":
    options = command_line("benchmarks.views", __doc__)
    options.add_argument(
        "--photographs", type=Path, required=True, help="a folder or zip of <split>/<class>/*.jpg"
    )
    options.add_argument(
        "--data", type=Path, required=True, help="fer2013.npz, fer2013.csv or a folder"
    )
    options.add_argument("--versions", type=Path, nargs="+", required=True, help="version folders")
    options.add_argument(
        "--clock", type=Path, required=True, help="version folder whose time for one look is 1"
    )
    options.add_argument(
        "--faces", type=whole_number(1), help="measure this many photographs and frames only"
    )
    options.add_argument("--output", type=Path, help="write the report here as JSON")
    finish(partial(_tell, **vars(options.parse_args())))
