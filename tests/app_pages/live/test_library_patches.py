"""The watch over closed tabs, and the library's private names that are used."""

from __future__ import annotations

import inspect
import threading
import weakref
from types import SimpleNamespace

import pytest
from aiortc.contrib.media import MediaRelay
from streamlit_webrtc.component import WebRtcStreamerContext

from app_pages.live import library_patches
from app_pages.live.session import CONNECTION


class Worker:
    """As much of the library's connection as the watch needs."""

    def __init__(self) -> None:
        self.pc = SimpleNamespace(connectionState="connected")
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1
        self.pc.connectionState = "closed"


@pytest.mark.parametrize(
    ("silence", "active", "stops"),
    [
        (2.1, False, 1),
        (100.0, False, 1),
        (2.1, True, 0),
        (1.9, False, 0),
        (None, False, 0),
        (0.0, False, 0),
    ],
)
def test_a_connection_ends_with_its_tab(
    monkeypatch: pytest.MonkeyPatch, silence: float | None, active: bool, stops: int
) -> None:
    worker, rounds = Worker(), []

    def sleep(_: float) -> None:
        rounds.append(1)
        if len(rounds) == 3:
            worker.pc.connectionState = "closed"

    monkeypatch.setattr(library_patches, "sleep", sleep)
    monkeypatch.setattr(
        library_patches.runtime,
        "get_instance",
        lambda: SimpleNamespace(is_active_session=lambda name: active and name == "me"),
    )
    library_patches._watch_tab(weakref.ref(worker), lambda: silence, "me")
    assert worker.stops == stops
    assert len(rounds) == (0 if stops else 3)


def test_every_new_connection_is_watched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that lies where the one before lay in memory, which is common."""
    watched: list[str] = []
    monkeypatch.setattr(library_patches.st, "session_state", {})
    monkeypatch.setattr(
        library_patches, "get_script_run_ctx", lambda: SimpleNamespace(session_id="me")
    )
    monkeypatch.setattr(library_patches, "_watch_tab", lambda *_: watched.append("one"))
    monkeypatch.setattr(library_patches, "id", lambda _: 7, raising=False)
    workers: list[Worker] = []

    def run() -> None:
        context = SimpleNamespace(_get_worker=lambda: workers[0] if workers else None)
        library_patches.end_with_tab(context, lambda: None)
        for thread in [thread for thread in threading.enumerate() if thread.name == "tab watch"]:
            thread.join(5)

    run()
    assert watched == []
    workers.append(Worker())
    run()
    run()
    assert watched == ["one"]
    workers[0] = Worker()  # STOP and START
    run()
    run()
    assert watched == ["one", "one"]


# What else is private


@pytest.mark.parametrize("count", [None, 7])
def test_a_skipped_run_is_forgiven(monkeypatch: pytest.MonkeyPatch, count: int | None) -> None:
    context = SimpleNamespace(_last_rendered_run_count=count)
    monkeypatch.setattr(library_patches.st, "session_state", {CONNECTION: context})
    library_patches.forgive_reruns()
    assert context._last_rendered_run_count is None


@pytest.mark.parametrize("context", [None, SimpleNamespace()], ids=["none", "another library"])
def test_without_the_counter_there_is_nothing_to_forgive(
    monkeypatch: pytest.MonkeyPatch, context: object
) -> None:
    monkeypatch.setattr(library_patches.st, "session_state", {CONNECTION: context})
    library_patches.forgive_reruns()
    assert not hasattr(context, "_last_rendered_run_count")


def test_the_relay_keeps_no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Relay()
    monkeypatch.setattr(library_patches, "get_global_relay", lambda: relay)
    for _ in range(2):  # as at every run of the page
        library_patches.keep_no_queue()
        assert relay.subscribe("track") == ("track", False)


class Relay:
    def subscribe(self, track: str, buffered: bool = True) -> tuple[str, bool]:
        return track, buffered


def test_the_library_has_the_names_that_are_used() -> None:
    assert "_last_rendered_run_count" in WebRtcStreamerContext.__annotations__
    assert callable(WebRtcStreamerContext._get_worker)
    assert "buffered" in inspect.signature(MediaRelay.subscribe).parameters
