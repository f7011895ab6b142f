"""Which registry is opened, by the package and by the command line."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer import (
    Aliases,
    BundledRegistry,
    RegistryError,
    load_image,
    open_registry,
)
from fer.registry.base import DEFAULT
from fer.streams.video_writer import VideoWriter
from tests.factories.published import REPO, fetch, move, set_aliases
from tests.factories.versions import LABELS

ROOT = Path(__file__).parents[3]


PORTRAIT = ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"


pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_repo_the_registry_is_the_bundled_one(monkeypatch, name):
    monkeypatch.delenv("FER_HUB_REPO", raising=False)
    registry = open_registry(name)
    assert isinstance(registry, BundledRegistry)
    assert fetch(registry, DEFAULT) == fetch(registry, registry.list().default().name)


def test_the_repo_comes_from_the_argument_or_the_environment(monkeypatch):
    monkeypatch.setenv("FER_HUB_REPO", "user/from-environment")
    assert open_registry().name == "user/from-environment"
    assert open_registry("user/given").name == "user/given"
    monkeypatch.setenv("FER_HUB_REPO", "nonsense")
    with pytest.raises(RegistryError, match="a Hub repo is called USER/NAME, received 'nonsense'"):
        open_registry()


def test_the_hub_is_loaded_only_when_it_is_needed():
    code = "import fer, sys; assert not {'huggingface_hub', 'httpx2'} & set(sys.modules), 'loaded'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.usefixtures("production")
def test_the_command_line_lists_a_repo(hub, publish, tmp_path):
    publish("v1.1.0")
    environment = {
        **os.environ,
        **hub.environment(tmp_path / "home", hub.read_token),
        "FER_HUB_REPO": REPO,
    }
    for options in ([], ["--repo", REPO], ["--repo", "tester/nothing"]):
        command = [sys.executable, "-m", "fer", "models", *options]
        run = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if "tester/nothing" in options:
            assert (run.returncode, run.stdout) == (2, "")
            assert run.stderr.startswith(
                "error: there is no repo tester/nothing on http://127.0.0.1"
            )
        else:
            assert (run.returncode, run.stderr) == (0, "")
            assert [line[:20].strip() for line in run.stdout.splitlines()] == [
                "v1.1.0",
                "v1.0.0 production",
            ]


@pytest.mark.parametrize("options", [[], ["--model", "production"], ["--model", "v1.0.0"]])
def test_the_command_line_answers_with_a_version_of_a_repo(hub, publish, writer, tmp_path, options):
    """A photo and a video of a face.

    By a version that knows other expressions than the bundled ones.
    """
    geometry = {"blazeface": {"scale": 1.0, "shift": [0.0, 0.0], "level": False}}
    commit = publish("v1.0.0", crops=geometry)
    publish("v1.1.0", crops=geometry, labels=["other", "unknown", "expressions"])
    set_aliases(writer, Aliases((move("production", "v1.0.0", commit),)).to_bytes())
    video, table = tmp_path / "face.mp4", tmp_path / "face.csv"
    with VideoWriter(video) as frames:
        for index in range(3):
            frames.write(load_image(PORTRAIT), index / 10)
    environment = {**os.environ, **hub.environment(tmp_path / "home", hub.read_token)}
    for arguments in (["predict", PORTRAIT, "--format", "csv"], ["watch", video, "--csv", table]):
        command = [sys.executable, "-m", "fer", *map(str, arguments), "--repo", REPO, *options]
        run = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        answer = run.stdout if arguments[0] == "predict" else table.read_text()
        header, *rows = csv.reader(answer.splitlines())
        assert [
            name.removeprefix("score_") for name in header if name.startswith("score_")
        ] == list(LABELS)
        assert rows
        assert {row[header.index("label")] for row in rows} <= set(LABELS)
