"""The registry of a Hub repo, through the real client and a real server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo.hub_server import Answer, Delay
from fer import (
    Aliases,
    EmotionClassifier,
    HubRegistry,
    ModelError,
    RegistryError,
)
from fer.registry import hub as hub_module
from fer.versions.folder import CARD, GRAPH, PREDICTIONS, WEIGHTS
from tests.factories.published import EVERY_FILE, REPO, fetch, move, set_aliases
from tests.factories.versions import LABELS

ROOT = Path(__file__).parents[3]
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


# Fetching


def test_a_fetched_version_is_whole_and_without_weights(registry, hub, publish):
    publish("v1.0.0", name="run 7")
    version = fetch(registry)
    assert version.name == "v1.0.0"
    assert {path.name for path in version.folder.iterdir()} == set(EVERY_FILE) - {WEIGHTS}
    assert version.report().chosen_on == ("v1.0.0",)
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


def test_descriptions_come_without_graphs(registry, hub, publish):
    for name in ("v1.0.0", "v1.1.0"):
        publish(name)
    found = registry.describe(registry.list().versions)
    assert (
        [ref.name for ref in found]
        == [version.name for version in found.values()]
        == ["v1.1.0", "v1.0.0"]
    )
    assert [version.report().chosen_on for version in found.values()] == [("v1.1.0",), ("v1.0.0",)]
    assert not hub.count(".*", f"({GRAPH}|{PREDICTIONS}|{WEIGHTS}|{CARD})")


def test_one_file_comes_without_the_others(registry, hub, publish):
    publish("v1.0.0")
    ref = registry.resolve("latest")
    assert registry.read(ref, CARD).endswith(b"# v1.0.0")
    assert registry.read(ref, WEIGHTS) == b"weights"
    assert not hub.count(".*", f"({GRAPH}|{PREDICTIONS})")
    with pytest.raises(ModelError, match=r"has no \.\./x; it lists"):
        registry.read(ref, "../x")


def test_twenty_versions_are_described_in_time(registry, visit, hub, publish):
    for minor in range(20):
        publish(f"v1.{minor}.0", temperature=1 + minor / 100)
    hub.fault(Delay(0.05))
    for limit, visitor in ((3.0, registry), (1.0, visit())):
        start = time.monotonic()
        found = visitor.describe(visitor.list().versions)
        assert all(version.report() for version in found.values())
        assert time.monotonic() - start < limit


# What goes


def test_a_token_revoked_while_the_app_runs(registry, hub, publish, monkeypatch):
    publish("v1.0.0")
    ref = registry.resolve("latest")
    registry.fetch(ref)
    hub.revoke(hub.read_token)
    monkeypatch.setattr(hub_module, "REMEMBERED", 0.0)
    with pytest.raises(RegistryError, match="refuses the token"):
        registry.fetch(ref)


def test_a_version_deleted_on_the_server(registry, publish, writer):
    publish("v1.0.0")
    publish("v1.1.0")
    ref = registry.resolve("v1.0.0")
    registry.fetch(ref)
    writer.delete_tag(REPO, tag="v1.0.0")
    registry.refresh()
    for use in (registry.fetch, lambda ref: registry.read(ref, CARD)):
        with pytest.raises(
            ModelError, match=rf"^version v1\.0\.0 at {ref.commit[:12]} was deleted from {REPO}, or"
        ):
            use(ref)
    with pytest.raises(
        ModelError, match=r"there is no version 'v1\.0\.0' in tester/faces; there is v1\.1\.0\."
    ):
        registry.resolve("v1.0.0")
    assert fetch(registry, "v1.1.0").name == "v1.1.0"


def test_a_commit_that_is_gone(registry, hub, publish):
    publish("v1.0.0")
    hub.fault(Answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"}), "/resolve/.*/config")
    with pytest.raises(
        ModelError,
        match=r"^version v1\.0\.0: config\.json: its commit is gone from tester/faces: th",
    ):
        fetch(registry)
