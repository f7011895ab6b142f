"""The bundled versions are found by their folder's name, and by nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fer import (
    BundledRegistry,
    HubRegistry,
    ModelError,
    ModelVersion,
    Registry,
    load_version,
)
from fer.registry.base import DEFAULT
from fer.versions.folder import CONFIG, GRAPH
from tests.factories.versions import write_tiny


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in ("two", "one"):
        write_tiny(tmp_path / name, name=name)
    (tmp_path / "no version").mkdir()
    (tmp_path / "README.md").write_text("about the versions")
    return tmp_path


@pytest.fixture
def registry(models: Path) -> BundledRegistry:
    return BundledRegistry(models)


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_no_versions(tmp_path, folder):
    assert BundledRegistry(tmp_path / folder).list().versions == ()
    with pytest.raises(
        ModelError, match=rf"there is no version '{DEFAULT}' in .*; there is none\."
    ):
        load_version(folder=tmp_path / folder)
    with pytest.raises(ModelError, match=r"there is no version 'latest' in .*; there is none\."):
        BundledRegistry(tmp_path / folder).list().default()


def test_versions_are_listed(models, registry):
    assert {ref.name for ref in registry.list().versions} == {"one", "two"}
    assert load_version("two", folder=models).name == "two"


def test_a_broken_version_is_listed_and_complains_when_loaded(models, registry):
    (models / "one" / CONFIG).write_text("{")
    assert {ref.name for ref in registry.list().versions} == {"one", "two"}
    with pytest.raises(ModelError, match=r"one/config\.json: not valid JSON"):
        load_version("one", folder=models)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "three", "ONE", "no version", "../models/one", "one/", "/etc", "one\0", "*"],
)
def test_other_names_are_refused(models, name):
    with pytest.raises(ModelError, match=r"there is no version .* in .*; there is one, two\."):
        load_version(name, folder=models)


def test_the_newest_bundled_version_is_the_default():
    names = [ref.name for ref in BundledRegistry().list().versions]
    assert names == [DEFAULT, "flagship-eight", "flagship-seven", "flagship-fer2013", "seed-cnn"]
    assert load_version().name == BundledRegistry().list().default().name == DEFAULT
    assert BundledRegistry().resolve("seed-cnn").date.year == 2026


def test_both_registries_keep_the_promise():
    registries: list[Registry] = [BundledRegistry(), HubRegistry("user/repo")]
    assert [Path(registries[0].name).name, registries[1].name] == ["models", "user/repo"]


def test_newest_first_and_undated_last(tmp_path):
    dates = {
        "a": "2026-01-02T00:00:00+00:00",
        "b": "2026-01-03T00:00:00+00:00",
        "c": None,
        "d": "soon",
        "e": 3,
    }
    for name, date in dates.items():
        write_tiny(tmp_path / name, lineage={"date": date})
    (tmp_path / "c" / CONFIG).write_bytes(b"\xff")
    refs = BundledRegistry(tmp_path).list().versions
    assert [ref.name for ref in refs] == ["b", "a", "c", "d", "e"]
    assert [ref.date and ref.date.day for ref in refs] == [3, 2, None, None, None]


def test_a_commit_is_the_digest_of_the_manifest(registry, models):
    ref = registry.resolve("one")
    assert ref.commit == hashlib.sha256((models / "one" / CONFIG).read_bytes()).hexdigest()
    assert registry.resolve(ref.commit) == ref
    assert registry.fetch(ref) == load_version("one", folder=models)
    assert registry.read(ref, GRAPH) == (models / "one" / GRAPH).read_bytes()


def test_a_version_that_changed_is_not_the_one_that_was_listed(registry, models):
    ref = registry.resolve("one")
    write_tiny(models / "one", name="one", temperature=2.0)
    registry.refresh()
    assert registry.resolve("one") != ref
    for use in (registry.fetch, lambda ref: registry.read(ref, GRAPH)):
        with pytest.raises(
            ModelError, match=r"version one in .* has changed since it was listed; list it again\."
        ):
            use(ref)


def test_descriptions_tell_what_is_broken(registry, models):
    (models / "one" / GRAPH).write_bytes(b"")
    found = registry.describe(registry.list().versions)
    assert {ref.name: type(result) for ref, result in found.items()} == {
        "one": ModelError,
        "two": ModelVersion,
    }


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"[]",
        b"3",
        b'{"lineage": 3}',
        b'{"lineage": {"date": []}}',
        b"[" * 100_000,
        b'{"lineage": {"date": "0"}}',
    ],
)
def test_a_config_of_any_kind_can_be_listed(models, config):
    (models / "one" / CONFIG).write_bytes(config)
    assert BundledRegistry(models).resolve("one").date is None
