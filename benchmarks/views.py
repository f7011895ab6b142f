r"""Measure what the size of the crop and the number of views are worth, in accuracy and in time.

    python -m benchmarks.views --photographs natural.zip --data fer2013.npz \
        --clock models/seed-cnn --versions models/flagship models/flagship-fer2013 \
        --output benchmarks/results/views.json

    a tiny run, under a minute:
    python -m benchmarks.views --photographs natural.zip --data fer2013.npz \
        --clock models/seed-cnn --versions models/flagship --faces 100

Takes about ten minutes and prints a line for each way to look at a face. The photographs are those
of the validation split with one of the four expressions, seen as BlazeFace finds them; one without
a found face counts as wrong. The faces of PublicTest are cut already, so that of the views only the
mirror image is left. Time is that of one face with all its views, in units of one look of the
`--clock` version, taken in turns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.options import FER2013Option, OutputOption
from fer import LABELS, EmotionClassifier, calibration, intervals, load_detector, read_version
from fer.cli.application import run_script
from fer.cli.console import without_chatter
from fer.preprocessing import Views, crop_views
from training.command import write_report
from training.data.fer2013 import Split
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

LogProbabilities = NDArray[np.floating]
"""Of one version, (n, plain and mirrored, scales, classes), or fewer axes."""


def measure(
    photographs: Path, data: Path, folders: Sequence[Path], clock: Path, faces: int | None
) -> dict[str, Any]:
    """Measure every version with all of `VIEWS`."""
    with without_chatter():
        classifiers = [EmotionClassifier(read_version(folder)) for folder in folders]
        reference = EmotionClassifier(read_version(clock))
    pictures = _chosen(read_photographs(photographs).split("PublicTest"), faces)
    natural_targets = pictures.targets_among(LABELS)
    public = load(data).split("PublicTest")
    report: dict[str, Any] = {
        "photographs": len(natural_targets),
        "detector": _DETECTOR,
        "clock": reference.version.name,
    }
    for classifier, looks in zip(classifiers, _looks(pictures, classifiers), strict=True):
        public_looks = _looks_of_cut(classifier, public.images[:faces])
        times = _times(classifier, reference)
        report["found"] = int(np.isfinite(looks[:, 0, 0, 0]).sum())
        report[classifier.version.name] = [
            {
                **asdict(views),
                "natural": _natural(_average(looks, views), natural_targets),
                "public_test": _public(public_looks, views, public),
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
) -> list[LogProbabilities]:
    """Each version's log-probabilities for the largest face, NaN where none was found."""
    detector = load_detector(_DETECTOR)
    looks = [np.full((len(photographs), 2, len(SCALES), len(LABELS)), np.nan) for _ in classifiers]
    pictures = tqdm(photographs.images(), total=len(photographs), unit="face", disable=None)
    for row, image in enumerate(pictures):
        faces = detector.detect(image)[:1]
        if not faces:
            continue
        for classifier, of_version in zip(classifiers, looks, strict=True):
            version = classifier.version
            geometry = version.geometry(detector.name)
            size = version.input_shape[:2]
            crops = crop_views(image, faces, geometry, Views(SCALES, mirror=False), size)
            both = np.concatenate([crops, crops[..., ::-1]])
            of_version[row] = _log_probabilities(classifier, both)
    return looks


def _looks_of_cut(classifier: EmotionClassifier, images: NDArray[np.uint8]) -> LogProbabilities:
    """Log-probabilities of faces that are cut already, in the one scale that they have."""
    faces = resized(images, classifier.version.input_shape[0])
    both = np.stack([faces, faces[..., ::-1]], axis=1)
    return _log_probabilities(classifier, both[:, :, None])


def _log_probabilities(classifier: EmotionClassifier, crops: NDArray[np.uint8]) -> LogProbabilities:
    """Crops (..., height, width), each a face of one view -> (..., classes)."""
    *leading, height, width = crops.shape
    scores = classifier.predict(crops.reshape(-1, 1, height, width))
    return calibration.logarithms(scores).reshape(*leading, -1)


def _average(looks: LogProbabilities, views: Views) -> LogProbabilities:
    """The mean of the log-probabilities of some views."""
    cut_already = looks.shape[2] == 1
    columns = [0] if cut_already else [SCALES.index(scale) for scale in views.scales]
    return looks[:, : 1 + views.mirror, columns].mean(axis=(1, 2))


def _natural(answers: LogProbabilities, targets: NDArray[np.int8]) -> dict[str, Any]:
    """Accuracy, balanced accuracy and recalls; a face that was not found is wrong."""
    right = np.isfinite(answers[:, 0]) & (answers.argmax(axis=1) == targets)
    recalls = {
        label: _wilson(right[targets == target])
        for target, label in enumerate(LABELS)
        if (targets == target).any()
    }
    balanced = float(np.mean([recall["value"] for recall in recalls.values()]))
    return {
        "accuracy": _wilson(right),
        "balanced_accuracy": round(balanced, 4),
        "recall": recalls,
    }


def _public(looks: LogProbabilities, views: Views, public: Split) -> dict[str, Any]:
    """Accuracy under both labellings; of the views only the mirror image is left."""
    answers = _average(looks, Views((1.0,), views.mirror))
    return {
        name: _accuracy(answers, public.targets(name)[: len(answers)])
        for name in ("fer2013", "ferplus")
    }


def _accuracy(answers: LogProbabilities, targets: NDArray[np.int8]) -> dict[str, Any] | None:
    known = targets >= 0
    return _wilson((answers.argmax(axis=1) == targets)[known]) if known.any() else None


def _wilson(right: NDArray[np.bool_]) -> dict[str, Any]:
    estimate = msgspec.structs.asdict(intervals.wilson(int(right.sum()), len(right)))
    return {name: round(value, 4) for name, value in estimate.items()}


def _times(classifier: EmotionClassifier, reference: EmotionClassifier) -> dict[int, float]:
    """The median time for one face by the number of its views, one look of the reference being 1.

    They are timed in turns, and the first turn is not counted.
    """
    numbers = sorted({len(views) for views in VIEWS})
    timed = [(reference, 1), *((classifier, number) for number in numbers)]
    turns = [[_seconds(*run) for run in timed] for _ in range(_ROUNDS + 1)]
    unit, *medians = np.median(turns[1:], axis=0).tolist()
    return {number: median / unit for number, median in zip(numbers, medians, strict=True)}


def _seconds(classifier: EmotionClassifier, views: int) -> float:
    face = np.zeros((1, views, *classifier.version.input_shape[:2]), np.uint8)
    classifier.predict(face)  # sets the size of the batch
    begun = time.perf_counter()
    classifier.predict(face)
    return time.perf_counter() - begun


def _print(report: dict[str, Any], versions: Sequence[str]) -> None:
    print(
        f"{report['found']} of {report['photographs']} faces found; natural, balanced, neutral,"
        " fer2013, ferplus, time"
    )
    for name in versions:
        print(name)
        for row in report[name]:
            _print_row(row)


def _print_row(row: dict[str, Any]) -> None:
    scales = ", ".join(f"{scale:g}" for scale in row["scales"])
    mirror = " + mirror" if row["mirror"] else ""
    natural = row["natural"]
    estimates = [
        natural["accuracy"],
        {"value": natural["balanced_accuracy"]},
        natural["recall"].get("neutral"),
        *row["public_test"].values(),
    ]
    values = [estimate["value"] if estimate else float("nan") for estimate in estimates]
    cells = "  ".join(f"{value:.4f}" for value in values)
    print(f"  {scales + mirror:24}{cells}  {row['time']:.2f}")


def main(
    *,
    photographs: Annotated[Path, typer.Option(help="a folder or zip of <split>/<class>/*.jpg")],
    data: FER2013Option,
    versions: Annotated[list[Path], typer.Option(help="version folders")],
    clock: Annotated[Path, typer.Option(help="version folder whose time for one look is 1")],
    faces: Annotated[
        int | None, typer.Option(min=1, help="measure so many photographs and faces only")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Measure the versions, print a line for each way to look and write the report."""
    report = measure(photographs, data, versions, clock, faces)
    _print(report, [folder.name for folder in versions])
    if output:
        write_report(output, report)


if __name__ == "__main__":
    run_script(main, __doc__)
