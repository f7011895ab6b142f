"""The page Photos without a browser: the real detector and version on the bundled samples."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from fer import Box, EmotionClassifier, ModelError, Prediction, load_version
from tests.support.pages import COLLINS, HOPPER, plain_grey, press, texts, upload


def test_empty_page_offers_one_thing_to_do(app: AppTest) -> None:
    assert not app.exception
    assert [b.label for b in app.button] == ["Try two sample photos"]
    assert "not what a person feels" in texts(app)
    assert not app.get("camera_input")


def test_samples_show_faces_with_scores(app: AppTest) -> None:
    press(app, "Try two sample photos")
    assert not app.exception
    assert "2 photos, 2 faces" in texts(app)
    assert app.dataframe[0].value["File"].tolist() == [COLLINS.name, HOPPER.name]
    assert app.dataframe[0].value["Faces"].tolist() == [1, 1]
    (chart,) = app.get("plotly_chart")
    assert all(label in chart.proto.alt for label in load_version().labels)


def test_one_bad_file_spoils_no_batch(app: AppTest) -> None:
    upload(
        app,
        ("good.jpg", COLLINS.read_bytes()),
        ("bad.jpg", b"not an image at all"),
        ("wall.jpg", plain_grey()),
    )
    assert "3 photos, 1 face, 1 failed" in texts(app)
    assert "bad.jpg: not an image (received 19 bytes" in texts(app)
    assert app.dataframe[0].value["Problem"].tolist() == ["", "not an image", ""]
    press(app, "Next photo")
    assert "not an image" in app.error[0].value
    press(app, "Next photo")
    assert "No face found" in app.info[0].value
    press(app, "Remove")
    assert "2 photos, 1 face, 1 failed" in texts(app)
    press(app, "Clear")
    assert "No photos yet" in texts(app)


def test_rerun_computes_nothing_again(app: AppTest) -> None:
    press(app, "Try two sample photos")
    before = dict(app.session_state["visit"].results)
    app.run()
    after = app.session_state["visit"].results
    assert all(after[identity] is result for identity, result in before.items())


def test_a_picture_that_is_a_face_is_used_whole(app: AppTest) -> None:
    press(app, "Try two sample photos")
    app.selectbox(key="detector").select("none").run()
    assert not app.exception
    assert "2 photos, 2 faces" in texts(app)
    for photo in app.session_state["visit"].photos.values():
        (prediction,) = app.session_state["visit"].results[photo.id].predictions
        height, width = photo.load().shape[:2]
        assert prediction.face.box == Box(0, 0, width, height)


def test_a_version_that_fails_on_one_photo_spoils_no_other(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = EmotionClassifier.classify
    calls = []

    def fails_once(self: EmotionClassifier, *arguments: object) -> list[Prediction]:
        calls.append(1)
        if len(calls) == 2:
            raise ModelError("version x: model.tflite returned nonsense (nan).")
        return working(self, *arguments)

    monkeypatch.setattr(EmotionClassifier, "classify", fails_once)
    press(app, "Try two sample photos")
    assert not app.exception
    assert "2 photos, 1 face, 1 failed" in texts(app)
    problems = app.dataframe[0].value["Problem"].tolist()
    assert problems == ["", "version x: model.tflite returned nonsense"]
    assert f"{HOPPER.name}: version x: model.tflite returned nonsense (nan)." in texts(app)
    (chart,) = app.get("plotly_chart")
    assert "happy" in chart.proto.alt
    press(app, "Next photo")
    assert "returned nonsense" in app.error[0].value
