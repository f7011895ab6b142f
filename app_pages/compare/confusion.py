"""The section Confusion: which expression is taken for which, and where two versions differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from app_pages.compare.charts import (
    Chart,
    colored,
    labelling_title,
    lay_out,
    note_left_out,
    show_grid,
)
from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import Entry, Labelling
from app_pages.shared.theme import LESS, MORE, current_theme
from app_pages.shared.widgets import plain

NO_FACE = "no face"
_LEAST_RANGE = 5.0  # points; smaller differences stay pale
_ROW_HEIGHT = 66
Matrix = NDArray[np.float64]


def confusion(
    catalogue: Catalogue,  # noqa: ARG001
    chosen: Sequence[Entry],
    labelling: Labelling,
) -> None:
    """The confusion matrices on one scale, and the first version's minus each other one's."""
    title = labelling_title(labelling)
    measured = [entry for entry in chosen if labelling in entry.labellings]
    note_left_out(chosen, measured, f"was not measured on {title}")
    st.caption(
        plain(
            f"{title}: share of each true expression, by row, that got each answer, and how many"
            " pictures that is."
        )
    )
    show_grid([(entry.name, confusion_chart(entry, labelling)) for entry in measured])
    _differences(measured, labelling)


def confusion_chart(entry: Entry, labelling: Labelling) -> Chart:
    """The share of each true expression that was taken for each other one, and the counts."""
    counts = _counts(entry, labelling)
    shares = _shares(counts)
    text = [
        [f"<b>{share:.2f}</b><br>{count:,.0f}" for share, count in zip(*row, strict=True)]
        for row in zip(shares, counts, strict=True)
    ]
    colors = current_theme().tints
    heat = go.Heatmap(z=shares, zmin=0, zmax=1, text=text, colorscale=colors)
    labels = entry.asked(labelling)
    words = ", ".join(f"{label} {shares[i, i]:.2f}" for i, label in enumerate(labels))
    title = f"Confusion matrix of {entry.name} on {labelling_title(labelling)}"
    figure = _matrix(heat, labels, answers_of(entry, labelling))
    return Chart(figure, f"{title}; share recognised of each: {words}")


def difference_chart(first: Entry, second: Entry, labelling: Labelling) -> Chart:
    """By how many points the shares of the first version exceed those of the second."""
    first_shares = _shares(_counts(first, labelling))
    second_shares = _shares(_counts(second, labelling))
    points = 100 * (first_shares - second_shares)
    widest = max(_LEAST_RANGE, float(np.abs(points).max()))
    text = [[f"<b>{value:+.1f}</b>" for value in row] for row in points]
    colors = [[0, LESS], [0.5, current_theme().background], [1, MORE]]
    heat = go.Heatmap(z=points, zmin=-widest, zmax=widest, text=text, colorscale=colors)
    labels = first.asked(labelling)
    words = ", ".join(f"{label} {points[i, i]:+.1f}" for i, label in enumerate(labels))
    figure = _matrix(heat, labels, answers_of(first, labelling))
    return Chart(figure, f"{first.name} minus {second.name} in points; on the diagonal: {words}")


def answers_of(entry: Entry, labelling: Labelling) -> tuple[str, ...]:
    """The columns of a confusion matrix: the expressions that count and, if need be, no face."""
    found = entry.test_sets[labelling.test_set].found
    asked = entry.asked(labelling)
    return asked if found is None else (*asked, NO_FACE)


def _differences(measured: Sequence[Entry], labelling: Labelling) -> None:
    if not measured:
        return
    first, *others = measured
    answers = answers_of(first, labelling)
    comparable = [other for other in others if answers_of(other, labelling) == answers]
    if comparable:
        st.subheader("Difference, in points", anchor=False)
        st.caption("More on the diagonal is better, and less elsewhere.")
        charts = [
            (f"{first.name} minus {other.name}", difference_chart(first, other, labelling))
            for other in comparable
        ]
        show_grid(charts)


def _counts(entry: Entry, labelling: Labelling) -> Matrix:
    metrics = entry.test_sets[labelling.test_set].labellings[labelling.name]
    return np.array(metrics.confusion_matrix, np.float64)


def _shares(counts: Matrix) -> Matrix:
    """Each row divided by its sum; a class without examples stays zero."""
    shares: Matrix = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _matrix(heat: go.Heatmap, labels: Sequence[str], answers: Sequence[str]) -> go.Figure:
    words = [colored(label, labels) if label in labels else label for label in answers]
    heat.update(
        texttemplate="%{text}",
        hoverinfo="skip",
        showscale=False,
        xgap=2,
        ygap=2,
        textfont={"size": 13},
    )
    figure = go.Figure(heat)
    figure.update_xaxes(
        title="Answer",
        side="bottom",
        tickvals=list(range(len(answers))),
        ticktext=words,
    )
    figure.update_yaxes(
        title="True expression",
        autorange="reversed",
        tickvals=list(range(len(labels))),
        ticktext=words[: len(labels)],
    )
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(showgrid=False, zeroline=False)
    return lay_out(figure, 90 + _ROW_HEIGHT * len(labels), legend=False)
