"""What Live keeps in a visitor's session, and how it lets go of it.

Every page calls `leave`, so nothing here imports the WebRTC library.
"""

from __future__ import annotations

import streamlit as st

STREAM = "live_stream"
CONNECTION = "live"
STARTED = "live_since"
WATCHED = "live_watched"
PHOTO = "live_photo"


def leave() -> None:
    """Let go of the stream, as every page but Live does; the camera stops within two seconds.

    Without this, a visitor who returns would meet the remains of the old connection.
    """
    for key in (STREAM, CONNECTION, STARTED, WATCHED, PHOTO):
        st.session_state.pop(key, None)
