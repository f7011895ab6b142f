"""The photos of one session and what was found in them, within limits that keep the memory bounded.

A photo is kept as the bytes that were uploaded; decoded pictures live only while one is looked at.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer import FERPipeline, ImageError, ModelVersion, Prediction, annotate, load_image
from fer.images import ACCEPTED_SUFFIXES, MAX_BYTES
from fer.preprocessing import CropGeometry, crop_faces
from fer.records import Record, error_record, face_records

MAX_PHOTOS = 300
MAX_TOTAL = 500_000_000
"""Bytes of all photos of a session together."""

ALREADY_HERE = "already here"
TRAY_FULL = "no room left for you"
APP_FULL = "no room left in the app"

ZIP_SIDE = 2048
_VIEW_SIDE, _THUMBNAIL_SIDE, _PORTRAIT_SIDE, _SEEN_SCALE = 1400, 80, 192, 4
_SMALL_SIDE = 640  # a photo with shorter sides is enlarged to it before captions are drawn
_RESERVED = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10)),
}


@dataclass
class Photo:
    """The bytes of one file and the name it came with; `id` tells it from every other."""

    name: str
    data: bytes = field(repr=False)
    id: str = field(init=False)
    _problem: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.id = f"{hashlib.blake2b(self.data, digest_size=16).hexdigest()} {self.name}"

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


class LeftOut(NamedTuple):
    """A file that is not among the photos, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Receipt:
    """What became of the files that came last."""

    added: int
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Outcome:
    """The predictions for one photo with a small picture of it as a data URL.

    Or why there can be none.
    """

    predictions: tuple[Prediction, ...] = ()
    thumbnail: str = ""
    error: str = ""


@dataclass(frozen=True)
class View:
    """A photo as the page shows it.

    Annotated JPEG, its width and height, and two pictures of each face.
    """

    picture: bytes
    size: tuple[int, int]
    portraits: list[NDArray[np.uint8]]
    seen: list[NDArray[np.uint8]]


@dataclass(eq=False)
class Tray:
    """The photos of a session by id, and their outcomes under one version and detector."""

    photos: dict[str, Photo] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    receipt: Receipt | None = None
    _origin: tuple[ModelVersion, str] | None = None
    _view: tuple[str, View] | None = None

    @property
    def size(self) -> int:
        """Bytes of all photos; may be asked for while another thread changes them."""
        return sum(len(photo.data) for photo in list(self.photos.values()))

    def add(
        self,
        photos: Iterable[Photo],
        *,
        room: int = MAX_TOTAL,
        left_out: Iterable[LeftOut] = (),
    ) -> None:
        """Take photos as far as there is room in bytes; files `left_out` join those not taken."""
        added = 0
        not_taken = list(left_out)
        for photo in photos:
            if reason := self._why_not(photo, room):
                not_taken.append(LeftOut(photo.name, reason))
            else:
                self.photos[photo.id] = photo
                room -= len(photo.data)
                added += 1
        self.receipt = Receipt(added, tuple(not_taken))

    def remove(self, identity: str) -> None:
        """Forget a photo and its outcome."""
        self.photos.pop(identity, None)
        self.outcomes.pop(identity, None)
        self._view = None
        self.receipt = None

    def clear(self) -> None:
        """Forget every photo and every outcome."""
        self.photos.clear()
        self.outcomes.clear()
        self._view = None
        self.receipt = None

    def classify(self, pipeline: FERPipeline) -> Iterator[int]:
        """Fill in the outcomes that are missing, yielding how many there are before each."""
        origin = (pipeline.classifier.version, pipeline.detector.name)
        if origin != self._origin:
            self._origin, self.outcomes, self._view = origin, {}, None
        for identity, photo in self.photos.items():
            if identity not in self.outcomes:
                yield len(self.outcomes)
                self.outcomes[identity] = _classify(photo, pipeline)

    def faces(self) -> Iterator[Prediction]:
        """Every face of every photo."""
        return (
            prediction for outcome in self.outcomes.values() for prediction in outcome.predictions
        )

    def failed(self) -> list[tuple[Photo, str]]:
        """The photos that could not be used, with the reason."""
        return [
            (self.photos[i], outcome.error) for i, outcome in self.outcomes.items() if outcome.error
        ]

    def records(self, pipeline: FERPipeline) -> list[Record]:
        """What the downloads hold: one record a face, and one for a photo without any."""
        version, detector = pipeline.classifier.version, pipeline.detector.name
        records = []
        for identity, outcome in self.outcomes.items():
            name = self.photos[identity].name
            if outcome.error:
                records.append(error_record(name, outcome.error, version, detector))
            else:
                records += face_records(name, outcome.predictions, version, detector)
        return records

    def view(self, identity: str, pipeline: FERPipeline) -> View:
        """A photo decoded and drawn on; the last one is kept."""
        if self._view is None or self._view[0] != identity:
            geometry = pipeline.classifier.version.geometry(pipeline.detector.name)
            self._view = (
                identity,
                _look(self.photos[identity], self.outcomes[identity].predictions, geometry),
            )
        return self._view[1]

    def annotated_zip(self) -> bytes:
        """A ZIP of the annotated photos as JPEG, each at most `ZIP_SIDE` pixels long."""
        readable = [
            (self.photos[i], outcome)
            for i, outcome in list(self.outcomes.items())
            if not outcome.error
        ]
        names = safe_names([photo.name for photo, _ in readable])
        buffer = io.BytesIO()
        # a JPEG does not shrink further
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, (photo, outcome) in zip(names, readable, strict=True):
                drawn = annotate(photo.load(), outcome.predictions)
                archive.writestr(name, _jpeg(_fit(drawn, ZIP_SIDE)))
        return buffer.getvalue()

    def _why_not(self, photo: Photo, room: int) -> str:
        if photo.id in self.photos:
            return ALREADY_HERE
        if len(self.photos) >= MAX_PHOTOS or self.size + len(photo.data) > MAX_TOTAL:
            return TRAY_FULL
        return APP_FULL if len(photo.data) > room else ""


def unwanted(name: str, size: int) -> str:
    """Why a file of this name and number of bytes cannot be a photo, or "" where it may be one."""
    if not name.lower().endswith(ACCEPTED_SUFFIXES):
        return "not a picture"
    if size > MAX_BYTES:
        return f"{size / 1e6:.3g} MB, at most {MAX_BYTES / 1e6:.0f} MB"
    return ""


def safe_names(names: Sequence[str]) -> list[str]:
    """A distinct `.jpg` name for each of `names` that unpacks on every system.

    Into the current folder alone.
    """
    safe: dict[str, str] = {}  # by what a file system that ignores case would compare
    for name in names:
        file = name.replace("\\", "/").rpartition("/")[2]
        stem = (
            re.sub(r"[^\w\- ()+,=@]", "_", file.rpartition(".")[0] or file)
            .strip(" _")[:80]
            .rstrip()
            or "photo"
        )
        stem = f"_{stem}" if stem.upper() in _RESERVED else stem
        candidate, number = stem, 1
        while candidate.casefold() in safe:
            number += 1
            candidate = f"{stem} ({number})"
        safe[candidate.casefold()] = f"{candidate}.jpg"
    return list(safe.values())


def _classify(photo: Photo, pipeline: FERPipeline) -> Outcome:
    try:
        image = photo.load()
    except ImageError as error:
        return Outcome(error=str(error))
    thumbnail = base64.b64encode(_jpeg(_fit(image, _THUMBNAIL_SIDE), quality=75)).decode()
    return Outcome(tuple(pipeline(image)), f"data:image/jpeg;base64,{thumbnail}")


def _look(photo: Photo, predictions: Sequence[Prediction], geometry: CropGeometry) -> View:
    image = photo.load()
    picture = _fit(_annotated_large(image, predictions), _VIEW_SIDE)
    faces, side = [prediction.face for prediction in predictions], _PORTRAIT_SIDE
    # the network's frame, in colour
    portraits = list(crop_faces(image, faces, geometry, (side, side), grey=False))
    seen = [
        np.kron(prediction.crop, np.ones((_SEEN_SCALE, _SEEN_SCALE), np.uint8))
        for prediction in predictions
    ]
    return View(_jpeg(picture), (picture.shape[1], picture.shape[0]), portraits, seen)


def _annotated_large(
    image: NDArray[np.uint8], predictions: Sequence[Prediction]
) -> NDArray[np.uint8]:
    """The annotated photo, a small one enlarged.

    Captions in its own few pixels would be blurred and hide the face.
    """
    scale = _SMALL_SIDE / max(image.shape)
    if scale <= 1:
        return annotate(image, predictions)
    height, width = (round(length * scale) for length in image.shape[:2])
    boxes = [prediction.face.box.scaled(scale, scale) for prediction in predictions]
    enlarged = [
        replace(prediction, face=replace(prediction.face, box=box))
        for prediction, box in zip(predictions, boxes, strict=True)
    ]
    return annotate(_resize(image, (width, height)), enlarged)


def _fit(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture, shrunk if its longer side exceeds `side`."""
    scale = side / max(image.shape)
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    return image if scale >= 1 else _resize(image, (width, height))


def _resize(image: NDArray[Any], size: tuple[int, int]) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=method).astype(np.uint8, copy=False)


def _jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, quality)
    )
    return data.tobytes()
