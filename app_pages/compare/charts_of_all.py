"""Charts of all versions: what accuracy costs, how it went over time.

And what disturbances leave of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from app_pages.compare.charts import (
    MARKS,
    METRICS,
    Chart,
    frame,
    ink,
    labelling_title,
    mark_of,
    safe,
)
from app_pages.shared.catalogue import FER2013, Entry, Labelling
from fer.versions.folder import FIELD_ERRORS

Point = tuple[float, float]


def trade_chart(
    entries: Sequence[Entry],
    chosen: Sequence[str],
    costs: Mapping[str, float],
    axis: str,
    labelling: Labelling,
) -> Chart:
    """Accuracy against a cost by version.

    A line joins the versions that no other one beats in both.
    """
    known = [
        (costs[entry.name], accuracy, entry)
        for entry in entries
        if entry.name in costs and (accuracy := entry.estimate("accuracy", labelling))
    ]
    best = frontier([(cost, accuracy["value"]) for cost, accuracy, _ in known])
    points = [_point(cost, accuracy, entry, chosen) for cost, accuracy, entry in known]
    figure = go.Figure([_thread(best, "hv"), *points])
    figure.update_xaxes(title=axis, rangemode="tozero", zeroline=False)
    figure.update_yaxes(
        title=f"Accuracy on {safe(labelling_title(labelling))}", tickformat=".2f", zeroline=False
    )
    frame(figure, 340, legend=False)
    words = "; ".join(
        f"{entry.name} {accuracy['value']:.3f} at {cost:.2f}" for cost, accuracy, entry in known
    )
    return Chart(figure, f"Accuracy ({labelling_title(labelling)}) against {axis}: {words}")


def history_chart(
    entries: Sequence[Entry], chosen: Sequence[str], metric: str, labelling: Labelling
) -> Chart:
    """A metric with its interval over the dates of the versions."""
    known = [
        (entry.ref.date, e, entry)
        for entry in entries
        if entry.ref.date and (e := entry.estimate(metric, labelling))
    ]
    known.sort(key=lambda item: item[0])
    points = [_point(date, estimate, entry, chosen) for date, estimate, entry in known]
    figure = go.Figure([_thread([(date, e["value"]) for date, e, _ in known], "linear"), *points])
    figure.update_xaxes(title="Date of the version", zeroline=False)
    title = f"{METRICS[metric]} on {safe(labelling_title(labelling))}"
    figure.update_yaxes(title=title, tickformat=".2f", zeroline=False)
    frame(figure, 340, legend=False)
    words = "; ".join(f"{entry.name} {estimate['value']:.3f}" for _, estimate, entry in known)
    return Chart(figure, f"{title} over time with 95 % intervals, oldest first: {words}")


def robustness_chart(
    names: Sequence[str],
    curves: Mapping[str, Sequence[float]],
    title: str,
    strengths: Sequence[float],
) -> Chart:
    """Accuracy of each version under one disturbance, from its weakest to its strongest form."""
    traces = [_curve(names.index(name), name, values) for name, values in curves.items()]
    figure = go.Figure(traces)
    ticks = [f"{strength:g}" for strength in strengths]
    figure.update_xaxes(
        title=safe(title), tickvals=list(range(1, len(ticks) + 1)), ticktext=ticks, zeroline=False
    )
    figure.update_yaxes(title="Accuracy", range=[0, 1.02], tickformat=".1f", zeroline=False)
    frame(figure, 340)
    words = "; ".join(
        f"{name} {' '.join(f'{value:.2f}' for value in values)}" for name, values in curves.items()
    )
    return Chart(figure, f"Accuracy under {title} by strength: {words}")


class Robustness(NamedTuple):
    """What a version keeps of its accuracy on average.

    Strengths and accuracies by disturbance, weakest first.
    """

    mean: float
    strengths: Mapping[str, Sequence[float]]
    accuracy: Mapping[str, Sequence[float]]


def robustness_of(entry: Entry) -> Robustness | None:
    """What `metrics.json` says of disturbed crops; None if they were not measured."""
    try:
        found = entry.test_sets[FER2013.test_set]["robustness"]
        strengths, accuracy = (
            {name: [float(value) for value in values] for name, values in found[key].items()}
            for key in ("strengths", "accuracy")
        )
        return Robustness(float(found["mean_relative"]), strengths, accuracy)
    except FIELD_ERRORS:
        return None


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points (cost, value) that no other one beats in both, by rising cost."""
    best: list[Point] = []
    for cost, value in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or value > best[-1][1]:
            best.append((cost, value))
    return best


def _curve(place: int, name: str, values: Sequence[float]) -> go.Scatter:
    mark, color = MARKS[place], ink(place)
    return go.Scatter(
        x=list(range(1, len(values) + 1)),
        y=list(values),
        mode="lines+markers",
        name=safe(name),
        line={"dash": mark.dash, "width": 2, "color": color},
        marker={"symbol": mark.symbol, "size": 9, "color": color},
        hovertemplate="accuracy %{y:.3f}",
    )


def _thread(points: Sequence[tuple[object, float]], shape: str) -> go.Scatter:
    """A thin line under the marks."""
    x, y = [point[0] for point in points], [point[1] for point in points]
    line = {"shape": shape, "width": 1, "color": ink()}
    return go.Scatter(x=x, y=y, mode="lines", line=line, opacity=0.5, hoverinfo="skip")


def _point(
    x: object, estimate: Mapping[str, float], entry: Entry, chosen: Sequence[str]
) -> go.Scatter:
    """A version's mark and interval.

    Only the chosen ones say their name without being pointed at.
    """
    (symbol, size), value = mark_of(entry, chosen), estimate["value"]
    bars = {
        "array": [estimate["high"] - value],
        "arrayminus": [value - estimate["low"]],
        "color": ink(),
    }
    return go.Scatter(
        x=[x],
        y=[value],
        error_y={**bars, "thickness": 1, "width": 3},
        text=[f"{safe(entry.name)}  "],
        mode="markers+text" if entry.name in chosen else "markers",
        textposition="middle left",
        marker={"symbol": symbol, "size": size, "color": ink()},
        hovertemplate="%{y:.3f}<extra>%{text}</extra>",
        cliponaxis=False,
    )
