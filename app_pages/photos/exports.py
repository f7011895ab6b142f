"""What a visitor downloads: a record of every face, and the annotated photos as a ZIP."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence

from app_pages.photos.session import Visit
from app_pages.shared.pictures import fit, jpeg
from fer import FERPipeline, annotate
from fer.records import Record, error_record, face_records

ZIP_SIDE = 2048
"""The longest side of a photo in the ZIP, in pixels."""

_RESERVED = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10)),
}
"""Names of devices, which no file can bear on Windows."""
_LONGEST_NAME = 80


def records_of(visit: Visit, pipeline: FERPipeline) -> list[Record]:
    """One record a face, and one for a photo without any."""
    version = pipeline.classifier.version
    detector = pipeline.detector.name
    records = []
    for identity, result in visit.results.items():
        name = visit.photos[identity].name
        if result.error:
            records.append(error_record(name, result.error, version, detector))
        else:
            records += face_records(name, result.predictions, version, detector)
    return records


def annotated_zip(visit: Visit) -> bytes:
    """The annotated photos as JPEG, each at most `ZIP_SIDE` pixels long."""
    readable = [
        (visit.photos[identity], result)
        for identity, result in list(visit.results.items())
        if not result.error
    ]
    names = safe_names([photo.name for photo, _ in readable])
    buffer = io.BytesIO()
    # a JPEG does not shrink further
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, (photo, result) in zip(names, readable, strict=True):
            picture = annotate(photo.load(), result.predictions)
            archive.writestr(name, jpeg(fit(picture, ZIP_SIDE)))
    return buffer.getvalue()


def safe_names(names: Sequence[str]) -> list[str]:
    """Distinct `.jpg` names that unpack into the current folder, on every system."""
    safe: dict[str, str] = {}  # by what a file system that ignores case would compare
    for name in names:
        stem = _safe_stem(name)
        candidate = stem
        number = 1
        while candidate.casefold() in safe:
            number += 1
            candidate = f"{stem} ({number})"
        safe[candidate.casefold()] = f"{candidate}.jpg"
    return list(safe.values())


def _safe_stem(name: str) -> str:
    file = name.replace("\\", "/").rpartition("/")[2]
    stem = file.rpartition(".")[0] or file
    harmless = re.sub(r"[^\w\- ()+,=@]", "_", stem).strip(" _")
    short = harmless[:_LONGEST_NAME].rstrip() or "photo"
    return f"_{short}" if short.upper() in _RESERVED else short
