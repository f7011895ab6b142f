"""The versions of a Hub repo as a listing, and the copy of it on disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from huggingface_hub import constants

from fer import (
    DownloadError,
)
from fer.registry.hub_listing import MAX_VERSIONS
from tests.factories.published import (
    REPO,
    edited,
    set_aliases,
)

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


def test_a_listing_of_another_endpoint_or_damaged_is_no_listing(registry, visit, hub, publish):
    publish("v1.0.0")
    registry.list()
    copy = Path(constants.HF_HUB_CACHE) / "models--tester--faces" / "fer-listing.json"
    content = json.loads(copy.read_text())
    hub.stop()
    assert visit().list().versions
    damaged = [
        b"",
        b"{",
        b"[]",
        b"{}",
        copy.read_bytes()[:-10],
        edited(copy.read_bytes(), endpoint="http://elsewhere"),
        edited(copy.read_bytes(), schema=2),
        edited(copy.read_bytes(), tags={"v1.0.0": "../../x"}),
        edited(copy.read_bytes(), tags=[]),
        edited(copy.read_bytes(), time="yesterday"),
        edited(copy.read_bytes(), dates={"a": 3}),
        edited(copy.read_bytes(), aliases=None),
    ]
    assert content["tags"]
    for text in damaged:
        copy.write_bytes(text)
        with pytest.raises(DownloadError, match="no earlier list"):
            visit().list()


def test_versions_are_listed_newest_first(registry, publish, writer):
    commits = {name: publish(name) for name in ("v1.2.0", "v1.10.0", "v1.9.3")}
    for tag in ("v1.2", "draft", "v01.2.0", "v1.2.0-rc1", "1.2.0"):
        writer.create_tag(REPO, tag=tag)
    refs = registry.list().versions
    assert [(ref.name, ref.commit) for ref in refs] == [
        (name, commits[name]) for name in ("v1.10.0", "v1.9.3", "v1.2.0")
    ]
    assert all(abs((datetime.now(UTC) - ref.date).total_seconds()) < 60 for ref in refs)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", None),
        (b"{", "not valid JSON"),
        (b'{"schema": 2}', "schema 2, but this program reads 1; update the program"),
        (
            b'{"schema": 1, "aliases": {}, "history": 3}',
            "Expected `array`, got `int` at $.history, received 3",
        ),
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


def test_history_of_more_than_one_page(registry, publish, writer):
    first = publish("v1.0.0")
    for number in range(60):
        set_aliases(writer, b"%d" % number)
    assert registry.resolve(first).date is not None
    assert "is broken" in registry.list().notice


def test_at_most_a_hundred_versions_are_listed(visit, publish, writer) -> None:
    commit = publish("v0.0.1")
    for number in range(MAX_VERSIONS + 4):
        writer.create_tag(REPO, tag=f"v1.0.{number}", revision=commit)
    listing = visit(token=False).list()
    assert len(listing.versions) == MAX_VERSIONS
    assert listing.versions[0].name == f"v1.0.{MAX_VERSIONS + 3}"
    assert listing.notice.startswith(f"{REPO} holds 105 versions; listed are 100, the newest and")
