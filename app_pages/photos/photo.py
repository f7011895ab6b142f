"""One photo of a visit, and what became of it.

A photo is kept as the bytes that were uploaded; decoded pictures live only while one is looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from app_pages.shared.pictures import fit, jpeg, jpeg_url, resize
from fer import FERPipeline, ImageError, ModelError, Prediction, annotate, load_image
from fer.images import ACCEPTED_SUFFIXES, MAX_BYTES
from fer.preprocessing import CropGeometry, crop_faces

_PICTURE_SIDE = 1400
_SMALL_SIDE = 640
"""A photo whose sides are shorter is enlarged to this before captions are drawn."""
_THUMBNAIL_SIDE = 80
_PORTRAIT_SIDE = 192
_CROP_SCALE = 4


@dataclass
class Photo:
    """The bytes of one file and the name it came with; `id` tells it from every other."""

    name: str
    data: bytes = field(repr=False)
    id: str = field(init=False)
    _problem: str = field(default="", init=False)

    def __post_init__(self) -> None:
        digest = hashlib.blake2b(self.data, digest_size=16).hexdigest()
        self.id = f"{digest} {self.name}"

    def load(self) -> NDArray[np.uint8]:
        """The decoded picture. A file that is none gives up its bytes and keeps the reason.

        Raises:
            ImageError: the bytes are no picture that can be read.
        """
        if self._problem:
            raise ImageError(self._problem)
        try:
            return load_image(self.data, name=self.name)
        except ImageError as error:
            self._problem = str(error)
            self.data = b""
            raise


@dataclass(frozen=True)
class PhotoResult:
    """The predictions for one photo and a thumbnail as a data URL, or why there are none."""

    predictions: tuple[Prediction, ...] = ()
    thumbnail: str = ""
    error: str = ""


@dataclass(frozen=True)
class AnnotatedPhoto:
    """A photo as the page shows it, with two pictures of each face.

    Attributes:
        picture: the annotated photo as JPEG.
        size: its width and height.
        portraits: each face cut from the photo, in colour.
        crops: each face as the network saw it, enlarged.
    """

    picture: bytes
    size: tuple[int, int]
    portraits: list[NDArray[np.uint8]]
    crops: list[NDArray[np.uint8]]


def unwanted(name: str, size: int) -> str:
    """Why a file of this name and number of bytes cannot be a photo, or "" where it may be one."""
    if not name.lower().endswith(ACCEPTED_SUFFIXES):
        return "not a picture"
    if size > MAX_BYTES:
        return f"{size / 1e6:.3g} MB, at most {MAX_BYTES / 1e6:.0f} MB"
    return ""


def classify(photo: Photo, pipeline: FERPipeline) -> PhotoResult:
    """What a pipeline finds in a photo; a photo or a version that fails makes a result too."""
    try:
        image = photo.load()
        predictions = tuple(pipeline(image))
    except ImageError as error:
        return PhotoResult(error=str(error))
    except ModelError as error:
        return PhotoResult(error=f"{photo.name}: {error}")
    thumbnail = jpeg_url(fit(image, _THUMBNAIL_SIDE), quality=75)
    return PhotoResult(predictions, thumbnail)


def annotated(
    photo: Photo, predictions: Sequence[Prediction], geometry: CropGeometry
) -> AnnotatedPhoto:
    """Decode a photo and draw on it what was found; faces are cut as for the network."""
    image = photo.load()
    picture = fit(_annotated_large(image, predictions), _PICTURE_SIDE)
    height, width = picture.shape[:2]
    faces = [prediction.face for prediction in predictions]
    sides = (_PORTRAIT_SIDE, _PORTRAIT_SIDE)
    portraits = list(crop_faces(image, faces, geometry, sides, grey=False))
    crops = [_enlarged(prediction.crop) for prediction in predictions]
    return AnnotatedPhoto(jpeg(picture), (width, height), portraits, crops)


def _annotated_large(
    image: NDArray[np.uint8], predictions: Sequence[Prediction]
) -> NDArray[np.uint8]:
    """The annotated photo, enlarged if it is small: captions would hide the face and be blurred."""
    scale = _SMALL_SIDE / max(image.shape)
    if scale <= 1:
        return annotate(image, predictions)
    height, width = (round(length * scale) for length in image.shape[:2])
    enlarged = [_scaled(prediction, scale) for prediction in predictions]
    return annotate(resize(image, width, height), enlarged)


def _scaled(prediction: Prediction, scale: float) -> Prediction:
    box = prediction.face.box.scaled(scale, scale)
    return replace(prediction, face=replace(prediction.face, box=box))


def _enlarged(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every pixel as a square of equal pixels."""
    square = np.ones((_CROP_SCALE, _CROP_SCALE), np.uint8)
    return np.kron(crop, square)
