"""Pillow's many modes as RGB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture of any mode as RGB, with transparency over white.

    16-bit grey keeps its high byte, as Pillow does for 16-bit colour; 32-bit and float grey are
    scaled from the smallest usual range that holds them.
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_to_8_bit(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        return _over_white(image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def _over_white(rgba: Image.Image) -> Image.Image:
    page = Image.new("RGB", rgba.size, "white")
    page.paste(rgba, mask=rgba)
    return page


def _to_8_bit(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey (h, w) of uint16, int32 or float32."""
    if grey.dtype.itemsize == 2:
        return (grey.astype(np.uint16) >> 8).astype(np.uint8)
    values = grey.astype(np.float32)
    white = _white(values, is_integer=grey.dtype.kind == "i")
    np.nan_to_num(values, copy=False)
    np.clip(values, 0.0, white, out=values)
    values *= 255.0 / white
    return np.rint(values, out=values).astype(np.uint8)


def _white(grey: NDArray[np.float32], *, is_integer: bool) -> float:
    """What 32-bit grey may mean by white, which it does not say.

    The smallest usual range that holds the brightest pixel counts: up to 1 for floats, 255 or
    65,535, else that pixel itself.
    """
    brightest = float(np.max(grey, where=np.isfinite(grey), initial=0.0))
    usual = (255.0, 65_535.0) if is_integer else (1.0, 255.0, 65_535.0)
    return next((white for white in usual if brightest <= white), brightest)
