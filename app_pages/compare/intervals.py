"""Charts of intervals: the accuracy and the recall of the chosen versions, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from app_pages.compare.charts import (
    MARKS,
    Chart,
    labelling_title,
    lay_out,
    line_color,
    safe,
    square,
)
from app_pages.shared.entry import Entry, Labelling, labellings_of
from fer.colors import color_of
from fer.intervals import Estimate

_ROW_HEIGHT = 64
_LEGEND_HEIGHT = 120
_BETWEEN_VERSIONS = 0.2  # of a row


class Row(NamedTuple):
    """One row of a chart with intervals.

    Attributes:
        title: what the row is about.
        color: the colour of its marks, or "" for that of each version.
        estimates: one a version, None where it was not measured.
    """

    title: str
    color: str
    estimates: Sequence[Estimate | None]


def accuracy_rows(entries: Sequence[Entry]) -> list[Row]:
    """The accuracy under each labelling that any version was measured with."""
    rows = []
    for labelling in labellings_of(entries):
        title = safe(labelling_title(labelling))
        for word in (" without", " by"):
            title = title.replace(word, f"<br>{word.strip()}")
        rows.append(Row(title, "", [entry.estimate("accuracy", labelling) for entry in entries]))
    return rows


def recall_rows(entries: Sequence[Entry], labelling: Labelling) -> list[Row]:
    """The recall of each expression that any version knows, in the expression's colour."""
    measured = [entry.measured(labelling) for entry in entries]
    recalls = [metrics.recall if metrics else {} for metrics in measured]
    labels = list(dict.fromkeys(label for recall in recalls for label in recall))
    return [
        Row(safe(label), color_of(label, labels), [recall.get(label) for recall in recalls])
        for label in labels
    ]


def interval_chart(names: Sequence[str], rows: Sequence[Row], axis: str) -> Chart:
    """Estimates with their 95 % intervals, one line a row and one shape a version."""
    estimates = [_estimates(place, rows, len(names)) for place in range(len(names))]
    legend = [_legend_entry(place, name) for place, name in enumerate(names)]
    figure = go.Figure([*estimates, *legend])
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[_row_title(row) for row in rows],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
        ticklabelstandoff=8,
    )
    figure.update_xaxes(
        title=f"{axis}, with 95 % interval", tickformat=".2f", zeroline=False, showgrid=True
    )
    lay_out(figure, _ROW_HEIGHT * len(rows) + _LEGEND_HEIGHT)
    words = "; ".join(_row_words(names, row) for row in rows)
    return Chart(figure, f"{axis} with 95 % intervals. {words}")


def _estimates(place: int, rows: Sequence[Row], versions: int) -> go.Scatter:
    """One version's estimates, a little above or below those of the others."""
    shift = _BETWEEN_VERSIONS * (place - (versions - 1) / 2)
    color = line_color(place)
    known = [
        (index + shift, row.color or color, estimate)
        for index, row in enumerate(rows)
        if (estimate := row.estimates[place])
    ]
    estimates = [estimate for _, _, estimate in known]
    return go.Scatter(
        x=[estimate.value for estimate in estimates],
        y=[y for y, _, _ in known],
        error_x=_error_bars(estimates, color),
        mode="markers",
        showlegend=False,
        marker={
            "symbol": MARKS[place].symbol,
            "size": 11,
            "color": [mark_color for _, mark_color, _ in known],
            "line": {"width": 1, "color": color},
        },
        text=[f"{_interval_words(estimate)}, n = {estimate.n:,}" for estimate in estimates],
        hovertemplate="%{text}<extra></extra>",
    )


def _error_bars(estimates: Sequence[Estimate], color: str) -> dict[str, object]:
    return {
        "type": "data",
        "array": [estimate.high - estimate.value for estimate in estimates],
        "arrayminus": [estimate.value - estimate.low for estimate in estimates],
        "color": color,
        "thickness": 1.5,
        "width": 4,
    }


def _legend_entry(place: int, name: str) -> go.Scatter:
    """A version in the legend, in its own colour: the rows may have those of expressions."""
    marker = {"symbol": MARKS[place].symbol, "size": 11, "color": line_color(place)}
    return go.Scatter(x=[None], y=[None], mode="markers", name=safe(name), marker=marker)


def _row_title(row: Row) -> str:
    numbers = sorted({estimate.n for estimate in row.estimates if estimate})
    number = " or ".join(f"{n:,}" for n in numbers)
    title = f"{square(row.color)} {row.title}" if row.color else row.title
    return f'{title}<br><span style="font-size:11px">n = {number}</span>'


def _row_words(names: Sequence[str], row: Row) -> str:
    values = ", ".join(
        f"{name} {_interval_words(estimate)}"
        for name, estimate in zip(names, row.estimates, strict=True)
        if estimate
    )
    return f"{row.title.replace('<br>', ' ')}: {values}"


def _interval_words(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
