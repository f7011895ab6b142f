"""How a face, its expression and its scores are shown."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from app_pages.shared.html import render
from app_pages.shared.theme import FAINT_GREY
from fer import Prediction
from fer.colors import color_of

_BAR_HEIGHT = 26
_FONT_SIZE = 13


def score_chart(prediction: Prediction, *, key: str) -> None:
    """Horizontal bars of all scores, in the version's order; the best one in strong type."""
    figure = go.Figure([_empty_bars(prediction), _score_bars(prediction)])
    figure.update_layout(
        height=_BAR_HEIGHT * len(prediction.scores),
        margin={"l": 0, "r": 40, "t": 0, "b": 0},
        bargap=0.5,
        barmode="overlay",
        showlegend=False,
    )
    figure.update_xaxes(range=[0, 1], visible=False)
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(prediction.scores),
        ticktext=[
            _emphasised(html.escape(label), label, prediction) for label in prediction.scores
        ],
        tickfont_size=_FONT_SIZE,
        ticklabelstandoff=8,
        showgrid=False,
    )
    words = f"Scores: {score_words(prediction)}"
    st.plotly_chart(figure, key=key, config={"staticPlot": True}, alt=words)


def score_words(prediction: Prediction) -> str:
    """All scores in words, best first: "happy 0.93, neutral 0.05"."""
    best_first = prediction.top(len(prediction.scores))
    return ", ".join(f"{label} {score:.2f}" for label, score in best_first)


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


def _empty_bars(prediction: Prediction) -> go.Bar:
    """The full length of every bar, with its score in figures behind it."""
    scores = prediction.scores
    return go.Bar(
        x=[1.0] * len(scores),
        y=list(scores),
        orientation="h",
        marker_color=FAINT_GREY,
        marker_line_width=0,
        cliponaxis=False,
        text=[_emphasised(f"{score:.2f}", label, prediction) for label, score in scores.items()],
        textposition="outside",
        textfont_size=_FONT_SIZE,
        constraintext="none",
    )


def _score_bars(prediction: Prediction) -> go.Bar:
    labels = list(prediction.scores)
    return go.Bar(
        x=list(prediction.scores.values()),
        y=labels,
        orientation="h",
        marker_color=[color_of(label, labels) for label in labels],
        marker_line_width=0,
    )


def _emphasised(text: str, label: str, prediction: Prediction) -> str:
    return f"<b>{text}</b>" if label == prediction.label else text
