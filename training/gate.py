"""Two gates: a version is published when it is whole (`read_complete`), and in use when it is good (`judge`).

The second one compares it with the version in use, test set by test set, on the predictions that
both were published with, pair by pair, and times both here, turn by turn. Ordinary faces come
first; what is measured beside them may lose a little for a gain there. A first version is judged on
the absolute limits alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from huggingface_hub import ModelCard, ModelCardData
from yaml import YAMLError

from fer import (
    DataError,
    EmotionClassifier,
    ModelError,
    ModelVersion,
    calibration,
    metrics,
    read_version,
)
from fer.cli.console import without_chatter
from fer.metrics import Scores, Targets
from fer.versions.folder import CARD, CONFIG, GRAPH, MAX_BYTES, METRICS, PREDICTIONS, WEIGHTS
from fer.versions.labels import LABEL_SETS
from fer.versions.predictions import Predictions, SetScores
from training.command import load_keras
from training.evaluate import eval_results
from training.measure import FER2013, NATURAL, order
from training.probes import CONVERTED, REPEATED, answers, parity, precision

_ROUNDS = 100


@dataclass(frozen=True)
class Limits:
    """What a version must reach on one test set.

    Limits that end in `_loss` are relative to the version in use.
    """

    accuracy: float = 0.0
    accuracy_loss: float = 0.02  # a tie at n=2515 has an interval of about 1.4 points either way
    recall: float = 0.0
    # three standard errors for the smallest class of FER2013's test split
    recall_loss: float = 0.05
    calibration_error: float = 1.0
    calibration_loss: float = 0.02


@dataclass(frozen=True)
class Costs:
    """Latency and size may be anything up to a budget.

    Beyond it, at most `growth` times the version in use.
    """

    milliseconds: float = 20.0  # for one face: with the detector, 30 frames a second remain
    megabytes: float = 20.0  # of the graph, which every visitor's server fetches
    growth: float = 1.5


LIMITS = {
    # the seed network has 0.64, 0.48 and 0.12
    NATURAL: Limits(accuracy=0.50, recall=0.30, calibration_error=0.20),
    # the seed network has 0.80, 0.57 and 0.02
    FER2013: Limits(accuracy=0.70, recall=0.50, calibration_error=0.06),
}
"""By test set; of sets of one's own there are only the losses to judge."""

BESIDE = {"accuracy_loss": 0.05, "recall_loss": 0.15}
"""What every set after the first may lose."""


@dataclass(frozen=True)
class Check:
    """One row of the gate's table."""

    name: str
    new: str
    current: str
    required: str
    passed: bool


@dataclass(frozen=True)
class _Side:
    """One version, ready to be judged on one test set.

    `answers` have a column for faces that were not found.
    """

    version: ModelVersion
    predictions: Predictions
    asked: tuple[str, ...]
    answers: Scores
    scores: Scores
    labels: Targets

    @classmethod
    def of(cls, version: ModelVersion, predictions: Predictions, test_set: str) -> _Side:
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
        asked = report.test_sets[test_set].labels
        rows = known.targets[test_set] >= 0
        return cls(
            version,
            predictions,
            asked,
            known.answers[rows],
            known.scores[rows],
            known.targets[test_set][rows],
        )

    @property
    def accuracy(self) -> float:
        return metrics.accuracy(self.answers, self.labels).value

    @property
    def calibration_error(self) -> float:
        """That of the answers that were given."""
        given = self.answers[:, : len(self.asked)].any(axis=1)
        return calibration.expected_calibration_error(self.scores[given], self.labels[given])

    def recalls(self) -> dict[str, float]:
        """The share of each class that was found; a class without examples is left out."""
        values = metrics.recalls(self.answers, self.labels)
        return {name: value.value for name, value in zip(self.asked, values, strict=False) if value}


def read_complete(folder: Path) -> dict[str, bytes]:
    """The files of a version that is fit to be published, by name.

    Raises DataError or ModelError where it is not.
    """
    if (folder / "train.json").exists() or (folder / "log.csv").exists():
        raise DataError(
            f"{folder} is a run, not a version; make one of it: "
            f"python -m training.export --run {folder} --output models/{folder.name}"
        )
    version = read_version(folder)
    if missing := [name for name in MAX_BYTES if name not in (CONFIG, *version.files)]:
        raise ModelError(
            f"{folder} lacks {', '.join(missing)}; training.export and then training.evaluate make"
            " a whole version."
        )
    with without_chatter():
        classifier = EmotionClassifier(version)  # loads the graph and runs it
    files = {
        CONFIG: (folder / CONFIG).read_bytes(),
        **{name: version.read(name) for name in version.files},
    }
    predictions = Predictions.read(files[PREDICTIONS], len(version.labels))
    _check_measured(version, predictions, files[CARD].decode(errors="replace"))
    answered = _answered(classifier, predictions)
    if not answered.passed:
        raise ModelError(f"{folder}: {answered.name} {answered.new}, expected {answered.required}.")
    _check_weights(version)
    return files


def _answered(classifier: EmotionClassifier, predictions: Predictions) -> Check:
    """Whether the graph answers the probes as the one did that was measured."""
    name, limit = "answers to probes", REPEATED[precision(classifier.version)]
    required = f"within {limit:g} of those of the graph that was measured"
    mend = f"{required}; run training.evaluate again"
    given = answers(classifier)
    if given.shape != predictions.probes.shape:
        return Check(
            name, f"are {len(given)}, kept {len(predictions.probes)}", "-", mend, passed=False
        )
    difference = float(np.abs(given - predictions.probes).max())
    passed = difference <= limit
    return Check(name, f"differ by {difference:.2g}", "-", required if passed else mend, passed)


def _check_weights(version: ModelVersion) -> None:
    """Build the network of the version with its weights.

    It must be the one that the graph was made of.
    """
    load_keras()
    from training.architectures import BODIES, LOGITS, serve
    from training.pull import restored

    if version.architecture not in BODIES:
        raise ModelError(
            f"{version.folder}: its architecture {version.architecture!r} is none of"
            f" {', '.join(BODIES)}, so nothing tells whether weights and graph belong together;"
            " publish it with the program that trained it."
        )
    with without_chatter():
        model = restored(version.architecture, version.folder)
        if model.output_shape[-1] == LOGITS:
            _check_labels(version)
            side = version.input_shape[0]
            model = serve(model, _blend(version), version.labels, side, _offsets(version))
        difference = parity(model, version)
    if model.count_params() != version.parameters:
        raise ModelError(
            f"{version.folder / WEIGHTS} holds {model.count_params():,} parameters, not"
            f" {version.parameters:,}."
        )
    if not difference <= (limit := CONVERTED[precision(version)]):
        raise ModelError(
            f"{version.folder / WEIGHTS} is not of this {GRAPH}: with these weights the answers to"
            f" probes differ by {difference:.2g} in probability, expected at most {limit:g}; export"
            " the version again."
        )


def _check_labels(version: ModelVersion) -> None:
    if version.labels not in LABEL_SETS.values():
        raise ModelError(
            f"{version.folder}: its labels are {', '.join(version.labels)}, which no export of"
            " these weights gives; export it again with --labels four, seven or eight."
        )


def _blend(version: ModelVersion) -> float:
    """The parts of FER+ in the logits, as the export noted them."""
    try:
        blend = version.lineage["config"]["recipe"]["labels"]["blend"]
        return msgspec.convert(blend, float)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise ModelError(
            f"{version.folder}: its lineage does not tell the blend of its label sets ({error});"
            " export it again."
        ) from error


def _offsets(version: ModelVersion) -> dict[str, float]:
    """What was added to the logits, as the export noted it."""
    try:
        return msgspec.convert(version.lineage.get("offsets", {}), dict[str, float])
    except msgspec.ValidationError as error:
        raise ModelError(
            f"{version.folder}: its lineage is damaged ({error}); export it again."
        ) from error


def _check_measured(version: ModelVersion, predictions: Predictions, card: str) -> None:
    """Metrics, predictions and card must tell the same results.

    One of them may come from an earlier evaluation.
    """
    report = version.report()
    assert report, f"{METRICS} is one of the files of a whole version"
    measured = {
        name: (
            known.sha256,
            {labelling: _accuracy_of(known, labelling) for labelling in known.targets},
        )
        for name, known in predictions.test_sets.items()
    }
    reported = {
        name: (
            known.sha256,
            {labelling: result.accuracy.value for labelling, result in known.labellings.items()},
        )
        for name, known in report.test_sets.items()
    }
    if reported != measured:
        raise ModelError(
            f"{version.folder}: {METRICS} and {PREDICTIONS} do not belong together; evaluate it"
            " again."
        )
    try:
        data = ModelCard(card).data
    except (ValueError, YAMLError) as error:
        raise ModelError(
            f"{version.folder / CARD}: its head cannot be read ({error}); evaluate it again."
        ) from error
    assert isinstance(data, ModelCardData)
    told, expected = (
        {(result.dataset_name, result.metric_type, result.metric_value) for result in results}
        for results in (data.eval_results or (), eval_results(report))
    )
    if data.model_name != version.name or told != expected:
        raise ModelError(
            f"{version.folder / CARD} is not the card of this version; evaluate it again."
        )


def _accuracy_of(known: SetScores, labelling: str) -> float:
    labels = known.targets[labelling]
    return metrics.accuracy(known.answers[labels >= 0], labels[labels >= 0]).value


def judge(
    new: ModelVersion,
    current: ModelVersion | None,
    limits: Mapping[str, Limits] = LIMITS,
    costs: Costs | None = None,
) -> list[Check]:
    """Every check of `new`, against `current` where there is one.

    Raises ModelError if a version cannot be used.
    """
    predictions = _predictions(new)
    before = _predictions(current) if current else None
    with without_chatter():
        classifier = EmotionClassifier(new)
    checks = [_answered(classifier, predictions)]
    for place, name in enumerate(sorted(predictions.test_sets, key=order)):
        known = limits.get(name, Limits())
        one = _Side.of(new, predictions, name)
        other = (
            _Side.of(current, before, name)
            if current and before and name in before.test_sets
            else None
        )
        found = _judge_set(
            one, other, name, known if place == 0 else replace(known, **BESIDE), leads=place == 0
        )
        checks += [replace(check, name=f"{name}: {check.name}") for check in found]
    missing = [
        name
        for name in limits
        if before and name in before.test_sets and name not in predictions.test_sets
    ]
    checks += [
        Check(name, "not measured", "measured", "measured too", passed=False) for name in missing
    ]
    return [*checks, *_costs(new, current, costs or Costs())]


def _predictions(version: ModelVersion) -> Predictions:
    return Predictions.read(version.read(PREDICTIONS), len(version.labels))


def _judge_set(
    new: _Side, current: _Side | None, test_set: str, limits: Limits, *, leads: bool
) -> list[Check]:
    checks = [_accuracy(new, current, limits)]
    if current:
        checks.append(_difference(new, current, test_set, limits, leads=leads))
    return [*checks, *_recalls(new, current, limits), _calibration(new, current, limits)]


def table(checks: Sequence[Check]) -> str:
    """The checks as lines of aligned columns, the verdict first."""
    rows = [("", "check", "new", "current", "required")]
    rows += [("pass" if c.passed else "FAIL", c.name, c.new, c.current, c.required) for c in checks]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _accuracy(new: _Side, current: _Side | None, limits: Limits) -> Check:
    before = f"{current.accuracy:.3f}" if current else "-"
    required = f"at least {limits.accuracy:.3f}"
    return Check(
        "accuracy", f"{new.accuracy:.3f}", before, required, new.accuracy >= limits.accuracy
    )


def _difference(new: _Side, current: _Side, test_set: str, limits: Limits, *, leads: bool) -> Check:
    """Not so uncertain that it may be much worse and, on the set that leads.

    Not shown to be worse at all.
    """
    name = "accuracy, paired"
    if new.asked != current.asked:
        return Check(
            name, "-", "-", "the same labels; they differ, so there are no pairs", passed=False
        )
    try:
        paired = new.predictions.compare(current.predictions, test_set, test_set)
    except ModelError as error:
        return Check(name, "-", "-", str(error), passed=False)
    worse = leads and paired.distinguishable and paired.difference < 0
    measured = (
        f"{100 * paired.difference:+.1f} points ({100 * paired.low:.1f} to {100 * paired.high:.1f})"
    )
    required = f"interval above {-100 * limits.accuracy_loss:.1f}"
    if leads:
        required += f", no loss by the paired test (p = {paired.p_value:.2g})"
    return Check(name, measured, "-", required, not worse and paired.low > -limits.accuracy_loss)


def _recalls(new: _Side, current: _Side | None, limits: Limits) -> list[Check]:
    after, before = new.recalls(), current.recalls() if current else {}
    floors = {
        name: max(limits.recall, before.get(name, 0.0) - limits.recall_loss) for name in new.asked
    }
    return [
        Check(
            f"recall of {name}",
            f"{after[name]:.3f}" if name in after else "no example",
            f"{before[name]:.3f}" if name in before else "-",
            f"at least {floor:.3f}",
            after.get(name, 0.0) >= floor,
        )
        for name, floor in floors.items()
    ]


def _calibration(new: _Side, current: _Side | None, limits: Limits) -> Check:
    value, limit, before = new.calibration_error, limits.calibration_error, "-"
    if current:
        limit = min(limit, current.calibration_error + limits.calibration_loss)
        before = f"{current.calibration_error:.3f}"
    return Check(
        "calibration error", f"{value:.3f}", before, f"at most {limit:.3f}", value <= limit
    )


def _costs(new: ModelVersion, current: ModelVersion | None, limits: Costs) -> list[Check]:
    versions = [new, current] if current else [new]
    sizes = [version.files[GRAPH].bytes / 1e6 for version in versions]
    return [
        _cost("latency, one face", "ms", latencies(versions), limits.milliseconds, limits.growth),
        _cost("size of the graph", "MB", sizes, limits.megabytes, limits.growth),
    ]


def _cost(name: str, unit: str, values: list[float], budget: float, growth: float) -> Check:
    value, *before = values
    limit = max(budget, *(growth * known for known in before), 0.0)
    known = f"{before[0]:.3g} {unit}" if before else "-"
    return Check(name, f"{value:.3g} {unit}", known, f"at most {limit:.3g} {unit}", value <= limit)


def latencies(versions: Sequence[ModelVersion]) -> list[float]:
    """Median milliseconds for one face, all its views included, on this machine.

    They are taken in turn, so that a busy moment hits all alike.
    """
    runs = [
        (
            EmotionClassifier(version),
            np.zeros((1, len(version.views), *version.input_shape[:2]), np.uint8),
            list[float](),
        )
        for version in versions
    ]
    for turn in range(_ROUNDS + 1):
        for classifier, face, milliseconds in runs:
            start = time.perf_counter()
            classifier.predict(face)
            if turn:  # the first one also sets the batch size
                milliseconds.append((time.perf_counter() - start) * 1000)
    return [float(np.median(milliseconds)) for *_, milliseconds in runs]
