"""Every private reach into streamlit-webrtc and aiortc, each with its reason.

Read off streamlit-webrtc 0.72 to 0.79. The browser tests fail where a new version has moved what is
used here.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from functools import partial
from time import sleep
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit_webrtc.component import WebRtcStreamerContext
from streamlit_webrtc.relay import get_global_relay

from app_pages.live.session import CONNECTION, WATCHED

Silence = Callable[[], float | None]
"""Tells the seconds since the last frame of a stream, None before the first."""

_TAB_SECONDS = 2.0  # without a frame, and without the page's own connection


def forgive_reruns() -> None:
    """Keep the library from tearing down a connection that is being made when a run is skipped.

    The library compares counters of script runs to find connections whose page was left, which is
    `session.leave`'s part here. When Streamlit skips a run, about one start in ten is torn down and
    START must be pressed again. The counter is private, hence the guard.
    """
    context: Any = st.session_state.get(CONNECTION)
    if hasattr(context, "_last_rendered_run_count"):
        context._last_rendered_run_count = None


def keep_no_queue() -> None:
    """Send the newest frame; one that the encoder had no time for is dropped.

    The library queues the frames on their way back without a bound: on a server that encodes more
    slowly than the camera films, the picture falls behind by seconds and the memory grows for as
    long as the camera runs. The method of the relay that all streams share is replaced.
    """
    relay = get_global_relay()
    subscribe = partial(type(relay).subscribe, relay, buffered=False)
    relay.subscribe = subscribe  # type: ignore[method-assign]


def end_with_tab(context: WebRtcStreamerContext[Any, Any], silence: Silence) -> None:
    """Stop the connection soon after its tab was closed; every new one is watched once.

    By itself the library notices after 30 s, when ICE consent expires. The worker, which alone can
    be stopped, has no public name.
    """
    worker = context._get_worker()
    session = get_script_run_ctx()
    if worker is None or session is None:
        return
    reference = weakref.ref(worker)  # an id would come back with the next connection
    if st.session_state.get(WATCHED) != reference:
        st.session_state[WATCHED] = reference
        watch = partial(_watch_tab, reference, silence, session.session_id)
        threading.Thread(target=watch, name="tab watch", daemon=True).start()


def _watch_tab(worker: weakref.ref[Any], silence: Silence, session_id: str) -> None:
    while (connection := worker()) is not None and connection.pc.connectionState != "closed":
        if (silence() or 0.0) > _TAB_SECONDS and not _is_open(session_id):
            connection.stop()
            return
        del connection
        sleep(1.0)


def _is_open(session_id: str) -> bool:
    return runtime.get_instance().is_active_session(session_id)
