"""What Pillow does not do by itself: name its errors, keep quiet, turn a picture, make it RGB."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow and its C decoders raise for damaged bytes; they share no base class.

The plugins raise OSError and SyntaxError and let the exceptions of struct, zlib, indexing and
arithmetic pass; AVIF and HEIC add RuntimeError. Caught only around the decoding of one picture;
fuzz tests hold the list.
"""


@contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore Pillow's warnings, and its alone.

    `catch_warnings` is not thread-safe: this filter may outlive a race, without harm.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def make_upright(image: Image.Image) -> None:
    """Turn a picture as its EXIF says, in place; damaged EXIF costs no pixels."""
    with suppress(*DAMAGE, AttributeError):  # the latter where a value is of a wrong type
        ImageOps.exif_transpose(image, in_place=True)


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture of any mode as RGB, with transparency over white.

    16-bit grey keeps its high byte, as Pillow does for 16-bit colour; 32-bit and float grey are
    scaled from the smallest usual range that holds them.
    """
    if image.mode.startswith("I;16"):
        return _grey_to_rgb(_high_byte(np.asarray(image)))
    if image.mode in ("I", "F"):
        return _grey_to_rgb(_scaled_to_8_bit(np.asarray(image)))
    if image.has_transparency_data:
        return _over_white(image.convert("RGBA"))
    return _opaque_to_rgb(image)


def _opaque_to_rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _over_white(rgba: Image.Image) -> Image.Image:
    page = Image.new("RGB", rgba.size, "white")
    page.paste(rgba, mask=rgba)
    return page


def _grey_to_rgb(grey: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(grey).convert("RGB")


def _high_byte(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Of uint16 (h, w), in either order of its bytes."""
    return (grey.astype(np.uint16) >> 8).astype(np.uint8)


def _scaled_to_8_bit(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey (h, w) of int32 or float32."""
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
