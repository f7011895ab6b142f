"""Against examples done by hand."""

import numpy as np
import pytest

from fer.detection.candidates import Candidates
from fer.detection.suppression import merge_overlapping, touching, unnested


def square(x, y, side, eye):
    return [(x, y), (x + side, y + side), (eye, eye), (eye, eye)]


def test_weighted_suppression_averages_what_overlaps():
    """Boxes 0..10 and 2..12 overlap by 80 of 120: one face, placed by 0.6 to 0.9."""
    points = np.array([square(2, 0, 10, 4), square(0, 0, 10, 1), square(50, 50, 10, 7)], np.float32)
    merged = merge_overlapping(Candidates(points, np.array((0.6, 0.9, 0.7), np.float32)))
    assert merged.scores.tolist() == pytest.approx([0.9, 0.7])
    assert merged.points[0].ravel().tolist() == pytest.approx(
        [0.8, 0, 10.8, 10, 2.2, 2.2, 2.2, 2.2]
    )
    assert merged.points[1].ravel().tolist() == pytest.approx(points[2].ravel().tolist())


@pytest.mark.parametrize(("offset", "count"), [(4.2, 1), (4.4, 2)])
def test_the_overlap_that_merges_is_two_fifths(offset, count):
    points = np.array([square(0, 0, 10, 0), square(offset, 0, 10, 0)], np.float32)
    candidates = Candidates(points, np.array((0.9, 0.8), np.float32))
    assert len(merge_overlapping(candidates)) == count


def test_suppression_of_nothing_is_nothing():
    none = Candidates(np.empty((0, 4, 2), np.float32), np.empty(0, np.float32))
    merged = merge_overlapping(none)
    assert (merged.points.shape, merged.scores.shape) == ((0, 4, 2), (0,))


@pytest.mark.parametrize(
    ("boxes", "kept"),
    [
        ([], []),
        ([(0, 0, 10)], [0]),
        ([(0, 0, 10), (20, 0, 10)], [0, 1]),
        ([(0, 0, 10), (2, 2, 4)], [0]),
        ([(2, 2, 4), (0, 0, 10)], [0]),  # the first one stays, also where it is the smaller
        ([(0, 0, 10), (8, 0, 5)], [0, 1]),  # two fifths of the second lie within the first
        ([(0, 0, 10), (6, 0, 5)], [0]),  # four fifths
    ],
)
def test_one_of_two_boxes_within_each_other_stays(boxes, kept):
    points = np.array([square(x, y, side, 0) for x, y, side in boxes], np.float32).reshape(-1, 4, 2)
    assert unnested(points) == kept


def test_boxes_touch_where_they_share_area():
    points = np.array([square(0, 0, 10, 0), square(9, 0, 5, 0), square(10, 0, 5, 0)], np.float32)
    candidates = Candidates(points, np.ones(3, np.float32))
    expected = [[True, True, False], [True, True, True], [False, True, True]]
    assert touching(candidates, candidates).tolist() == expected
    assert touching(candidates, candidates[:0]).shape == (3, 0)
    assert touching(candidates[:0], candidates).shape == (0, 3)
