"""Photos of the command line: find them in folders, classify one after another, write annotated copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.annotate import annotate
from fer.errors import FERError, ImageError
from fer.images import ACCEPTED_SUFFIXES, load_image
from fer.pipeline import FERPipeline
from fer.records import Record, error_record, face_records


@dataclass(frozen=True)
class PhotoWork:
    """Classify one photo; what is wrong with it becomes a record, and the batch goes on."""

    pipeline: FERPipeline
    output: Path | None

    def __call__(self, item: tuple[Path, Path]) -> list[Record]:
        path, annotated = item
        version, detector = self.pipeline.classifier.version, self.pipeline.detector.name
        try:
            image = load_image(path)
            predictions = self.pipeline(image)
            if self.output:
                save(self.output / "annotated" / annotated, _jpeg(annotate(image, predictions), path))
        except ImageError as error:
            return [error_record(str(path), str(error), version, detector)]
        return face_records(str(path), predictions, version, detector)


def find_photos(paths: Sequence[Path], output: Path | None) -> list[tuple[Path, Path]]:
    """Each photo of the files and folders, and the place of its annotated copy; copies of earlier runs are no photos.

    Equal names from several arguments are numbered. Raises ImageError if there is none.
    """
    seen: Counter[str] = Counter()
    earlier = output.resolve() / "annotated" if output else None
    photos = []
    for path, relative in _found(paths):
        if earlier not in path.resolve().parents:
            key = str(relative).casefold()
            seen[key] += 1
            number = f"-{seen[key]}" if seen[key] > 1 else ""
            photos.append((path, relative.with_name(f"{relative.name}{number}.jpg")))
    if not photos:
        accepted = ", ".join(sorted(ACCEPTED_SUFFIXES))
        raise ImageError(f"no photo in {', '.join(map(str, paths))}; a folder must hold {accepted} files.")
    return photos


def _found(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each photo with its path relative to the argument that named it; a named file is taken whatever its suffix."""
    for path in paths:
        if not path.is_dir():
            yield path, Path(path.name)
            continue
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in ACCEPTED_SUFFIXES and file.is_file():
                yield file, file.relative_to(path)


def save(path: Path, content: bytes) -> None:
    """Write a file and the folders above it. Raises FERError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise FERError(f"{path} cannot be written ({error.strerror}); choose another --output.") from error


def _jpeg(image: NDArray[np.uint8], path: Path) -> bytes:
    if max(image.shape) > 65_500:
        raise ImageError(f"{path}: longer than the 65,500 pixels of a JPEG; shrink it, or leave --output away.")
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
