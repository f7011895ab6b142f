"""Charts of all versions: what accuracy costs, and how it went over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from app_pages.compare.charts import (
    MARKS,
    METRICS,
    Chart,
    labelling_title,
    lay_out,
    line_color,
    safe,
)
from app_pages.shared.entry import Entry, Labelling
from fer.intervals import Estimate

Point = tuple[float, float]

_HEIGHT = 340


def trade_chart(
    entries: Sequence[Entry],
    chosen: Sequence[str],
    costs: Mapping[str, float],
    axis: str,
    labelling: Labelling,
) -> Chart:
    """Accuracy against a cost by version; a line joins those that no other one beats in both."""
    known = [
        (costs[entry.name], accuracy, entry)
        for entry in entries
        if entry.name in costs and (accuracy := entry.estimate("accuracy", labelling))
    ]
    best = frontier([(cost, accuracy.value) for cost, accuracy, _ in known])
    points = [_point(cost, accuracy, entry, chosen) for cost, accuracy, entry in known]
    figure = go.Figure([_thin_line(best, "hv"), *points])
    title = labelling_title(labelling)
    figure.update_xaxes(title=axis, rangemode="tozero", zeroline=False)
    figure.update_yaxes(title=f"Accuracy on {safe(title)}", tickformat=".2f", zeroline=False)
    lay_out(figure, _HEIGHT, legend=False)
    words = "; ".join(
        f"{entry.name} {accuracy.value:.3f} at {cost:.2f}" for cost, accuracy, entry in known
    )
    return Chart(figure, f"Accuracy ({title}) against {axis}: {words}")


def history_chart(
    entries: Sequence[Entry], chosen: Sequence[str], metric: str, labelling: Labelling
) -> Chart:
    """A metric with its interval over the dates of the versions."""
    known = [
        (entry.date, estimate, entry)
        for entry in entries
        if entry.date and (estimate := entry.estimate(metric, labelling))
    ]
    known.sort(key=lambda item: item[0])
    points = [_point(date, estimate, entry, chosen) for date, estimate, entry in known]
    line = _thin_line([(date, estimate.value) for date, estimate, _ in known], "linear")
    figure = go.Figure([line, *points])
    title = f"{METRICS[metric]} on {safe(labelling_title(labelling))}"
    figure.update_xaxes(title="Date of the version", zeroline=False)
    figure.update_yaxes(title=title, tickformat=".2f", zeroline=False)
    lay_out(figure, _HEIGHT, legend=False)
    words = "; ".join(f"{entry.name} {estimate.value:.3f}" for _, estimate, entry in known)
    return Chart(figure, f"{title} over time with 95 % intervals, oldest first: {words}")


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points (cost, value) that no other one beats in both, by rising cost."""
    best: list[Point] = []
    for cost, value in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or value > best[-1][1]:
            best.append((cost, value))
    return best


def _thin_line(points: Sequence[tuple[object, float]], shape: str) -> go.Scatter:
    """A line under the marks."""
    return go.Scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode="lines",
        line={"shape": shape, "width": 1, "color": line_color()},
        opacity=0.5,
        hoverinfo="skip",
    )


def _point(x: object, estimate: Estimate, entry: Entry, chosen: Sequence[str]) -> go.Scatter:
    """A version's mark and interval; the chosen ones say their name without being pointed at."""
    value = estimate.value
    return go.Scatter(
        x=[x],
        y=[value],
        error_y={
            "array": [estimate.high - value],
            "arrayminus": [value - estimate.low],
            "color": line_color(),
            "thickness": 1,
            "width": 3,
        },
        text=[f"{safe(entry.name)}  "],
        mode="markers+text" if entry.name in chosen else "markers",
        textposition="middle left",
        marker=_marker(entry, chosen),
        hovertemplate="%{y:.3f}<extra>%{text}</extra>",
        cliponaxis=False,
    )


def _marker(entry: Entry, chosen: Sequence[str]) -> dict[str, object]:
    """A chosen version's own symbol, else a small ring."""
    if entry.name in chosen:
        symbol = MARKS[chosen.index(entry.name)].symbol
        return {"symbol": symbol, "size": 13, "color": line_color()}
    return {"symbol": "circle-open", "size": 8, "color": line_color()}
