"""What is kept of Live in a visitor's session goes when the page is left, and nothing else."""

from __future__ import annotations

import pytest

from app_pages.live import session

KEYS = (session.STREAM, session.CONNECTION, session.STARTED, session.WATCHED, session.PHOTO)


@pytest.mark.parametrize("kept", [(), (session.STREAM,), KEYS], ids=len)
def test_leave_lets_go_of_everything_of_live(
    monkeypatch: pytest.MonkeyPatch, kept: tuple[str, ...]
) -> None:
    state = {**dict.fromkeys(kept, object()), "version": "v1.0.0"}
    monkeypatch.setattr(session.st, "session_state", state)
    session.leave()
    assert state == {"version": "v1.0.0"}
