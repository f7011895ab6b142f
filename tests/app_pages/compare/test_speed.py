"""The speed of versions on this machine."""

from __future__ import annotations

import pytest

from tests.support.pages import choose, open_page, texts


@pytest.mark.usefixtures("models")
def test_speed_is_measured_at_a_click() -> None:
    app = choose(open_page(), "v1.1.0", "v1.0.0")
    next(button for button in app.button if button.label == "Measure speed here").click().run()
    assert not app.exception
    assert "of the slowest" in texts(app)
    assert "Accuracy (FER2013) against Milliseconds for one face" in texts(app)
    assert app.dataframe[0].value["ms here"].notna().sum() == 2
