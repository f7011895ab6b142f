"""What the app takes from visitors, how much of it, and what it lets go of."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from app_pages.photos import capacity, session
from app_pages.photos.photo import Photo, unwanted
from app_pages.photos.session import (
    ALREADY_HERE,
    APP_FULL,
    VISIT_FULL,
    LeftOut,
    Receipt,
    Visit,
)
from app_pages.photos.sources import SAMPLES
from app_pages.shared import settings, streamlit_internals
from fer import EmotionClassifier, FERError, FERPipeline, ImageError, load_detector, load_version
from fer.images import MAX_BYTES

COLLINS = (SAMPLES / "eileen-collins.jpg").read_bytes()
MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def no_other_visits() -> Iterator[None]:
    capacity._visits.clear()
    yield
    capacity._visits.clear()


def photo(name: str, megabytes: float = 0) -> Photo:
    return Photo(name, name.encode().ljust(round(megabytes * MEGABYTE), b"."))


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("a.jpg", 0, ""),
        ("A.JPEG", MAX_BYTES, ""),
        ("album/a.heic", 1, ""),
        ("a.jpg", 58_000_000, "58 MB, at most 50 MB"),
        ("a.jpg", MAX_BYTES + 100_000, "50.1 MB, at most 50 MB"),
        ("note.txt", 1, "not a picture"),
        ("jpg", 1, "not a picture"),
        ("", 1, "not a picture"),
        ("film.mp4", 180_000_000, "not a picture"),
    ],
)
def test_unwanted(name: str, size: int, reason: str) -> None:
    assert unwanted(name, size) == reason


def test_receipt_names_all_that_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_PHOTOS", 2)
    photos = Visit()
    assert photos.receipt is None
    photos.add([])
    assert photos.receipt == Receipt(0, ())
    photos.add(
        [photo("a.jpg"), photo("b.jpg", 2), photo("a.jpg")],
        room=1,
        left_out=[LeftOut("c.txt", "text")],
    )
    assert photos.receipt == Receipt(
        0, (LeftOut("c.txt", "text"), *(LeftOut(n, APP_FULL) for n in ("a.jpg", "b.jpg", "a.jpg")))
    )
    photos.add([photo("a.jpg"), photo("a.jpg"), photo("b.jpg"), photo("c.jpg")])
    assert photos.receipt == Receipt(
        2, (LeftOut("a.jpg", ALREADY_HERE), LeftOut("c.jpg", VISIT_FULL))
    )
    photos.remove(photo("a.jpg").id)
    assert photos.receipt is None


def test_a_visit_is_full_by_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_TOTAL", 3 * MEGABYTE)
    photos = Visit()
    photos.add([photo("a.jpg", 2), photo("b.jpg", 2), photo("c.jpg", 1)])
    assert photos.receipt == Receipt(2, (LeftOut("b.jpg", VISIT_FULL),))
    assert photos.size == 3 * MEGABYTE


def test_unreadable_files_keep_their_reason_and_no_bytes() -> None:
    photos = Visit()
    junk = photo("junk.jpg", 1)
    photos.add([junk])
    pipeline = FERPipeline(load_detector("blazeface"), EmotionClassifier(load_version()))
    list(photos.classify(pipeline))
    assert photos.size == 0
    ((failed, reason),) = photos.failed()
    assert failed is junk
    assert "junk.jpg: not an image (received 1,000,000 bytes" in reason
    with pytest.raises(ImageError, match="received 1,000,000 bytes"):
        junk.load()
    photos.add([photo("junk.jpg", 1)])
    assert photos.receipt == Receipt(0, (LeftOut("junk.jpg", ALREADY_HERE),))


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


@pytest.mark.parametrize(("value", "expected"), [("", 2000), ("1", 1), ("16000", 16000)])
def test_max_uploads(monkeypatch: pytest.MonkeyPatch, value: str, expected: int) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", value)
    assert settings.max_uploads() == expected * MEGABYTE


@pytest.mark.parametrize("value", ["0", "-1", "2 GB", "1.5", "lots"])
def test_max_uploads_must_be_a_number(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", value)
    with pytest.raises(
        FERError, match=f"FER_MAX_UPLOADS is '{value}', expected a whole number of megabytes"
    ):
        settings.max_uploads()
