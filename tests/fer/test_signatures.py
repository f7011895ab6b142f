"""Kinds of files by their first bytes."""

import pytest

from fer.signatures import kind_of

FTYP = b"\0\0\0\x18ftyp"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", ""),
        (b"\x89", ""),
        (bytes(100), ""),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"GIF90a", "text"),
        (b"BM....", "BMP"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "TIFF"),
        (b"MM\0+", "TIFF"),
        (b"II\0*", ""),
        (FTYP + b"heic\0\0\0\0mif1heic", "HEIC"),
        (FTYP + b"mif1\0\0\0\0mif1heic", "HEIC"),
        (FTYP + b"avif\0\0\0\0avifmif1", "AVIF"),
        (FTYP + b"mif1\0\0\0\0avifmif1", "AVIF"),
        (FTYP + b"mp42\0\0\0\0mp42heic", "HEIC"),
        (FTYP + b"mp42\0\0\0\0mp42isom", "MP4 or MOV video"),
        (FTYP + b"mp42\0\0\0\0mp42isomheic", "MP4 or MOV video"),  # beyond the box's end
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"\0\0\0\x0cJXL \r\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        (b"PK\x03\x04", "ZIP archive or Office document"),
        (b"<svg width='1'>", "SVG"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html>", "HTML or XML"),
        (b"a few words\n", "text"),
        ("\u00e9".encode() * 251, "text"),
        (("a" + "\u00e9" * 300).encode(), "text"),  # cut within a letter
        (b"\xff\xfewords", ""),
        (b" \n\t", ""),
    ],
)
def test_the_first_bytes_name_the_kind(data, kind):
    assert kind_of(data) == kind
