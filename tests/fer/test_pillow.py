"""Pillow's modes as RGB; test_images reads them, and every orientation, from files too."""

import numpy as np
import pytest
from PIL import Image

from fer.pillow import to_rgb


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGB", (1, 1), (1, 2, 3)), (1, 2, 3)),
        (Image.new("L", (1, 1), 7), (7, 7, 7)),
        (Image.new("1", (1, 1), 1), (255, 255, 255)),
        (Image.new("CMYK", (1, 1), (0, 255, 255, 0)), (255, 0, 0)),
        (Image.new("RGBA", (1, 1), (255, 0, 0, 51)), (255, 204, 204)),
        (Image.new("LA", (1, 1), (0, 0)), (255, 255, 255)),
        (Image.new("I", (1, 1), 77), (77, 77, 77)),
        (Image.new("I", (1, 1), -1), (0, 0, 0)),
        (Image.new("F", (1, 1), 0.2), (51, 51, 51)),
        (Image.new("F", (1, 1), float("nan")), (0, 0, 0)),
        (Image.fromarray(np.full((1, 1), 0x80FF, np.uint16)), (128, 128, 128)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_every_mode_becomes_rgb(image, expected):
    converted = to_rgb(image)
    assert converted.mode == "RGB"
    assert converted.getpixel((0, 0)) == expected


def test_rgb_is_not_copied():
    image = Image.new("RGB", (2, 2))
    assert to_rgb(image) is image
