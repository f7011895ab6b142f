"""Non-maximum suppression: of the candidates of one face, one stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer.detection.candidates import Array, Candidates, joined

_SAME_FACE = 0.4
"""Intersection over union above which two candidates are one face."""

_NESTED = 0.6
"""Share of a box that lies within a larger one, above which both are one face."""


def merge_overlapping(candidates: Candidates) -> Candidates:
    """Average the candidates that overlap, weighted by score; the best score stays.

    Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs",
    section 3.
    """
    remaining = candidates.best_first
    merged = [remaining[:0]]
    while len(remaining):
        same_face = overlaps_with_first(remaining.points) > _SAME_FACE
        merged.append(_average(remaining[same_face]))
        remaining = remaining[~same_face]
    return joined(merged)


def _average(candidates: Candidates) -> Candidates:
    points = np.average(candidates.points, axis=0, weights=candidates.scores)
    return Candidates(points[None], candidates.scores[:1])


def unnested(points: Array) -> list[int]:
    """The rows of the boxes of which none before lies within the other, for the most part."""
    kept: list[int] = []
    areas = _areas(points)
    for row in range(len(points)):
        shared = _shared_areas(points[row], points[kept])
        smaller = np.minimum(areas[row], areas[kept])
        if (shared <= _NESTED * smaller).all():
            kept.append(row)
    return kept


def touching(candidates: Candidates, others: Candidates) -> NDArray[np.bool_]:
    """Whether the box of each candidate, a row, shares area with each other one, a column."""
    rows = [_shared_areas(box, others.points) > 0 for box in candidates.points]
    return np.array(rows, bool).reshape(len(candidates), len(others))


def overlaps_with_first(points: Array) -> Array:
    """Intersection over union of the first box with every box, itself included."""
    areas = _areas(points)
    shared = _shared_areas(points[0], points)
    return np.asarray(shared / (areas + areas[0] - shared), np.float32)


def _areas(points: Array) -> Array:
    sides = points[:, 1] - points[:, 0]
    return np.asarray(sides.prod(axis=1), np.float32)


def _shared_areas(box: Array, boxes: Array) -> Array:
    """The area that one box shares with each of others, (n,)."""
    top_left = np.maximum(boxes[:, 0], box[0])
    bottom_right = np.minimum(boxes[:, 1], box[1])
    sides = np.maximum(bottom_right - top_left, 0)
    return np.asarray(sides.prod(axis=1), np.float32)
