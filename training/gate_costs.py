"""What a version costs, beside the version in use: time for a face, and bytes of the graph."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from fer import EmotionClassifier, ModelVersion
from fer.versions.folder import GRAPH
from training.gate_checks import Check
from training.gate_limits import Costs

ROUNDS = 100


def check_costs(new: ModelVersion, current: ModelVersion | None, limits: Costs) -> list[Check]:
    """Whether both are within the budget, or grow little."""
    versions = [new, current] if current else [new]
    megabytes = [version.files[GRAPH].bytes / 1e6 for version in versions]
    milliseconds = latencies(versions)
    return [
        _check("latency, one face", "ms", milliseconds, limits.milliseconds, limits.growth),
        _check("size of the graph", "MB", megabytes, limits.megabytes, limits.growth),
    ]


def latencies(versions: Sequence[ModelVersion]) -> list[float]:
    """Median milliseconds for one face, all its views included, on this machine.

    They are taken in turn, so that a busy moment hits all alike.
    """
    classifiers = [EmotionClassifier(version) for version in versions]
    faces = [
        np.zeros((1, len(version.views), *version.input_shape[:2]), np.uint8)
        for version in versions
    ]
    rounds = []
    for _ in range(ROUNDS + 1):
        turns = zip(classifiers, faces, strict=True)
        rounds.append([_milliseconds(classifier, face) for classifier, face in turns])
    # the first round also sets the batch size
    return [float(value) for value in np.median(rounds[1:], axis=0)]


def _milliseconds(classifier: EmotionClassifier, face: np.ndarray) -> float:
    start = time.perf_counter()
    classifier.predict(face)
    return (time.perf_counter() - start) * 1000


def _check(name: str, unit: str, values: list[float], budget: float, growth: float) -> Check:
    value, *before = values
    limit = max(budget, *(growth * known for known in before), 0.0)
    return Check(
        name=name,
        new=f"{value:.3g} {unit}",
        current=f"{before[0]:.3g} {unit}" if before else "-",
        required=f"at most {limit:.3g} {unit}",
        passed=value <= limit,
    )
