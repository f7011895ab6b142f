"""What is told of one version, measured or not."""

from __future__ import annotations

from pathlib import Path

from app_pages.shared.catalogue import Memory
from app_pages.shared.entry import FER2013, ORDINARY, Entry, labellings_of
from fer import BundledRegistry, VersionRef
from tests.factories.measured import write_measured


def test_a_version_without_measurements() -> None:
    entry = Entry(VersionRef("v1.0.0", "a" * 40, aliases=("production",)), problem="broken")
    assert (entry.name, entry.commit, entry.date) == ("v1.0.0", "a" * 40, None)
    assert entry.aliases == ("production",)
    assert (entry.labels, entry.labellings, dict(entry.test_sets)) == ((), (), {})
    assert entry.measured(FER2013) is None
    assert entry.estimate("accuracy", FER2013) is None


def test_a_measured_version(tmp_path: Path) -> None:
    write_measured(tmp_path / "both", 0.8, ordinary=0.6)
    (entry,) = Memory(BundledRegistry(tmp_path)).catalogue().entries
    assert {ORDINARY, FER2013} <= set(entry.labellings)
    accuracy = entry.estimate("accuracy", FER2013)
    assert accuracy is not None
    assert (accuracy.value, accuracy.n) == (0.8, 1200)
    assert entry.asked(FER2013) == entry.labels
    assert entry.estimate("accuracy", ORDINARY) != accuracy


def test_ordinary_faces_lead_the_labellings(tmp_path: Path) -> None:
    write_measured(tmp_path / "both", 0.8, ordinary=0.6)
    write_measured(tmp_path / "one", 0.8, seed=1)
    entries: list[Entry] = list(Memory(BundledRegistry(tmp_path)).catalogue().entries)
    assert labellings_of([]) == []
    assert labellings_of(entries)[:2] == [ORDINARY, FER2013]
