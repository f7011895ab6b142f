"""One photo: what may be one, how it is drawn, and what is said where it fails."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from app_pages.photos.photo import Photo, PhotoResult, classify, unwanted
from app_pages.photos.session import Visit
from fer import EmotionClassifier, FERPipeline, ModelError, Prediction, load_detector, load_version
from fer.images import MAX_BYTES
from tests.support.pages import COLLINS, HOPPER, jpeg


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("a.jpg", 0, ""),
        ("A.JPEG", MAX_BYTES, ""),
        ("album/a.heic", 1, ""),
        ("a.jpg", 58_000_000, "58 MB, at most 50 MB"),
        ("a.jpg", MAX_BYTES + 100_000, "50.1 MB, at most 50 MB"),
        ("note.txt", 1, "not a picture"),
        ("jpg", 1, "not a picture"),
        ("", 1, "not a picture"),
        ("film.mp4", 180_000_000, "not a picture"),
    ],
)
def test_unwanted(name: str, size: int, reason: str) -> None:
    assert unwanted(name, size) == reason


@pytest.mark.parametrize(
    ("size", "shown"), [((48, 48), (640, 640)), ((100, 50), (320, 640)), ((700, 350), (350, 700))]
)
def test_a_small_photo_is_enlarged_before_it_is_annotated(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    buffer = io.BytesIO()
    Image.new("L", size[::-1], 128).save(buffer, "PNG")
    photo = Photo("small.png", buffer.getvalue())
    photos = Visit({photo.id: photo})
    pipeline = FERPipeline(load_detector("none"), EmotionClassifier(load_version()))
    assert list(photos.classify(pipeline)) == [0]
    assert photos.annotated(photo.id, pipeline).size == shown


def test_phone_photos_are_upright(pipeline: FERPipeline) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    turned = Image.open(COLLINS).crop((0, 0, 512, 400)).transpose(Image.Transpose.ROTATE_90)
    photos = Visit()
    photos.add([Photo("phone.jpg", jpeg(turned, exif=exif))])
    list(photos.classify(pipeline))
    (identity,) = photos.photos
    assert len(photos.results[identity].predictions) == 1
    assert photos.annotated(identity, pipeline).size == (640, 500)


def test_seen_is_the_models_input_enlarged(pipeline: FERPipeline) -> None:
    photos = Visit()
    photos.add([Photo("a.jpg", HOPPER.read_bytes())])
    list(photos.classify(pipeline))
    (identity,) = photos.photos
    annotated, (prediction,) = (
        photos.annotated(identity, pipeline),
        photos.results[identity].predictions,
    )
    assert np.array_equal(annotated.crops[0][::4, ::4], prediction.crop)
    assert annotated.portraits[0].shape == (192, 192, 3)


def test_a_version_that_fails_is_the_error_of_the_photo() -> None:
    def fails(_: object) -> list[Prediction]:
        raise ModelError("version v1: model.tflite cannot run a batch of 1 (no memory).")

    result = classify(Photo("a.jpg", COLLINS.read_bytes()), fails)
    assert result == PhotoResult(
        error="a.jpg: version v1: model.tflite cannot run a batch of 1 (no memory)."
    )
