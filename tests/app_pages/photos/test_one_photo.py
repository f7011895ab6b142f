"""One photo in detail."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.support.pages import texts, upload


def test_names_of_files_are_no_markup(app: AppTest) -> None:
    name = "**<b>x</b>** [a](http://b) $1$ :red[c].jpg"
    upload(app, (name, b"x"))
    assert name in texts(app)
    assert app.subheader[0].value != name
