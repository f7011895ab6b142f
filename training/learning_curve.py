"""The log of a run as curves, on a page of its own that needs nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

_NOT_ACCURACIES = ("epoch", "loss", "learning_rate", "seconds")


def draw(log: list[dict[str, float]], path: Path) -> None:
    """Write accuracy, loss and learning rate over the epochs as a page."""
    panels = {
        "accuracy": [name for name in log[0] if name not in _NOT_ACCURACIES],
        "loss": ["loss"],
        "learning rate": ["learning_rate"],
    }
    figure = make_subplots(
        rows=3, shared_xaxes=True, row_heights=[0.6, 0.2, 0.2], vertical_spacing=0.04
    )
    for row, (title, names) in enumerate(panels.items(), 1):
        figure.update_yaxes(title=title, row=row, col=1)
        for name in names:
            figure.add_trace(_curve(log, name), row=row, col=1)
    figure.update_xaxes(title="epoch", row=3, col=1)
    figure.update_layout(title=path.parent.name, height=900, template="plotly_white")
    figure.write_html(path)


def _curve(log: list[dict[str, float]], name: str) -> go.Scatter:
    epochs = [row["epoch"] for row in log]
    values = [row[name] for row in log]
    return go.Scatter(x=epochs, y=values, name=name, mode="lines+markers")
