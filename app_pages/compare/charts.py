"""What the charts of the page Compare have in common.

Versions are told apart by shape, dash and name; colour means expression alone.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from app_pages.shared.entry import FER2013, ORDINARY, Entry, Labelling
from app_pages.shared.theme import current_theme
from app_pages.shared.widgets import plain
from fer.colors import color_of

LABELLINGS = {
    ORDINARY: "Ordinary faces",
    FER2013: "FER2013",
    Labelling("fer2013", "fer2013-dedup"): "FER2013 without copies",
    Labelling("fer2013", "ferplus"): "FER2013 by FER+",
}
METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "expected_calibration_error": "Calibration error",
    "log_loss": "Log loss",
}


class Mark(NamedTuple):
    """How one of the chosen versions is drawn."""

    symbol: str
    glyph: str
    dash: str


MARKS = (
    Mark("circle", "●", "solid"),
    Mark("square", "■", "dash"),
    Mark("diamond", "◆", "dot"),
    Mark("triangle-up", "▲", "dashdot"),
    Mark("cross", "✚", "longdash"),
    Mark("star", "★", "longdashdot"),
)


@dataclass(frozen=True)
class Chart:
    """A Plotly figure and what it shows in words."""

    figure: go.Figure
    alt: str


def show(chart: Chart, *, key: str) -> None:
    """Put the chart on the page."""
    config = {"displayModeBar": False, "scrollZoom": False}
    st.plotly_chart(chart.figure, key=key, config=config, alt=chart.alt)


def show_titled(title: str, chart: Chart) -> None:
    """Put the chart on the page under a heading of its own."""
    st.subheader(plain(title), anchor=False)
    show(chart, key=title)


def show_grid(charts: Sequence[tuple[str, Chart]]) -> None:
    """Charts with titles, two side by side where there is room."""
    for start in range(0, len(charts), 2):
        columns = st.columns(2, gap="large")
        pair = charts[start : start + 2]
        for column, (title, chart) in zip(columns, pair, strict=False):
            with column:
                st.markdown(f"**{plain(title)}**")
                show(chart, key=f"grid {title}")


def line_color(place: int = 0) -> str:
    """The colour of the lines and marks of the version at this place among the chosen ones."""
    theme = current_theme()
    return theme.second_text if place % 2 else theme.text


def labelling_title(labelling: Labelling) -> str:
    """The test pictures and whose labels count, for people."""
    for size in ("seven", "eight"):
        narrower = Labelling(*(name.removesuffix(f"-{size}") for name in labelling))
        if narrower != labelling:
            return f"{labelling_title(narrower)}, {size} expressions"
    known = dict.fromkeys(labelling)  # a set of one labelling bears its name
    return LABELLINGS.get(labelling, ", ".join(known))


def safe(text: str) -> str:
    """Text for a chart, in which tags would be followed."""
    return html.escape(text)


def colored(label: str, labels: Sequence[str]) -> str:
    """An expression for an axis: its word after a square of its colour."""
    return f"{square(color_of(label, labels))} {safe(label)}"


def square(color: str) -> str:
    """A square of this colour in a chart's text."""
    return f'<span style="color:{color}">■</span>'


def lay_out(figure: go.Figure, height: int, *, legend: bool = True) -> go.Figure:
    """Give the chart the margins, and the legend above it, that all charts have."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 44 if legend else 16, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "title": None},
        showlegend=legend,
        dragmode=False,
        hovermode="closest",
    )
    figure.update_xaxes(automargin=True, title_standoff=12, fixedrange=True)
    figure.update_yaxes(automargin=True, title_standoff=12, fixedrange=True)
    return figure


def note_left_out(chosen: Sequence[Entry], charted: Sequence[Entry], why: str) -> None:
    """Name the chosen versions that a section leaves out."""
    missing = [entry.name for entry in chosen if entry not in charted]
    if missing:
        st.caption(plain(f"Left out, since it {why}: {', '.join(missing)}."))
