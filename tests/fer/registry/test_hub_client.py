"""Calls to a Hub that hangs, cuts, lies or is slow end in time, and never with a wrong version."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import nullcontext, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from huggingface_hub import constants

from demo.hub_server import Answer, Corrupt, Cut, Hang, LoseAnswer, Truncate
from fer import (
    DownloadError,
    EmotionClassifier,
    FERError,
)
from fer.registry.aliases import ALIASES
from fer.registry.deadline import Deadline
from fer.registry.hub_client import asking, connect
from fer.versions.folder import CONFIG, GRAPH
from tests.factories.published import REPO, attempt, fetch, version_files
from tests.support.deadlines import shorten_deadlines

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


HTML = Answer(200, b"<html>Welcome to the hotel</html>", {"Content-Type": "text/html"})


PLACES = (
    ("GET", "/refs"),
    ("HEAD", ALIASES),
    ("GET", ALIASES),
    ("GET", "/commits/"),
    ("GET", CONFIG),
    ("HEAD", GRAPH),
    ("GET", GRAPH),
)


FAULTS: dict[str, Any] = {
    "401": Answer(401),
    "403": Answer(403),
    "404": Answer(404),
    "416": Answer(416),
    "503": Answer(503),
    "html": HTML,
    "no entry": Answer(404, b"{}", {"X-Error-Code": "EntryNotFound"}),
    "null": Answer(200, b"null"),
    "loop": Answer(302, b"", {"Location": "/loop"}),
    "hang": Hang(),
    "truncate": Truncate(),
    "lost": LoseAnswer(),
    "corrupt": Corrupt(),
}


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_everywhere_never_show_a_wrong_version_nor_last(
    visit, hub, tmp_path, monkeypatch, fault
):
    graph = version_files(tmp_path / "again" / "v1.0.0")[GRAPH]
    for number, (method, path) in enumerate(PLACES):
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / f"cache-{number}"))
        hub.fault(FAULTS[fault], path, method=method)
        registry = visit()
        with monkeypatch.context() as patch:
            shorten_deadlines(patch, 0.3)
            start = time.monotonic()
            version = attempt(registry)
            assert time.monotonic() - start < 3, (method, path)
        if isinstance(version, FERError):
            assert str(version).endswith((".", "show.")), (method, path)
        else:
            assert (version.read(GRAPH), version.report().chosen_on) == (graph, ("v1.0.0",)), (
                method,
                path,
            )
        hub.clear_faults()
        registry.refresh()
        assert fetch(registry, "production").report().chosen_on == ("v1.0.0",), (method, path)


@pytest.mark.parametrize("reset", [True, False])
def test_connections_cut(visit, proxy, publish, reset):
    publish("v1.0.0")
    for method, path in (("GET", "/refs"), ("HEAD", GRAPH), ("GET", GRAPH)):
        proxy.fault(Cut("answer", after_bytes=200, reset=reset), path, method=method, times=1)
        registry = visit(endpoint=proxy.url)
        version = attempt(registry)
        if isinstance(version, FERError):
            assert re.search(
                r"http://\S+ cannot be reached \((Read|RemoteProtocol)Error: .*\); check",
                str(version),
            )
            registry.refresh()
            version = fetch(registry)
        assert EmotionClassifier(version)


class _Drip(BaseHTTPRequestHandler):
    """Answers like `/refs` without any versions.

    A part of the answer every tenth of a second for 1.5 seconds.
    """

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        head = [{"name": "main", "ref": "refs/heads/main", "targetCommit": "0" * 40}]
        text = json.dumps({"branches": head, "converts": [], "tags": []}).ljust(300).encode()
        with suppress(OSError):
            for start in range(0, 300, 20):
                self.wfile.write(text[start : start + 20])
                time.sleep(0.1)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("total", "comes"), [(5.0, True), (0.8, False)])
def test_slow_is_not_silent_but_has_an_end(monkeypatch, total, comes):
    shorten_deadlines(monkeypatch, 1.0)
    with HTTPServer(("127.0.0.1", 0), _Drip) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        api = connect(endpoint=f"http://127.0.0.1:{server.server_port}")
        start = time.monotonic()
        expected = nullcontext() if comes else pytest.raises(DownloadError, match="try again")
        with expected, asking(REPO, api.endpoint, Deadline(total), max_bytes=1000):
            assert [branch.name for branch in api.list_repo_refs(REPO).branches] == ["main"]
        assert comes or time.monotonic() - start < 1.3
        thread.join()
