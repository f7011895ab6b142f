"""The files that were left out are named, with the reason."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.photos import session
from tests.support.pages import COLLINS, COMPARE, HOPPER, press, texts, upload


def test_left_out_files_are_named_until_the_next_change(app: AppTest) -> None:
    collins = COLLINS.read_bytes()
    upload(
        app,
        ("a.jpg", collins),
        ("note_*.txt", b"note"),
        ("big.jpg", bytes(50_000_001)),
        ("a.jpg", collins),
    )
    assert (
        "1 photo added. Left out: note_*.txt (not a picture), big.jpg (50 MB, at most 50 MB), a.jpg"
        " (already here)." in texts(app)
    )
    app.run()
    assert "Left out" in texts(app)
    press(app, "Remove")
    assert "Left out" not in texts(app)
    upload(app, ("note.txt", b"note"))
    assert "No photo added. Left out: note.txt (not a picture)." in texts(app)
    press(app, "Try two sample photos")
    assert "Left out" not in texts(app)


def test_left_out_files_are_not_named_on_another_page(app: AppTest) -> None:
    app.context["url"] = "http://localhost:8501/"
    app.run()
    upload(app, ("a.jpg", COLLINS.read_bytes()), ("note.txt", b"note"))
    assert "Left out" in texts(app)
    app.context["url"] = "http://localhost:8501/compare"
    app.switch_page(COMPARE).run()
    app.segmented_control(key="section").set_value("On your photos").run()
    assert not app.exception
    assert "Left out" not in texts(app)


def test_many_left_out_files_are_folded(app: AppTest) -> None:
    upload(app, ("a.jpg", COLLINS.read_bytes()), *((f"{n}.txt", b"note") for n in range(10)))
    assert "1 photo added. 10 files were left out." in texts(app)
    assert "0.txt" not in texts(app)
    (table,) = app.dataframe
    assert table.value["File"].tolist() == [f"{n}.txt" for n in range(10)]
    assert set(table.value["Reason"]) == {"not a picture"}


def test_photos_beyond_the_limit_are_named(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_PHOTOS", 1)
    upload(app, ("a.jpg", COLLINS.read_bytes()), ("b.jpg", HOPPER.read_bytes()))
    assert "1 photo, 1 face" in texts(app)
    assert (
        "1 photo added. Left out: b.jpg (no room left for you). You can have 300 photos and 500 MB"
        in texts(app)
    )


def test_photos_beyond_the_limit_of_all_are_named(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", "1")
    upload(app, ("a.jpg", COLLINS.read_bytes()), ("b.jpg", HOPPER.read_bytes() + bytes(1_000_000)))
    assert (
        "Left out: b.jpg (no room left in the app). The photos of all visitors may take 1 MB"
        in texts(app)
    )
    monkeypatch.setenv("FER_MAX_UPLOADS", "none")
    app.run()
    assert not app.exception
    assert "FER_MAX_UPLOADS is 'none', expected a whole number" in texts(app)
    assert not app.file_uploader
