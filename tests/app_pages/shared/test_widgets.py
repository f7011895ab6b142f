"""The note at the foot of a page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.shared import widgets
from tests.support.pages import texts


def test_note_tells_how_long_photos_are_kept(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "until at most 3 minutes after you close the page" in texts(app)
    monkeypatch.setattr(widgets.st, "get_option", {"server.disconnectedSessionTTL": 601}.get)
    app.run()
    assert "until at most 12 minutes after you close the page" in texts(app)
