"""Fit the temperature of a version, and its limit of certainty, on validation data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fer import EmotionClassifier, ModelError, ModelVersion, calibration
from fer.cli.console import without_chatter
from fer.metrics import Scores, Targets
from fer.versions.labels import LABEL_SETS
from training.answers import answer_photographs
from training.data.fer2013 import FER2013, SPLITS
from training.data.photographs import read_photographs
from training.data.resizing import predict

CERTAIN = 0.9  # of the answers that are not called uncertain, this share shall be right


def calibrated(
    version: ModelVersion, dataset: FER2013, photographs: Path | None
) -> tuple[ModelVersion, tuple[str, ...]]:
    """The version with the temperature and the limit that validation data ask for, and their names.

    Raises ModelError if FER2013 does not know its labels.
    """
    with without_chatter():
        classifier = EmotionClassifier(replace(version, temperature=1.0))
    scores, targets = _validation_crops(classifier, dataset)
    chosen_on: tuple[str, ...] = ("FER2013's PublicTest",)
    faces = _validation_photographs(classifier, photographs) if photographs else None
    if photographs and faces:
        scores = np.concatenate([scores, faces[0]])
        targets = np.concatenate([targets, faces[1]])
        chosen_on = (*chosen_on, f"the validation photographs of {photographs.name}")
    temperature = calibration.fit_temperature(scores, targets)
    scaled = calibration.scale_by_temperature(scores, temperature)
    limit = calibration.fit_threshold(scaled, targets, CERTAIN)
    return replace(version, temperature=temperature, uncertain_below=limit), chosen_on


def _validation_crops(classifier: EmotionClassifier, dataset: FER2013) -> tuple[Scores, Targets]:
    """Scores and targets of PublicTest: those of FER2013, of eight labels those of FER+."""
    if classifier.labels not in LABEL_SETS.values():
        raise ModelError(
            f"version {classifier.version.name}: its labels are {', '.join(classifier.labels)},"
            f" expected those of training.export --labels {', '.join(LABEL_SETS)}; measure it on"
            " photographs alone."
        )
    validation = dataset.split("PublicTest", classifier.labels)
    has_eight = classifier.labels == LABEL_SETS["eight"]
    targets = validation.ferplus if has_eight else validation.fer2013
    rows = targets >= 0
    return predict(classifier, validation.images[rows]), targets[rows]


def _validation_photographs(
    classifier: EmotionClassifier, path: Path
) -> tuple[Scores, Targets] | None:
    """Scores and targets of the faces of the validation split whose detection is in no doubt."""
    photographs = read_photographs(path)
    in_validation = photographs.splits == SPLITS.index("PublicTest")
    if not photographs.has_splits or not in_validation.any():
        return None
    has_label = photographs.targets_among(classifier.labels) >= 0
    validation = photographs.select(np.flatnonzero(in_validation & has_label))
    targets = validation.targets_among(classifier.labels)
    answers = answer_photographs(classifier, validation)
    rows = answers.found & ~answers.doubted
    return answers.scores[rows], targets[rows]
