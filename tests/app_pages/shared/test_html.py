"""HTML from templates: what is put into them is text, and a forgotten value is an error."""

from __future__ import annotations

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from app_pages.shared.html import render


def test_values_are_escaped() -> None:
    markup = render("legend.html", labels=["<b>", "sad"], values={"<b>": "<i>", "sad": 2})
    assert "<span>" in markup
    assert "&lt;b&gt; <b>&lt;i&gt;</b>" in markup
    assert "<i>" not in markup


def test_a_label_has_its_colour() -> None:
    markup = render("legend.html", labels=["happy"], values=None)
    assert '<i class="fer-swatch" style="background:#E69F00"></i>happy</span>' in markup


def test_a_forgotten_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'labels' is undefined"):
        render("legend.html", values=None)


def test_an_unknown_template_is_named() -> None:
    with pytest.raises(TemplateNotFound, match=r"nothing\.html"):
        render("nothing.html")
