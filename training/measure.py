"""Measure a version on a test set.

FER2013 by its crops, photographs end to end, as they are served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from tqdm import tqdm

from fer import (
    LABELS,
    BlazeFace,
    DataError,
    EmotionClassifier,
    FERPipeline,
    ModelError,
    calibration,
    intervals,
    metrics,
)
from fer.intervals import Clusters
from fer.metrics import Scores, Targets
from fer.versions.labels import LABEL_SETS
from fer.versions.predictions import SetScores
from fer.versions.report import Certain, Metrics, Robustness, SetReport
from training import robustness
from training.data import fer2013
from training.data.examples import predict
from training.data.fer2013 import EMOTIONS, LABELLINGS, SPLITS, Split
from training.data.photographs import Photographs, read_photographs

FER2013, NATURAL = "fer2013", "natural"
_TITLES = {FER2013: "FER2013", NATURAL: "Ordinary faces"}
_SIZES = {labels: size for size, labels in LABEL_SETS.items()}  # in words
Flags = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True)
class Measured:
    """What `metrics.json` says of one test set, and the scores that it was computed of."""

    report: SetReport
    scores: SetScores


@dataclass(frozen=True)
class Answers:
    """What a version says of photographs: `scores` (n, classes), even ones where no face was found.

    `found` (n,) says where one was, `doubted` (n,) where its detection is weak or it is turned
    away.
    """

    scores: Scores
    found: Flags
    doubted: Flags


def order(test_set: str) -> tuple[bool, bool, str]:
    """A sort key: ordinary faces first, then FER2013, then all others."""
    return test_set != NATURAL, test_set != FER2013, test_set


def asked(labels: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The expressions that a version with these labels is asked for, by the ending of the test set's name.

    One that knows more than the four is asked twice: for the four alone, on which it can be
    compared with every other version, and for all that it knows.
    """
    if labels != LABELS and labels in _SIZES:
        return {"": LABELS, f"-{_SIZES[labels]}": labels}
    return {"": labels}


def measure_fer2013(classifier: EmotionClassifier, dataset: fer2013.FER2013) -> dict[str, Measured]:
    """PrivateTest under each labelling and PublicTest beside it, by test set.

    The first with disturbed crops too.
    """
    measured = {}
    for ending, labels in asked(classifier.labels).items():
        validation = _measure_crops(classifier, dataset.split("PublicTest", labels), labels, ending)
        found = _measure_crops(classifier, dataset.split("PrivateTest", labels), labels, ending)
        report = replace(
            found.report,
            split="PrivateTest",
            validation=validation.report.first,
            robustness=None if ending else _measure_robustness(classifier, dataset),
        )
        measured[FER2013 + ending] = Measured(report, found.scores)
    return measured


def measure_photographs(
    classifier: EmotionClassifier, path: Path, name: str | None = None, split: str | None = None
) -> dict[str, Measured]:
    """The largest face that BlazeFace finds in each picture counts; a picture without one is answered wrong.

    Of data with splits, `split` is measured: by default the test split, or validation where there
    is none.
    """
    name = name or path.stem
    photographs, split = _test_split(read_photographs(path), split)
    sets = {name + ending: labels for ending, labels in asked(classifier.labels).items()}
    sets = {
        name: labels for name, labels in sets.items() if (photographs.indices(labels) >= 0).any()
    }
    if not sets:
        raise DataError(f"{path}: no picture is labelled {' or '.join(classifier.labels)}.")
    answers = answer_photographs(classifier, photographs)
    return {
        name: _measure_answers(classifier, photographs, answers, labels, name, split)
        for name, labels in sets.items()
    }


def validation_crops(
    classifier: EmotionClassifier, dataset: fer2013.FER2013
) -> tuple[Scores, Targets]:
    """Scores and labels of PublicTest.

    The labels of FER2013 or, for the eight that it does not know, those of FER+.
    """
    if classifier.labels not in _SIZES:
        raise ModelError(
            f"version {classifier.version.name}: its labels are {', '.join(classifier.labels)},"
            f" expected those of training.export --labels {', '.join(LABEL_SETS)}; measure it on"
            " photographs alone."
        )
    validation = dataset.split("PublicTest", classifier.labels)
    labels = validation.ferplus if classifier.labels == LABEL_SETS["eight"] else validation.fer2013
    rows = labels >= 0
    return predict(classifier, validation.images[rows]), labels[rows]


def validation_photographs(
    classifier: EmotionClassifier, path: Path
) -> tuple[Scores, Targets] | None:
    """Scores and labels of those faces of the validation split whose detection is in no doubt.

    None without a split.
    """
    photographs = read_photographs(path)
    if _without_splits(photographs) or not (photographs.splits == SPLITS.index("PublicTest")).any():
        return None
    photographs = photographs.split("PublicTest")
    labels = photographs.indices(classifier.labels)
    photographs, labels = photographs.select(np.flatnonzero(labels >= 0)), labels[labels >= 0]
    answers = answer_photographs(classifier, photographs)
    rows = answers.found & ~answers.doubted
    return answers.scores[rows], labels[rows]


def measure(known: SetScores, labelling: str, labels: tuple[str, ...], sure: Flags) -> Metrics:
    """Every metric over the examples with a label, each with n and its interval; `sure` (n,) are certain answers.

    Log loss and calibration error are those of the answers that were given, where no face was found
    there is none.
    """
    truth = known.targets[labelling]
    rows = truth >= 0
    answers, truth = known.answers[rows], truth[rows].astype(np.int64)
    people = None if known.people is None else known.people[rows]
    found = np.ones(len(truth), bool) if known.found is None else known.found[rows]
    if not found.any():
        raise DataError(
            f"in none of the {len(truth)} pictures of {labelling} was a face found; nothing to"
            " measure."
        )
    scores = known.scores[rows][found]
    finders = None if people is None else people[found]
    recalls = zip(labels, metrics.recalls(answers, truth, people), strict=False)
    matrix = metrics.confusion_matrix(answers, truth)[: len(labels)]
    return Metrics(
        n=len(truth),
        accuracy=metrics.accuracy(answers, truth, people),
        balanced_accuracy=intervals.bootstrap(metrics.balanced_accuracy, answers, truth, people),
        macro_f1=intervals.bootstrap(metrics.macro_f1, answers, truth, people),
        log_loss=intervals.bootstrap(metrics.log_loss, scores, truth[found], finders),
        expected_calibration_error=intervals.bootstrap(
            calibration.expected_calibration_error, scores, truth[found], finders
        ),
        recall={name: recall for name, recall in recalls if recall},
        confusion_matrix=tuple(map(tuple, matrix.tolist())),
        certain=_certain(answers, truth, found, people, sure[rows]),
    )


def _measure_crops(
    classifier: EmotionClassifier, split: Split, labels: tuple[str, ...], ending: str
) -> Measured:
    truth = {
        labelling + ending: split.labels(labelling)
        for labelling in LABELLINGS
        if (split.labels(labelling) >= 0).any()  # a folder of images carries no FER+ votes
    }
    served = predict(classifier, split.images)
    scores = SetScores(metrics.among(served, classifier.labels, labels), truth, split.sha256)
    sure = served.max(axis=1) >= classifier.version.uncertain_below
    return Measured(_report(FER2013 + ending, "", scores, labels, sure), scores)


def _measure_answers(
    classifier: EmotionClassifier,
    photographs: Photographs,
    answers: Answers,
    labels: tuple[str, ...],
    name: str,
    split: str,
) -> Measured:
    truth = photographs.indices(labels)
    among = metrics.among(answers.scores, classifier.labels, labels)
    scores = SetScores(among, {name: truth}, photographs.sha256, answers.found, photographs.people)
    certain = answers.scores.max(axis=1) >= classifier.version.uncertain_below
    report = _report(name, split, scores, labels, certain & answers.found & ~answers.doubted)
    left_out = Counter(EMOTIONS[label] for label in photographs.labels[truth < 0])
    return Measured(replace(report, left_out=dict(left_out)), scores)


def _report(
    name: str, split: str, scores: SetScores, labels: tuple[str, ...], sure: Flags
) -> SetReport:
    counted = _first(scores.targets) >= 0
    people = None if scores.people is None else scores.people[counted]
    return SetReport(
        title=_title(name),
        split=split,
        sha256=scores.sha256,
        labels=labels,
        people=None if people is None else len(np.unique(people)),
        found=None if scores.found is None else intervals.share(scores.found[counted], people),
        labellings={
            labelling: measure(scores, labelling, labels, sure) for labelling in scores.targets
        },
    )


def _title(name: str) -> str:
    base, _, size = name.partition("-")
    if size in _SIZES.values() and base in _TITLES:
        return f"{_TITLES[base]}, {size} expressions"
    return _TITLES.get(name, name)


def _certain(
    answers: Scores, labels: Targets, found: Flags, people: Clusters | None, sure: Flags
) -> Certain:
    """What is gained by calling the other answers uncertain.

    And the whole curve of risk over coverage.
    """
    right = answers.argmax(axis=1) == labels
    accuracy = (
        intervals.share(right[sure], None if people is None else people[sure])
        if sure.any()
        else None
    )
    return Certain(
        coverage=intervals.share(sure, people),
        accuracy=accuracy,
        risk_coverage=tuple(calibration.risk_coverage(answers[found], labels[found])),
    )


def _measure_robustness(classifier: EmotionClassifier, dataset: fer2013.FER2013) -> Robustness:
    test = dataset.split("PrivateTest")
    rows = test.fer2013 >= 0
    answer = partial(_predict_among, classifier, LABELS)
    return robustness.measure(answer, test.images[rows], test.fer2013[rows])


def _predict_among(
    classifier: EmotionClassifier, labels: tuple[str, ...], images: NDArray[np.uint8]
) -> NDArray[np.floating]:
    return metrics.among(predict(classifier, images), classifier.labels, labels)


def _first(by_name: Mapping[str, T]) -> T:
    return next(iter(by_name.values()))


def _test_split(photographs: Photographs, wanted: str | None) -> tuple[Photographs, str]:
    """The pictures to measure, and the folder's word for them.

    Without split folders, all that there are.
    """
    if wanted is None and _without_splits(photographs):
        return photographs, "all"
    held = {SPLITS[split] for split in np.unique(photographs.splits)}
    wanted = wanted or ("PrivateTest" if "PrivateTest" in held else "PublicTest")
    if wanted not in held:
        raise DataError(
            f"{photographs.source} holds no {wanted}; choose a --split of"
            f" {', '.join(sorted(held))}."
        )
    chosen = photographs.split(wanted)
    return chosen, PurePosixPath(chosen.names[0]).parts[-3]


def _without_splits(photographs: Photographs) -> bool:
    return all(name.count("/") == 1 for name in photographs.names)


def answer_photographs(classifier: EmotionClassifier, photographs: Photographs) -> Answers:
    """What is served for each picture: the answer for the largest face that BlazeFace finds."""
    pipeline, n = FERPipeline(BlazeFace(), classifier), len(photographs)
    scores = np.full((n, len(classifier.labels)), 1 / len(classifier.labels), np.float32)
    found, doubted = np.zeros(n, bool), np.zeros(n, bool)
    for i, image in enumerate(
        tqdm(photographs.images(), "photographs", n, unit="picture", disable=None)
    ):
        if predictions := pipeline(image):
            scores[i], found[i] = list(predictions[0].scores.values()), True
            doubted[i] = bool(predictions[0].face.doubts)
    return Answers(scores, found, doubted)
