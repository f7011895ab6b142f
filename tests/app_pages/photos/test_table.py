"""The table in which a photo is chosen."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.support.pages import COLLINS, texts, upload


def test_one_photo_needs_no_table(app: AppTest) -> None:
    upload(app, ("me.jpg", COLLINS.read_bytes()))
    assert not app.dataframe
    assert "1 photo, 1 face" in texts(app)
    assert [image.proto.imgs[0].alt for image in app.get("image")][1:] == [
        "Face 1, cut from the photo",
        "Face 1 as the model saw it",
    ]
