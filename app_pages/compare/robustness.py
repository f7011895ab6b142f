"""The section Robustness: what corrupted test pictures leave of a version's accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from app_pages.compare.charts import (
    MARKS,
    Chart,
    lay_out,
    line_color,
    note_left_out,
    safe,
    show_grid,
)
from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import FER2013, Entry, Labelling
from app_pages.shared.widgets import plain
from fer.versions.report import Robustness


def robustness(
    catalogue: Catalogue,  # noqa: ARG001
    chosen: Sequence[Entry],
    labelling: Labelling,  # noqa: ARG001
) -> None:
    """What is left of the accuracy when the test pictures are corrupted."""
    measured = {entry.name: found for entry in chosen if (found := robustness_of(entry))}
    if not measured:
        _nothing_measured()
        return
    charted = [entry for entry in chosen if entry.name in measured]
    note_left_out(chosen, charted, "was evaluated without corruptions")
    for name, found in measured.items():
        st.markdown(
            f"**{plain(name)}** keeps {found.mean_relative:.1%} of its accuracy on FER2013"
            " on average."
        )
    show_grid(_charts([entry.name for entry in chosen], measured))


def robustness_of(entry: Entry) -> Robustness | None:
    """The accuracy of a version on corrupted crops; None if it was not measured."""
    known = entry.test_sets.get(FER2013.test_set)
    return known.robustness if known else None


def robustness_chart(
    names: Sequence[str],
    accuracies: Mapping[str, Sequence[float]],
    title: str,
    strengths: Sequence[float],
) -> Chart:
    """Accuracy of each version under one corruption, from its weakest to its strongest form."""
    lines = [_line(names.index(name), name, values) for name, values in accuracies.items()]
    figure = go.Figure(lines)
    ticks = [f"{strength:g}" for strength in strengths]
    places = list(range(1, len(ticks) + 1))
    figure.update_xaxes(title=safe(title), tickvals=places, ticktext=ticks, zeroline=False)
    figure.update_yaxes(title="Accuracy", range=[0, 1.02], tickformat=".1f", zeroline=False)
    lay_out(figure, 340)
    words = "; ".join(
        f"{name} {' '.join(f'{value:.2f}' for value in values)}"
        for name, values in accuracies.items()
    )
    return Chart(figure, f"Accuracy under {title} by strength: {words}")


def _nothing_measured() -> None:
    st.info(
        "None of these versions carries it yet: evaluate a version again, and this section"
        " shows its accuracy on blurred, dark, noisy and shifted pictures.",
        icon=":material/blur_on:",
    )


def _charts(names: Sequence[str], measured: Mapping[str, Robustness]) -> list[tuple[str, Chart]]:
    """One chart a corruption, with a short title."""
    strengths = {
        corruption: values
        for found in measured.values()
        for corruption, values in found.strengths.items()
    }
    charts = []
    for corruption, values in strengths.items():
        accuracies = {
            name: found.accuracy[corruption]
            for name, found in measured.items()
            if corruption in found.accuracy
        }
        chart = robustness_chart(names, accuracies, corruption, values)
        charts.append((corruption.partition(" (")[0], chart))
    return charts


def _line(place: int, name: str, accuracies: Sequence[float]) -> go.Scatter:
    mark = MARKS[place]
    color = line_color(place)
    return go.Scatter(
        x=list(range(1, len(accuracies) + 1)),
        y=list(accuracies),
        mode="lines+markers",
        name=safe(name),
        line={"dash": mark.dash, "width": 2, "color": color},
        marker={"symbol": mark.symbol, "size": 9, "color": color},
        hovertemplate="accuracy %{y:.3f}",
    )
