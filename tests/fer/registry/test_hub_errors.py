"""What went wrong is told with what to do, and a refusal is never taken for success."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from demo.hub_server import Answer, Hang, HubServer, LoseAnswer
from fer import (
    DownloadError,
    ModelVersion,
    RegistryError,
)
from fer.registry.aliases import ALIASES
from tests.factories.published import REPO, fetch
from tests.support.deadlines import shorten_deadlines

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


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
