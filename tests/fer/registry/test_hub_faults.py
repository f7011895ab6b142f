"""What goes wrong with a Hub repo.

An error or a notice that says what to do, and never a wrong version.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from demo.hub_server import Answer, Corrupt, Cut, Hang, HubServer, LoseAnswer, Truncate
from fer import (
    DownloadError,
    EmotionClassifier,
    FERError,
    HubRegistry,
    ModelError,
    ModelVersion,
    RegistryError,
)
from fer.registry import hub as hub_module
from fer.registry import hub_calls, hub_repo
from fer.registry.aliases import ALIASES
from fer.registry.deadline import Deadline
from fer.registry.hub_client import asking, connect
from fer.versions.folder import CARD, CONFIG, GRAPH, METRICS, PREDICTIONS, WEIGHTS
from tests.factories.published import REPO, attempt, edited, fetch, version_files
from tests.factories.versions import tiny_graph, weights
from tests.support.deadlines import shorten_deadlines

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


# Refused: never taken for success, however much is in the cache


def _missing(_: HubServer) -> dict[str, Any]:
    return {"repo": "tester/nothing"}


def _anonymous(_: HubServer) -> dict[str, Any]:
    return {"repo": "tester/nothing", "token": None}


def _settings(token: str | None, **settings: Any) -> Callable[[HubServer], dict[str, Any]]:
    def refuse(hub: HubServer) -> dict[str, Any]:
        HfApi(endpoint=hub.url, token=hub.write_token).update_repo_settings(REPO, **settings)
        return {"token": token}

    return refuse


def _revoked(hub: HubServer) -> dict[str, Any]:
    hub.revoke(hub.read_token)
    return {}


def _forbidden(hub: HubServer) -> dict[str, Any]:
    hub.fault(Answer(403))
    return {}


STRANGER = HubServer.stranger_token
UNSEEN, UNSENT = (
    "it is private and this token may not see it; check",
    "it is private and no token was sent; check",
)
REFUSALS = {
    "missing": (_missing, rf"there is no repo tester/nothing on http://\S+, or {UNSEEN}"),
    "missing, no token": (
        _anonymous,
        rf"there is no repo tester/nothing on http://\S+, or {UNSENT}",
    ),
    "private": (
        _settings(STRANGER, visibility="private"),
        rf"there is no repo {REPO} on http://\S+, or {UNSEEN}",
    ),
    "private, no token": (
        _settings(None, visibility="private"),
        rf"there is no repo {REPO} on http://\S+, or {UNSENT}",
    ),
    "gated": (
        _settings(STRANGER, gated="manual"),
        rf"{REPO} is gated, and this token may not read its files; ask for",
    ),
    "gated, no token": (
        _settings(None, gated="auto"),
        rf"{REPO} is gated, and without a token nobody may read its",
    ),
    "revoked": (
        _revoked,
        r"http://\S+ refuses the token \(401\): it is wrong, expired or revoked; set HF_TOKEN to a",
    ),
    "forbidden": (
        _forbidden,
        rf"http://\S+ forbids this with {REPO} \(403\); use a token that may",
    ),
}


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("state", REFUSALS)
def test_a_refusal_is_an_error_in_spite_of_the_cache(visit, hub, monkeypatch, state):
    refuse, sentence = REFUSALS[state]
    registry = visit()
    ref = registry.resolve("latest")
    registry.fetch(ref)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    refused = visit(**refuse(hub))
    for ask in (
        refused.list,
        lambda: refused.describe([ref]),
        lambda: refused.fetch(ref),
        lambda: fetch(refused),
    ):
        with pytest.raises(RegistryError, match=f"^{sentence}"):
            ask()


def test_a_token_revoked_while_the_app_runs(registry, hub, publish, monkeypatch):
    publish("v1.0.0")
    ref = registry.resolve("latest")
    registry.fetch(ref)
    hub.revoke(hub.read_token)
    monkeypatch.setattr(hub_module, "REMEMBERED", 0.0)
    with pytest.raises(RegistryError, match="refuses the token"):
        registry.fetch(ref)


@pytest.mark.parametrize(
    "name", ["", "faces", "a/b/c", "../faces", "a/..", "tester/fa--ces", "tester/faces\n", "/x"]
)
def test_names_that_no_repo_has(name):
    with pytest.raises(RegistryError, match="a Hub repo is called USER/NAME, received"):
        HubRegistry(name)


# Out of reach: the cache is good enough, and says so


def _down(hub: HubServer, _: pytest.MonkeyPatch) -> None:
    hub.stop()


def _offline_mode(_: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def _answers(action: Any, path: str = "/refs") -> Callable[[HubServer, pytest.MonkeyPatch], None]:
    return lambda hub, _: void(hub.fault(action, path))


def _silent(path: str = "/refs") -> Callable[[HubServer, pytest.MonkeyPatch], None]:
    def fall_silent(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
        shorten_deadlines(monkeypatch)
        hub.fault(Hang(), path)

    return fall_silent


def void(_: object) -> None:
    pass


HTML = Answer(200, b"<html>Welcome to the hotel</html>", {"Content-Type": "text/html"})
TROUBLES = [
    (_down, r"http://\S+ cannot be reached \(ConnectError: .*\); check the connection\."),
    (
        _offline_mode,
        r"http://\S+ is not asked, because HF_HUB_OFFLINE is set; unset it to go online\.",
    ),
    (_answers(Answer(500)), r"http://\S+ is in trouble \(it answered 500\); try again later\."),
    (_answers(Answer(503)), r"http://\S+ is in trouble \(it answered 503\); try again later\."),
    (
        _answers(Answer(503), f"/{ALIASES}"),
        r"http://\S+ is in trouble \(it answered 503\); try again later\.",
    ),
    (_answers(Answer(429)), r"http://\S+ is in trouble \(it answered 429\); try again later\."),
    (
        _answers(HTML),
        r"http://\S+ does not answer as a Hub does \(JSONDecodeError: .*\); check HF_ENDPOINT .*",
    ),
    (
        _answers(Answer(200, b"[]")),
        r"http://\S+ does not answer as a Hub does \(TypeError: .*\); check HF_ENDPOINT .*",
    ),
    (
        _answers(LoseAnswer()),
        r"http://\S+ cannot be reached \(RemoteProtocolError: .*\); check the connection\.",
    ),
    (_silent(), r"http://\S+ did not answer within \d s; try again\."),
    (_silent(f"/{ALIASES}"), r"http://\S+ did not answer within \d s; try again\."),
    (
        _silent("/commits/"),
        r"(http://\S+ did not answer|the Hub was too slow: nothing) within \d s; try again\.",
    ),
]


@pytest.mark.parametrize(("trouble", "sentence"), TROUBLES)
def test_out_of_reach_with_and_without_a_cache(visit, hub, publish, monkeypatch, trouble, sentence):
    for name in ("v1.0.0", "v1.1.0"):
        publish(name)
    fetch(visit(), "v1.1.0")
    registry = visit()
    trouble(hub, monkeypatch)
    start = time.monotonic()
    listing = registry.list()
    assert listing.offline
    assert re.match(f"Offline: {sentence} Shown is what {REPO} held on .* UTC.$", listing.notice), (
        listing.notice
    )
    assert [ref.name for ref in listing.versions] == ["v1.1.0", "v1.0.0"]
    assert fetch(registry, "v1.1.0").report().chosen_on == ("v1.1.0",)
    cached = (
        r"^version v1\.0\.0: it is not in this machine's cache, and the Hub is out of reach; go"
        r" online once\.$"
    )
    with pytest.raises(DownloadError, match=cached):
        fetch(registry, "v1.0.0")
    found = registry.describe(listing.versions)
    assert [isinstance(version, ModelVersion) for version in found.values()] == [True, False]
    (Path(constants.HF_HUB_CACHE) / "models--tester--faces" / "fer-listing.json").unlink()
    with pytest.raises(
        DownloadError, match=f"^{sentence} .*This machine has no earlier list of {REPO} to show"
    ):
        visit().list()
    assert time.monotonic() - start < 5


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


# Deleted, lying, corrupt: an error that names the version, and the others stay


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


Files = dict[str, bytes | None]


def _other_graph(_: Files) -> Files:
    return {GRAPH: tiny_graph(weights(seed=99))}


def _swapped(files: Files) -> Files:
    return {METRICS: files[PREDICTIONS], PREDICTIONS: files[METRICS]}


def _manifest(**records: dict[str, Any]) -> Callable[[Files], Files]:
    """Other entries in the manifest."""

    def lie(files: Files) -> Files:
        honest = json.loads(files[CONFIG] or b"")["files"]
        names = {
            "graph": GRAPH,
            "predictions": PREDICTIONS,
            "above": "../evil",
            "absolute": "/tmp/evil",
        }
        changed = {
            names[key]: honest.get(names[key], {}) | record for key, record in records.items()
        }
        return {CONFIG: edited(files[CONFIG], files=honest | changed)}

    return lie


def _config(**changes: Any) -> Callable[[Files], Files]:
    return lambda files: {CONFIG: edited(files[CONFIG], **changes)}


RECORD = {"sha256": "0" * 64, "bytes": 3}
FRESH = "also after a fresh download: received"
LIES: list[tuple[str, Callable[[Files], Files], str]] = [
    (
        "other graph",
        _other_graph,
        rf"model\.tflite is corrupt, {FRESH} [\d,]+ bytes, digest \w+, expected [\d,]+, '\w+'",
    ),
    ("swapped", _swapped, rf"metrics\.json is corrupt, {FRESH}"),
    (
        "no graph",
        lambda _: {GRAPH: None},
        r"model\.tflite: it is missing in tester/faces; choose another version\.",
    ),
    (
        "renamed",
        lambda files: {METRICS: None, "Metrics.json": files[METRICS]},
        r"metrics\.json: it is missing in",
    ),
    ("no config", lambda _: {CONFIG: None}, r"config\.json: it is missing in tester/faces"),
    ("empty graph", lambda _: {GRAPH: b"-"}, rf"model\.tflite is corrupt, {FRESH} 1 bytes"),
    (
        "other digest",
        _manifest(graph={"sha256": "0" * 64}),
        rf"model\.tflite is corrupt, {FRESH}.* expected [\d,]+, '0",
    ),
    ("short digest", _manifest(graph={"sha256": "0"}), r"model\.tflite is corrupt"),
    ("no digest", _manifest(graph={"sha256": ""}), r"model\.tflite is corrupt"),
    (
        "promises less",
        _manifest(graph={"bytes": 5}),
        rf"model\.tflite is corrupt, {FRESH} [\d,]+ bytes.* expected 5",
    ),
    ("promises nothing", _manifest(graph={"bytes": -1}), r"model\.tflite is corrupt"),
    (
        "promises too much",
        _manifest(graph={"bytes": 1 << 40}),
        r"model\.tflite: config\.json promises more than the 6",
    ),
    (
        "beyond numbers",
        _manifest(graph={"bytes": 10**400}),
        r"model\.tflite: config\.json promises more than the 6",
    ),
    (
        "path above",
        _manifest(above=RECORD),
        r"config\.json: .*files may name only model\.tflite, metrics\.json, pre",
    ),
    (
        "absolute path",
        _manifest(absolute=RECORD),
        r"config\.json: .*files may name only model\.tflite",
    ),
    (
        "newer schema",
        _config(schema=2),
        r"config\.json: schema 2, but this program reads 1\. Update the program\.",
    ),
    (
        "no labels",
        _config(labels=None),
        r"config\.json: a field is missing or wrong .*Expected `array`, got `null` at \$\.labels",
    ),
    (
        "one label",
        _config(labels=["happy"]),
        r"config\.json: .*labels must be two or more different words",
    ),
    ("no JSON", lambda _: {CONFIG: b"\x00\x01"}, r"config\.json: not valid JSON"),
    ("a list", lambda _: {CONFIG: b"[1]"}, r"config\.json: holds a list, expected a JSON object"),
]


@pytest.mark.parametrize(("lie", "reason"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_a_lying_version_is_refused_and_the_others_stay(
    registry, hub, publish, tmp_path, lie, reason
):
    publish("v1.0.0")
    publish("v1.1.0", lie(version_files(tmp_path / "honest" / "v1.1.0")))
    publish("v1.2.0")
    reason = rf"^version v1\.1\.0: {reason}"
    with pytest.raises(ModelError, match=reason):
        fetch(registry, "v1.1.0")
    hub.forget_requests()
    with pytest.raises(ModelError, match=reason):
        fetch(registry, "v1.1.0")
    assert not hub.count("GET", f"/resolve/.*/({CONFIG}|{METRICS}|{GRAPH})")
    found = registry.describe(registry.list().versions)
    assert [ref.name for ref, version in found.items() if isinstance(version, ModelVersion)] in (
        ["v1.2.0", "v1.0.0"],
        ["v1.2.0", "v1.1.0", "v1.0.0"],
    )
    for name in ("v1.0.0", "v1.2.0"):
        assert fetch(registry, name).report().chosen_on == (name,)
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("name", [CONFIG, GRAPH, METRICS, PREDICTIONS, CARD, WEIGHTS])
def test_a_file_too_large_is_refused_before_it_is_sent(registry, hub, publish, monkeypatch, name):
    large = {CONFIG: None, CARD: {CARD: b"---\nlicense: mit\n---\n" + bytes(5000)}}.get(
        name, {name: bytes(5000)}
    )
    publish("v1.0.0", large, lineage={"note": "x" * 5000})
    monkeypatch.setitem(hub_repo._LIMITS, name, 4000)
    with pytest.raises(
        ModelError,
        match=(
            rf"^version v1\.0\.0: {re.escape(name)}: received [56],\d+ bytes, expected at most 4,"
        ),
    ):
        registry.read(registry.resolve("latest"), name)
    assert not hub.count("GET", f"/resolve/.*/{name}")


def test_labels_of_its_own(registry, publish):
    publish("v1.0.0", labels=["angry", "<b>bored</b>", "asleep"])
    assert fetch(registry).labels == ("angry", "<b>bored</b>", "asleep")


@pytest.mark.parametrize("name", [CONFIG, METRICS, GRAPH, PREDICTIONS, CARD, ALIASES])
@pytest.mark.usefixtures("production")
def test_a_corrupt_download_is_repaired_once(registry, hub, name):
    hub.fault(Corrupt(), f"/resolve/.*/{name}", method="GET", times=1)
    version = fetch(registry, "production")
    assert version.read(PREDICTIONS) == b"predictions of v1.0.0"
    assert version.read(CARD).endswith(b"# v1.0.0")
    assert EmotionClassifier(version)
    assert hub.count("GET", f"/resolve/.*/{name}") == 2


@pytest.mark.parametrize("name", [CONFIG, METRICS, GRAPH, PREDICTIONS, CARD])
def test_a_download_that_stays_corrupt_is_given_up(registry, hub, publish, name):
    publish("v1.0.0")
    hub.fault(Corrupt(), f"/resolve/.*/{name}", method="GET")
    for _ in range(3):
        with pytest.raises(
            ModelError, match=rf"^version v1\.0\.0: {re.escape(name)} is corrupt, {FRESH}"
        ):
            fetch(registry)
    assert hub.count("GET", f"/resolve/.*/{name}") == 2
    hub.clear_faults()
    registry.refresh()
    assert fetch(registry).report().chosen_on == ("v1.0.0",)


@pytest.mark.parametrize("name", [CONFIG, METRICS, GRAPH])
def test_a_damaged_cache_is_mended(registry, visit, hub, publish, name):
    publish("v1.0.0")
    folder = fetch(registry).folder
    whole = (folder / name).read_bytes()
    for damage in (b"", whole[:-1], whole + b"\0", bytes(len(whole))):
        (folder / name).resolve().write_bytes(damage)
        assert fetch(visit()).read(GRAPH)
        assert (folder / name).read_bytes() == whole
    (folder / name).unlink()
    assert fetch(visit()).read(GRAPH)
    (folder / name).resolve().write_bytes(b"damage")
    hub.stop()
    with pytest.raises(
        ModelError,
        match=rf"^version v1\.0\.0: {name} in the cache is corrupt \(.*\); go online once",
    ):
        fetch(visit())


# Hanging, cut and slow


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
