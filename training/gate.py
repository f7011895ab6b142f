"""The gate: whether a version is good enough to be used, beside the version in use.

It compares them test set by test set, on the predictions that both were published with, pair by
pair, and times both here, turn by turn. Ordinary faces come first; what is measured beside them may
lose a little for a gain there. A first version must meet the absolute limits alone, which stand in
`training.gate_limits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fer import EmotionClassifier, ModelVersion
from fer.cli.console import without_chatter
from fer.versions.folder import PREDICTIONS
from fer.versions.predictions import Predictions
from training.evaluation_sets import order
from training.gate_checks import Check, Measured, check_probes, check_test_set
from training.gate_costs import check_costs
from training.gate_limits import BESIDE, LIMITS, Costs, Limits


def run_gate(
    new: ModelVersion,
    current: ModelVersion | None,
    limits: Mapping[str, Limits] = LIMITS,
    costs: Costs | None = None,
) -> list[Check]:
    """Every check of `new`, against `current` where there is one.

    Raises ModelError if a version cannot be used.
    """
    predictions = _predictions(new)
    predictions_before = _predictions(current) if current else None
    with without_chatter():
        classifier = EmotionClassifier(new)
    checks = [check_probes(classifier, predictions)]
    for place, name in enumerate(sorted(predictions.test_sets, key=order)):
        measured = Measured.of(new, predictions, name)
        measured_before = None
        if current and predictions_before and name in predictions_before.test_sets:
            measured_before = Measured.of(current, predictions_before, name)
        leads = place == 0
        known = limits.get(name, Limits())
        set_limits = known if leads else replace(known, **BESIDE)
        found = check_test_set(measured, measured_before, set_limits, leads=leads)
        checks += [replace(check, name=f"{name}: {check.name}") for check in found]
    checks += _check_all_measured(predictions, predictions_before, limits)
    return checks + check_costs(new, current, costs or Costs())


def _predictions(version: ModelVersion) -> Predictions:
    return Predictions.read(version.read(PREDICTIONS), len(version.labels))


def _check_all_measured(
    new: Predictions, current: Predictions | None, limits: Mapping[str, Limits]
) -> list[Check]:
    """A failed check for each set with limits that the version in use alone was measured on."""
    if current is None:
        return []
    missing = [name for name in limits if name in current.test_sets and name not in new.test_sets]
    return [
        Check(name, "not measured", "measured", "measured too", passed=False) for name in missing
    ]
