"""The room of all visitors together, and how it is given back."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from app_pages.photos import capacity
from app_pages.photos.photo import Photo
from app_pages.photos.session import APP_FULL, VISIT_FULL, LeftOut, Receipt
from app_pages.shared import streamlit_internals

MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def no_other_visits() -> Iterator[None]:
    capacity._visits.clear()
    yield
    capacity._visits.clear()


def photo(name: str, megabytes: float = 0) -> Photo:
    return Photo(name, name.encode().ljust(round(megabytes * MEGABYTE), b"."))


def test_visitors_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", "5")
    one, other = capacity.new_visit("one"), capacity.new_visit("other")
    capacity.add(one, [photo("a.jpg", 3)])
    capacity.add(other, [photo("b.jpg", 3), photo("c.jpg", 2)])
    assert other.receipt == Receipt(1, (LeftOut("b.jpg", APP_FULL),))
    assert capacity.refusal("third", "d.jpg", 1) == APP_FULL
    one.clear()
    assert capacity.refusal("third", "d.jpg", 3 * MEGABYTE) == ""
    assert capacity.refusal("third", "d.jpg", 3 * MEGABYTE + 1) == APP_FULL


def test_who_leaves_gives_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though something still holds the visit, as Streamlit's module of the last page does."""
    monkeypatch.setenv("FER_MAX_UPLOADS", "5")
    left = capacity.new_visit("left")
    capacity.add(left, [photo("a.jpg", 5)])
    assert capacity.refusal("next", "b.jpg", 1) == APP_FULL
    capacity.forget("left")
    capacity.forget("nobody")
    assert left.size == 0
    assert capacity.refusal("next", "b.jpg", 5 * MEGABYTE) == ""


def test_a_visit_that_nobody_holds_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", "5")
    gone = weakref.ref(capacity.new_visit("gone"))
    gc.collect()
    assert gone() is None
    assert capacity.refusal("next", "b.jpg", 5 * MEGABYTE) == ""


@pytest.mark.parametrize(
    ("own", "all_waiting", "size", "reason"),
    [
        (0, 0, 4, ""),
        (2, 2, 3, VISIT_FULL),  # 2 in the visit
        (1, 6, 1, ""),
        (1, 7, 2, APP_FULL),
    ],
)
def test_what_waits_counts_as_well(
    monkeypatch: pytest.MonkeyPatch, own: int, all_waiting: int, size: int, reason: str
) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", "10")
    monkeypatch.setattr(capacity, "MAX_TOTAL", 6 * MEGABYTE)
    waiting = {"one": own * MEGABYTE, None: all_waiting * MEGABYTE}
    monkeypatch.setattr(streamlit_internals, "waiting_bytes", lambda session=None: waiting[session])
    kept = capacity.new_visit("one")
    capacity.add(kept, [photo("a.jpg", 2)])
    assert capacity.refusal("one", "b.jpg", size * MEGABYTE) == reason
