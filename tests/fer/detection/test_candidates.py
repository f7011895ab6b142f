"""From candidates to faces."""

import numpy as np
import pytest

from fer import Box, Landmarks
from fer.detection.candidates import Candidates, joined
from tests.factories.pictures import noise


def candidates(*rows):
    """Of (x1, y1, x2, y2, score), each with an eye in either upper corner."""
    points = [[(x1, y1), (x2, y2), (x1, y1), (x2, y1)] for x1, y1, x2, y2, _ in rows]
    scores = [row[4] for row in rows]
    return Candidates(np.array(points, np.float32).reshape(-1, 4, 2), np.array(scores, np.float32))


def eyes(points):
    return Landmarks(*points)


def test_no_candidate_is_no_face():
    assert candidates().faces(noise(9, 9), eyes, weak_below=0.5) == []


def test_faces_come_largest_first_and_keep_what_lies_outside_as_their_extent():
    found = candidates((2, 2, 6, 6, 0.75), (-5, -5, 12, 8, 1.5), (20, 0, 30, 9, 0.9))
    large, small = found.faces(noise(9, 9), eyes, weak_below=0.8)
    assert (large.box, large.extent) == (Box(0, 0, 9, 8), Box(-5, -5, 12, 8))
    assert (large.confidence, large.weak) == (1.0, False)
    assert (small.box, small.extent) == (Box(2, 2, 6, 6), Box(2, 2, 6, 6))
    assert (small.confidence, small.weak) == (0.75, True)
    assert small.landmarks == Landmarks((2, 2), (6, 2))


@pytest.mark.parametrize(
    ("order", "rows"), [("best_first", [1, 0, 2]), ("largest_first", [2, 0, 1])]
)
def test_orders(order, rows):
    found = candidates((0, 0, 4, 2, 0.5), (0, 0, 3, 1, 0.75), (0, 0, 2, 3, 0.25))
    assert getattr(found, order).points.tolist() == found.points[rows].tolist()
    assert found.widths.tolist() == [4, 3, 2]
    assert found.heights.tolist() == [2, 1, 3]


def test_parts_are_joined_where_they_were_moved():
    first, second = (
        candidates((0, 0, 1, 1, 0.5)),
        candidates((0, 0, 2, 2, 0.75), (1, 1, 2, 2, 0.25)),
    )
    both = joined([first.moved(np.array((10, 20), np.float32)), second[:1], second[:0]])
    assert both.points[:, :2].tolist() == [[[10, 20], [11, 21]], [[0, 0], [2, 2]]]
    assert both.scores.tolist() == [0.5, 0.75]
