"""Charts of the chosen versions: intervals side by side, confusion and reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app_pages.compare.charts import (
    GREY,
    MARKS,
    Chart,
    colored,
    frame,
    ink,
    labelling_title,
    paper,
    safe,
    tints,
)
from app_pages.shared.catalogue import Entry, Labelling, labellings_of
from fer.colors import color_of

NO_FACE = "no face"
_ROW_HEIGHT = 64
Matrix = NDArray[np.float64]


class Row(NamedTuple):
    """One line of a chart with intervals.

    Its title, a colour or "", and the estimate of each version, if any.
    """

    title: str
    color: str
    estimates: Sequence[Mapping[str, float] | None]


def accuracy_rows(entries: Sequence[Entry]) -> list[Row]:
    """The accuracy under each labelling that any version was measured with."""
    rows = []
    for labelling in labellings_of(entries):
        title = (
            safe(labelling_title(labelling))
            .replace(" without", "<br>without")
            .replace(" by", "<br>by")
        )
        rows.append(Row(title, "", [entry.estimate("accuracy", labelling) for entry in entries]))
    return rows


def recall_rows(entries: Sequence[Entry], labelling: Labelling) -> list[Row]:
    """The recall of each expression that any version knows, in the expression's colour."""
    recalls: list[Mapping[str, Any]] = [
        entry.measured(labelling).get("recall", {}) for entry in entries
    ]
    labels = list(dict.fromkeys(label for recall in recalls for label in recall))
    found = [[recall.get(label) for recall in recalls] for label in labels]
    return [
        Row(safe(label), color_of(label, labels), row)
        for label, row in zip(labels, found, strict=True)
    ]


def interval_chart(names: Sequence[str], rows: Sequence[Row], axis: str) -> Chart:
    """Estimates with their 95 % intervals, one line a row and one shape a version."""
    traces = [_interval_trace(i, rows, len(names)) for i in range(len(names))]
    figure = go.Figure([*traces, *(_legend_trace(i, name) for i, name in enumerate(names))])
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
    frame(figure, _ROW_HEIGHT * len(rows) + 120)
    return Chart(
        figure,
        f"{axis} with 95 % intervals. {'; '.join(_interval_words(names, row) for row in rows)}",
    )


def confusion_chart(entry: Entry, labelling: Labelling) -> Chart:
    """The share of each true expression that was taken for each other one, and the counts."""
    counts, labels = _confusion(entry, labelling)
    shares = _shares(counts)
    text = [
        [f"<b>{share:.2f}</b><br>{count:,.0f}" for share, count in zip(*pair, strict=True)]
        for pair in zip(shares, counts, strict=True)
    ]
    heat = go.Heatmap(z=shares, zmin=0, zmax=1, text=text, colorscale=tints())
    words = ", ".join(f"{label} {shares[i, i]:.2f}" for i, label in enumerate(labels))
    title = f"Confusion matrix of {entry.name} on {labelling_title(labelling)}"
    return Chart(
        _matrix(heat, labels, answers_of(entry, labelling)),
        f"{title}; share recognised of each: {words}",
    )


def difference_chart(first: Entry, second: Entry, labelling: Labelling) -> Chart:
    """By how many points the shares of the first version exceed those of the second."""
    (a, labels), (b, _) = _confusion(first, labelling), _confusion(second, labelling)
    points = 100 * (_shares(a) - _shares(b))
    widest = max(5.0, float(np.abs(points).max()))
    text = [[f"<b>{value:+.1f}</b>" for value in row] for row in points]
    scale = [[0, "#9A5B3C"], [0.5, paper()], [1, "#3F7A80"]]
    heat = go.Heatmap(z=points, zmin=-widest, zmax=widest, text=text, colorscale=scale)
    words = ", ".join(f"{label} {points[i, i]:+.1f}" for i, label in enumerate(labels))
    figure = _matrix(heat, labels, answers_of(first, labelling))
    return Chart(figure, f"{first.name} minus {second.name} in points; on the diagonal: {words}")


def answers_of(entry: Entry, labelling: Labelling) -> tuple[str, ...]:
    """The columns of its confusion matrix.

    The expressions that count and, if faces had to be found, one for none.
    """
    found = entry.test_sets[labelling.test_set]["found"]
    asked = entry.asked(labelling)
    return asked if found is None else (*asked, NO_FACE)


def reliability_chart(names: Sequence[str], tables: Mapping[str, Matrix]) -> Chart:
    """Accuracy against confidence in bins, by version.

    A mark's area is its share of the pictures.
    """
    line = {"width": 1, "color": GREY}
    diagonal = go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", line=line, hoverinfo="skip", showlegend=False
    )
    figure = go.Figure(
        [
            diagonal,
            *(_reliability_trace(names.index(name), name, table) for name, table in tables.items()),
        ]
    )
    figure.update_xaxes(
        title="Confidence: the score of the answer", range=[0, 1.04], zeroline=False
    )
    figure.update_yaxes(title="Share of answers that are right", range=[0, 1.04], zeroline=False)
    frame(figure, 460)
    words = "; ".join(f"{name}: {_gap_words(table)}" for name, table in tables.items())
    return Chart(figure, f"Reliability diagram, share right against confidence. {words}")


def _interval_trace(place: int, rows: Sequence[Row], versions: int) -> go.Scatter:
    """One version's estimates, a little above or below the others."""
    shift = 0.2 * (place - (versions - 1) / 2)
    known = [
        (i + shift, row.color or ink(place), e)
        for i, row in enumerate(rows)
        if (e := row.estimates[place])
    ]
    values = [estimate["value"] for _, _, estimate in known]
    bars = {
        "type": "data",
        "array": [estimate["high"] - estimate["value"] for _, _, estimate in known],
        "arrayminus": [estimate["value"] - estimate["low"] for _, _, estimate in known],
        "color": ink(place),
        "thickness": 1.5,
        "width": 4,
    }
    marker = {"symbol": MARKS[place].symbol, "size": 11, "color": [color for _, color, _ in known]}
    return go.Scatter(
        x=values,
        y=[y for y, _, _ in known],
        error_x=bars,
        mode="markers",
        showlegend=False,
        marker={**marker, "line": {"width": 1, "color": ink(place)}},
        text=[
            f"{e['value']:.3f} ({e['low']:.3f} to {e['high']:.3f}), n = {e['n']:,}"
            for _, _, e in known
        ],
        hovertemplate="%{text}<extra></extra>",
    )


def _legend_trace(place: int, name: str) -> go.Scatter:
    """A version's line in the legend, in ink: the rows may have the colours of expressions."""
    marker = {"symbol": MARKS[place].symbol, "size": 11, "color": ink(place)}
    return go.Scatter(x=[None], y=[None], mode="markers", name=safe(name), marker=marker)


def _row_title(row: Row) -> str:
    numbers = sorted({estimate["n"] for estimate in row.estimates if estimate})
    title = f'<span style="color:{row.color}">■</span> {row.title}' if row.color else row.title
    return (
        f'{title}<br><span style="font-size:11px">n ='
        f" {' or '.join(f'{n:,}' for n in numbers)}</span>"
    )


def _interval_words(names: Sequence[str], row: Row) -> str:
    pairs = [(name, e) for name, e in zip(names, row.estimates, strict=True) if e]
    values = ", ".join(
        f"{name} {e['value']:.3f} ({e['low']:.3f} to {e['high']:.3f})" for name, e in pairs
    )
    return f"{row.title.replace('<br>', ' ')}: {values}"


def _confusion(entry: Entry, labelling: Labelling) -> tuple[Matrix, Sequence[str]]:
    return np.array(entry.measured(labelling)["confusion_matrix"], np.float64), entry.asked(
        labelling
    )


def _shares(counts: Matrix) -> Matrix:
    """Each row divided by its sum; a class without examples stays zero."""
    shares: Matrix = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _matrix(heat: go.Heatmap, labels: Sequence[str], answers: Sequence[str]) -> go.Figure:
    words = [colored(label, labels) if label in labels else label for label in answers]
    rows = {"tickvals": list(range(len(labels))), "ticktext": words[: len(labels)]}
    columns = {"tickvals": list(range(len(answers))), "ticktext": words}
    heat.update(
        texttemplate="%{text}",
        hoverinfo="skip",
        showscale=False,
        xgap=2,
        ygap=2,
        textfont={"size": 13},
    )
    figure = go.Figure(heat)
    figure.update_xaxes(title="Answer", side="bottom", showgrid=False, zeroline=False, **columns)
    figure.update_yaxes(
        title="True expression", autorange="reversed", showgrid=False, zeroline=False, **rows
    )
    return frame(figure, 90 + 66 * len(labels), legend=False)


def _reliability_trace(place: int, name: str, table: Matrix) -> go.Scatter:
    count, confidence, right = table[table[:, 0] > 0].T
    sizes = 6 + 18 * np.sqrt(count / max(1, count.sum()))
    return go.Scatter(
        x=confidence,
        y=right,
        mode="lines+markers",
        name=safe(name),
        text=[f"{n:,.0f}" for n in count],
        line={"dash": MARKS[place].dash, "width": 2, "color": ink(place)},
        marker={
            "symbol": MARKS[place].symbol,
            "size": sizes,
            "color": ink(place),
            "line": {"width": 0},
        },
        hovertemplate="confidence %{x:.2f}, right %{y:.2f}, n = %{text}",
    )


def _gap_words(table: Matrix) -> str:
    count, confidence, right = table[table[:, 0] > 0].T
    worst = int(np.abs(confidence - right).argmax())
    return (
        f"widest gap {right[worst]:.2f} right at confidence {confidence[worst]:.2f} (n ="
        f" {count[worst]:,.0f})"
    )
