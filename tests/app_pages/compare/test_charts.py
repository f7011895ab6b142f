"""What the charts of the page Compare have in common."""

from __future__ import annotations

from types import SimpleNamespace

import plotly.graph_objects as go
import pytest

from app_pages.compare import charts
from app_pages.compare.charts import colored, labelling_title, lay_out, line_color
from app_pages.shared import theme
from app_pages.shared.entry import FER2013, ORDINARY, Labelling
from app_pages.shared.theme import DARK, LIGHT


@pytest.mark.parametrize(
    ("labelling", "title"),
    [
        (ORDINARY, "Ordinary faces"),
        (FER2013, "FER2013"),
        (Labelling("fer2013", "ferplus"), "FER2013 by FER+"),
        (Labelling("natural-seven", "natural-seven"), "Ordinary faces, seven expressions"),
        (Labelling("affect", "affect"), "affect"),
        (Labelling("affect", "raters"), "affect, raters"),
    ],
)
def test_test_pictures_have_titles(labelling: Labelling, title: str) -> None:
    assert labelling_title(labelling) == title


@pytest.mark.parametrize(("kind", "colors"), [("light", LIGHT), ("dark", DARK)])
def test_versions_take_turns_with_two_colours(
    monkeypatch: pytest.MonkeyPatch, kind: str, colors: theme.Theme
) -> None:
    browser = SimpleNamespace(theme=SimpleNamespace(type=kind))
    monkeypatch.setattr(theme.st, "context", browser)
    places = [line_color(place) for place in range(3)]
    assert places == [colors.text, colors.second_text, colors.text]


def test_a_label_on_an_axis_is_no_markup() -> None:
    assert colored("<b>", ["<b>"]) == '<span style="color:#56B4E9">■</span> &lt;b&gt;'


def test_charts_have_one_layout() -> None:
    figure = lay_out(go.Figure(), 300, legend=False)
    assert (figure.layout.height, figure.layout.showlegend) == (300, False)
    assert figure.layout.dragmode is False


def test_every_mark_is_distinct() -> None:
    assert len({mark.symbol for mark in charts.MARKS}) == len(charts.MARKS)
    assert len({mark.glyph for mark in charts.MARKS}) == len(charts.MARKS)
    assert len({mark.dash for mark in charts.MARKS}) == len(charts.MARKS)
