"""Parts of pictures, and pictures of other sizes."""

import numpy as np
import pytest

from fer import Box
from fer.detection.pictures import cut_region, cut_tiles, longest_side, resized
from tests.factories.pictures import noise


@pytest.mark.parametrize("size", [(30, 20), (20, 30), (30, 30)])
def test_the_longest_side(size):
    assert longest_side(noise(*size)) == 30


@pytest.mark.parametrize(
    ("scale", "size", "ratio"),
    [
        (1, (40, 60), (1, 1)),
        (0.5, (20, 30), (2, 2)),
        (2, (80, 120), (0.5, 0.5)),
        (0, (1, 1), (60, 40)),
    ],
)
def test_a_ratio_says_how_many_pixels_one_of_a_resized_picture_spans(scale, size, ratio):
    small, spans = resized(noise(40, 60), scale)
    assert small.shape == (*size, 3)
    assert small.dtype == np.uint8
    assert spans.tolist() == list(ratio)


@pytest.mark.parametrize(
    ("region", "corner", "size"),
    [
        (Box(5, 10, 25, 40), (5, 10), (30, 20)),
        (Box(5.9, 10.9, 24.1, 39.1), (5, 10), (30, 20)),
        (Box(-5, -5, 10, 10), (0, 0), (10, 10)),
        (Box(50, 30, 90, 90), (50, 30), (10, 10)),
        (Box(200, 200, 300, 300), (59, 39), (1, 1)),
        (Box(-9, -9, -1, -1), (0, 0), (1, 1)),
    ],
)
def test_a_region_is_cut_at_the_picture_s_edges_and_holds_a_pixel(region, corner, size):
    image = noise(40, 60)
    part = cut_region(image, region)
    assert part.corner.tolist() == list(corner)
    assert part.image.shape == (*size, 3)
    left, top = corner
    assert np.array_equal(part.image, image[top : top + size[0], left : left + size[1]])


@pytest.mark.parametrize(("count", "share"), [(1, 1.0), (2, 0.6), (3, 0.4)])
def test_tiles_cover_the_picture(count, share):
    image = noise(40, 60)
    covered = np.zeros((40, 60), bool)
    tiles = cut_tiles(image, count, share)
    for tile in tiles:
        left, top = tile.corner.astype(int)
        height, width = tile.image.shape[:2]
        assert (height, width) == (40 * share, 60 * share)
        assert np.array_equal(tile.image, image[top : top + height, left : left + width])
        covered[top : top + height, left : left + width] = True
    assert len(tiles) == count * count
    assert covered.all()
