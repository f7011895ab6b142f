"""What was measured of a version: `metrics.json` as frozen types.

`training.evaluate` writes the file by encoding a `Report`; `ModelVersion.report` decodes it and
checks every field once, so that nobody else has to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, to_builtins

from fer.intervals import Estimate
from fer.preprocessing import CropGeometry, Views
from fer.versions.typed_json import decode, parse_json, wrong_field

TEST_SET_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

_MEND = "evaluate the version again"

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Certain(Struct, frozen=True):
    """The answers that are not called uncertain: their share of all, and the share of them right.

    `accuracy` is None where there is none. `risk_coverage` holds (share answered, share of those
    wrong), the most confident answered first.
    """

    coverage: Estimate
    accuracy: Estimate | None
    risk_coverage: tuple[tuple[float, float], ...] = ()


class Metrics(Struct, frozen=True, omit_defaults=True):
    """Every metric of one test set under one labelling.

    `recall` leaves out expressions without an example. Rows of the confusion matrix are true
    expressions, columns answers; where faces had to be found, the last column counts those that
    were not.
    """

    n: int
    accuracy: Estimate
    balanced_accuracy: Estimate
    macro_f1: Estimate
    log_loss: Estimate
    expected_calibration_error: Estimate
    recall: Mapping[str, Estimate]
    confusion_matrix: tuple[tuple[Count, ...], ...]
    certain: Certain | None = None


class Robustness(Struct, frozen=True):
    """The accuracy under each corruption, at each of its strengths, weakest first.

    `mean_relative` is the mean of all of them, relative to `clean`, the accuracy on the same `n`
    pictures as they are.
    """

    n: int
    clean: float
    strengths: Mapping[str, tuple[int | float, ...]]
    accuracy: Mapping[str, tuple[float, ...]]
    mean_relative: float


class SetReport(Struct, frozen=True, omit_defaults=True):
    """What was measured on one test set.

    `labels` are the expressions that it asks for, all that the version knows or some of them.
    `people` is None where nobody knows who is shown, `found` where no face had to be found.
    `left_out` counts pictures of other expressions, by expression.
    """

    title: str
    split: str
    sha256: str
    labels: tuple[str, ...]
    people: int | None
    found: Estimate | None
    labellings: Mapping[str, Metrics]
    left_out: Mapping[str, int] | None = None
    validation: Metrics | None = None
    robustness: Robustness | None = None

    def __post_init__(self) -> None:
        if not self.labellings:
            raise ValueError("a test set needs a labelling")
        _check_names(self.labellings)
        rows = len(self.labels)
        columns = rows + (self.found is not None)
        for metrics in self.labellings.values():
            _check_shape(metrics.confusion_matrix, rows, columns)

    @property
    def first(self) -> Metrics:
        """The metrics under the first labelling, the one that the test set is known by."""
        return next(iter(self.labellings.values()))


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `training.evaluate` measured of a version, by test set, and what it was served with."""

    interval: str = ""
    labels: tuple[str, ...] = ()
    temperature: float | None = None
    uncertain_below: float | None = None
    crops: Mapping[str, CropGeometry] | None = None
    views: Views | None = None
    chosen_on: tuple[str, ...] = ()
    test_sets: Mapping[str, SetReport]

    def __post_init__(self) -> None:
        if not self.test_sets:
            raise ValueError("there is no test set in it")
        _check_names(self.test_sets)

    def to_bytes(self) -> bytes:
        """The content of `metrics.json`; `read_report` gives back an equal object."""
        return json.dumps(to_builtins(self), indent=2, allow_nan=False).encode() + b"\n"


def read_report(content: bytes, path: Path, labels: Sequence[str]) -> Report:
    """Decode the `metrics.json` of a version that knows these labels. Raises ModelError."""
    report = decode(parse_json(content, path), Report, path, _MEND)
    for name, test_set in report.test_sets.items():
        if not _are_part(test_set.labels, labels):
            fault = f"$.test_sets.{name} asks for {test_set.labels!r:.100}"
            raise wrong_field(path, f"{fault}, the version knows {labels!r:.100}", _MEND)
    return report


def _are_part(asked: Sequence[str], known: Sequence[str]) -> bool:
    """Whether these are two or more of the known labels, in their order."""
    return len(asked) >= 2 and list(asked) == [label for label in known if label in asked]


def _check_shape(matrix: Sequence[Sequence[int]], rows: int, columns: int) -> None:
    if [len(row) for row in matrix] != [columns] * rows:
        raise ValueError(f"confusion_matrix must be {rows} x {columns} whole numbers")


def _check_names(named: Mapping[str, object]) -> None:
    for name in named:
        if not TEST_SET_NAME.fullmatch(name):
            raise ValueError(f"{name!r:.100} is no name for a test set or a labelling")
