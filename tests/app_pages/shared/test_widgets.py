"""Small pieces of every page: style, note, plain text."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.shared import widgets
from tests.support.pages import COMPARE, PHOTOS, open_page, texts


def test_note_tells_how_long_photos_are_kept(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "until at most 3 minutes after you close the page" in texts(app)
    monkeypatch.setattr(widgets.st, "get_option", {"server.disconnectedSessionTTL": 601}.get)
    app.run()
    assert "until at most 12 minutes after you close the page" in texts(app)


@pytest.mark.parametrize(
    ("page", "classes"),
    [(PHOTOS, [".fer-swatch"]), (COMPARE, [".fer-swatch", ".fer-gallery"])],
)
def test_pages_have_their_style(page: str, classes: list[str]) -> None:
    styles = [
        element.proto.body
        for element in open_page(page).get("html")
        if element.proto.body.startswith("<style>")
    ]
    assert len(styles) == len(classes)
    for css, name in zip(styles, classes, strict=True):
        assert f"{name} {{" in css


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("two\nlines", "two lines"),
        ("*b* _i_ [a](b)", r"\*b\* \_i\_ \[a\]\(b\)"),
        ("<b> $x$ :red[c] ~~s~~", r"\<b\> \$x\$ \:red\[c\] \~\~s\~\~"),
    ],
)
def test_plain_text_is_no_markdown(text: str, expected: str) -> None:
    assert widgets.plain(text) == expected


@pytest.mark.parametrize(("number", "words"), [(0, "0 faces"), (1, "1 face"), (2, "2 faces")])
def test_count(number: int, words: str) -> None:
    assert widgets.count(number, "face") == words
