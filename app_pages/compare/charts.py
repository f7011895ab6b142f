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

from app_pages.shared.catalogue import FER2013, ORDINARY, Entry, Labelling
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
GREY = "rgba(128, 128, 128, 0.5)"


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
    """A figure and what it shows in words."""

    figure: go.Figure
    alt: str


def show(chart: Chart, *, key: str) -> None:
    """Put the chart on the page."""
    st.plotly_chart(
        chart.figure, key=key, config={"displayModeBar": False, "scrollZoom": False}, alt=chart.alt
    )


def ink(place: int = 0) -> str:
    """The colour of lines and marks on the visitor's background.

    That of the text, and petrol in turn.
    """
    dark = st.context.theme.type == "dark"
    return (("#E4E8E6", "#8FBFC0") if dark else ("#1E2526", "#2F7A80"))[place % 2]


def paper() -> str:
    """The visitor's background."""
    return "#1D2324" if st.context.theme.type == "dark" else "#F4F5F2"


def tints() -> list[str]:
    """From little to much on the visitor's background, without any colour of an expression."""
    return (
        ["#1D2324", "#365558", "#78A5A7"]
        if st.context.theme.type == "dark"
        else ["#F4F5F2", "#A8C0C0", "#2F5D62"]
    )


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
    return f'<span style="color:{color_of(label, labels)}">■</span> {safe(label)}'


def frame(figure: go.Figure, height: int, *, legend: bool = True) -> go.Figure:
    """Margins, and the legend above, in every chart alike."""
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


def mark_of(entry: Entry, names: Sequence[str]) -> tuple[str, int]:
    """The symbol and size of a version in a chart of all.

    Its own if it is chosen, else a small ring.
    """
    return (
        (MARKS[names.index(entry.name)].symbol, 13) if entry.name in names else ("circle-open", 8)
    )
