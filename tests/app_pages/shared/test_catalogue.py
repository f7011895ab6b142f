"""The versions as the pages offer them, and what is remembered of a registry for all sessions."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app_pages.shared import catalogue as catalogue_module
from app_pages.shared.catalogue import Memory
from fer import BundledRegistry, EmotionClassifier, ModelError, RegistryError
from fer.versions.folder import CARD
from fer.versions.predictions import Predictions
from tests.factories.compared import seal, write_versions
from tests.factories.measured import write_measured


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_versions(tmp_path / "models")


@pytest.fixture
def memory(folder: Path) -> Memory:
    return Memory(BundledRegistry(folder))


def test_an_empty_folder_is_an_empty_catalogue(tmp_path: Path) -> None:
    catalogue = Memory(BundledRegistry(tmp_path)).catalogue()
    assert (catalogue.entries, catalogue.usable, catalogue.history) == ((), (), ())
    assert (catalogue.default, catalogue.notice, catalogue.offline) == ("", "", False)
    assert catalogue.predictions([]) == catalogue.classifiers([]) == {}


def test_a_broken_version_is_an_entry_with_its_problem(memory: Memory, folder: Path) -> None:
    catalogue = memory.catalogue()
    assert catalogue.source == str(folder)
    assert {entry.name for entry in catalogue.entries} == {"v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0"}
    assert {entry.name for entry in catalogue.usable} == {"v1.0.0", "v1.1.0", "v1.2.0"}
    broken = catalogue.entry("v1.3.0")
    assert "metrics.json is corrupt" in broken.problem
    assert (broken.version, broken.labels, broken.labellings) == (None, (), ())


def test_what_is_sound_is_read_once_and_what_is_broken_each_time(
    memory: Memory, folder: Path
) -> None:
    before = memory.catalogue()
    seal(write_measured(folder / "v1.3.0", 0.9, seed=3))
    after = memory.catalogue()
    assert not after.entry("v1.3.0").problem
    for name in ("v1.0.0", "v1.1.0", "v1.2.0"):
        assert after.entry(name).version is before.entry(name).version
    shutil.rmtree(folder / "v1.2.0")
    assert {entry.name for entry in memory.catalogue().entries} == {"v1.0.0", "v1.1.0", "v1.3.0"}


def test_a_version_that_changed_is_another_one(memory: Memory, folder: Path) -> None:
    before = memory.catalogue().entry("v1.0.0")
    write_measured(folder / "v1.0.0", 0.9, seed=5)
    after = memory.catalogue().entry("v1.0.0")
    assert after.name == before.name
    assert after.commit != before.commit
    assert after.version != before.version


def test_an_alias_that_moves_leaves_the_version_what_it_is(memory: Memory) -> None:
    entry = memory.catalogue().entry("v1.0.0")
    renamed = replace(entry, ref=replace(entry.ref, aliases=("production",)))
    assert renamed.aliases == ("production",)
    assert renamed.ref == entry.ref
    assert memory.predictions(renamed) is memory.predictions(entry)


def test_metrics_beyond_the_limit_are_not_read(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_module, "_METRICS_KEPT", 10)
    problems = [entry.problem for entry in memory.catalogue().entries]
    assert sum("more than 2 MB of metrics.json together" in problem for problem in problems) == 3


def test_predictions_beyond_the_limit_make_room(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (memory.catalogue().entry(name) for name in ("v1.0.0", "v1.1.0"))
    known = memory.predictions(first)
    assert memory.predictions(first) is known
    size = sum(scores.nbytes for scores in known.test_sets.values())
    monkeypatch.setattr(catalogue_module, "_PREDICTIONS_KEPT", size + 1)
    memory.predictions(second)
    assert memory.predictions(first) is not known


def test_predictions_or_why_there_are_none(memory: Memory) -> None:
    catalogue = memory.catalogue()
    found = catalogue.predictions([catalogue.entry("v1.0.0"), catalogue.entry("v1.3.0")])
    assert isinstance(found["v1.0.0"], Predictions)
    assert isinstance(found["v1.3.0"], ModelError)
    assert "cannot be used" in str(found["v1.3.0"])


def test_classifiers_are_loaded_once_for_all_sessions(memory: Memory, folder: Path) -> None:
    catalogue = memory.catalogue()
    entry = catalogue.entry("v1.0.0")
    classifier = catalogue.classifier(entry)
    assert isinstance(classifier, EmotionClassifier)
    assert Memory(BundledRegistry(folder)).catalogue().classifier(entry) is classifier
    visitors = Memory(BundledRegistry(folder), visitors=True).catalogue()
    assert visitors.classifier(entry) is not classifier
    found = catalogue.classifiers(catalogue.entries)
    assert [name for name, one in found.items() if isinstance(one, ModelError)] == ["v1.3.0"]


def test_one_file_of_a_version(memory: Memory) -> None:
    catalogue = memory.catalogue()
    assert b"a picture of a spy" in catalogue.read(catalogue.entry("v1.1.0"), CARD)


def test_a_registry_that_refuses_is_an_error(memory: Memory) -> None:
    def refuse() -> None:
        raise RegistryError("no")

    memory.registry.list = refuse  # type: ignore[method-assign,assignment]
    with pytest.raises(RegistryError, match="no"):
        memory.catalogue()
