"""Many photos: find them in folders, classify them side by side.

Go on where a stopped run ended.
"""

from __future__ import annotations

import csv
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.annotate import annotate
from fer.cli.console import StandardOutput
from fer.cli.files import GrowingFile, name_of, write_whole
from fer.cli.formats import Form, printable
from fer.cli.interruption import Interruption
from fer.errors import FERError, ImageError
from fer.images import ACCEPTED_SUFFIXES, load_image
from fer.pipeline import FERPipeline
from fer.records import Record, error_record, face_records

_AHEAD = 2  # photos a thread, taken up before the oldest has its rows: what a kill can cost
_FIRST = (1, "1", None, "")  # the number of the face in a photo's first record, in JSON and in CSV


class Photo(NamedTuple):
    """A photo of a batch: its place in the batch, its file, and where its annotated copy goes."""

    number: int
    path: Path
    copy: Path

    @property
    def name(self) -> str:
        """What records call it."""
        return name_of(self.path)


@dataclass
class Tally:
    """How many photos have their rows, how many faces were found.

    And how many photos have an error.
    """

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
    """The rows of a batch on their way to standard output and, where there is one.

    Into a file that grows.
    """

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
        tally = self.tally
        if tally.photos == total:
            lines.append(f"{total} photos, {tally.faces} faces, {tally.failed} failed")
        elif self.file is None:
            lines.append(f"{tally.photos:,} of {total:,} photos were classified")
        else:
            how = "go on with --resume" if self.form.parse else "a table cannot be resumed"
            lines.append(
                f"{tally.photos:,} of {total:,} photos are in {name_of(self.file.part)}; {how}"
            )
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class PhotoWork:
    """Classify one photo; what is wrong with it, or with its annotated copy.

    Stands in its records.
    """

    pipeline: FERPipeline
    output: Path | None

    def __call__(self, photo: Photo) -> list[Record]:
        version, detector = self.pipeline.classifier.version, self.pipeline.detector.name
        try:
            image = load_image(photo.path, name=photo.name)
        except ImageError as error:
            return [error_record(photo.name, str(error), version, detector)]
        predictions = self.pipeline(image)
        records = face_records(photo.name, predictions, version, detector)
        if self.output:
            try:
                self._write_copy(photo, annotate(image, predictions), self.output / "annotated")
            except FERError as error:
                return [{**record, "error": str(error)} for record in records]
        return records

    def _write_copy(self, photo: Photo, picture: NDArray[np.uint8], folder: Path) -> None:
        if max(picture.shape) > 65_500:
            raise ImageError(
                f"{photo.name}: longer than the 65,500 pixels of a JPEG; shrink it, or use"
                " --no-images."
            )
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
        write_whole(folder / photo.copy, jpeg, folder / f"{photo.number}.part")


def classified(
    photos: Iterable[Photo], work: PhotoWork, interruption: Interruption
) -> Iterator[list[Record]]:
    """The records of each photo in the order of the photos, which run side by side in one thread a core.

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
            for future in reversed(waiting):  # from the end, so that what has begun is one piece
                future.cancel()
        yield from (future.result() for future in waiting if not future.cancelled())
    finally:
        pool.shutdown(cancel_futures=True)


def find_photos(paths: Sequence[Path], output: Path | None) -> list[Photo]:
    """The photos of the files and folders; annotated copies of earlier runs are none.

    Equal names from several arguments are numbered. Raises ImageError if there is none.
    """
    seen: Counter[str] = Counter()
    earlier = output.resolve() / "annotated" if output else None
    photos: list[Photo] = []
    for path, relative in _found(paths):
        if earlier not in path.resolve().parents:
            key = str(relative).casefold()
            seen[key] += 1
            number = f"-{seen[key]}" if seen[key] > 1 else ""
            photos.append(
                Photo(len(photos), path, relative.with_name(f"{relative.name}{number}.jpg"))
            )
    if not photos:
        accepted = ", ".join(sorted(ACCEPTED_SUFFIXES))
        raise ImageError(
            f"no photo in {', '.join(map(name_of, paths))}; a folder must hold {accepted} files."
        )
    return photos


def read_part(
    part: Path, form: Form, photos: Sequence[Photo], pipeline: FERPipeline
) -> tuple[str, Tally]:
    """What stays of the results of a stopped run, and how much that is.

    The last photo is left out, since its rows may be cut. Raises FERError where the results are not
    the beginning of what this run would write: of the same photos by the same version and detector,
    in the same form.
    """
    if form.parse is None:
        raise FERError(
            "a table cannot be read back exactly; --resume needs --format json or --format csv."
        )
    if not part.exists():
        return "", Tally()
    done: list[list[Record]] = []
    starts: list[int] = []
    end = form.header.count("\n")
    try:
        content = part.read_bytes()
        lines = _lines(content[: content.rfind(b"\n") + 1].decode("utf-8"))
        for record, next_end in form.parse(lines):
            if record["face"] in _FIRST:
                done.append([])
                starts.append(end)
            done[-1].append(record)
            end = next_end
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise FERError(
            f"{name_of(part)} cannot be read back ({error}); remove it to start anew."
        ) from error
    if not done:
        return "", Tally()
    done.pop()
    origin = pipeline.classifier.version, pipeline.detector.name
    same = form.header + form.lines(
        error_record(photo.name, "", *origin) for photo in photos[: len(done)]
    )
    if [_identity(records[0]) for records in done] != [
        _identity(record) for record, _ in form.parse(_lines(same))
    ]:
        raise FERError(
            f"{name_of(part)} holds results of other photos, another version or another detector; "
            "give the same options as before, or remove it to start anew."
        )
    tally = Tally()
    for records in done:
        tally.add(records)
    return "".join(lines[: starts[-1]]), tally


def _lines(text: str) -> list[str]:
    return [f"{line}\n" for line in text.split("\n")[:-1]]


def _identity(record: Record) -> list[str]:
    """What must agree where a run goes on."""
    return [record[key] for key in ("file", "model", "sha256", "detector")]


def _found(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each photo with its path relative to the argument that named it.

    A named file is taken whatever its suffix.
    """
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir, it says no to a name that is too long
            yield path, Path(path.name)
            continue
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in ACCEPTED_SUFFIXES and file.is_file():
                yield file, file.relative_to(path)
