r"""Measure how a version's accuracy falls as faces turn away, on photographs of one person each.

    python -m benchmarks.turned --data natural.zip --version models/flagship \
        --output benchmarks/results/turned.json

    a tiny run, a few seconds:
    python -m benchmarks.turned --data natural.zip --version models/flagship --faces 100

Takes about a minute a detector. The validation pictures of the data whose class the version knows
are asked; the yaw of the largest face is what its landmarks say. The limit is the first step of
`STEP` degrees in which fewer than `LEAST` of the answers are right. Expect 60 degrees for
`flagship` with BlazeFace and 45 with YuNet, and 30 for `flagship-fer2013` with either, which is
what `fer.results.TURNED_FROM` holds for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from msgspec.structs import asdict
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.options import OutputOption, VersionOption, YuNetOption
from fer import (
    DataError,
    EmotionClassifier,
    FaceDetector,
    FERPipeline,
    YuNet,
    load_detector,
    read_version,
)
from fer.cli.application import run_script
from fer.intervals import wilson
from training.command import write_report
from training.data.photographs import Photographs, read_photographs

STEP = 15
"""Degrees of yaw, either way, that are counted together."""

LEAST = 0.7
"""The accuracy that a face must promise not to count as turned away."""


class Answers(NamedTuple):
    """The yaw of each found face in degrees, and whether the answer is right, and certain."""

    yaw: NDArray[np.float64]
    right: NDArray[np.bool_]
    certain: NDArray[np.bool_]


def measure(
    data: Path, version: Path, detectors: Sequence[FaceDetector], faces: int | None
) -> dict[str, Any]:
    """Ask the version with every detector and return the report."""
    classifier = EmotionClassifier(read_version(version))
    photographs, labels = _known(
        read_photographs(data).split("PublicTest"), classifier.labels, faces
    )
    report: dict[str, Any] = {
        "version": classifier.version.name,
        "sha256": classifier.version.sha256,
        "data_sha256": photographs.sha256,
        "pictures": len(photographs),
    }
    for detector in detectors:
        answers = ask(FERPipeline(detector, classifier), photographs, labels)
        report[detector.name] = summarize(answers)
    return report


def ask(pipeline: FERPipeline, photographs: Photographs, labels: Sequence[str]) -> Answers:
    """What the pipeline says of the largest face of each picture, beside the picture's label."""
    rows = []
    pictures = zip(photographs.images(), labels, strict=True)
    progress = tqdm(
        pictures, pipeline.detector.name, len(photographs), unit="picture", disable=None
    )
    for image, label in progress:
        for prediction in pipeline(image)[:1]:
            landmarks = prediction.face.landmarks
            yaw = landmarks.yaw if landmarks else None
            if yaw is not None:
                rows.append((yaw, prediction.label == label, not prediction.uncertain))
    if not rows:
        raise DataError(
            f"{photographs.source}: {pipeline.detector.name} finds no face in {len(photographs)}"
            " pictures."
        )
    table = np.array(rows, np.float64)
    return Answers(table[:, 0], table[:, 1] > 0, table[:, 2] > 0)


def summarize(answers: Answers) -> dict[str, Any]:
    """Accuracy in each step of yaw and of certain answers, and the limit that follows."""
    steps = (np.abs(answers.yaw) // STEP).astype(int)
    accuracy = {int(step) * STEP: _share(answers.right[steps == step]) for step in np.unique(steps)}
    too_few_right = [yaw for yaw, share in accuracy.items() if share["value"] < LEAST]
    certain = answers.certain
    return {
        "found": len(steps),
        "accuracy_from_yaw": accuracy,
        "turned_from": too_few_right[0] if too_few_right else None,
        "certain": _share(certain),
        "accuracy_of_certain": _share(answers.right[certain]) if certain.any() else None,
    }


def _share(true: NDArray[np.bool_]) -> dict[str, Any]:
    return asdict(wilson(int(true.sum()), len(true)))


def _known(
    photographs: Photographs, labels: Sequence[str], faces: int | None
) -> tuple[Photographs, list[str]]:
    """Pictures whose class is one of the version's labels, all or some, and their labels."""
    rows = np.flatnonzero(photographs.targets_among(labels) >= 0)
    if not len(rows):
        raise DataError(
            f"{photographs.source}: no validation picture of {', '.join(labels)} is in it."
        )
    if faces is not None and faces < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, faces, replace=False))
    chosen = photographs.select(rows)
    return chosen, [labels[index] for index in chosen.targets_among(labels)]


def main(
    *,
    data: Annotated[Path, typer.Option(help="a folder or zip of <split>/<class>/<picture>")],
    version: VersionOption,
    yunet_weights: YuNetOption = None,
    faces: Annotated[int | None, typer.Option(min=1, help="measure so many pictures only")] = None,
    output: OutputOption = None,
) -> None:
    """Ask the version with both detectors, print a line a step and write the report."""
    report = measure(data, version, [load_detector("blazeface"), YuNet(yunet_weights)], faces)
    for name in ("blazeface", "yunet"):
        result = report[name]
        print(
            f"{name}: found {result['found']} of {report['pictures']}; turned from"
            f" {result['turned_from']} degrees"
        )
        for yaw, share in result["accuracy_from_yaw"].items():
            interval = "{value:.3f} ({low:.3f} to {high:.3f}, n={n})".format(**share)
            print(f"  from {yaw:2} degrees {interval}")
    if output:
        write_report(output, report)


if __name__ == "__main__":
    run_script(main, __doc__)
