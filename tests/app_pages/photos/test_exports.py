"""What a visitor downloads."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from app_pages.photos.exports import annotated_zip, records_of, safe_names
from app_pages.photos.photo import Photo
from app_pages.photos.session import Visit
from fer import FERPipeline, load_image
from fer.records import to_csv
from tests.support.pages import COLLINS, HOPPER, plain_grey


def test_downloads_hold_every_photo_once(pipeline: FERPipeline) -> None:
    photos = Visit()
    collins, hopper = COLLINS.read_bytes(), HOPPER.read_bytes()
    photos.add(
        [
            Photo("a.jpg", collins),
            Photo("=b.jpg", b"x"),
            Photo("x/a.png", hopper),
            Photo("w.jpg", plain_grey()),
        ]
    )
    list(photos.classify(pipeline))
    rows = list(
        csv.DictReader(
            io.StringIO(to_csv(records_of(photos, pipeline), pipeline.classifier.labels))
        )
    )
    assert [(row["file"], row["face"], bool(row["error"])) for row in rows] == [
        ("a.jpg", "1", False),
        ("'=b.jpg", "", True),
        ("x/a.png", "1", False),
        ("w.jpg", "", False),
    ]
    with zipfile.ZipFile(io.BytesIO(annotated_zip(photos))) as archive:
        assert archive.namelist() == ["a.jpg", "a (2).jpg", "w.jpg"]
        assert load_image(archive.read("a (2).jpg")).shape == load_image(hopper).shape


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["a.png", "a.jpg", "A.webp"], ["a.jpg", "a (2).jpg", "A (3).jpg"]),
        (["a (2).jpg", "a.jpg", "a.jpg"], ["a (2).jpg", "a.jpg", "a (3).jpg"]),
        (["../../etc/passwd", "..\\x.jpg", "/abs.jpg"], ["passwd.jpg", "x.jpg", "abs.jpg"]),
        (
            ["", ".", "..", ".jpg", "///"],
            ["photo.jpg", "photo (2).jpg", "photo (3).jpg", "jpg.jpg", "photo (4).jpg"],
        ),
        (
            ["CON.jpg", "nul", "a\0b\n.jpg", "é\u202egpj.exe"],
            ["_CON.jpg", "_nul.jpg", "a_b.jpg", "é_gpj.jpg"],
        ),
        (["x" * 300 + ".jpg"], ["x" * 80 + ".jpg"]),
    ],
)
def test_safe_names(names: list[str], expected: list[str]) -> None:
    assert safe_names(names) == expected
