"""What kind of file some bytes are, by how they begin."""

from __future__ import annotations

_SIGNATURES = (  # (offset, bytes, kind); pictures first, then what people take for one
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

# Pictures that share the container of MP4 tell themselves by a brand, of which a file has several.
_AVIF_BRANDS = {b"avif", b"avis"}
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIC_BRANDS = _HEVC_BRANDS | {b"mif1", b"msf1"}


def kind_of(data: bytes) -> str:
    """What the first bytes say the data is; empty where they say nothing."""
    brands = _brands(data)
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if brands & _HEIC_BRANDS:
        return "HEIC"
    for offset, signature, kind in _SIGNATURES:
        if data.startswith(signature, offset):
            return kind
    return _kind_of_text(data)


def _brands(data: bytes) -> set[bytes]:
    """The major and the compatible brands of an ISO media file; none of other files."""
    if data[4:8] != b"ftyp":
        return set()
    major = data[8:12]
    return {major, *_compatible_brands(data)}


def _compatible_brands(data: bytes) -> list[bytes]:
    """What follows the major brand and its version, up to the end of the box."""
    return [data[start : start + 4] for start in range(16, _end_of_box(data), 4)]


def _end_of_box(data: bytes) -> int:
    length = int.from_bytes(data[:4], "big")
    return min(length, 256)


def _kind_of_text(data: bytes) -> str:
    text = data[:500].decode("utf-8", "replace").lstrip("\ufeff").strip().lower()
    if text.startswith("<"):
        return "SVG" if "<svg" in text else "HTML or XML"
    return "text" if _is_printable(text) else ""


def _is_printable(text: str) -> bool:
    words = "".join(text.split())
    words = words.rstrip("\ufffd")  # the last letter may be cut
    return bool(words) and words.isprintable() and "\ufffd" not in words
