"""Synthetic pictures whose pixel values tell where each pixel of a crop was taken."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer import Box, Face, Landmarks
from fer.preprocessing import (
    GEOMETRIES,
    CropGeometry,
    Views,
    crop_faces,
    crop_views,
    normalize,
    views_of_crops,
)
from tests.factories.pictures import picture, ramps

CENTERS = (np.arange(48) + 0.5) / 48  # of the crop's pixels, as a share of its side


def face(x: float, y: float, side: float, *, roll: float = 0.0, width: float | None = None) -> Face:
    """A face of a given centre and height, with eyes that a roll in degrees turned clockwise."""
    half = (width or side) / 2
    dx, dy = side / 5 * math.cos(math.radians(roll)), side / 5 * math.sin(math.radians(roll))
    eyes = Landmarks((x - dx, y - dy), (x + dx, y + dy))
    return Face(Box(x - half, y - side / 2, x + half, y + side / 2), 0.9, eyes)


def coordinates(
    height: int, width: int, faces: list[Face], geometry: CropGeometry
) -> NDArray[np.float64]:
    """Where each crop pixel was taken, as the ramps tell: x and y in picture pixels (2, 48, 48)."""
    crops = [
        crop_faces(ramp, faces, geometry)[0].astype(float) / 255 for ramp in ramps(height, width)
    ]
    return np.stack([crops[0] * width, crops[1] * height])


@pytest.mark.parametrize("size", [(48, 48), (64, 32)])
def test_no_face_gives_no_crop(size):
    crops = crop_faces(np.zeros((10, 10, 3), np.uint8), [], CropGeometry(1.0), size)
    assert (crops.shape, crops.dtype) == ((0, *size), np.uint8)


@pytest.mark.parametrize(
    "geometry", [CropGeometry(1.0), CropGeometry(0.8, (0.1, -0.1), level=True)]
)
def test_color_is_cut_from_the_same_square(geometry):
    image = np.random.default_rng(2).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    faces = [face(50, 40, 48, roll=20), face(70, 50, 30)]
    colour = crop_faces(image, faces, geometry, grey=False)
    assert colour.shape == (2, 48, 48, 3)
    weighted = colour @ (0.299, 0.587, 0.114)
    assert np.abs(weighted - crop_faces(image, faces, geometry)).max() <= 2
    assert crop_faces(image, [], geometry, grey=False).shape == (0, 48, 48, 3)


def test_color_becomes_its_luminance():
    image = np.zeros((48, 48, 3), np.uint8)
    image[:16], image[16:32], image[32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    crop = crop_faces(image, [face(24, 24, 48)], CropGeometry(1.0))[0]
    assert [int(crop[row, 0]) for row in (0, 16, 32)] == [76, 150, 29]


@pytest.mark.parametrize("scale", [0.5, 1.03, 2.0])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.25, -0.1)])
def test_the_square_is_scale_box_heights_and_lies_shift_box_heights_away(scale, shift):
    taken = coordinates(255, 255, [face(127, 120, 60, width=40)], CropGeometry(scale, shift))
    expected_x = 127 + 60 * (shift[0] + scale * (CENTERS - 0.5))
    expected_y = 120 + 60 * (shift[1] + scale * (CENTERS - 0.5))
    assert np.abs(taken[0] - expected_x).max() < 1.6
    assert np.abs(taken[1] - expected_y[:, None]).max() < 1.6


@pytest.mark.parametrize("roll", [-170, -90, -30, -5, 0, 12, 45, 90, 135])
def test_level_turns_the_square_with_the_eyes(roll):
    geometry = CropGeometry(1.2, (0.1, 0.2), level=True)
    taken = coordinates(255, 255, [face(131, 124, 100, roll=roll)], geometry)
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    u, v = np.meshgrid(0.1 + 1.2 * (CENTERS - 0.5), 0.2 + 1.2 * (CENTERS - 0.5))
    expected = np.stack([131 + 100 * (u * cos - v * sin), 124 + 100 * (u * sin + v * cos)])
    assert np.abs(taken - expected).max() < 1.6


def test_level_brings_the_eyes_to_one_height():
    """Dots for the eyes of a head that leans 25 degrees land on one row, left and right."""
    tilted = face(200, 200, 160, roll=25)
    canvas = np.zeros((400, 400), np.uint8)
    for x, y in (tilted.landmarks.left_eye, tilted.landmarks.right_eye):
        cv2.circle(canvas, (round(x), round(y)), 8, 255, -1)
    crop = crop_faces(picture(canvas), [tilted], CropGeometry(1.0, level=True))[0]
    rows, columns = np.nonzero(crop > 128)
    assert abs(rows[columns < 24].mean() - rows[columns > 24].mean()) < 0.5
    assert columns[columns < 24].mean() == pytest.approx(0.3 * 48 - 0.5, abs=0.5)


@pytest.mark.parametrize("geometry", [CropGeometry(1.0), CropGeometry(1.0, level=True)])
def test_a_face_without_eyes_and_one_that_is_not_leveled_stay_upright(geometry):
    grey = np.random.default_rng(2).integers(0, 256, (48, 48))
    upright = Face(Box(0, 0, 48, 48), 0.9)
    assert np.array_equal(crop_faces(picture(grey), [upright], geometry)[0], grey)
    leaning = face(24, 24, 48, roll=30)
    assert np.array_equal(crop_faces(picture(grey), [leaning], CropGeometry(1.0))[0], grey)


def test_the_extent_decides_where_there_is_one():
    box, extent = Box(0, 0, 20, 30), Box(-28, -18, 20, 30)
    grey = np.random.default_rng(3).integers(0, 256, (40, 40))
    crop = crop_faces(picture(grey), [Face(box, 0.9, None, extent)], CropGeometry(1.0))[0]
    assert np.array_equal(crop[18:, 28:], grey[:30, :20])
    assert np.array_equal(crop[18:, 0], grey[:30, 0])


def test_faces_of_one_picture_do_not_touch_each_other():
    image = picture(np.random.default_rng(5).integers(0, 256, (300, 300)))
    before = image.copy()
    faces = [face(60, 70, 48), face(200, 200, 150), face(150, 20, 33)]
    together = crop_faces(image, faces, CropGeometry(1.03))
    alone = np.concatenate([crop_faces(image, [one], CropGeometry(1.03)) for one in faces])
    assert np.array_equal(together, alone)
    assert np.array_equal(image, before)


def test_a_crop_that_is_not_square_fills_its_size():
    taken = crop_faces(ramps(96, 96)[0], [face(48, 48, 96)], CropGeometry(1.0), (64, 32))
    assert taken.shape == (1, 64, 32)
    assert np.abs(taken[0] / 255 - (np.arange(32) + 0.5) / 32).max() < 0.01


@pytest.mark.parametrize(
    "arguments",
    [
        (0.1,),
        (5.1,),
        (math.nan,),
        (math.inf,),
        (1.0, (1.1, 0.0)),
        (1.0, (0.0, -1.1)),
        (1.0, (math.nan, 0.0)),
    ],
)
def test_geometry_refuses_what_no_detector_needs(arguments):
    with pytest.raises(
        ValueError, match=r"scale must lie in \[0.2, 5\] and each shift in \[-1, 1\], received"
    ):
        CropGeometry(*arguments)


def test_each_detector_has_a_geometry():
    assert set(GEOMETRIES) == {"blazeface", "yunet"}


@pytest.mark.parametrize(
    ("value_range", "expected"),
    [
        ((0.0, 1.0), (0.0, 0.2, 1.0)),
        ((-1.0, 1.0), (-1.0, -0.6, 1.0)),
        ((0.0, 255.0), (0.0, 51.0, 255.0)),
    ],
)
def test_normalize_maps_black_and_white_to_the_range(value_range, expected):
    crops = np.array([[[0, 51, 255]]], np.uint8)
    inputs = normalize(crops, value_range)
    assert (inputs.shape, inputs.dtype) == ((1, 1, 3, 1), np.float32)
    assert inputs.ravel() == pytest.approx(expected, abs=1e-6)
    assert crops.ravel().tolist() == [0, 51, 255]


def test_normalize_of_nothing_is_nothing():
    assert normalize(np.empty((0, 48, 48), np.uint8)).shape == (0, 48, 48, 1)


# Views


@pytest.mark.parametrize(
    "views", [Views(), Views((0.9, 1.2)), Views((1.4, 0.7), mirror=True)], ids=repr
)
def test_views_are_squares_of_other_sizes_about_one_centre(views):
    image = np.random.default_rng(5).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    faces = [face(50, 40, 48, roll=20), face(70, 50, 30)]
    geometry = CropGeometry(0.8, (0.1, -0.1), level=True)
    crops = crop_views(image, faces, geometry, views, (40, 32))
    assert crops.shape == (2, len(views), 40, 32)
    for column, scale in enumerate(views.scales):
        larger = CropGeometry(0.8 * scale, (0.1, -0.1), level=True)
        expected = crop_faces(image, faces, larger, (40, 32))
        assert np.array_equal(crops[:, column], expected)
        if views.mirror:
            assert np.array_equal(crops[:, len(views.scales) + column], expected[..., ::-1])


def test_no_face_gives_no_view():
    views = Views((0.9, 1.2), mirror=True)
    crops = crop_views(np.zeros((10, 10, 3), np.uint8), [], CropGeometry(1.0), views)
    assert (crops.shape, crops.dtype) == ((0, 4, 48, 48), np.uint8)


def test_a_face_that_is_cut_already_is_seen_whole():
    crops = np.random.default_rng(6).integers(0, 256, (3, 48, 48)).astype(np.uint8)
    assert np.array_equal(views_of_crops(crops, Views((0.9, 1.2))), crops[:, None])
    mirrored = views_of_crops(crops, Views((0.9, 1.2), mirror=True))
    assert np.array_equal(mirrored, np.stack([crops, crops[..., ::-1]], axis=1))
