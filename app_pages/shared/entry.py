"""One version as the pages offer it, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from fer import ModelVersion, VersionRef
from fer.intervals import Estimate
from fer.versions.report import Metrics, Report, SetReport


class Labelling(NamedTuple):
    """Which test pictures are meant, and whose labels of them count as the truth."""

    test_set: str
    name: str


ORDINARY = Labelling("natural", "natural")
FER2013 = Labelling("fer2013", "fer2013")


@dataclass(frozen=True)
class Entry:
    """A listed version with what is known of it, or with the problem that makes it useless."""

    ref: VersionRef
    version: ModelVersion | None = None
    report: Report | None = field(default=None, repr=False)
    problem: str = ""

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def commit(self) -> str:
        return self.ref.commit

    @property
    def date(self) -> datetime | None:
        return self.ref.date

    @property
    def aliases(self) -> tuple[str, ...]:
        return self.ref.aliases

    @property
    def labels(self) -> tuple[str, ...]:
        """The expressions that the version knows."""
        return self.version.labels if self.version else ()

    @property
    def test_sets(self) -> Mapping[str, SetReport]:
        """What was measured, by test set; empty for a version that was never evaluated."""
        return self.report.test_sets if self.report else {}

    @property
    def labellings(self) -> tuple[Labelling, ...]:
        """The test sets and labels under which it was measured."""
        sets = self.test_sets.items()
        return tuple(
            Labelling(name, labelling) for name, known in sets for labelling in known.labellings
        )

    def measured(self, labelling: Labelling) -> Metrics | None:
        """All metrics under these labels; None where there are none."""
        known = self.test_sets.get(labelling.test_set)
        return known.labellings.get(labelling.name) if known else None

    def asked(self, labelling: Labelling) -> tuple[str, ...]:
        """The expressions that the test set asks for.

        All that the version knows, or some of them.
        """
        return self.test_sets[labelling.test_set].labels

    def estimate(self, metric: str, labelling: Labelling) -> Estimate | None:
        """A metric, by the name of a field of `Metrics`; None where it was not measured."""
        found: Estimate | None = getattr(self.measured(labelling), metric, None)
        return found


def labellings_of(entries: Sequence[Entry]) -> list[Labelling]:
    """Every labelling that one of the versions was measured with.

    Ordinary faces first, then FER2013.
    """
    known = dict.fromkeys(labelling for entry in entries for labelling in entry.labellings)
    return sorted(
        known, key=lambda one: (one.test_set != ORDINARY.test_set, one.test_set != FER2013.test_set)
    )
