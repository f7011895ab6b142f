"""Formats, modes and orientations against their pixels, bad input against its message."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from fer import images
from fer.errors import ImageError
from fer.images import ACCEPTED, ACCEPTED_SUFFIXES, MAX_BYTES, MAX_PIXELS, load_image

pillow_heif = pytest.importorskip("pillow_heif")
pytestmark = pytest.mark.filterwarnings("error")

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)


def picture(height: int = 32, width: int = 48) -> NDArray[np.uint8]:
    """Smooth, so that lossy formats keep it, and different under every turn and flip."""
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return (
        np.stack([255 * across, 255 * down, 200 * (1 - across) * (1 - down)], axis=2)
        .round()
        .astype(np.uint8)
    )


def encode(image: Image.Image | NDArray[np.uint8], kind: str, **options: object) -> bytes:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(buffer, **options)
    else:
        image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes = b"", *, depth: int = 1) -> bytes:
    """A grey PNG from its parts, so that the header may claim anything."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


ENCODED = {
    "JPEG": encode(picture(), "JPEG", quality=95, subsampling=0),
    "progressive JPEG": encode(picture(), "JPEG", quality=95, subsampling=0, progressive=True),
    "PNG": encode(picture(), "PNG"),
    "WebP": encode(picture(), "WEBP", lossless=True),
    "lossy WebP": encode(picture(), "WEBP", quality=100),
    "BMP": encode(picture(), "BMP"),
    "TIFF": encode(picture(), "TIFF"),
    "LZW TIFF": encode(picture(), "TIFF", compression="tiff_lzw"),
    "GIF": encode(Image.fromarray(picture()).quantize(256, kmeans=2), "GIF"),
    "AVIF": encode(picture(), "AVIF", quality=100, subsampling="4:4:4"),
    "HEIC": encode(picture(), "HEIF", quality=95, chroma=444),
}
LOSSLESS = {"PNG", "WebP", "BMP", "TIFF", "LZW TIFF"}


@pytest.mark.parametrize("kind", ENCODED)
def test_every_format_gives_the_same_rgb(kind: str) -> None:
    loaded = load_image(ENCODED[kind])
    assert (loaded.dtype, loaded.shape) == (np.uint8, (32, 48, 3))
    assert (loaded.flags.c_contiguous, loaded.flags.writeable, loaded.base) == (True, True, None)
    assert np.abs(loaded.astype(int) - picture()).max() <= (0 if kind in LOSSLESS else 24)


def test_a_path_reads_as_its_bytes_and_its_ending_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(ENCODED["PNG"])
    assert np.array_equal(load_image(path), picture())


def test_every_kind_of_source_gives_the_same_picture(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(ENCODED["PNG"])
    data = path.read_bytes()
    with path.open("rb") as file:
        sources = [str(path), path, data, bytearray(data), memoryview(data), io.BytesIO(data), file]
        for source in sources:
            assert np.array_equal(load_image(source), picture()), type(source)


def test_a_path_in_words_is_what_errors_call_the_picture():
    with pytest.raises(
        ImageError, match=r"^nothing\.jpg: expected a picture file, but this path does not exist"
    ):
        load_image("nothing.jpg")


@pytest.mark.parametrize(
    "source", [None, 7, [b"a"], picture(), Image.new("L", (2, 2)), io.StringIO("text")]
)
def test_what_is_no_source_is_told(source):
    with pytest.raises(
        TypeError, match="load_image takes a path, bytes or a file opened in binary mode, received "
    ) as no:
        load_image(source)
    assert f"received {type(source).__name__}; " in str(no.value)


STORED = {  # how the EXIF specification stores an upright picture under each orientation
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](picture()))
    loaded = load_image(encode(stored, kind, exif=exif.tobytes(), quality=95))
    assert loaded.shape == (32, 48, 3)
    assert np.abs(loaded.astype(int) - picture()).mean() < 4


@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0II*\0\xff\xff\xff\xff"],
)
def test_damaged_exif_costs_no_pixels(exif: bytes) -> None:
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    jpeg = ENCODED["JPEG"]
    assert np.array_equal(load_image(jpeg[:2] + segment + jpeg[2:]), load_image(jpeg))


def test_exif_that_cannot_be_written_again_still_turns_the_picture() -> None:
    """The maker's name, which ought to be text, is a fraction; the picture is upside down."""
    maker = struct.pack("<HHII", 0x010F, 5, 1, 8 + 2 + 2 * 12 + 4)
    orientation = struct.pack("<HHII", 0x0112, 3, 1, 3)
    directory = struct.pack("<H", 2) + maker + orientation + struct.pack("<I", 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory + struct.pack("<II", 1, 2)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    jpeg = encode(picture()[::-1, ::-1], "JPEG", quality=95, subsampling=0)
    loaded = load_image(jpeg[:2] + segment + jpeg[2:])
    assert np.abs(loaded.astype(int) - picture()).max() <= 24


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_unknown_orientations_change_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(load_image(encode(picture(), "PNG", exif=exif.tobytes())), picture())


def palette(*, alpha: bool) -> Image.Image:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putdata([0, 1])
    return image.convert("PA") if alpha else image


def pixels(mode: str, *values: object) -> Image.Image:
    image = Image.new(mode, (len(values), 1))
    image.putdata(list(values))
    return image


MODES = [
    ("1 bit", pixels("1", 0, 255), "PNG", {}, [(0, 0, 0), WHITE]),
    ("grey", pixels("L", 0, 77), "PNG", {}, [(0,) * 3, (77,) * 3]),
    (
        "grey with a transparent value",
        pixels("L", 0, 77),
        "PNG",
        {"transparency": 77},
        [(0,) * 3, WHITE],
    ),
    (
        "grey and alpha",
        pixels("LA", (0, 255), (0, 0), (0, 51)),
        "PNG",
        {},
        [(0,) * 3, WHITE, (204,) * 3],
    ),
    (
        "RGBA",
        pixels("RGBA", (*RED, 255), (*RED, 0), (*RED, 51)),
        "PNG",
        {},
        [RED, WHITE, (255, 204, 204)],
    ),
    ("RGBA", pixels("RGBA", (*RED, 255), (*RED, 0)), "WEBP", {"lossless": True}, [RED, WHITE]),
    (
        "RGBA",
        pixels("RGBA", (*RED, 255), (*RED, 0), (*RED, 51)),
        "TIFF",
        {},
        [RED, WHITE, (255, 204, 204)],
    ),
    (
        "RGB with a transparent colour",
        pixels("RGB", RED, BLUE),
        "PNG",
        {"transparency": BLUE},
        [RED, WHITE],
    ),
    ("palette", palette(alpha=False), "PNG", {}, [RED, BLUE]),
    (
        "palette, one entry transparent",
        palette(alpha=False),
        "PNG",
        {"transparency": 1},
        [RED, WHITE],
    ),
    (
        "palette with alphas",
        palette(alpha=False),
        "PNG",
        {"transparency": b"\x33\xff"},
        [(255, 204, 204), BLUE],
    ),
    (
        "palette, one entry transparent",
        palette(alpha=False),
        "GIF",
        {"transparency": 1},
        [RED, WHITE],
    ),
    ("palette", palette(alpha=False), "BMP", {}, [RED, BLUE]),
    ("palette and alpha", palette(alpha=True), "TIFF", {}, [RED, BLUE]),
    (
        "16-bit grey",
        pixels("I;16", 0, 255, 256, 32768, 65535),
        "PNG",
        {},
        [(v,) * 3 for v in (0, 0, 1, 128, 255)],
    ),
    ("16-bit grey", pixels("I;16", 0, 32768, 65535), "TIFF", {}, [(v,) * 3 for v in (0, 128, 255)]),
    (
        "big-endian 16-bit grey",
        pixels("I;16B", 0, 32768, 65535),
        "TIFF",
        {},
        [(v,) * 3 for v in (0, 128, 255)],
    ),
    (
        "32-bit grey holding 8 bits",
        pixels("I", 0, 77, 255),
        "TIFF",
        {},
        [(v,) * 3 for v in (0, 77, 255)],
    ),
    (
        "32-bit grey holding 16",
        pixels("I", -5, 32768, 65535),
        "TIFF",
        {},
        [(v,) * 3 for v in (0, 128, 255)],
    ),
    (
        "32-bit grey",
        pixels("I", 0, 10**9, 2 * 10**9),
        "TIFF",
        {},
        [(v,) * 3 for v in (0, 128, 255)],
    ),
    ("float 0..1", pixels("F", -1.0, 0.5, 1.0), "TIFF", {}, [(v,) * 3 for v in (0, 128, 255)]),
    ("float 0..255", pixels("F", 0.0, 77.0, 200.0), "TIFF", {}, [(v,) * 3 for v in (0, 77, 200)]),
    (
        "float 0..65535",
        pixels("F", 0.0, 32896.0, 65535.0),
        "TIFF",
        {},
        [(v,) * 3 for v in (0, 128, 255)],
    ),
    (
        "not numbers",
        pixels("F", float("nan"), float("inf"), 1.0),
        "TIFF",
        {},
        [(v,) * 3 for v in (0, 255, 255)],
    ),
    ("CMYK", pixels("CMYK", (0, 255, 255, 0), (255, 255, 0, 0)), "TIFF", {}, [RED, BLUE]),
]


@pytest.mark.parametrize(
    ("title", "image", "kind", "options", "expected"),
    MODES,
    ids=[f"{row[0]} {row[2]}" for row in MODES],
)
def test_every_mode_becomes_rgb(
    title: str,
    image: Image.Image,
    kind: str,
    options: dict[str, object],
    expected: list[tuple[int, int, int]],
) -> None:
    assert load_image(encode(image, kind, **options)).tolist() == [
        [list(pixel) for pixel in expected]
    ], title


def lab(color: tuple[int, int, int]) -> Image.Image:
    srgb, lab_profile = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(srgb, lab_profile, "RGB", "LAB")
    return ImageCms.applyTransform(Image.new("RGB", (16, 16), color), transform)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        # Pillow writes it inverted, as Adobe does
        (Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"),
        (Image.new("RGB", (16, 16), RED).convert("YCbCr"), "JPEG"),
        (Image.new("RGB", (16, 16), RED).convert("YCbCr"), "TIFF"),
        (lab(RED), "TIFF"),
    ],
    ids=["Adobe CMYK", "YCbCr JPEG", "YCbCr TIFF", "LAB"],
)
def test_colour_spaces_keep_red_red(image: Image.Image, kind: str) -> None:
    assert np.abs(load_image(encode(image, kind)).astype(int) - RED).max() <= 6


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)
    loaded = load_image(encode(first, kind, save_all=True, append_images=[second]))
    assert np.abs(loaded.astype(int) - RED).max() <= 4


ZIP = b"PK\x03\x04" + bytes(40)
REFUSED = [
    ("a.jpg", b"", r"^a\.jpg: the file is empty \(received 0 bytes\)"),
    (
        "a.pdf",
        b"%PDF-1.7 ...",
        r"^a\.pdf: not an image \(received 12 bytes, which look like PDF\); JPEG, PNG",
    ),
    ("a.txt", b"hello, I am a text", "look like text"),
    ("a.txt", "été à Nîmes, ".encode() * 40, "look like text"),
    ("a.bin", b"\xff" * 9, r"not an image \(received 9 bytes\)"),
    ("a.png", b"\xef\xbb\xbf<!DOCTYPE html><html>404", "look like HTML or XML"),
    ("a.svg", b'<?xml version="1.0"?><svg width="1">', "look like SVG"),
    ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0", "look like PostScript"),
    ("a.docx", ZIP, "look like ZIP archive or Office document"),
    ("a.zip", ZIP + encode(picture(), "JPEG"), "look like ZIP"),
    ("a.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "look like MP4 or MOV video"),
    ("a.psd", b"8BPS\0\x01", "look like Photoshop"),
    ("a.jp2", encode(picture(), "JPEG2000"), "look like JPEG 2000"),
    ("a.tga", encode(picture(), "TGA"), r"not an image \(received [\d,]+ bytes\)"),
    ("a.bin", bytes(100), r"not an image \(received 100 bytes\)"),
    ("a.bin", b"\x89", r"not an image \(received 1 bytes\)"),
    ("a.png", png(0, 5), "damaged, cut short or without pixels .* bytes of PNG"),
    ("a.gif", b"GIF89a" + bytes(7) + b";", "bytes of GIF"),
    ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "bytes of HEIC"),
    ("a.avif", b"\0\0\0\x18ftypmif1\0\0\0\0avifmif1", "bytes of AVIF"),
    (
        "a.png",
        png(30_000, 30_000),
        r"too large \(received a PNG of 30,000 x 30,000 = 900 million pixels, at most 67",
    ),
    ("a.png", png(2**31 - 1, 2**31 - 1), "too large"),
    (
        "a.jpg",
        b"\xff\xd8\xff" + bytes(MAX_BYTES),
        r"too large \(received 50\.0 MB, at most 50 MB are accepted\); save",
    ),
]


@pytest.mark.parametrize(
    ("name", "data", "message"), REFUSED, ids=[f"{r[0]} {r[2][-18:]}" for r in REFUSED]
)
def test_a_refusal_says_what_came_and_what_is_accepted(
    name: str, data: bytes, message: str
) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        load_image(data, name=name)
    assert str(caught.value).startswith(f"{name}: ")


def test_without_a_name_the_message_still_reads() -> None:
    with pytest.raises(ImageError, match=r"^the picture: not an image"):
        load_image(b"?")


@pytest.mark.parametrize("tail", [b"%PDF-1.7", ZIP, b"<script>alert(1)</script>"])
def test_what_follows_a_picture_is_ignored(tail: bytes) -> None:
    assert np.array_equal(load_image(ENCODED["PNG"] + tail), picture())


def test_the_limit_on_pixels_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 32 * 48)
    assert load_image(ENCODED["PNG"]).shape == (32, 48, 3)
    monkeypatch.setattr(images, "MAX_PIXELS", 32 * 48 - 1)
    with pytest.raises(ImageError, match="too large"):
        load_image(ENCODED["PNG"])


def test_the_limit_admits_todays_phones() -> None:
    # 48 and 64 megapixels, Pillow's own limit
    assert 8064 * 6048 < 9280 * 6944 < MAX_PIXELS < Image.MAX_IMAGE_PIXELS


def gif_with_frame(side: int) -> bytes:
    data = bytearray(encode(palette(alpha=False), "GIF"))
    frame = data.index(b",")
    data[frame + 5 : frame + 9] = struct.pack("<HH", side, side)
    return bytes(data)


# below, between and above Pillow's warning and error
@pytest.mark.parametrize("side", [9_000, 12_000, 65_535])
def test_a_frame_larger_than_its_picture_is_too_large(side: int) -> None:
    with pytest.raises(ImageError, match="pixels"):
        load_image(gif_with_frame(side))


def test_too_many_pixels_are_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="too large"):
        load_image(png(10_000, 10_000))


MEASURE = """
import sys
from pathlib import Path
from fer.errors import ImageError
from fer.images import load_image

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024

def attempt(path):
    try:
        load_image(Path(path))
    except ImageError:
        pass

attempt(sys.argv[1])
before = peak()
attempt(sys.argv[2])
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_picture_of_900_million_pixels_costs_no_memory(tmp_path: Path) -> None:
    small, huge = tmp_path / "small.png", tmp_path / "huge.png"
    small.write_bytes(png(8, 8, bytes(16)))
    # whole and valid, 110 MB when inflated
    huge.write_bytes(png(30_000, 30_000, bytes(3_751 * 30_000)))
    command = [sys.executable, "-c", MEASURE, str(small), str(huge)]
    grown = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    ).stdout
    assert float(grown) < 8  # MB


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "does not exist"),
        (lambda path: path.mkdir(), "is a folder or a device"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.symlink_to("nowhere"), "does not exist"),
        (lambda path: path.symlink_to("/dev/zero"), "is a folder or a device"),
        (lambda path: path.symlink_to(path), "cannot be read|does not exist"),
    ],
)
def test_paths_that_hold_no_picture(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "photo.jpg"
    make(path)  # type: ignore[operator]
    with pytest.raises(ImageError, match=message) as caught:
        load_image(path)
    assert "photo.jpg" in str(caught.value)


@pytest.mark.parametrize("name", ["x" * 5000, "null\0byte"])
def test_impossible_paths(name: str) -> None:
    with pytest.raises(ImageError, match=r"cannot be read|does not exist"):
        load_image(Path(name))


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "photo.jpg"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(
        ImageError, match=r"photo\.jpg: the file cannot be read \(Permission denied\); check"
    ):
        load_image(path)


def test_a_large_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sparse.jpg"
    with path.open("wb") as file:
        file.truncate(10 * MAX_BYTES)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("read"))
    with pytest.raises(ImageError, match=r"too large \(received 500\.0 MB, at most 50 MB"):
        load_image(path)


def test_heic_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(
        ImageError, match=r"photo\.heic: .*pip install pillow-heif.*export the photo as JPEG"
    ):
        load_image(ENCODED["HEIC"], name="photo.heic")


@pytest.mark.parametrize("kind", ENCODED)
def test_a_truncated_file_is_refused_unless_every_pixel_arrived(kind: str) -> None:
    whole = load_image(ENCODED[kind])
    lengths = np.linspace(1, len(ENCODED[kind]) - 1, 25).astype(int)
    for length in lengths:  # a PNG's last 24 bytes are checksums and its end mark
        complete = survives(ENCODED[kind][:length], whole)
        assert not complete or length >= len(ENCODED[kind]) - 24, (
            f"{length} of {len(ENCODED[kind])} bytes"
        )


def survives(data: bytes, whole: NDArray[np.uint8]) -> bool:
    try:
        loaded = load_image(data)
    except ImageError:
        return False
    assert np.array_equal(loaded, whole)
    return True


@pytest.mark.parametrize("kind", ENCODED)
def test_flipped_bits_never_raise_anything_else(kind: str) -> None:
    rng = np.random.default_rng(20)
    for _ in range(40):
        data = np.frombuffer(ENCODED[kind], np.uint8).copy()
        where = rng.integers(
            0, min(len(data), int(rng.choice([40, 200, len(data)]))), size=rng.integers(1, 6)
        )
        data[where] ^= (1 << rng.integers(0, 8, size=len(where))).astype(np.uint8)
        check_outcome(data.tobytes())


@pytest.mark.parametrize(
    "start", [ENCODED[kind][:length] for kind in ENCODED for length in (12, 32)] + [b"", b"II*\0"]
)
def test_noise_behind_a_signature_never_raises_anything_else(start: bytes) -> None:
    rng = np.random.default_rng(21)
    for length in (0, 1, 7, 60, 500):
        check_outcome(start + rng.integers(0, 256, length, dtype=np.uint8).tobytes())


def check_outcome(data: bytes) -> None:
    """Either a picture or an ImageError; anything else fails the test."""
    try:
        loaded = load_image(data)
    except ImageError:
        return
    assert (loaded.dtype, loaded.ndim, loaded.shape[2]) == (np.uint8, 3, 3)


def test_suffixes_and_sentence_name_the_same_formats() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in ACCEPTED_SUFFIXES)
    for word in ACCEPTED.replace(" and ", ", ").split(", "):
        assert f".{word.lower()}" in ACCEPTED_SUFFIXES


def test_large_pictures_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "LARGE_PIXELS", 32 * 48)
    large, small = encode(picture(33, 48), "PNG"), encode(picture(), "PNG")
    with ThreadPoolExecutor() as pool:
        with images._one_large_picture:  # as if another one were being decoded
            waiting = pool.submit(load_image, large)
            assert pool.submit(load_image, small).result(5).shape == (32, 48, 3)
            assert not waiting.done()
        assert waiting.result(5).shape == (33, 48, 3)
        with pytest.raises(ImageError):
            load_image(large[:-30])
        # the broken one gave its turn back
        assert pool.submit(load_image, large).result(5).shape == (33, 48, 3)
