"""The list of versions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fer.cli import models as command
from fer.cli.main import main
from fer.registry import bundled
from fer.registry.base import DEFAULT
from fer.versions.folder import CONFIG, METRICS, write_config
from tests.factories.versions import SEED, tiny_config, write_tiny
from tests.support.commands import (
    run,
)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of `models/`."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr(command, "open_registry", lambda _: bundled.BundledRegistry(folder))
    return folder


def test_no_versions_are_no_lines(models, capsys):
    assert main(["models"]) == 0
    assert capsys.readouterr() == ("", f"there is no version in {models}\n")


def test_versions_and_what_is_wrong_with_them(models, capsys):
    shutil.copytree(SEED, models / "seed-cnn")
    write_tiny(models / "tiny")
    write_tiny(models / "truncated")
    (models / "truncated" / CONFIG).write_text("{")
    write_tiny(models / "swapped")
    (models / "swapped" / "model.tflite").write_bytes(b"other")
    write_tiny(models / "liar")
    (models / "liar" / METRICS).write_text('{"test_sets": {"fer2013": {"accuracy": 1}}}')
    write_config(models / "liar", tiny_config())
    assert main(["models"]) == 1
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    accuracy = json.loads((SEED / METRICS).read_text())["test_sets"]["fer2013"]["labellings"][
        "fer2013"
    ]["accuracy"]
    assert list(lines) == ["seed-cnn", "liar", "swapped", "tiny", "truncated"]
    assert (
        "fer2013: accuracy {value:.4f} ({low:.4f} to {high:.4f}, n=2515)".format(**accuracy)
        in (lines["seed-cnn"])
    )
    assert lines["tiny"].endswith("144 parameters  not evaluated")
    assert lines["truncated"].startswith("broken: ")
    assert "config.json: not valid JSON" in lines["truncated"]
    assert "model.tflite is corrupt" in lines["swapped"]
    assert "metrics.json: a field is missing or wrong" in lines["liar"]


def test_the_models_command_runs():
    result = run("models")
    assert (result.returncode, result.stdout.split()[0]) == (0, DEFAULT)
