"""Versions are found by their folder's name, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer import ModelError, list_versions, load_version
from fer.artifact import CONFIG
from tests.support.versions import write_tiny


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in ("two", "one"):
        write_tiny(tmp_path / name, name=name)
    (tmp_path / "no version").mkdir()
    (tmp_path / "README.md").write_text("about the versions")
    return tmp_path


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_no_versions(tmp_path, folder):
    assert list_versions(tmp_path / folder) == []
    with pytest.raises(ModelError, match=r"there is no version 'seed-cnn' in .*; there is none\."):
        load_version(folder=tmp_path / folder)


def test_versions_are_listed_by_name(models):
    assert list_versions(models) == ["one", "two"]
    assert load_version("two", folder=models).name == "two"


def test_a_broken_version_is_listed_and_complains_when_loaded(models):
    (models / "one" / CONFIG).write_text("{")
    assert list_versions(models) == ["one", "two"]
    with pytest.raises(ModelError, match=r"one/config\.json: not valid JSON"):
        load_version("one", folder=models)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "three", "ONE", "no version", "../models/one", "one/", "/etc", "one\0", "*"]
)
def test_other_names_are_refused(models, name):
    with pytest.raises(ModelError, match=r"there is no version .* in .*; there is one, two\."):
        load_version(name, folder=models)


def test_the_bundled_version_is_the_default():
    assert "seed-cnn" in list_versions()
    assert load_version().name == "seed-cnn"
