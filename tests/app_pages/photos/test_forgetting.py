"""The thread that forgets what visitors leave behind."""

from __future__ import annotations

import threading

import pytest

from app_pages.photos import capacity, forgetting
from app_pages.shared import streamlit_internals


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What guards uploads, in a process that seems to serve the app."""
    guards: list[object] = []
    monkeypatch.setattr(streamlit_internals, "keeps_uploads", lambda: True)
    monkeypatch.setattr(streamlit_internals, "guard_uploads", guards.append)
    monkeypatch.setattr(forgetting, "_overwrite_freed_memory", lambda: None)
    return guards


def test_it_starts_once(monkeypatch: pytest.MonkeyPatch, guarded: list[object]) -> None:
    end = threading.Event()
    monkeypatch.setattr(forgetting, "_go_round", end.wait)
    forgetting.start()
    forgetting.start()
    running = [thread for thread in threading.enumerate() if thread.name == "forgetting"]
    end.set()
    for thread in running:
        thread.join()
    assert len(running) == 1
    assert guarded == [capacity.refusal]


def test_it_does_not_start_where_no_uploads_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamlit_internals, "keeps_uploads", lambda: False)
    forgetting.start()
    assert not [thread for thread in threading.enumerate() if thread.name == "forgetting"]


def test_a_round_forgets_the_sessions_that_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str] = []
    rounds: list[float] = []

    def sleep(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 2:
            raise InterruptedError

    monkeypatch.setattr(forgetting, "sleep", sleep)
    monkeypatch.setattr(streamlit_internals, "end_sessions", lambda: ["me"])
    monkeypatch.setattr(streamlit_internals, "forget_media", lambda: None)
    monkeypatch.setattr(capacity, "forget", forgotten.append)
    with pytest.raises(InterruptedError):
        forgetting._go_round()
    assert forgotten == ["me"]
    assert max(rounds) <= 15.0
