"""Measure a version on a test set: FER2013 by its crops, photographs end to end, as they are served."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer import BlazeFace, DataError, EmotionClassifier, FERPipeline, metrics
from fer.metrics import Labels, Scores
from fer.paired import SetScores
from training import robustness
from training.data import EMOTIONS, LABELLINGS, SPLITS, Split
from training.folders import CLASS_WORDS, Photographs, read_photographs

FER2013, NATURAL = "fer2013", "natural"
_TITLES = {FER2013: "FER2013", NATURAL: "Ordinary faces"}


@dataclass(frozen=True)
class Measured:
    """What `metrics.json` says of one test set, and the scores that it was computed of."""

    report: dict[str, Any]
    scores: SetScores


def order(test_set: str) -> tuple[bool, bool, str]:
    """A sort key: ordinary faces first, then FER2013, then sets of one's own."""
    return test_set != NATURAL, test_set != FER2013, test_set


def measure_fer2013(classifier: EmotionClassifier, validation: Split, test: Split) -> Measured:
    """PrivateTest under each labelling, with disturbed crops, and PublicTest beside it."""
    labels = {
        name: test.labels(name)
        for name in LABELLINGS
        if (test.labels(name) >= 0).any()  # a folder of images carries no FER+ votes
    }
    scores = SetScores(classifier.predict(test.images), labels, test.sha256)
    rows = test.fer2013 >= 0
    validated = SetScores(classifier.predict(validation.images), {FER2013: validation.fer2013}, validation.sha256)
    report = _report(FER2013, "PrivateTest", scores, classifier)
    report["validation"] = measure(validated, FER2013, classifier)
    report["robustness"] = robustness.measure(classifier, test.images[rows], test.fer2013[rows])
    return Measured(report, scores)


def measure_photographs(
    classifier: EmotionClassifier, path: Path, name: str | None = None, split: str | None = None
) -> Measured:
    """The largest face that BlazeFace finds in each picture counts; a picture without one is answered wrong.

    Of data with splits, `split` is measured: by default the test split, or validation where there is none.
    """
    name = name or path.stem
    photographs, split = _test_split(read_photographs(path), split)
    index = {CLASS_WORDS.get(label, label): i for i, label in enumerate(classifier.labels)}
    labels = np.array([index.get(EMOTIONS[label], -1) for label in photographs.labels], np.int8)
    if not (labels >= 0).any():
        raise DataError(f"{path}: no picture is labelled {' or '.join(classifier.labels)}.")
    answered, found = _predict(photographs, FERPipeline(BlazeFace(), classifier))
    scores = SetScores(answered, {name: labels}, photographs.sha256, found, photographs.people)
    report = _report(name, split, scores, classifier)
    report["left_out"] = dict(Counter(EMOTIONS[label] for label in photographs.labels[labels < 0]))
    return Measured(report, scores)


def measure(known: SetScores, labelling: str, classifier: EmotionClassifier) -> dict[str, Any]:
    """Every metric over the examples with a label, each with n and its interval.

    Log loss and calibration error are those of the answers that were given, where no face was found there is none.
    """
    labels = known.labels[labelling]
    rows = labels >= 0
    answers, labels = known.answers[rows], labels[rows].astype(np.int64)
    people = None if known.people is None else known.people[rows]
    found = np.ones(len(labels), bool) if known.found is None else known.found[rows]
    if not found.any():
        raise DataError(f"in none of the {len(labels)} pictures of {labelling} was a face found; nothing to measure.")
    scores = known.scores[rows][found]
    finders = None if people is None else people[found]
    recalls = zip(classifier.labels, metrics.recalls(answers, labels, people), strict=False)
    return {
        "n": len(labels),
        "accuracy": asdict(metrics.accuracy(answers, labels, people)),
        "balanced_accuracy": asdict(metrics.bootstrap(metrics.balanced_accuracy, answers, labels, people)),
        "macro_f1": asdict(metrics.bootstrap(metrics.macro_f1, answers, labels, people)),
        "log_loss": asdict(metrics.bootstrap(metrics.log_loss, scores, labels[found], finders)),
        "expected_calibration_error": asdict(
            metrics.bootstrap(metrics.expected_calibration_error, scores, labels[found], finders)
        ),
        "recall": {name: asdict(recall) for name, recall in recalls if recall},
        "confusion_matrix": metrics.confusion_matrix(answers, labels)[: len(classifier.labels)].tolist(),
        "certain": _certain(answers, labels, found, people, classifier.version.uncertain_below),
    }


def _report(name: str, split: str, scores: SetScores, classifier: EmotionClassifier) -> dict[str, Any]:
    counted = scores.labels[name] >= 0
    return {
        "title": _TITLES.get(name, name),
        "split": split,
        "sha256": scores.sha256,
        "people": None if scores.people is None else len(np.unique(scores.people[counted])),
        "found": None if scores.found is None else asdict(
            metrics.share(scores.found[counted], None if scores.people is None else scores.people[counted])
        ),
        "labellings": {labelling: measure(scores, labelling, classifier) for labelling in scores.labels},
    }  # fmt: skip


def _certain(
    answers: Scores, labels: Labels, found: NDArray[np.bool_], people: Labels | None, limit: float
) -> dict[str, Any]:
    """What is gained by calling answers under the limit uncertain, and the whole curve of risk over coverage."""
    certain = found & (answers.max(axis=1) >= limit)
    right = answers.argmax(axis=1) == labels
    accuracy = metrics.share(right[certain], None if people is None else people[certain]) if certain.any() else None
    return {
        "coverage": asdict(metrics.share(certain, people)),
        "accuracy": asdict(accuracy) if accuracy else None,
        "risk_coverage": [list(point) for point in metrics.risk_coverage(answers[found], labels[found])],
    }


def _test_split(photographs: Photographs, wanted: str | None) -> tuple[Photographs, str]:
    """The pictures to measure, and the folder's word for them; without split folders, all that there are."""
    if wanted is None and all(name.count("/") == 1 for name in photographs.names):
        return photographs, "all"
    held = {SPLITS[split] for split in np.unique(photographs.splits)}
    wanted = wanted or ("PrivateTest" if "PrivateTest" in held else "PublicTest")
    if wanted not in held:
        raise DataError(f"{photographs.source} holds no {wanted}; choose a --split of {', '.join(sorted(held))}.")
    chosen = photographs.split(wanted)
    return chosen, PurePosixPath(chosen.names[0]).parts[-3]


def _predict(photographs: Photographs, pipeline: FERPipeline) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scores (n, classes) of the largest face of each picture, even where none was found, and whether one was."""
    classes = pipeline.classifier.labels
    scores = np.full((len(photographs), len(classes)), 1 / len(classes), np.float32)
    found = np.zeros(len(photographs), bool)
    pictures = tqdm(photographs.images(), "photographs", len(photographs), unit="picture", disable=None)
    for i, image in enumerate(pictures):
        if faces := pipeline(image):
            scores[i], found[i] = list(faces[0].scores.values()), True
    return scores, found
