"""Classify many photos side by side, and deliver their rows in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.annotate import annotate
from fer.cli.console import StandardOutput
from fer.cli.files import GrowingFile, name_of, write_whole
from fer.cli.formats import Form, printable
from fer.cli.interruption import Interruption
from fer.cli.photos import ANNOTATED, Photo
from fer.errors import FERError, ImageError, ModelError
from fer.images import load_image
from fer.pipeline import FERPipeline
from fer.records import Record, error_record, face_records
from fer.results import Prediction

_AHEAD = 2  # photos a thread, taken up before the oldest has its rows: what a kill can cost
_JPEG_SIDE = 65_500  # pixels; a longer picture has no JPEG


@dataclass
class Tally:
    """How many photos have their rows, how many faces they show, and how many have an error."""

    photos: int = 0
    faces: int = 0
    failed: int = 0

    def add(self, records: Sequence[Record]) -> None:
        """Count one photo by its records."""
        self.photos += 1
        self.faces += sum(bool(record["face"]) for record in records)
        self.failed += any(record["error"] for record in records)


@dataclass
class Results:
    """The rows of a batch on their way to standard output and to a file, where there is one."""

    form: Form
    output: StandardOutput
    file: GrowingFile | None
    tally: Tally
    errors: list[str] = field(default_factory=list)

    @property
    def wanted(self) -> bool:
        """Whether anybody takes further rows."""
        return self.file is not None or self.output.wanted

    def add(self, records: Sequence[Record]) -> None:
        """Deliver the rows of one photo. Raises FERError where they cannot be written."""
        text = self.form.lines(records)
        if self.file:
            self.file.append(text)
        self.tally.add(records)
        self.errors += {record["error"] for record in records if record["error"]}
        self.output.write(text)

    def summary(self, total: int) -> str:
        """What went wrong with photos, and how many of `total` have their rows where."""
        lines = [printable(error) for error in self.errors]
        lines.append(self._count(total))
        return "".join(f"{line}\n" for line in lines)

    def _count(self, total: int) -> str:
        done = self.tally.photos
        if done == total:
            return f"{total} photos, {self.tally.faces} faces, {self.tally.failed} failed"
        if self.file is None:
            return f"{done:,} of {total:,} photos were classified"
        how = "go on with --resume" if self.form.parse else "a table cannot be resumed"
        return f"{done:,} of {total:,} photos are in {name_of(self.file.part)}; {how}"


@dataclass(frozen=True)
class PhotoWork:
    """Classifies one photo; what is wrong with it, or with its copy, stands in its records."""

    pipeline: FERPipeline
    output: Path | None

    def __call__(self, photo: Photo) -> list[Record]:
        version = self.pipeline.classifier.version
        detector = self.pipeline.detector.name
        try:
            image = load_image(photo.path, name=photo.name)
            predictions = self._predict(photo, image)
        except (ImageError, ModelError) as error:
            return [error_record(photo.name, str(error), version, detector)]
        records = face_records(photo.name, predictions, version, detector)
        try:
            self._write_copy(photo, image, predictions)
        except FERError as error:
            return [{**record, "error": str(error)} for record in records]
        return records

    def _predict(self, photo: Photo, image: NDArray[np.uint8]) -> list[Prediction]:
        try:
            return self.pipeline(image)
        except ModelError as error:
            raise ModelError(f"{photo.name}: {error}") from error

    def _write_copy(
        self, photo: Photo, image: NDArray[np.uint8], predictions: Sequence[Prediction]
    ) -> None:
        if self.output is None:
            return
        if max(image.shape) > _JPEG_SIDE:
            raise ImageError(
                f"{photo.name}: longer than the {_JPEG_SIDE:,} pixels of a JPEG; shrink it, or use"
                " --no-images."
            )
        picture = cv2.cvtColor(annotate(image, predictions), cv2.COLOR_RGB2BGR)
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        folder = self.output / ANNOTATED
        write_whole(folder / photo.copy, jpeg, folder / f"{photo.number}.part")


def classify_all(
    photos: Iterable[Photo], work: PhotoWork, interruption: Interruption
) -> Iterator[list[Record]]:
    """The records of each photo, in the order of the photos, which run in one thread a core.

    After an interruption the photos that have begun still come, and no others.
    """
    threads = os.cpu_count() or 1
    waiting: deque[Future[list[Record]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for photo in photos:
            waiting.append(pool.submit(work, photo))
            if len(waiting) >= _AHEAD * threads:
                yield waiting.popleft().result()
            if interruption.noted:
                break
        if interruption.noted:
            _cancel(waiting)
        yield from (future.result() for future in waiting if not future.cancelled())
    finally:
        pool.shutdown(cancel_futures=True)


def _cancel(waiting: Sequence[Future[list[Record]]]) -> None:
    """Cancel from the end, so that what has begun is one piece."""
    for future in reversed(waiting):
        future.cancel()
