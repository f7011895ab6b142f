"""Each call to the Hub is made once, and how it ended is remembered for a while."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo.hub_server import Answer, Delay
from fer import (
    DownloadError,
    ModelVersion,
)
from fer.registry import hub as hub_module
from fer.registry import hub_calls
from fer.versions.folder import WEIGHTS
from tests.factories.published import (
    EVERY_FILE,
    fetch,
)

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


def test_a_while_after_the_trouble_the_hub_is_asked_again(registry, hub, publish, monkeypatch):
    publish("v1.0.0")
    hub.fault(Answer(503), "/refs")
    with pytest.raises(DownloadError, match="is in trouble"):
        registry.list()
    hub.clear_faults()
    with pytest.raises(DownloadError, match="is in trouble"):
        registry.list()
    assert hub.count("GET", "/refs") == 1
    monkeypatch.setattr(hub_calls, "RETRY", 0.0)
    assert fetch(registry).name == "v1.0.0"


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
