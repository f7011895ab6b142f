"""The section "On your photos"."""

from __future__ import annotations

import pytest

from app_pages.photos.sources import SAMPLES
from fer import EmotionClassifier, ModelError, Prediction
from tests.support.pages import COLLINS, HOPPER, choose, open_page, open_section, press, texts


@pytest.mark.usefixtures("models")
def test_photos_are_seen_by_all_versions() -> None:
    app = open_section(choose(open_page(), "v1.1.0", "v1.0.0"), "On your photos")
    photos = [
        (path.name, path.read_bytes(), "image/jpeg") for path in sorted(SAMPLES.glob("*.jpg"))
    ]
    app.file_uploader[0].set_value([*photos, ("bad.jpg", b"no image", "image/jpeg")]).run()
    assert not app.exception
    assert "Both versions give the same expression to" in texts(app)
    assert "of 2 faces" in texts(app)
    assert "bad.jpg: not an image" in texts(app)
    assert texts(app).count("<figure>") == 2


@pytest.mark.usefixtures("models")
def test_a_version_that_fails_leaves_the_answers_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    working = EmotionClassifier.classify

    def fails_as_v1_0_0(self: EmotionClassifier, *arguments: object) -> list[Prediction]:
        if self.version.name == "v1.0.0":
            raise ModelError("version v1.0.0: model.tflite returned nonsense.")
        return working(self, *arguments)

    monkeypatch.setattr(EmotionClassifier, "classify", fails_as_v1_0_0)
    app = open_section(choose(open_page(), "v1.1.0", "v1.0.0"), "On your photos")
    press(app, "Try two sample photos")
    assert not app.exception
    words = texts(app)
    assert "2 faces found." in words
    for photo in (COLLINS, HOPPER):
        assert f"{photo.name}: version v1.0.0: model.tflite returned nonsense." in words
    assert words.count('alt="What v1.1.0 saw"') == 2
    assert words.count("<span>no answer</span>") == 2
