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
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer import FERPipeline, ImageError, ModelVersion, Prediction, annotate, load_image
from fer.preprocessing import CropGeometry, crop_faces
from fer.records import Record, error_record, face_records

MAX_PHOTOS = 300
MAX_TOTAL = 500_000_000
"""Bytes of all photos of a session together."""

ZIP_SIDE = 2048
_VIEW_SIDE, _THUMBNAIL_SIDE, _PORTRAIT_SIDE, _SEEN_SCALE = 1400, 80, 192, 4
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}


@dataclass(frozen=True)
class Photo:
    """The bytes of one file and the name it came with; `id` tells it from every other."""

    name: str
    data: bytes = field(repr=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"{hashlib.blake2b(self.data, digest_size=16).hexdigest()} {self.name}")


@dataclass(frozen=True)
class Outcome:
    """The predictions for one photo with a small picture of it as a data URL, or why there can be none."""

    predictions: tuple[Prediction, ...] = ()
    thumbnail: str = ""
    error: str = ""


@dataclass(frozen=True)
class View:
    """A photo as the page shows it: annotated JPEG, its width and height, and two pictures of each face."""

    picture: bytes
    size: tuple[int, int]
    portraits: list[NDArray[np.uint8]]
    seen: list[NDArray[np.uint8]]


@dataclass
class Tray:
    """The photos of a session by id, and their outcomes under one version and detector."""

    photos: dict[str, Photo] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    _origin: tuple[ModelVersion, str] | None = None
    _view: tuple[str, View] | None = None

    def add(self, photos: Iterable[Photo]) -> None:
        """Take photos until the tray is full; the names of those left out are kept in `refused`."""
        self.refused = []
        total = sum(len(photo.data) for photo in self.photos.values())
        for photo in photos:
            if photo.id in self.photos:
                continue
            if len(self.photos) >= MAX_PHOTOS or total + len(photo.data) > MAX_TOTAL:
                self.refused.append(photo.name)
                continue
            self.photos[photo.id] = photo
            total += len(photo.data)

    def remove(self, identity: str) -> None:
        """Forget a photo and its outcome."""
        self.photos.pop(identity, None)
        self.outcomes.pop(identity, None)
        self._view = None

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
        return (prediction for outcome in self.outcomes.values() for prediction in outcome.predictions)

    def failed(self) -> list[tuple[Photo, str]]:
        """The photos that could not be used, with the reason."""
        return [(self.photos[i], outcome.error) for i, outcome in self.outcomes.items() if outcome.error]

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
            self._view = identity, _look(self.photos[identity], self.outcomes[identity].predictions, geometry)
        return self._view[1]

    def annotated_zip(self) -> bytes:
        """A ZIP of the annotated photos as JPEG, each at most `ZIP_SIDE` pixels long."""
        readable = [(self.photos[i], outcome) for i, outcome in list(self.outcomes.items()) if not outcome.error]
        names = safe_names([photo.name for photo, _ in readable])
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # a JPEG does not shrink further
            for name, (photo, outcome) in zip(names, readable, strict=True):
                drawn = annotate(load_image(photo.data, name=photo.name), outcome.predictions)
                archive.writestr(name, _jpeg(_fit(drawn, ZIP_SIDE)))
        return buffer.getvalue()


def safe_names(names: Sequence[str]) -> list[str]:
    """A distinct `.jpg` name for each of `names` that unpacks on every system, into the current folder alone."""
    safe: dict[str, str] = {}  # by what a file system that ignores case would compare
    for name in names:
        file = name.replace("\\", "/").rpartition("/")[2]
        stem = re.sub(r"[^\w\- ()+,=@]", "_", file.rpartition(".")[0] or file).strip(" _")[:80].rstrip() or "photo"
        stem = f"_{stem}" if stem.upper() in _RESERVED else stem
        candidate, number = stem, 1
        while candidate.casefold() in safe:
            number += 1
            candidate = f"{stem} ({number})"
        safe[candidate.casefold()] = f"{candidate}.jpg"
    return list(safe.values())


def _classify(photo: Photo, pipeline: FERPipeline) -> Outcome:
    try:
        image = load_image(photo.data, name=photo.name)
    except ImageError as error:
        return Outcome(error=str(error))
    thumbnail = base64.b64encode(_jpeg(_fit(image, _THUMBNAIL_SIDE), quality=75)).decode()
    return Outcome(tuple(pipeline(image)), f"data:image/jpeg;base64,{thumbnail}")


def _look(photo: Photo, predictions: Sequence[Prediction], geometry: CropGeometry) -> View:
    image = load_image(photo.data, name=photo.name)
    picture = _fit(annotate(image, predictions), _VIEW_SIDE)
    faces, side = [prediction.face for prediction in predictions], _PORTRAIT_SIDE
    portraits = list(crop_faces(image, faces, geometry, (side, side), grey=False))  # the network's frame, in colour
    seen = [np.kron(prediction.crop, np.ones((_SEEN_SCALE, _SEEN_SCALE), np.uint8)) for prediction in predictions]
    return View(_jpeg(picture), (picture.shape[1], picture.shape[0]), portraits, seen)


def _fit(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture, shrunk if its longer side exceeds `side`."""
    scale = side / max(image.shape)
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    return image if scale >= 1 else _resize(image, (width, height))


def _resize(image: NDArray[Any], size: tuple[int, int]) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=method).astype(np.uint8, copy=False)


def _jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, quality))
    return data.tobytes()
