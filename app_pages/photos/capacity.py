"""The room that the photos of all visitors have together."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from weakref import WeakValueDictionary

from app_pages.photos.photo import Photo, unwanted
from app_pages.photos.session import APP_FULL, MAX_TOTAL, VISIT_FULL, LeftOut, Visit
from app_pages.shared import streamlit_internals
from app_pages.shared.settings import max_uploads

_visits: WeakValueDictionary[str, Visit] = WeakValueDictionary()
_lock = threading.Lock()  # between asking for room and taking it


def new_visit(session: str) -> Visit:
    """A visit without photos for this session; it counts for as long as somebody holds it."""
    visit = Visit()
    with _lock:
        _visits[session] = visit
    return visit


def add(visit: Visit, photos: Iterable[Photo], left_out: Iterable[LeftOut] = ()) -> None:
    """Add photos to a visit as far as there is room; files `left_out` were refused before."""
    photos = list(photos)  # made here: their digests take time
    with _lock:
        visit.add(photos, room=max_uploads() - _used_bytes(), left_out=left_out)


def refusal(session: str, name: str, size: int) -> str:
    """Why a file that arrives is not wanted, or "" where it is."""
    if reason := unwanted(name, size):
        return reason
    with _lock:
        visit = _visits.get(session)
        own_bytes = streamlit_internals.waiting_bytes(session) + (visit.size if visit else 0)
        if own_bytes + size > MAX_TOTAL:
            return VISIT_FULL
        return APP_FULL if _used_bytes() + size > max_uploads() else ""


def forget(session: str) -> None:
    """Drop the photos of a session that has ended, whoever still holds its visit."""
    with _lock:
        visit = _visits.pop(session, None)
    if visit:
        visit.clear()


def _used_bytes() -> int:
    kept = sum(visit.size for visit in _visits.values())
    return kept + streamlit_internals.waiting_bytes()
