"""Merge overlapping candidates: non-maximum suppression."""

from __future__ import annotations

import numpy as np

from fer.detection.base import Array

_NESTED = 0.6  # share of a box that lies within a larger one, from which on both are one face


def weighted_nms(points: Array, scores: Array, overlap: float = 0.4) -> tuple[Array, Array]:
    """Merge candidates that overlap.

    Points averaged by score, the best score stays (as in the paper, section 3).
    """
    order = np.argsort(-scores, kind="stable")
    points, scores = points[order], scores[order]
    merged, best = [points[:0]], [scores[:0]]
    while len(scores):
        same = overlaps_with_first(points) > overlap
        merged.append(np.average(points[same], axis=0, weights=scores[same])[None])
        best.append(scores[:1])
        points, scores = points[~same], scores[~same]
    return np.concatenate(merged), np.concatenate(best)


def unnested(points: Array) -> list[int]:
    """The rows whose box shares most of its area, or of the other's.

    With none that comes before it.
    """
    kept: list[int] = []
    areas = (points[:, 1] - points[:, 0]).prod(axis=1)
    for row in range(len(points)):
        shared = _shared_area(points[row], points[kept])
        if (shared <= _NESTED * np.minimum(areas[row], areas[kept])).all():
            kept.append(row)
    return kept


def heights(points: Array) -> Array:
    return np.asarray(points[:, 1, 1] - points[:, 0, 1], np.float32)


def _shared_area(box: Array, boxes: Array) -> Array:
    """The area (n,) that a box, its corners the first two points, shares with each of others (n.

    ...).
    """
    sides = np.minimum(boxes[:, 1], box[1]) - np.maximum(boxes[:, 0], box[0])
    return np.asarray(np.maximum(sides, 0).prod(axis=1), np.float32)


def overlaps_with_first(points: Array) -> Array:
    """Intersection over union of the first box with every box, itself included."""
    shared, areas = _shared_area(points[0], points), (points[:, 1] - points[:, 0]).prod(axis=1)
    return np.asarray(shared / (areas + areas[0] - shared), np.float32)
