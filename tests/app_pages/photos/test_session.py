"""The photos of a visit: how many there may be, and what is kept of them."""

from __future__ import annotations

import pytest

from app_pages.photos import session
from app_pages.photos.photo import Photo
from app_pages.photos.session import ALREADY_HERE, APP_FULL, VISIT_FULL, LeftOut, Receipt, Visit
from fer import EmotionClassifier, FERPipeline, ImageError, load_detector, load_version

MEGABYTE = 1_000_000


def photo(name: str, megabytes: float = 0) -> Photo:
    return Photo(name, name.encode().ljust(round(megabytes * MEGABYTE), b"."))


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
