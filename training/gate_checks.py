"""The checks of a version on one test set, beside the version in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer import EmotionClassifier, ModelError, ModelVersion, calibration, metrics
from fer.metrics import Scores, Targets
from fer.versions.folder import METRICS, PREDICTIONS
from fer.versions.predictions import Predictions
from training.gate_limits import Limits
from training.probes import REPEATED, answers, precision


@dataclass(frozen=True)
class Check:
    """One row of the gate's table."""

    name: str
    new: str
    current: str
    required: str
    passed: bool


@dataclass(frozen=True)
class Measured:
    """What one version was measured to answer on one test set.

    Attributes:
        test_set: Its name.
        predictions: Of all test sets, as they were published with the version.
        labels: The expressions that the test set asks for.
        answers: (n, labels) scores, and a column for faces that were not found.
        scores: (n, labels).
        targets: (n,).
    """

    test_set: str
    predictions: Predictions
    labels: tuple[str, ...]
    answers: Scores
    scores: Scores
    targets: Targets

    @classmethod
    def of(cls, version: ModelVersion, predictions: Predictions, test_set: str) -> Measured:
        """Read them. Raises ModelError where the version was not measured so."""
        known = predictions.test_sets[test_set]
        if test_set not in known.targets:
            raise ModelError(
                f"version {version.name}: {PREDICTIONS} has no labels {test_set!r}; evaluate it"
                " again."
            )
        report = version.report()
        if report is None or test_set not in report.test_sets:
            raise ModelError(
                f"version {version.name}: {METRICS} knows no test set {test_set!r}; evaluate it"
                " again."
            )
        targets = known.targets[test_set]
        rows = targets >= 0
        return cls(
            test_set=test_set,
            predictions=predictions,
            labels=report.test_sets[test_set].labels,
            answers=known.answers[rows],
            scores=known.scores[rows],
            targets=targets[rows],
        )

    @property
    def accuracy(self) -> float:
        return metrics.accuracy(self.answers, self.targets).value

    @property
    def calibration_error(self) -> float:
        """That of the answers that were given."""
        given = self.answers[:, : len(self.labels)].any(axis=1)
        return calibration.expected_calibration_error(self.scores[given], self.targets[given])

    def recalls(self) -> dict[str, float]:
        """The share of each class that was found; a class without examples is left out."""
        recalls = metrics.recalls(self.answers, self.targets)
        named = zip(self.labels, recalls, strict=False)
        return {label: recall.value for label, recall in named if recall}


def check_test_set(
    new: Measured, current: Measured | None, limits: Limits, *, leads: bool
) -> list[Check]:
    """Every check on one test set; `leads` is whether it is the one that counts most."""
    checks = [_check_accuracy(new, current, limits)]
    if current:
        checks.append(_check_pairs(new, current, limits, leads=leads))
    return [
        *checks,
        *_check_recalls(new, current, limits),
        _check_calibration(new, current, limits),
    ]


def check_probes(classifier: EmotionClassifier, predictions: Predictions) -> Check:
    """Whether the graph answers the probes as the one did that was measured."""
    name = "answers to probes"
    limit = REPEATED[precision(classifier.version)]
    required = f"within {limit:g} of those of the graph that was measured"
    mend = f"{required}; run training.evaluate again"
    given = answers(classifier)
    kept = predictions.probes
    if given.shape != kept.shape:
        return Check(name, f"are {len(given)}, kept {len(kept)}", "-", mend, passed=False)
    difference = float(np.abs(given - kept).max())
    passed = difference <= limit
    return Check(name, f"differ by {difference:.2g}", "-", required if passed else mend, passed)


def table(checks: Sequence[Check]) -> str:
    """The checks as lines of aligned columns, the verdict first."""
    rows = [("", "check", "new", "current", "required")]
    for check in checks:
        verdict = "pass" if check.passed else "FAIL"
        rows.append((verdict, check.name, check.new, check.current, check.required))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _check_accuracy(new: Measured, current: Measured | None, limits: Limits) -> Check:
    return Check(
        name="accuracy",
        new=f"{new.accuracy:.3f}",
        current=f"{current.accuracy:.3f}" if current else "-",
        required=f"at least {limits.accuracy:.3f}",
        passed=new.accuracy >= limits.accuracy,
    )


def _check_pairs(new: Measured, current: Measured, limits: Limits, *, leads: bool) -> Check:
    """Surely not much worse and, on the set that leads, not shown to be worse at all."""
    name = "accuracy, paired"
    if new.labels != current.labels:
        return Check(
            name, "-", "-", "the same labels; they differ, so there are no pairs", passed=False
        )
    try:
        paired = new.predictions.compare(current.predictions, new.test_set, new.test_set)
    except ModelError as error:
        return Check(name, "-", "-", str(error), passed=False)
    points = [f"{100 * value:.1f}" for value in (paired.low, paired.high)]
    required = f"interval above {-100 * limits.accuracy_loss:.1f}"
    passed = paired.low > -limits.accuracy_loss
    if leads:
        required += f", no loss by the paired test (p = {paired.p_value:.2g})"
        passed = passed and not (paired.distinguishable and paired.difference < 0)
    measured = f"{100 * paired.difference:+.1f} points ({' to '.join(points)})"
    return Check(name, measured, "-", required, passed)


def _check_recalls(new: Measured, current: Measured | None, limits: Limits) -> list[Check]:
    after = new.recalls()
    before = current.recalls() if current else {}
    checks = []
    for label in new.labels:
        floor = max(limits.recall, before.get(label, 0.0) - limits.recall_loss)
        check = Check(
            name=f"recall of {label}",
            new=f"{after[label]:.3f}" if label in after else "no example",
            current=f"{before[label]:.3f}" if label in before else "-",
            required=f"at least {floor:.3f}",
            passed=after.get(label, 0.0) >= floor,
        )
        checks.append(check)
    return checks


def _check_calibration(new: Measured, current: Measured | None, limits: Limits) -> Check:
    limit = limits.calibration_error
    if current:
        limit = min(limit, current.calibration_error + limits.calibration_loss)
    return Check(
        name="calibration error",
        new=f"{new.calibration_error:.3f}",
        current=f"{current.calibration_error:.3f}" if current else "-",
        required=f"at most {limit:.3f}",
        passed=new.calibration_error <= limit,
    )
