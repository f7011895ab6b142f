"""Whole versions for tests, as good as one wants them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from safetensors.numpy import save

from fer import EmotionClassifier, calibration, intervals, metrics
from fer.intervals import Estimate
from fer.metrics import Scores, Targets
from fer.versions.folder import METRICS, PREDICTIONS, WEIGHTS
from fer.versions.predictions import Predictions, SetScores
from fer.versions.report import Certain, Metrics, Report, Robustness, SetReport
from tests.factories.versions import LABELS, tiny_graph, weights, write_tiny
from training.command import load_keras
from training.evaluate import write_card
from training.probes import answers

N = 1200
LINEAGE = {
    "config": {"seed": 1},
    "command": "python -m training.train --data fer2013",
    "date": "2026-11-22T21:49:51+00:00",
    "git_commit": None,
    "backend": "tensorflow",
    "versions": {"python": "3.11.7"},
    "split_sha256": {"Training": "e0f241b15969"},
    "images": 20,
    "epochs": 2,
}


def write_measured(
    folder: Path,
    accuracy: float = 0.8,
    *,
    happy: float | None = None,
    ordinary: float | None = None,
    seed: int = 0,
    test: str = "a",
    **changes: Any,
) -> Path:
    """Write a version that gets this share of the test examples right, always the easiest.

    `happy` is another share, for that class. `ordinary` is the share of ordinary faces that it gets
    right, of which it finds nine in ten; without it, it was measured on FER2013 alone. `seed` makes
    the graph; versions with another `test` were measured on other examples.
    """
    folder.mkdir(parents=True, exist_ok=True)
    matrix = weights(seed)
    layer = {
        "probabilities/kernel": matrix.T.copy(),
        "probabilities/bias": np.zeros(len(LABELS), np.float32),
    }
    changes = {
        "name": folder.name,
        "lineage": LINEAGE,
        "parameters": matrix.size + len(LABELS),
        **changes,
    }
    version = write_tiny(folder, tiny_graph(matrix), **changes)
    (folder / WEIGHTS).write_bytes(save(layer))
    known = SetScores(*_scored(accuracy, happy), test * 64)
    fer2013 = replace(
        report_of("fer2013", known, version.labels),
        validation=measure(known, "fer2013"),
        robustness=_robustness(accuracy),
    )
    test_sets, reports = {"fer2013": known}, {"fer2013": fer2013}
    if ordinary is not None:
        natural = ordinary_faces(ordinary, test * 64)
        test_sets = {"natural": natural, **test_sets}
        reports = {"natural": report_of("natural", natural, version.labels), **reports}
    report = Report(temperature=1.0, uncertain_below=0.5, test_sets=reports)
    (folder / PREDICTIONS).write_bytes(
        Predictions(test_sets, answers(EmotionClassifier(version))).to_bytes()
    )
    (folder / METRICS).write_bytes(report.to_bytes())
    write_tiny(folder, tiny_graph(matrix), **changes)
    write_card(folder)
    return folder


@contextmanager
def one_layer_known() -> Iterator[None]:
    """Let training know `write_measured`'s architecture, to check its weights against its graph."""
    load_keras()
    from keras import layers

    from training.architectures import BODIES

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BODIES, "one_layer", layers.Flatten())
        yield


def ordinary_faces(accuracy: float, sha256: str) -> SetScores:
    """The scores of a version on photographs of 100 people; nine in ten of the faces are found."""
    scores, labellings = _scored(accuracy)
    found = np.arange(N) < 0.9 * N
    scores[~found] = 1 / len(LABELS)
    people = np.arange(N, dtype=np.int32) % 100
    return SetScores(scores, {"natural": labellings["fer2013"]}, sha256, found, people)


def report_of(test_set: str, known: SetScores, labels: Sequence[str]) -> SetReport:
    """One test set of `metrics.json`."""
    return SetReport(
        title={"natural": "Ordinary faces", "fer2013": "FER2013"}[test_set],
        split="PrivateTest" if test_set == "fer2013" else "valid",
        sha256=known.sha256,
        labels=tuple(labels),
        people=None if known.people is None else len(np.unique(known.people)),
        found=None if known.found is None else intervals.share(known.found),
        labellings={labelling: measure(known, labelling) for labelling in known.targets},
    )


def measure(known: SetScores, labelling: str) -> Metrics:
    """One labelling of `metrics.json`, its bootstrap intervals left out."""
    targets = known.targets[labelling]
    found = np.ones(len(targets), bool) if known.found is None else known.found

    def alone(metric: Any, scores: Scores, targets: Targets) -> Estimate:
        value = metric(scores, targets)
        return Estimate(value, value, value, len(targets))

    recalls = zip(LABELS, metrics.recalls(known.answers, targets), strict=False)
    accuracy = metrics.accuracy(known.answers, targets)
    matrix = metrics.confusion_matrix(known.answers, targets)[: len(LABELS)]
    return Metrics(
        n=len(targets),
        accuracy=accuracy,
        balanced_accuracy=alone(metrics.balanced_accuracy, known.answers, targets),
        macro_f1=alone(metrics.macro_f1, known.answers, targets),
        log_loss=alone(metrics.log_loss, known.scores[found], targets[found]),
        expected_calibration_error=alone(
            calibration.expected_calibration_error, known.scores[found], targets[found]
        ),
        recall={name: recall for name, recall in recalls if recall},
        confusion_matrix=tuple(map(tuple, matrix.tolist())),
        certain=Certain(intervals.share(found), accuracy),
    )


def _robustness(accuracy: float) -> Robustness:
    blur = "blur (sigma, pixels)"
    kept = (1, 0.9, 0.8, 0.7, 0.6)
    return Robustness(
        n=N,
        clean=accuracy,
        strengths={blur: (0.5, 1, 1.5, 2, 3)},
        accuracy={blur: tuple(float(accuracy * share) for share in kept)},
        mean_relative=0.8,
    )


def _scored(accuracy: float, happy: float | None = None) -> tuple[Scores, dict[str, Targets]]:
    """Scores that get this share of the examples right, always the easiest, and the labels."""
    labels = np.arange(N) % len(LABELS)
    hardness = np.arange(N) // len(LABELS) * len(LABELS) / N
    right = hardness < np.where(labels == 0, accuracy if happy is None else happy, accuracy)
    confidence = right.mean()
    scores = np.full((N, len(LABELS)), (1 - confidence) / (len(LABELS) - 1))
    scores[np.arange(N), np.where(right, labels, (labels + 1) % len(LABELS))] = confidence
    return scores, {"fer2013": labels, "fer2013-dedup": labels}
