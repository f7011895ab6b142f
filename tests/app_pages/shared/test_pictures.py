"""Pictures as the browser gets them."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app_pages.shared.pictures import fit, jpeg, jpeg_url, png_url, resize, svg_url


@pytest.mark.parametrize(
    ("size", "side", "fitted"),
    [((40, 80), 80, (40, 80)), ((40, 80), 40, (20, 40)), ((1000, 1), 10, (10, 1))],
)
def test_fit_shrinks_and_never_enlarges(
    size: tuple[int, int], side: int, fitted: tuple[int, int]
) -> None:
    assert fit(np.zeros((*size, 3), np.uint8), side).shape[:2] == fitted


def test_resize_takes_width_before_height() -> None:
    assert resize(np.zeros((10, 20, 3), np.uint8), 60, 40).shape == (40, 60, 3)


def test_a_jpeg_keeps_red_red() -> None:
    red = np.full((16, 16, 3), (255, 0, 0), np.uint8)
    for data in (jpeg(red), base64.b64decode(jpeg_url(red).partition(",")[2])):
        decoded = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        assert np.allclose(decoded, red, atol=3)


def test_a_png_keeps_every_pixel() -> None:
    crop = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)
    url = png_url(crop)
    assert url.startswith("data:image/png;base64,")
    decoded = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert np.array_equal(np.asarray(decoded), crop)


def test_a_drawing_is_utf_8() -> None:
    kind, data = svg_url("<svg><title>–</title></svg>").split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == "<svg><title>–</title></svg>"
