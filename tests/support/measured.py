"""Whole versions for tests: a tiny graph with weights, predictions, metrics and card, as good as one wants them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save

from fer import EmotionClassifier, metrics
from fer.artifact import METRICS, PREDICTIONS, WEIGHTS
from fer.metrics import Estimate
from tests.support.versions import LABELS, tiny_graph, weights, write_tiny
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
    folder: Path, accuracy: float = 0.8, *, happy: float | None = None, seed: int = 0, test: str = "a", **changes: Any
) -> Path:
    """Write a version that gets this share of the test examples right (`happy`: of that class), always the easiest.

    `seed` makes the graph; versions with another `test` were measured on other examples.
    """
    folder.mkdir(parents=True, exist_ok=True)
    matrix = weights(seed)
    layer = {"probabilities/kernel": matrix.T.copy(), "probabilities/bias": np.zeros(len(LABELS), np.float32)}
    changes = {"name": folder.name, "lineage": LINEAGE, "parameters": matrix.size + len(LABELS), **changes}
    version = write_tiny(folder, tiny_graph(matrix), **changes)
    (folder / WEIGHTS).write_bytes(save(layer))
    labels = np.arange(N) % len(LABELS)
    hardness = np.arange(N) // len(LABELS) * len(LABELS) / N
    right = hardness < np.where(labels == 0, accuracy if happy is None else happy, accuracy)
    confidence = right.mean()
    scores = np.full((N, len(LABELS)), (1 - confidence) / (len(LABELS) - 1))
    scores[np.arange(N), np.where(right, labels, (labels + 1) % len(LABELS))] = confidence
    (folder / PREDICTIONS).write_bytes(predictions(scores, labels, test, answers(EmotionClassifier(version))))
    measured = measure(scores, labels)
    report = {
        "test_sha256": test * 64,
        "temperature": 1.0,
        "labellings": {"fer2013": measured, "fer2013-dedup": measured},
        "validation": measured,
        "uncertain": {"below": 0.5, "coverage": asdict(metrics.wilson(N, N)), "accuracy": measured["accuracy"]},
        "robustness": {
            "strengths": {"blur (sigma, pixels)": [0.5, 1, 1.5, 2, 3]},
            "accuracy": {"blur (sigma, pixels)": [float(accuracy * share) for share in (1, 0.9, 0.8, 0.7, 0.6)]},
            "mean_relative": 0.8,
        },
    }
    (folder / METRICS).write_text(json.dumps(report))
    write_tiny(folder, tiny_graph(matrix), **changes)
    write_card(folder)
    return folder


@contextmanager
def one_layer_known() -> Iterator[None]:
    """Let training know the architecture of `write_measured`, so that its weights can be checked against its graph."""
    load_keras()
    from keras import layers

    from training.architectures import BODIES

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BODIES, "one_layer", layers.Flatten())
        yield


def predictions(
    scores: np.ndarray,
    labels: np.ndarray,
    test: str = "a",
    probes: NDArray[np.float32] | None = None,
) -> bytes:
    """The content of `predictions.npz`; without `probes`, that of a version measured by an earlier program."""
    buffer, none = io.BytesIO(), np.full(len(labels), -1)
    arrays: dict[str, Any] = {"scores": scores, "fer2013": labels, "ferplus": none, "duplicate": none > 0}
    if probes is not None:
        arrays["probes"] = probes
    np.savez(buffer, **arrays, test_sha256=np.array(test * 64))
    return buffer.getvalue()


def measure(scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """One labelling of `metrics.json`, its bootstrap intervals left out."""

    def alone(metric: Any) -> dict[str, Any]:
        value = metric(scores, labels)
        return asdict(Estimate(value, value, value, len(labels)))

    recalls = zip(LABELS, metrics.recalls(scores, labels), strict=True)
    return {
        "n": len(labels),
        "accuracy": asdict(metrics.accuracy(scores, labels)),
        "macro_f1": alone(metrics.macro_f1),
        "log_loss": alone(metrics.log_loss),
        "expected_calibration_error": alone(metrics.expected_calibration_error),
        "recall": {name: asdict(recall) for name, recall in recalls if recall},
        "confusion_matrix": metrics.confusion_matrix(scores, labels).tolist(),
    }
