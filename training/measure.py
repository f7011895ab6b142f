"""Measure a version: on FER2013 by its crops, on photographs end to end, as they are served."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from fer import LABELS, DataError, EmotionClassifier, calibration, intervals, metrics
from fer.intervals import Clusters
from fer.metrics import Scores, Targets
from fer.versions.predictions import SetScores
from fer.versions.report import Certain, Metrics, Robustness, SetReport
from training import robustness
from training.answers import Answers, answer_photographs
from training.data import fer2013
from training.data.classes import EMOTIONS
from training.data.fer2013 import LABELLINGS, SPLITS, Split
from training.data.photographs import Photographs, read_photographs
from training.data.resizing import predict
from training.evaluation_sets import FER2013, asked_labels, title

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """What `metrics.json` says of one test set, and the scores that it was computed of."""

    report: SetReport
    scores: SetScores


def measure_fer2013(classifier: EmotionClassifier, dataset: fer2013.FER2013) -> dict[str, Measured]:
    """PrivateTest under each labelling, with PublicTest beside it, by test set.

    The first test set is measured on corrupted crops too.
    """
    measured = {}
    for ending, labels in asked_labels(classifier.labels).items():
        public = dataset.split("PublicTest", labels)
        private = dataset.split("PrivateTest", labels)
        validation = _measure_crops(classifier, public, labels, ending)
        test = _measure_crops(classifier, private, labels, ending)
        report = replace(
            test.report,
            split="PrivateTest",
            validation=validation.report.first,
            robustness=None if ending else _measure_robustness(classifier, dataset),
        )
        measured[FER2013 + ending] = Measured(report, test.scores)
    return measured


def measure_photographs(
    classifier: EmotionClassifier, path: Path, name: str | None = None, split: str | None = None
) -> dict[str, Measured]:
    """A test set of photographs; a picture in which no face is found is answered wrong.

    Of data with splits, `split` is measured: by default the test split, or validation where there
    is none.
    """
    name = name or path.stem
    photographs, folder = _test_split(read_photographs(path), split)
    labels_of = {
        name + ending: labels
        for ending, labels in asked_labels(classifier.labels).items()
        if (photographs.targets_among(labels) >= 0).any()
    }
    if not labels_of:
        raise DataError(f"{path}: no picture is labelled {' or '.join(classifier.labels)}.")
    answers = answer_photographs(classifier, photographs)
    measured = {}
    for test_set, labels in labels_of.items():
        result = _measure_answers(classifier, photographs, answers, labels, test_set)
        measured[test_set] = Measured(replace(result.report, split=folder), result.scores)
    return measured


def measure(known: SetScores, labelling: str, labels: tuple[str, ...], certain: Flags) -> Metrics:
    """Every metric over the examples with a target, each with n and its interval.

    Log loss and calibration error are those of the answers that were given; where no face was found
    there is none. `certain` (n,) tells the answers that are not called uncertain.
    """
    rows = known.targets[labelling] >= 0
    targets = known.targets[labelling][rows].astype(np.int64)
    answers = known.answers[rows]
    people = _of_rows(known.people, rows)
    found = np.ones(len(targets), bool) if known.found is None else known.found[rows]
    if not found.any():
        raise DataError(
            f"in none of the {len(targets)} pictures of {labelling} was a face found; nothing to"
            " measure."
        )
    of_answers = partial(intervals.bootstrap, scores=answers, targets=targets, clusters=people)
    of_given = partial(
        intervals.bootstrap,
        scores=known.scores[rows][found],
        targets=targets[found],
        clusters=_of_rows(people, found),
    )
    recalls = zip(labels, metrics.recalls(answers, targets, people), strict=False)
    matrix = metrics.confusion_matrix(answers, targets)[: len(labels)]
    return Metrics(
        n=len(targets),
        accuracy=metrics.accuracy(answers, targets, people),
        balanced_accuracy=of_answers(metrics.balanced_accuracy),
        macro_f1=of_answers(metrics.macro_f1),
        log_loss=of_given(metrics.log_loss),
        expected_calibration_error=of_given(calibration.expected_calibration_error),
        recall={label: recall for label, recall in recalls if recall},
        confusion_matrix=tuple(map(tuple, matrix.tolist())),
        certain=_measure_certain(answers, targets, found, people, certain[rows]),
    )


def _measure_certain(
    answers: Scores, targets: Targets, found: Flags, people: Clusters | None, certain: Flags
) -> Certain:
    """What calling the other answers uncertain gains, and the curve of risk over coverage."""
    is_right = answers.argmax(axis=1) == targets
    accuracy = None
    if certain.any():
        accuracy = intervals.share(is_right[certain], _of_rows(people, certain))
    return Certain(
        coverage=intervals.share(certain, people),
        accuracy=accuracy,
        risk_coverage=tuple(calibration.risk_coverage(answers[found], targets[found])),
    )


def _measure_crops(
    classifier: EmotionClassifier, split: Split, labels: tuple[str, ...], ending: str
) -> Measured:
    targets = {
        labelling + ending: split.targets(labelling)
        for labelling in LABELLINGS
        if (split.targets(labelling) >= 0).any()  # a folder of images carries no FER+ votes
    }
    served = predict(classifier, split.images)
    scores = SetScores(metrics.among(served, classifier.labels, labels), targets, split.sha256)
    certain = served.max(axis=1) >= classifier.version.uncertain_below
    return Measured(_report(FER2013 + ending, scores, labels, certain), scores)


def _measure_answers(
    classifier: EmotionClassifier,
    photographs: Photographs,
    answers: Answers,
    labels: tuple[str, ...],
    test_set: str,
) -> Measured:
    targets = photographs.targets_among(labels)
    scores = SetScores(
        metrics.among(answers.scores, classifier.labels, labels),
        {test_set: targets},
        photographs.sha256,
        answers.found,
        photographs.people,
    )
    is_sure = answers.scores.max(axis=1) >= classifier.version.uncertain_below
    certain = is_sure & answers.found & ~answers.doubted
    report = _report(test_set, scores, labels, certain)
    others = Counter(EMOTIONS[target] for target in photographs.targets[targets < 0])
    return Measured(replace(report, left_out=dict(others)), scores)


def _report(test_set: str, scores: SetScores, labels: tuple[str, ...], certain: Flags) -> SetReport:
    """What is told of a test set; its split is named by the caller."""
    first_targets = next(iter(scores.targets.values()))
    rows = first_targets >= 0
    people = _of_rows(scores.people, rows)
    return SetReport(
        title=title(test_set),
        split="",
        sha256=scores.sha256,
        labels=labels,
        people=None if people is None else len(np.unique(people)),
        found=None if scores.found is None else intervals.share(scores.found[rows], people),
        labellings={
            labelling: measure(scores, labelling, labels, certain) for labelling in scores.targets
        },
    )


def _measure_robustness(classifier: EmotionClassifier, dataset: fer2013.FER2013) -> Robustness:
    test = dataset.split("PrivateTest")
    rows = test.fer2013 >= 0

    def predict_four(images: NDArray[np.uint8]) -> Scores:
        return metrics.among(predict(classifier, images), classifier.labels, LABELS)

    return robustness.measure(predict_four, test.images[rows], test.fer2013[rows])


def _of_rows(people: Clusters | None, rows: Flags) -> Clusters | None:
    return None if people is None else people[rows]


def _test_split(photographs: Photographs, split: str | None) -> tuple[Photographs, str]:
    """The pictures to measure, and the folder's word for them; without splits, all there are."""
    if split is None and not photographs.has_splits:
        return photographs, "all"
    held = {SPLITS[index] for index in np.unique(photographs.splits)}
    split = split or ("PrivateTest" if "PrivateTest" in held else "PublicTest")
    if split not in held:
        raise DataError(
            f"{photographs.source} holds no {split}; choose a --split of {', '.join(sorted(held))}."
        )
    chosen = photographs.split(split)
    return chosen, PurePosixPath(chosen.names[0]).parts[-3]
