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

Picture = NDArray[np.uint8]
CENTERS = (np.arange(48) + 0.5) / 48  # of the crop's pixels, as a share of its side


def picture(grey: NDArray[np.generic]) -> Picture:
    return np.repeat(np.rint(grey).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def ramps(height: int, width: int) -> tuple[Picture, Picture]:
    """Two pictures that grow by 255 from one edge to the other, across and down.

    A pixel's value tells its centre.
    """
    across, down = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return picture(255 * across + 0 * down[:, None]), picture(255 * down[:, None] + 0 * across)


def face(x: float, y: float, side: float, *, roll: float = 0.0, width: float | None = None) -> Face:
    """A face of a given centre and height, with eyes that a roll in degrees turned clockwise."""
    half = (width or side) / 2
    dx, dy = side / 5 * math.cos(math.radians(roll)), side / 5 * math.sin(math.radians(roll))
    eyes = Landmarks((x - dx, y - dy), (x + dx, y + dy))
    return Face(Box(x - half, y - side / 2, x + half, y + side / 2), 0.9, eyes)


def coordinates(
    height: int, width: int, faces: list[Face], geometry: CropGeometry
) -> NDArray[np.float64]:
    """Where each crop pixel was taken, (2, 48, 48) as x and y in picture pixels.

    Read from the ramps.
    """
    crops = [
        crop_faces(ramp, faces, geometry)[0].astype(float) / 255 for ramp in ramps(height, width)
    ]
    return np.stack([crops[0] * width, crops[1] * height])


@pytest.mark.parametrize("size", [(48, 48), (64, 32)])
def test_no_face_gives_no_crop(size):
    crops = crop_faces(np.zeros((10, 10, 3), np.uint8), [], CropGeometry(1.0), size)
    assert (crops.shape, crops.dtype) == ((0, *size), np.uint8)


def test_a_frame_of_48_pixels_is_copied_exactly():
    grey = np.random.default_rng(0).integers(0, 256, (48, 48))
    crops = crop_faces(picture(grey), [face(24, 24, 48)], CropGeometry(1.0))
    assert np.array_equal(crops[0], grey)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (17, 5), (152, 52)])
def test_a_frame_of_48_pixels_is_copied_exactly_out_of_a_larger_picture(x, y):
    grey = np.random.default_rng(1).integers(0, 256, (100, 200))
    crops = crop_faces(picture(grey), [face(x + 24, y + 24, 48)], CropGeometry(1.0))
    assert np.array_equal(crops[0], grey[y : y + 48, x : x + 48])


@pytest.mark.parametrize(
    "geometry", [CropGeometry(1.0), CropGeometry(0.8, (0.1, -0.1), level=True)]
)
def test_color_is_cut_from_the_same_frame(geometry):
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


@pytest.mark.parametrize(
    "side", [10, 24, 47.3, 48, 49, 71.5, 95, 96, 130, 191, 192, 193, 500, 1111, 3000]
)
@pytest.mark.parametrize("place", [(0.5, 0.5), (0.47, 0.56)])
def test_each_crop_pixel_comes_from_its_place(side, place):
    """As well as the ramp's 255 steps tell it after three roundings; the next test looks closer."""
    length = round(1.3 * side)
    x, y = place[0] * length, place[1] * length
    taken = coordinates(length, length, [face(x, y, side)], CropGeometry(1.0))
    expected = np.stack(np.meshgrid(x + (CENTERS - 0.5) * side, y + (CENTERS - 0.5) * side))
    step = length / 255
    inside = ((expected > 1) & (expected < length - 1)).all(axis=0)
    errors = np.abs(taken - expected)[:, inside]
    assert inside.mean() > 0.75
    assert errors.max() < 1.6 * step
    assert np.abs((taken - expected)[:, inside].mean(axis=1)).max() < 0.6 * step


@pytest.mark.parametrize("side", [24, 48, 60, 95, 100, 150, 191, 192, 400, 3000])
@pytest.mark.parametrize(("u", "v"), [(0.57, 0.42), (0.2, 0.8), (0.83, 0.5)])
def test_a_dot_stays_in_its_place(side, u, v):
    """The centre of mass of a dot shows shifts and scales that a ramp's rounding would hide."""
    length = 2 * side
    x, y = (0.5 + u) * side, (0.5 + v) * side
    across, down = (
        np.exp(-((np.arange(length) + 0.5 - at) ** 2) / (2 * (side / 24) ** 2)) for at in (x, y)
    )
    spot = 255 * down[:, None] * across
    crop = crop_faces(picture(spot), [face(side, side, side)], CropGeometry(1.0))[0].astype(float)
    mass = (
        np.array([(crop.sum(axis=0) * CENTERS).sum(), (crop.sum(axis=1) * CENTERS).sum()])
        / crop.sum()
    )
    assert mass * 48 == pytest.approx([u * 48, v * 48], abs=0.05)


@pytest.mark.parametrize("scale", [0.5, 1.03, 2.0])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.25, -0.1)])
def test_the_frame_is_scale_box_heights_and_lies_shift_box_heights_away(scale, shift):
    taken = coordinates(255, 255, [face(127, 120, 60, width=40)], CropGeometry(scale, shift))
    expected_x = 127 + 60 * (shift[0] + scale * (CENTERS - 0.5))
    expected_y = 120 + 60 * (shift[1] + scale * (CENTERS - 0.5))
    assert np.abs(taken[0] - expected_x).max() < 1.6
    assert np.abs(taken[1] - expected_y[:, None]).max() < 1.6


@pytest.mark.parametrize("roll", [-170, -90, -30, -5, 0, 12, 45, 90, 135])
def test_level_turns_the_frame_with_the_eyes(roll):
    geometry = CropGeometry(1.2, (0.1, 0.2), level=True)
    taken = coordinates(255, 255, [face(131, 124, 100, roll=roll)], geometry)
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    u, v = np.meshgrid(0.1 + 1.2 * (CENTERS - 0.5), 0.2 + 1.2 * (CENTERS - 0.5))
    expected = np.stack([131 + 100 * (u * cos - v * sin), 124 + 100 * (u * sin + v * cos)])
    assert np.abs(taken - expected).max() < 1.6


def test_level_brings_the_eyes_to_one_height():
    """Two dots where the eyes of a head that leans 25 degrees are land on one row.

    Left and right of the middle.
    """
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


@pytest.mark.parametrize("side", [30, 48, 60, 200])
def test_beyond_the_edge_the_edge_repeats(side):
    """A frame half outside each of the four corners of a picture of four plain quarters shows that quarter alone."""
    image = picture(np.kron([[10, 80], [150, 240]], np.ones((400, 400))))
    corners = {10: (0, 0), 80: (800, 0), 150: (0, 800), 240: (800, 800)}
    for value, (x, y) in corners.items():
        assert set(crop_faces(image, [face(x, y, side)], CropGeometry(1.0))[0].ravel()) == {value}


@pytest.mark.parametrize(("x", "y"), [(-900, -900), (5000, 20), (20, 5000), (-1e7, 1e7)])
def test_a_frame_wholly_outside_shows_the_nearest_pixel(x, y):
    image = picture(np.full((40, 40), 77))
    assert set(crop_faces(image, [face(x, y, 100)], CropGeometry(1.0))[0].ravel()) == {77}


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3)])
def test_a_sliver_of_a_picture_is_no_trouble(shape):
    crop = crop_faces(picture(np.full(shape, 99)), [face(1, 1, 2000)], CropGeometry(5.0))[0]
    assert set(crop.ravel()) == {99}


@pytest.mark.parametrize("side", [96, 144, 192, 384, 480, 960, 1920])
def test_whole_ratios_average_exactly(side):
    grey = np.random.default_rng(4).integers(0, 256, (side, side)).astype(np.uint8)
    crop = crop_faces(picture(grey), [face(side / 2, side / 2, side)], CropGeometry(1.0))[0]
    expected = grey.reshape(48, side // 48, 48, side // 48).mean(axis=(1, 3))
    assert np.abs(crop - expected).max() <= 1.5


@pytest.mark.parametrize(
    "side", [52, 60, 72, 80, 90, 95, 96, 97, 110, 143, 150, 191, 240, 300, 777]
)
@pytest.mark.parametrize("pattern", ["checkerboard", "stripes"])
def test_fine_patterns_become_grey_and_not_moire(side, pattern):
    """No more contrast than averaging over the area of a crop pixel leaves (its sinc at the pattern's frequency)."""
    yy, xx = np.mgrid[:1000, :1000]
    grey = 255 * ((xx + yy) % 2 if pattern == "checkerboard" else xx % 2)
    crop = crop_faces(picture(grey), [face(500.3, 500.7, side)], CropGeometry(1.0))[0].astype(float)
    left = abs(np.sinc(side / 48 / 2)) ** (2 if pattern == "checkerboard" else 1)
    assert crop.std() <= 127.5 * left + 9
    assert crop.mean() == pytest.approx(127.5, abs=3)


@pytest.mark.parametrize("side", [60, 100, 300])
def test_a_leveled_crop_does_not_alias_either(side):
    yy, xx = np.mgrid[:1000, :1000]
    tilted = [face(500, 500, side, roll=20)]
    crop = crop_faces(picture(255 * ((xx + yy) % 2)), tilted, CropGeometry(1.0, level=True))[0]
    assert crop.astype(float).std() < 25


def test_faces_of_one_picture_do_not_touch_each_other():
    image = picture(np.random.default_rng(5).integers(0, 256, (300, 300)))
    before = image.copy()
    faces = [face(60, 70, 48), face(200, 200, 150), face(150, 20, 33)]
    together = crop_faces(image, faces, CropGeometry(1.03))
    alone = np.concatenate([crop_faces(image, [one], CropGeometry(1.03)) for one in faces])
    assert np.array_equal(together, alone)
    assert np.array_equal(image, before)


def test_a_view_that_is_not_contiguous_is_cut_like_its_copy():
    image = picture(np.random.default_rng(6).integers(0, 256, (200, 200)))
    view = image[::2, ::-2]
    faces = [face(50, 50, 60)]
    assert np.array_equal(
        crop_faces(view, faces, CropGeometry(1.0)),
        crop_faces(view.copy(), faces, CropGeometry(1.0)),
    )


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
def test_views_are_frames_of_other_sizes_about_one_centre(views):
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
