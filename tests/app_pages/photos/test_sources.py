"""Where photos come from, and how they go."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.support.pages import COLLINS, HOPPER, press, texts, upload


def test_uploads_add_up_and_the_same_photo_counts_once(app: AppTest) -> None:
    upload(app, ("a.jpg", COLLINS.read_bytes()))
    upload(app, ("b.jpg", HOPPER.read_bytes()), ("a.jpg", COLLINS.read_bytes()))
    assert "2 photos, 2 faces" in texts(app)
    assert "1 photo added. Left out: a.jpg (already here)." in texts(app)


def test_clear_forgets_results_too(app: AppTest) -> None:
    press(app, "Try two sample photos")
    held = app.session_state["visit"]
    app.session_state["side_by_side"] = "portraits"
    press(app, "Clear")
    assert (held.photos, held.results, held._annotated) == ({}, {}, None)
    assert "side_by_side" not in app.session_state


def test_camera_stays_off_until_asked_for(app: AppTest) -> None:
    app.segmented_control(key="source").set_value("Camera").run()
    assert not app.get("camera_input")
    assert "not stored" in texts(app)
    press(app, "Switch the camera on")
    app.get("camera_input")[0].set_value(("photo.jpg", COLLINS.read_bytes(), "image/jpeg")).run()
    assert "1 photo, 1 face" in texts(app)
    assert not app.get("camera_input")
