"""The trays of all visitors, and the room that they have together."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from weakref import WeakValueDictionary

from app_pages.photos.session import APP_FULL, MAX_TOTAL, TRAY_FULL, LeftOut, Photo, Tray, unwanted
from app_pages.shared import streamlit_internals
from app_pages.shared.settings import max_uploads

_trays: WeakValueDictionary[str, Tray] = WeakValueDictionary()
_lock = threading.Lock()  # between asking for room and taking it


def new_tray(session: str) -> Tray:
    """An empty tray for this session, which counts for as long as somebody holds it."""
    tray = Tray()
    with _lock:
        _trays[session] = tray
    return tray


def add(tray: Tray, photos: Iterable[Photo], left_out: Iterable[LeftOut] = ()) -> None:
    """Put photos into a tray as far as there is room; files `left_out` were refused before."""
    photos = list(photos)  # made here: their digests take time
    with _lock:
        tray.add(photos, room=max_uploads() - _held(), left_out=left_out)


def refusal(session: str, name: str, size: int) -> str:
    """Why a file that arrives is not wanted, or "" where it is."""
    if reason := unwanted(name, size):
        return reason
    with _lock:
        tray = _trays.get(session)
        own = streamlit_internals.waiting_bytes(session) + (tray.size if tray else 0)
        if own + size > MAX_TOTAL:
            return TRAY_FULL
        return APP_FULL if _held() + size > max_uploads() else ""


def forget(session: str) -> None:
    """Empty the tray of a session that has ended, whoever still holds it."""
    with _lock:
        tray = _trays.pop(session, None)
    if tray:
        tray.clear()


def _held() -> int:
    return sum(tray.size for tray in _trays.values()) + streamlit_internals.waiting_bytes()
