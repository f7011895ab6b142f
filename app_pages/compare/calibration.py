"""The section Calibration: whether a score of 0.8 is right eight times in ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from app_pages.compare.charts import (
    MARKS,
    METRICS,
    Chart,
    labelling_title,
    lay_out,
    line_color,
    note_left_out,
    safe,
    show,
)
from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import Entry, Labelling
from app_pages.shared.theme import GREY
from app_pages.shared.widgets import plain
from fer import FERError
from fer.calibration import calibration_error_by_chance, reliability
from fer.intervals import Estimate
from fer.versions.predictions import Predictions

_METRIC = "expected_calibration_error"
Bins = NDArray[np.float64]
"""A row a bin of confidence: how many answers, their mean confidence, the share that is right."""


class Calibration(NamedTuple):
    """What one version's test predictions say of its scores."""

    bins: Bins
    error_by_chance: Estimate


def calibration(catalogue: Catalogue, chosen: Sequence[Entry], labelling: Labelling) -> None:
    """Reliability diagrams of the stored predictions, and the calibration errors."""
    title = labelling_title(labelling)
    measured: dict[str, Calibration] = {}
    for name, predictions in catalogue.predictions(chosen).items():
        if isinstance(predictions, FERError):
            st.warning(plain(f"{name}: {predictions}"), icon=":material/warning:")
        elif found := calibration_of(predictions, labelling):
            measured[name] = found
    charted = [entry for entry in chosen if entry.name in measured]
    note_left_out(chosen, charted, f"has no predictions on {title}")
    if not measured:
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        bins = {name: found.bins for name, found in measured.items()}
        show(reliability_chart([entry.name for entry in chosen], bins), key="reliability")
    with right:
        _explanation(title)
        for entry in chosen:
            _error(entry, labelling, measured.get(entry.name))


def calibration_of(predictions: Predictions, labelling: Labelling) -> Calibration | None:
    """How scores and truth agree on the test pictures where a face was found, if there are any."""
    known = predictions.test_sets.get(labelling.test_set)
    if known is None:
        return None
    unlabelled = np.full(len(known.scores), -1)
    targets = known.targets.get(labelling.name, unlabelled)
    counted = targets >= 0
    if known.found is not None:
        counted &= known.found
    if not counted.any():
        return None
    scores = known.scores[counted]
    return Calibration(reliability(scores, targets[counted]), calibration_error_by_chance(scores))


def reliability_chart(names: Sequence[str], bins: Mapping[str, Bins]) -> Chart:
    """Accuracy against confidence by version; a mark's area is its share of the pictures."""
    lines = [_line(names.index(name), name, table) for name, table in bins.items()]
    figure = go.Figure([_diagonal(), *lines])
    figure.update_xaxes(
        title="Confidence: the score of the answer", range=[0, 1.04], zeroline=False
    )
    figure.update_yaxes(title="Share of answers that are right", range=[0, 1.04], zeroline=False)
    lay_out(figure, 460)
    words = "; ".join(f"{name}: {_widest_gap(table)}" for name, table in bins.items())
    return Chart(figure, f"Reliability diagram, share right against confidence. {words}")


def _explanation(title: str) -> None:
    st.markdown(
        "On the diagonal, a score of 0.8 is right eight times in ten. Below it a version is too"
        " sure of itself, above it not sure enough. The larger a mark, the more pictures it"
        " stands for."
    )
    st.caption(plain(f"Test pictures: {title}, where a face was found."))


def _error(entry: Entry, labelling: Labelling, found: Calibration | None) -> None:
    """A version's calibration error, and what chance alone would make of perfect scores."""
    if error := entry.estimate(_METRIC, labelling):
        st.metric(f"{METRICS[_METRIC]} of {plain(entry.name)}", f"{error.value:.3f}")
        st.caption(f"95 % interval {error.low:.3f} to {error.high:.3f}, n = {error.n:,}")
    if found:
        chance = found.error_by_chance
        st.caption(
            f"Scores that are exactly right would measure {chance.low:.3f} to"
            f" {chance.high:.3f} here."
        )


def _diagonal() -> go.Scatter:
    return go.Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"width": 1, "color": GREY},
        hoverinfo="skip",
        showlegend=False,
    )


def _line(place: int, name: str, bins: Bins) -> go.Scatter:
    count, confidence, right = _filled(bins)
    sizes = 6 + 18 * np.sqrt(count / max(1, count.sum()))
    mark = MARKS[place]
    color = line_color(place)
    return go.Scatter(
        x=confidence,
        y=right,
        mode="lines+markers",
        name=safe(name),
        text=[f"{n:,.0f}" for n in count],
        line={"dash": mark.dash, "width": 2, "color": color},
        marker={"symbol": mark.symbol, "size": sizes, "color": color, "line": {"width": 0}},
        hovertemplate="confidence %{x:.2f}, right %{y:.2f}, n = %{text}",
    )


def _widest_gap(bins: Bins) -> str:
    count, confidence, right = _filled(bins)
    worst = int(np.abs(confidence - right).argmax())
    return (
        f"widest gap {right[worst]:.2f} right at confidence {confidence[worst]:.2f} (n ="
        f" {count[worst]:,.0f})"
    )


def _filled(bins: Bins) -> Bins:
    """Counts, confidences and shares of the bins that hold any answer."""
    columns: Bins = bins[bins[:, 0] > 0].T
    return columns
