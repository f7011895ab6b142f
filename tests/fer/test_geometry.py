"""Boxes and the points of a face, measured by hand."""

from __future__ import annotations

import math

import pytest

from fer import Box, Landmarks

BOX = Box(10, 20, 30, 60)


def test_box_measures():
    assert (BOX.width, BOX.height, BOX.area, BOX.center) == (20, 40, 800, (20, 40))


@pytest.mark.parametrize(
    "corners",
    [
        (0, 0, 0, 0),
        (5, 0, 5, 9),
        (0, 5, 9, 5),
        (9, 0, 5, 9),
        (0, 9, 9, 5),
        (math.nan, 0, 9, 9),
        (0, 0, 9, math.nan),
        (0, 0, math.inf, 9),
        (0, -math.inf, 9, 9),
        (math.inf, 0, math.inf, 9),
    ],
)
def test_box_refuses_what_has_no_area(corners):
    with pytest.raises(
        ValueError, match="a box needs x1 < x2 and y1 < y2, all finite, received Box"
    ):
        Box(*corners)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Box(0, 0, 10, 10), Box(20, 0, 30, 10), 0),
        (Box(0, 0, 10, 10), Box(20, 20, 30, 30), 0),
        (Box(0, 0, 10, 10), Box(10, 0, 20, 10), 0),
        (Box(0, 0, 10, 10), Box(0, 0, 10, 10), 1),
        (Box(0, 0, 10, 10), Box(5, 0, 15, 10), 1 / 3),
        (Box(0, 0, 10, 10), Box(2, 2, 4, 4), 0.04),
        (Box(-10, -10, 0, 0), Box(-5, -10, 5, 0), 1 / 3),
    ],
)
def test_intersection_over_union(a, b, expected):
    assert a.iou(b) == b.iou(a) == pytest.approx(expected)


def test_a_scaled_box_lies_where_it_lay_in_the_scaled_picture():
    assert BOX.scaled(2, 0.5) == Box(20, 10, 60, 30)


@pytest.mark.parametrize("width", [1, 640, 641])
def test_a_mirror_swaps_left_and_right_and_nothing_else(width):
    box = Box(10, 20, 40, 50)
    assert box.mirrored(width) == Box(width - 40, 20, width - 10, 50)
    assert box.mirrored(width).mirrored(width) == box


@pytest.mark.parametrize(
    ("nose", "degrees"),
    [
        ((20, 25), 0),
        ((20, 18), 0),  # up and down is no turn
        ((28, 25), 45),  # 0.8 half eye distances aside
        ((12, 25), -45),
        ((20 + 0.8 * 10 / math.sqrt(3), 25), 30),
    ],
)
@pytest.mark.parametrize("roll", [0, 25, -40])
def test_yaw_follows_the_nose_between_the_eyes(nose, degrees, roll):
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    turned = [(x * cos - y * sin, x * sin + y * cos) for x, y in ((10, 20), (30, 20), nose)]
    assert Landmarks(*turned).yaw == pytest.approx(degrees, abs=1e-9)


def test_without_a_nose_there_is_no_yaw():
    assert Landmarks((10, 20), (30, 20)).yaw is None


def test_eyes_in_one_place_show_a_profile():
    assert Landmarks((10, 20), (10, 20), (30, 25)).yaw == 90
