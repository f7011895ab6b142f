"""How a face, its expression and its scores are shown."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from app_pages.shared.html import render
from fer import Prediction
from fer.colors import color_of


def score_chart(prediction: Prediction, *, key: str) -> None:
    """Horizontal bars of all scores, in the version's order; the best one in strong type."""
    labels = list(prediction.scores)
    values = [
        _strong(f"{score:.2f}", label == prediction.label)
        for label, score in prediction.scores.items()
    ]
    names = [_strong(html.escape(label), label == prediction.label) for label in labels]
    bars = {"y": labels, "orientation": "h", "marker_line_width": 0}
    track = go.Bar(
        x=[1.0] * len(labels), marker_color="rgba(128, 128, 128, 0.14)", cliponaxis=False,
        text=values, textposition="outside", textfont_size=13, constraintext="none", **bars,
    )  # fmt: skip
    scores = go.Bar(
        x=list(prediction.scores.values()),
        marker_color=[color_of(label, labels) for label in labels],
        **bars,
    )
    figure = go.Figure([track, scores])
    margin = {"l": 0, "r": 40, "t": 0, "b": 0}
    figure.update_layout(
        height=26 * len(labels), margin=margin, bargap=0.5, barmode="overlay", showlegend=False
    )
    figure.update_xaxes(range=[0, 1], visible=False)
    figure.update_yaxes(
        autorange="reversed",
        tickvals=labels,
        ticktext=names,
        tickfont_size=13,
        ticklabelstandoff=8,
        showgrid=False,
    )
    st.plotly_chart(
        figure, key=key, config={"staticPlot": True}, alt=f"Scores: {score_words(prediction)}"
    )


def score_words(prediction: Prediction) -> str:
    """All scores in words, best first: "happy 0.93, neutral 0.05"."""
    return ", ".join(
        f"{label} {score:.2f}" for label, score in prediction.top(len(prediction.scores))
    )


def uncertainty(doubts: Sequence[str]) -> str:
    """That an answer is uncertain, and why: "uncertain: low score, turned away"."""
    return f"uncertain: {', '.join(doubts)}"


def face_title(prediction: Prediction, number: int | None = None) -> str:
    """A face's expression and score, and why it is uncertain where it is, as HTML."""
    remark = uncertainty(prediction.doubts) if prediction.uncertain else ""
    return render("face_title.html", prediction=prediction, number=number, uncertainty=remark)


def legend(labels: Sequence[str], values: Mapping[str, object] | None = None) -> str:
    """The labels with their colours, and with a value each where there are `values`, as HTML."""
    return render("legend.html", labels=labels, values=values)


def swatch(label: str, labels: Sequence[str]) -> str:
    """A small square in the label's colour, as HTML."""
    return f'<i class="fer-swatch" style="background:{color_of(label, labels)}"></i>'


def _strong(text: str, strong: bool) -> str:
    return f"<b>{text}</b>" if strong else text
