"""The files of a repo are what its versions promise, or there is an error that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from demo.hub_server import Corrupt
from fer import (
    EmotionClassifier,
    HubRegistry,
    ModelError,
    ModelVersion,
    RegistryError,
)
from fer.registry import hub_repo
from fer.registry.aliases import ALIASES
from fer.versions.folder import CARD, CONFIG, GRAPH, METRICS, PREDICTIONS, WEIGHTS
from tests.factories.published import edited, fetch, version_files
from tests.factories.versions import tiny_graph, weights

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


@pytest.mark.parametrize(
    "name", ["", "faces", "a/b/c", "../faces", "a/..", "tester/fa--ces", "tester/faces\n", "/x"]
)
def test_names_that_no_repo_has(name):
    with pytest.raises(RegistryError, match="a Hub repo is called USER/NAME, received"):
        HubRegistry(name)


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
