"""The registry of a Hub repo, through the real client and a real server.

What works, and how often the Hub is asked.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.hub_server import Delay
from fer import (
    Aliases,
    BundledRegistry,
    EmotionClassifier,
    HubRegistry,
    ModelError,
    ModelVersion,
    RegistryError,
    load_image,
    open_registry,
)
from fer.registry import hub as hub_module
from fer.registry.base import DEFAULT
from fer.streams.video_writer import VideoWriter
from fer.versions.folder import CARD, GRAPH, PREDICTIONS, WEIGHTS
from tests.factories.published import EVERY_FILE, REPO, fetch, move, set_aliases
from tests.factories.versions import LABELS

ROOT = Path(__file__).parents[3]
PORTRAIT = ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"
pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


# What there is


def test_an_empty_repo(registry: HubRegistry) -> None:
    listing = registry.list()
    assert (listing.source, listing.versions, listing.notice, listing.offline) == (
        REPO,
        (),
        "",
        False,
    )
    for ask in (listing.default, lambda: registry.resolve("v1.0.0")):
        with pytest.raises(
            ModelError, match=rf"^there is no version '.*' in {REPO}; there is none\.$"
        ):
            ask()


def test_versions_are_listed_newest_first(registry, publish, writer):
    commits = {name: publish(name) for name in ("v1.2.0", "v1.10.0", "v1.9.3")}
    for tag in ("v1.2", "draft", "v01.2.0", "v1.2.0-rc1", "1.2.0"):
        writer.create_tag(REPO, tag=tag)
    refs = registry.list().versions
    assert [(ref.name, ref.commit) for ref in refs] == [
        (name, commits[name]) for name in ("v1.10.0", "v1.9.3", "v1.2.0")
    ]
    assert all(abs((datetime.now(UTC) - ref.date).total_seconds()) < 60 for ref in refs)


def test_names_that_lead_to_a_version(registry, publish, writer):
    old, new = publish("v1.0.0"), publish("v1.1.0")
    moves = (
        move("production", "v1.0.0", old),
        move("challenger", "v1.1.0", new),
        move("second", "v1.1.0", new),
    )
    set_aliases(writer, Aliases(moves).to_bytes())
    for name in ("v1.0.0", old, "production"):
        assert (registry.resolve(name).name, registry.resolve(name).commit) == ("v1.0.0", old)
    for name in ("v1.1.0", new, "challenger", "latest"):
        assert registry.resolve(name).commit == new
    assert registry.resolve("v1.1.0").aliases == ("challenger", "second")
    assert registry.list().default().name == "v1.0.0"
    assert registry.list().aliases.history == moves
    for name in ("", "v1", old[:12], "Production", "main", "../v1.0.0"):
        with pytest.raises(
            ModelError,
            match=r"^there is no version .*; there is v1\.1\.0, v1\.0\.0, production, ch",
        ):
            registry.resolve(name)


def test_without_production_the_newest_version_is_the_default(registry, publish):
    publish("v1.0.0")
    publish("v1.1.0")
    assert registry.list().default().name == "v1.1.0"


def test_an_alias_of_a_version_that_was_deleted_or_moved(registry, publish, writer):
    old = publish("v1.0.0")
    new = publish("v1.1.0")
    set_aliases(writer, Aliases((move("production", "v1.0.0", old),)).to_bytes())
    writer.delete_tag(REPO, tag="v1.0.0")
    reason = (
        rf"production is v1\.0\.0 at {old[:12]}, but that version was deleted or moved; choose"
        r" another"
    )
    with pytest.raises(RegistryError, match=reason):
        registry.resolve("production")
    writer.create_tag(REPO, tag="v1.0.0", revision=new)
    registry.refresh()
    with pytest.raises(RegistryError, match=reason):
        registry.resolve("production")
    assert registry.resolve("v1.0.0").aliases == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", None),
        (b"{", "not valid JSON"),
        (b'{"schema": 2}', "schema 2, but this program reads 1; update the program"),
        (b'{"schema": 1, "aliases": {}, "history": 3}', "history must be list, received 3"),
    ],
)
def test_broken_aliases_leave_the_versions_alone(registry, publish, writer, content, reason):
    publish("v1.0.0")
    set_aliases(writer, content)
    listing = registry.list()
    assert [ref.name for ref in listing.versions] == ["v1.0.0"]
    assert (reason or "") in listing.notice
    assert listing.notice.endswith("Until then, aliases are not shown.") == (reason is not None)
    assert not listing.offline


# Fetching


def test_a_fetched_version_is_whole_and_without_weights(registry, hub, publish):
    publish("v1.0.0", name="run 7")
    version = fetch(registry)
    assert version.name == "v1.0.0"
    assert {path.name for path in version.folder.iterdir()} == set(EVERY_FILE) - {WEIGHTS}
    assert version.metrics()["of"] == "v1.0.0"
    assert version.read(PREDICTIONS) == b"predictions of v1.0.0"
    assert EmotionClassifier(version).labels == LABELS
    assert not hub.count(".*", WEIGHTS)


def test_what_a_sha_names_is_asked_for_once(registry, visit, hub, publish):
    publish("v1.0.0")
    fetch(registry)
    hub.forget_requests()
    fetch(registry)
    registry.describe(registry.list().versions)
    assert not hub.requests
    registry.refresh()
    fetch(registry)
    fetch(visit())
    assert not hub.count(".*", "/resolve/.*/(config|model|metrics)")
    assert hub.count("GET", "/refs") == 2


def test_the_list_is_remembered_for_a_while(registry, hub, publish, monkeypatch):
    registry.list()
    publish("v1.0.0")
    assert not registry.list().versions
    assert hub.count("GET", "/refs") == 1
    registry.refresh()
    assert registry.list().versions
    monkeypatch.setattr(hub_module, "REMEMBERED", 0.0)
    publish("v1.1.0")
    assert len(registry.list().versions) == 2


def test_descriptions_come_without_graphs(registry, hub, publish):
    for name in ("v1.0.0", "v1.1.0"):
        publish(name)
    found = registry.describe(registry.list().versions)
    assert (
        [ref.name for ref in found]
        == [version.name for version in found.values()]
        == ["v1.1.0", "v1.0.0"]
    )
    assert [version.metrics()["of"] for version in found.values()] == ["v1.1.0", "v1.0.0"]
    assert not hub.count(".*", f"({GRAPH}|{PREDICTIONS}|{WEIGHTS}|{CARD})")


def test_one_file_comes_without_the_others(registry, hub, publish):
    publish("v1.0.0")
    ref = registry.resolve("latest")
    assert registry.read(ref, CARD).endswith(b"# v1.0.0")
    assert registry.read(ref, WEIGHTS) == b"weights"
    assert not hub.count(".*", f"({GRAPH}|{PREDICTIONS})")
    with pytest.raises(ModelError, match=r"has no \.\./x; it lists"):
        registry.read(ref, "../x")


def test_eight_threads_download_each_file_once(registry, hub, publish):
    publish("v1.0.0")
    hub.fault(Delay(0.05))
    barrier = threading.Barrier(8)

    def enter(_: int) -> ModelVersion:
        barrier.wait()
        return fetch(registry)

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(enter, range(8)))
    assert len({version.folder for version in versions}) == 1
    assert hub.count("GET", "/refs") == 1
    for name in set(EVERY_FILE) - {WEIGHTS}:
        assert (name, hub.count("GET", f"/resolve/.*/{name}")) == (name, 1)
        assert (name, hub.count("HEAD", f"/resolve/.*/{name}")) == (name, 1)


def test_twenty_versions_are_described_in_time(registry, visit, hub, publish):
    for minor in range(20):
        publish(f"v1.{minor}.0", temperature=1 + minor / 100)
    hub.fault(Delay(0.05))
    for limit, visitor in ((3.0, registry), (1.0, visit())):
        start = time.monotonic()
        found = visitor.describe(visitor.list().versions)
        assert all(version.metrics() for version in found.values())
        assert time.monotonic() - start < limit


def test_history_of_more_than_one_page(registry, publish, writer):
    first = publish("v1.0.0")
    for number in range(60):
        set_aliases(writer, b"%d" % number)
    assert registry.resolve(first).date is not None
    assert "is broken" in registry.list().notice


# Which registry


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
