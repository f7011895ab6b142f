"""Untrusted bytes, or a file, to RGB uint8: the one door through which a picture enters the project.

The signature of the bytes chooses one decoder from a short table; the name's ending is never
believed and no other decoder of Pillow's ever sees the bytes. Sizes are checked before anything is
decoded.
"""

from __future__ import annotations

import os
import struct
import threading
import warnings
import zlib
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from fer.errors import ImageError

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

_DECODERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}

_SIGNATURES = (  # (offset, bytes, kind); the accepted kinds first, then what people pick by mistake
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (4, b"ftyp", "MP4 or MOV video"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"8BPS", "Photoshop"),
    (4, b"JXL ", "JPEG XL"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"PK\x03\x04", "ZIP archive or Office document"),
)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"hevm",
    b"hevs",
    b"mif1",
    b"msf1",
}

# What Pillow and its C decoders raise for damaged bytes. They share no base class: the plugins
# raise OSError and SyntaxError and let the exceptions of struct, zlib, indexing and arithmetic
# pass; AVIF and HEIC add RuntimeError. Caught only around the decoding of one picture; fuzz tests
# hold the list.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)

_TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_one_large_picture = threading.Lock()


def load_image(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO,
    *,
    name: str | None = None,
) -> NDArray[np.uint8]:
    """A picture as RGB (h, w, 3) uint8, upright by its EXIF, transparency over white; the array is the caller's own.

    16-bit grey keeps its high byte; 32-bit and float grey are scaled from the smallest usual range
    that holds them.

    Args:
        source: A path, the bytes of a file, or a file opened in binary mode.
        name: What errors call the picture; by default the path.

    Raises:
        ImageError: nothing to read, not an image, damaged, or over MAX_BYTES or MAX_PIXELS; `name` says which picture.
        TypeError: the source is none of those above.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        name = name or str(path)
        data = _read(path, name)
    else:
        name = name or "the picture"
        data = _bytes(source)
    _check_bytes(len(data), name)
    # The filter names Pillow alone: catch_warnings is not thread-safe, and this one may outlive a
    # race without harm.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return _decode(data, _kind(data), name)


def _bytes(source: bytes | bytearray | memoryview | BinaryIO) -> bytes:
    """The bytes of a source in memory.

    Of a file one too many, at most, to tell that it is too large.
    """
    data = source.read(MAX_BYTES + 1) if hasattr(source, "read") else source
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(
            "load_image takes a path, bytes or a file opened in binary mode, received"
            f" {type(source).__name__}; an RGB array is a picture already, and"
            " np.asarray(image.convert('RGB')) makes one of a PIL image."
        )
    return bytes(data)


def _read(path: Path, name: str) -> bytes:
    """The file's bytes, after a look at its size.

    One byte too many, at most, where the file grows meanwhile.
    """
    try:
        if not path.is_file():
            what = "is a folder or a device" if path.exists() else "does not exist"
            raise ImageError(
                f"{name}: expected a picture file, but this path {what}; check it and try again"
            )
        _check_bytes(path.stat().st_size, name)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(
            f"{name}: the file cannot be read ({error.strerror}); check path and rights"
        ) from error


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
        image: Image.Image = decoder(BytesIO(data))  # reads the header alone
        _check_pixels(image.size, kind, name)
        with _place(image.size):
            image.load()
            turn = _turn(image)
            image = _to_rgb(image)  # one name for every stage: a large picture must not live twice
            image = image if turn is None else image.transpose(turn)
            return np.array(image)
    except Image.DecompressionBombError as error:  # a frame or a tile far larger than its picture
        raise ImageError(
            f"{name}: this {kind} claims more than {MAX_PIXELS:,} pixels; export it again"
        ) from error
    except _DECODER_ERRORS as error:
        raise ImageError(
            f"{name}: damaged, cut short or without pixels (received {len(data):,} bytes of {kind};"
            f" {error}); copy it again from its source, or export it as JPEG or PNG"
        ) from error


def _decoder(data: bytes, kind: str, name: str) -> type[ImageFile.ImageFile]:
    if kind == "HEIC":
        return _heic_decoder(name)
    if kind not in _DECODERS:
        looks = f", which look like {kind}" if kind else ""
        raise ImageError(
            f"{name}: not an image (received {len(data):,} bytes{looks}); {ACCEPTED} are accepted; "
            "save it as JPEG or PNG first"
        )
    return _DECODERS[kind]


def _heic_decoder(name: str) -> type[ImageFile.ImageFile]:
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
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name}: too large (received a {kind} of {width:,} x {height:,} ="
            f" {width * height / 1e6:,.0f} million pixels, at most {MAX_PIXELS / 1e6:,.0f} million"
            " are accepted); save it smaller"
        )


def _place(size: tuple[int, int]) -> AbstractContextManager[object]:
    width, height = size
    return _one_large_picture if width * height > LARGE_PIXELS else nullcontext()


def _kind(data: bytes) -> str:
    """What the first bytes say the data is; empty where they say nothing."""
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12]} | {data[i : i + 4] for i in range(16, end, 4)}
        if brands & (_AVIF_BRANDS | _HEIC_BRANDS):
            return "AVIF" if brands & _AVIF_BRANDS else "HEIC"
    found = (kind for offset, magic, kind in _SIGNATURES if data.startswith(magic, offset))
    return next(found, "") or _text_kind(data)


def _text_kind(data: bytes) -> str:
    text = data[:500].decode("utf-8", "replace").lstrip("\ufeff").strip().lower()
    if text.startswith("<"):
        return "SVG" if "<svg" in text else "HTML or XML"
    words = "".join(text.split()).rstrip("\ufffd")  # the last letter may be cut
    return "text" if words and words.isprintable() and "\ufffd" not in words else ""


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to make the picture upright.

    Damaged EXIF costs the picture its orientation, not its pixels.
    """
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _DECODER_ERRORS:
        return None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_to_8_bit(np.asarray(image))).convert("RGB")
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    rgba = image.convert("RGBA")
    page = Image.new("RGB", image.size, "white")
    page.paste(rgba, mask=rgba)
    return page


def _to_8_bit(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey (h, w) of uint16, int32 or float32 to uint8.

    uint16 keeps the high byte, as Pillow does for 16-bit colour. The others do not say their range,
    so the smallest usual one that holds the brightest pixel counts: 1 for floats, 255, 65,535, else
    the brightest pixel itself.
    """
    if grey.dtype.itemsize == 2:
        return (grey.astype(np.uint16) >> 8).astype(np.uint8)
    values = grey.astype(np.float32)
    top = float(np.max(values, where=np.isfinite(values), initial=0.0))
    usual = (255.0, 65_535.0) if grey.dtype.kind == "i" else (1.0, 255.0, 65_535.0)
    full = next((limit for limit in usual if top <= limit), top)
    np.clip(np.nan_to_num(values, copy=False), 0.0, full, out=values)
    values *= 255.0 / full
    return np.rint(values, out=values).astype(np.uint8)
