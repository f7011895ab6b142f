"""What the page Live says of its connection."""

from __future__ import annotations

import pytest
from streamlit_webrtc.component import WebRtcStreamerState

from app_pages.live import connection, session
from app_pages.live.stream import DisplayedValues


@pytest.mark.parametrize(
    ("playing", "signalling", "since", "silence", "words"),
    [
        (False, False, None, None, ""),
        (False, False, None, 100.0, ""),
        (False, True, 3.0, None, ""),
        (True, True, 7.9, None, ""),
        (False, True, 8.1, None, "TURN server"),
        (True, True, 8.1, 50.0, "TURN server"),  # the last frame came before this START
        (True, True, 8.1, 0.03, ""),
        (True, True, 60.0, 2.9, ""),
        (True, True, 60.0, 3.1, "No frame has come for a while"),
        (True, True, 4.0, 20.0, ""),
    ],
)
def test_trouble(
    monkeypatch: pytest.MonkeyPatch,
    playing: bool,
    signalling: bool,
    since: float | None,
    silence: float | None,
    words: str,
) -> None:
    monkeypatch.setattr(connection, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(
        connection.st, "session_state", {} if since is None else {session.STARTED: 1000.0 - since}
    )
    found = connection.trouble(
        WebRtcStreamerState(playing, signalling),
        DisplayedValues(None, 0.0, 0.0, 0.0, 0, "", silence, []),
    )
    assert words in found
    assert bool(found) == bool(words)
