"""The charts of all versions."""

from __future__ import annotations

import pytest

from app_pages.compare.charts_of_all import frontier


@pytest.mark.parametrize(
    ("points", "best"),
    [
        ([], []),
        ([(1, 0.8)], [(1, 0.8)]),
        ([(2, 0.9), (1, 0.8), (3, 0.85), (1, 0.7)], [(1, 0.8), (2, 0.9)]),
    ],
)
def test_frontier(points: list[tuple[float, float]], best: list[tuple[float, float]]) -> None:
    assert frontier(points) == best
