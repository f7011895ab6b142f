"""Forget what visitors leave behind, in a thread of its own: nobody may come after the last."""

from __future__ import annotations

import ctypes
import gc
import threading
from time import sleep

import streamlit as st

from app_pages.photos import capacity
from app_pages.shared import streamlit_internals

_NAME = "forgetting"
_MOST_SECONDS = 15.0
_M_PERTURB = -6  # a parameter of glibc's mallopt
_ANY_BYTE = 0x55

_starting = threading.Lock()


def start() -> None:
    """Guard the uploads of this process and forget in rounds; once, however many pages ask."""
    with _starting:
        running = any(thread.name == _NAME for thread in threading.enumerate())
        if streamlit_internals.keeps_uploads() and not running:
            _overwrite_freed_memory()
            streamlit_internals.guard_uploads(capacity.refusal)
            threading.Thread(target=_go_round, name=_NAME, daemon=True).start()


def _go_round() -> None:
    session_seconds = st.get_option("server.disconnectedSessionTTL")
    while True:
        sleep(min(_MOST_SECONDS, session_seconds / 8))
        ended = streamlit_internals.end_sessions()
        for session in ended:
            capacity.forget(session)
        streamlit_internals.forget_media()
        if ended:
            gc.collect()
        _return_freed_memory()


def _overwrite_freed_memory() -> None:
    """Let the C library overwrite memory as it is freed, in which parts of photos would stay.

    It takes 40 ms for a photo of 12 megapixels, and for a frame of the camera too little to
    measure.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # glibc alone has it
        mallopt(_M_PERTURB, _ANY_BYTE)


def _return_freed_memory() -> None:
    """Return freed memory to the system; the C library would keep what large photos took."""
    if malloc_trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # glibc alone has it
        malloc_trim(0)
