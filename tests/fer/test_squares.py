"""Synthetic pictures whose pixel values tell where each pixel of a crop was taken."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fer.squares import Square, cut_square
from tests.factories.pictures import Picture, picture, ramps

CENTERS = (np.arange(48) + 0.5) / 48  # of the crop's pixels, as a share of its side


def cut(image: Picture, x: float, y: float, side: float, *, roll: float = 0.0) -> Picture:
    """The crop of a square of a given centre and side, turned clockwise by a roll in degrees."""
    return cut_square(image, Square((x, y), side, math.radians(roll)), (48, 48), grey=True)


def test_a_scaled_square_keeps_its_centre_and_roll():
    assert Square((3, 4), 10, 0.1).scaled(0.5) == Square((3, 4), 5, 0.1)


def test_a_square_of_48_pixels_is_copied_exactly():
    grey = np.random.default_rng(0).integers(0, 256, (48, 48))
    crop = cut(picture(grey), 24, 24, 48)
    assert np.array_equal(crop, grey)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (17, 5), (152, 52)])
def test_a_square_of_48_pixels_is_copied_exactly_out_of_a_larger_picture(x, y):
    grey = np.random.default_rng(1).integers(0, 256, (100, 200))
    crop = cut(picture(grey), x + 24, y + 24, 48)
    assert np.array_equal(crop, grey[y : y + 48, x : x + 48])


@pytest.mark.parametrize(
    "side", [10, 24, 47.3, 48, 49, 71.5, 95, 96, 130, 191, 192, 193, 500, 1111, 3000]
)
@pytest.mark.parametrize("place", [(0.5, 0.5), (0.47, 0.56)])
def test_each_crop_pixel_comes_from_its_place(side, place):
    """As well as the ramp's 255 steps tell it after three roundings; the next test looks closer."""
    length = round(1.3 * side)
    x, y = place[0] * length, place[1] * length
    across, down = (cut(ramp, x, y, side) for ramp in ramps(length, length))
    taken = np.stack([across, down]) / 255 * length
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
    crop = cut(picture(spot), side, side, side).astype(float)
    mass = (
        np.array([(crop.sum(axis=0) * CENTERS).sum(), (crop.sum(axis=1) * CENTERS).sum()])
        / crop.sum()
    )
    assert mass * 48 == pytest.approx([u * 48, v * 48], abs=0.05)


@pytest.mark.parametrize("side", [30, 48, 60, 200])
def test_beyond_the_edge_the_edge_repeats(side):
    """Half outside a corner of a picture of four plain quarters, one quarter alone shows."""
    image = picture(np.kron([[10, 80], [150, 240]], np.ones((400, 400))))
    corners = {10: (0, 0), 80: (800, 0), 150: (0, 800), 240: (800, 800)}
    for value, (x, y) in corners.items():
        assert set(cut(image, x, y, side).ravel()) == {value}


@pytest.mark.parametrize(("x", "y"), [(-900, -900), (5000, 20), (20, 5000), (-1e7, 1e7)])
def test_a_square_wholly_outside_shows_the_nearest_pixel(x, y):
    image = picture(np.full((40, 40), 77))
    assert set(cut(image, x, y, 100).ravel()) == {77}


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3)])
def test_a_sliver_of_a_picture_is_no_trouble(shape):
    crop = cut(picture(np.full(shape, 99)), 1, 1, 10_000)
    assert set(crop.ravel()) == {99}


@pytest.mark.parametrize("side", [96, 144, 192, 384, 480, 960, 1920])
def test_whole_ratios_average_exactly(side):
    grey = np.random.default_rng(4).integers(0, 256, (side, side)).astype(np.uint8)
    crop = cut(picture(grey), side / 2, side / 2, side)
    expected = grey.reshape(48, side // 48, 48, side // 48).mean(axis=(1, 3))
    assert np.abs(crop - expected).max() <= 1.5


@pytest.mark.parametrize(
    "side", [52, 60, 72, 80, 90, 95, 96, 97, 110, 143, 150, 191, 240, 300, 777]
)
@pytest.mark.parametrize("pattern", ["checkerboard", "stripes"])
def test_fine_patterns_become_grey_and_not_moire(side, pattern):
    """No more contrast than the sinc of a crop pixel has at the pattern's frequency."""
    yy, xx = np.mgrid[:1000, :1000]
    grey = 255 * ((xx + yy) % 2 if pattern == "checkerboard" else xx % 2)
    crop = cut(picture(grey), 500.3, 500.7, side).astype(float)
    left = abs(np.sinc(side / 48 / 2)) ** (2 if pattern == "checkerboard" else 1)
    assert crop.std() <= 127.5 * left + 9
    assert crop.mean() == pytest.approx(127.5, abs=3)


@pytest.mark.parametrize("side", [60, 100, 300])
def test_a_turned_square_does_not_alias_either(side):
    yy, xx = np.mgrid[:1000, :1000]
    crop = cut(picture(255 * ((xx + yy) % 2)), 500, 500, side, roll=20)
    assert crop.astype(float).std() < 25


def test_a_picture_that_is_not_contiguous_is_cut_like_its_copy():
    image = picture(np.random.default_rng(6).integers(0, 256, (200, 200)))
    strided = image[::2, ::-2]
    assert np.array_equal(cut(strided, 50, 50, 60), cut(strided.copy(), 50, 50, 60))
