"""Untrusted bytes to RGB uint8: the one door through which a picture enters the project.

The signature of the bytes chooses one of Pillow's decoders from a short list, and no other one ever
sees them; the ending of a name is not believed. Sizes are checked before anything is decoded.
"""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from fer.errors import ImageError
from fer.pillow import DAMAGE, make_upright, to_rgb, without_warnings
from fer.signatures import kind_of

MAX_BYTES = 50_000_000
"""The largest file accepted: a 48 megapixel phone photo takes 5 to 25 MB."""

MAX_PIXELS = 8192 * 8192
"""The largest picture accepted.

Above every 64 megapixel phone (9280 x 6944); decoding one takes 0.6 to 1.1 GB.
"""

LARGE_PIXELS = 16_000_000
"""Pictures above are decoded one after the other, since together they would fill the memory."""

ACCEPTED = "JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF and HEIC"
"""The accepted formats for people; of an animation, the first frame."""

ACCEPTED_SUFFIXES = (
    ".avif",
    ".bmp",
    ".gif",
    ".heic",
    ".heif",
    ".jfif",
    ".jpeg",
    ".jpg",
    ".png",
    ".tif",
    ".tiff",
    ".webp",
)
"""Endings of the accepted files, for folder scans and uploaders; the bytes decide in the end."""

_DECODERS: dict[str, type[ImageFile]] = {  # and HEIC's, which comes with a package of its own
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WebP": WebPImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "GIF": GifImageFile,
    "AVIF": AvifImageFile,
}

_one_large_picture = threading.Lock()


def load_image(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO,
    *,
    name: str | None = None,
) -> NDArray[np.uint8]:
    """Load a picture, upright by its EXIF orientation and with transparency over white.

    16-bit grey keeps its high byte; 32-bit and float grey are scaled from the smallest usual range
    that holds them.

    Args:
        source: A path, the bytes of a file, or a file opened in binary mode: JPEG, PNG, WebP, BMP,
            TIFF, GIF, AVIF or HEIC, whatever its name; of an animation, the first frame counts.
        name: What errors call the picture; by default the path.

    Returns:
        RGB uint8 (height, width, 3), the caller's own.

    Raises:
        ImageError: nothing to read, not an image, damaged, or over `MAX_BYTES` or `MAX_PIXELS`.
        TypeError: the source is none of those above.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> from fer import load_image
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (4, 3), "red").save(file, "PNG")
        >>> load_image(file.getvalue()).shape
        (3, 4, 3)
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        name = name or str(path)
        data = _read(path, name)
    else:
        name = name or "the picture"
        data = _bytes(source)
    _check_bytes(len(data), name)
    with without_warnings():
        return _decode(data, kind_of(data), name)


def _bytes(source: bytes | bytearray | memoryview | BinaryIO) -> bytes:
    """The bytes of a source in memory; of a file, at most one more than are accepted."""
    data = source.read(MAX_BYTES + 1) if hasattr(source, "read") else source
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(
            "load_image takes a path, bytes or a file opened in binary mode, received"
            f" {type(source).__name__}; an RGB array is a picture already, and"
            " np.asarray(image.convert('RGB')) makes one of a PIL image."
        )
    return bytes(data)


def _read(path: Path, name: str) -> bytes:
    """The bytes of a file, of which the size is looked at first: it may grow meanwhile."""
    try:
        _check_file(path, name)
        _check_bytes(path.stat().st_size, name)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(
            f"{name}: the file cannot be read ({error.strerror}); check path and rights"
        ) from error


def _check_file(path: Path, name: str) -> None:
    if not path.is_file():
        what = "is a folder or a device" if path.exists() else "does not exist"
        raise ImageError(
            f"{name}: expected a picture file, but this path {what}; check it and try again"
        )


def _check_bytes(size: int, name: str) -> None:
    if size == 0:
        raise ImageError(
            f"{name}: the file is empty (received 0 bytes); choose another or export it again"
        )
    if size > MAX_BYTES:
        raise ImageError(
            f"{name}: too large (received {size / 1e6:,.1f} MB, at most {MAX_BYTES / 1e6:,.0f} MB"
            " are accepted); save it smaller, or as JPEG"
        )


def _decode(data: bytes, kind: str, name: str) -> NDArray[np.uint8]:
    decoder = _decoder(data, kind, name)
    try:
        # One name for every stage, so that a large picture is not kept twice.
        image: Image.Image = decoder(BytesIO(data))  # reads the header alone
        _check_pixels(image.size, kind, name)
        with _turn_to_decode(image.size):
            image.load()
            make_upright(image)
            image = to_rgb(image)
            return np.array(image)
    except Image.DecompressionBombError as error:  # a frame or a tile far larger than its picture
        raise ImageError(
            f"{name}: this {kind} claims more than {MAX_PIXELS:,} pixels; export it again"
        ) from error
    except (*DAMAGE, MemoryError) as error:
        raise ImageError(
            f"{name}: damaged, cut short or without pixels (received {len(data):,} bytes of {kind};"
            f" {error}); copy it again from its source, or export it as JPEG or PNG"
        ) from error


def _decoder(data: bytes, kind: str, name: str) -> type[ImageFile]:
    if kind == "HEIC":
        return _heic_decoder(name)
    if kind not in _DECODERS:
        looks = f", which look like {kind}" if kind else ""
        raise ImageError(
            f"{name}: not an image (received {len(data):,} bytes{looks}); {ACCEPTED} are accepted; "
            "save it as JPEG or PNG first"
        )
    return _DECODERS[kind]


def _heic_decoder(name: str) -> type[ImageFile]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ImageError(
            f"{name}: reading HEIC needs the package pillow-heif, which is missing here; "
            "run `pip install pillow-heif`, or export the photo as JPEG"
        ) from error
    return HeifImageFile


def _check_pixels(size: tuple[int, int], kind: str, name: str) -> None:
    width, height = size
    if _pixels(size) > MAX_PIXELS:
        raise ImageError(
            f"{name}: too large (received a {kind} of {width:,} x {height:,} ="
            f" {_pixels(size) / 1e6:,.0f} million pixels, at most {MAX_PIXELS / 1e6:,.0f} million"
            " are accepted); save it smaller"
        )


def _turn_to_decode(size: tuple[int, int]) -> AbstractContextManager[object]:
    return _one_large_picture if _pixels(size) > LARGE_PIXELS else nullcontext()


def _pixels(size: tuple[int, int]) -> int:
    width, height = size
    return width * height
