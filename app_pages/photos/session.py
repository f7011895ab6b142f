"""The photos of a visit and what was found in them, within limits that keep the memory bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from app_pages.photos.photo import AnnotatedPhoto, Photo, PhotoResult, annotated, classify
from fer import FERPipeline, ModelVersion, Prediction

MAX_PHOTOS = 300
MAX_TOTAL = 500_000_000
"""Bytes of all photos of a visit together."""

ALREADY_HERE = "already here"
VISIT_FULL = "no room left for you"
APP_FULL = "no room left in the app"


class LeftOut(NamedTuple):
    """A file that is not among the photos, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Receipt:
    """What became of the files that came last."""

    added: int
    left_out: tuple[LeftOut, ...]


@dataclass(eq=False)
class Visit:
    """The photos of one visitor by id, and their results under one version and detector."""

    photos: dict[str, Photo] = field(default_factory=dict)
    results: dict[str, PhotoResult] = field(default_factory=dict)
    receipt: Receipt | None = None
    _origin: tuple[ModelVersion, str] | None = None
    _annotated: tuple[str, AnnotatedPhoto] | None = None

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
        """Forget a photo and its result."""
        self.photos.pop(identity, None)
        self.results.pop(identity, None)
        self._annotated = None
        self.receipt = None

    def clear(self) -> None:
        """Forget every photo and every result."""
        self.photos.clear()
        self.results.clear()
        self._annotated = None
        self.receipt = None

    def classify(self, pipeline: FERPipeline) -> Iterator[int]:
        """Fill in the results that are missing, yielding how many there are before each."""
        origin = (pipeline.classifier.version, pipeline.detector.name)
        if origin != self._origin:
            self._origin = origin
            self.results = {}
            self._annotated = None
        for identity, photo in self.photos.items():
            if identity not in self.results:
                yield len(self.results)
                self.results[identity] = classify(photo, pipeline)

    def faces(self) -> Iterator[Prediction]:
        """Every face of every photo."""
        for result in self.results.values():
            yield from result.predictions

    def failed(self) -> list[tuple[Photo, str]]:
        """The photos that could not be used, with the reason."""
        return [
            (self.photos[identity], result.error)
            for identity, result in self.results.items()
            if result.error
        ]

    def annotated(self, identity: str, pipeline: FERPipeline) -> AnnotatedPhoto:
        """A photo decoded and drawn on; the last one is kept."""
        if self._annotated is None or self._annotated[0] != identity:
            geometry = pipeline.classifier.version.geometry(pipeline.detector.name)
            predictions = self.results[identity].predictions
            self._annotated = (identity, annotated(self.photos[identity], predictions, geometry))
        return self._annotated[1]

    def _why_not(self, photo: Photo, room: int) -> str:
        if photo.id in self.photos:
            return ALREADY_HERE
        if len(self.photos) >= MAX_PHOTOS or self.size + len(photo.data) > MAX_TOTAL:
            return VISIT_FULL
        return APP_FULL if len(photo.data) > room else ""
