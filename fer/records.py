"""Predictions as flat records, for CSV and JSON lines alike.

A photo gives one record a face, or a single one without a face; a stream gives one for every track
and frame.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fer.results import Prediction, Track, rounded
from fer.versions.folder import ModelVersion

Record = dict[str, Any]

_BOX = ("x1", "y1", "x2", "y2")
_CERTAINTY = ("uncertain", "doubts")
_ORIGIN = ("model", "sha256", "detector")
_FACE = ("face", "box", "confidence", "label", "score", *_CERTAINTY, "scores")


def face_records(
    file: str, predictions: Sequence[Prediction], version: ModelVersion, detector: str
) -> list[Record]:
    """One record a face, numbered from 1 in this order, or one with `face` None for no face."""
    faces: list[Record] = [
        {"face": number, **prediction.to_dict()}
        for number, prediction in enumerate(predictions, start=1)
    ]
    no_face = dict.fromkeys(_FACE)
    origin = origin_of(version, detector)
    return [{"file": file, **face, **origin, "error": None} for face in faces or [no_face]]


def track_record(track: Track, seconds: float, date: datetime | None = None) -> Record:
    """A track in one frame, `seconds` after the start; `date` is the wall clock, None for a file.

    `box`, `confidence` and `raw_scores` are as the frame gave them; `label`, `score` and `scores`
    are smoothed; `uncertain` and `doubts` are as the annotated frame shows them. Version and
    detector are left to `origin_of`, since a stream repeats them in every record.
    """
    prediction = track.prediction.to_dict()
    return {
        "time": date and date.astimezone(UTC).isoformat(timespec="milliseconds"),
        "seconds": round(seconds, 3),
        "track": track.number,
        "box": prediction["box"],
        "confidence": prediction["confidence"],
        "label": track.label,
        "score": round(track.score, 4),
        "uncertain": track.uncertain,
        "doubts": list(track.doubts),
        "scores": rounded(track.scores),
        "raw_label": prediction["label"],
        "raw_scores": prediction["scores"],
    }


def origin_of(version: ModelVersion, detector: str) -> Record:
    """What made a record."""
    return {"model": version.name, "sha256": version.sha256, "detector": detector}


def error_record(file: str, error: str, version: ModelVersion, detector: str) -> Record:
    """The record of a file that could not be used, with the same keys as any other."""
    return {**face_records(file, [], version, detector)[0], "error": error}


def to_json_lines(records: Iterable[Record]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def to_csv(records: Iterable[Record], labels: Sequence[str]) -> str:
    """The records of photos as a CSV table with a header; the scores become one column a label."""
    return "".join(csv_lines(records, photo_columns(labels)))


def photo_columns(labels: Sequence[str]) -> list[str]:
    """The columns of a CSV table of photos."""
    head = ["file", "face", *_BOX, "confidence", "label", "score", *_CERTAINTY]
    return [*head, *_named("score", labels), *_ORIGIN, "error"]


def track_columns(labels: Sequence[str]) -> list[str]:
    """The columns of a stream's CSV table: first the smoothed scores, then those of each frame."""
    smoothed, raw = _named("score", labels), _named("raw_score", labels)
    head = ["time", "seconds", "track", *_BOX, "confidence", "label", "score", *_CERTAINTY]
    return [*head, *smoothed, "raw_label", *raw, *_ORIGIN]


def csv_lines(
    records: Iterable[Record], columns: Sequence[str], *, header: bool = True
) -> Iterator[str]:
    """A line a record, after the header.

    The box becomes x1, y1, x2, y2, the scores become one column a label, and commas separate the
    doubts.
    """
    if header:
        yield _csv_line(columns)
    for record in records:
        yield _csv_line(_cells(record, columns))


def _cells(record: Record, columns: Sequence[str]) -> list[object]:
    """The cells of a record in the order of the columns, None where it has none."""
    cells = _flat(record)
    return [_harmless(cells.get(column)) for column in columns]


def _flat(record: Record) -> Record:
    return {
        **record,
        **dict(zip(_BOX, record["box"] or [], strict=False)),
        "doubts": ", ".join(record["doubts"] or []),
        **_score_cells("score", record["scores"]),
        **_score_cells("raw_score", record.get("raw_scores")),
    }


def _score_cells(prefix: str, scores: Mapping[str, float] | None) -> Record:
    return {f"{prefix}_{label}": score for label, score in (scores or {}).items()}


def _csv_line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _named(prefix: str, labels: Sequence[str]) -> list[str]:
    return [f"{prefix}_{label}" for label in labels]


def _harmless(cell: object) -> object:
    """A text that no spreadsheet runs as a formula, such as a file name, and that ends no row.

    A quote goes in front of a formula. A carriage return becomes a space, because the csv module
    would not quote it and it ends the row for a reader.
    """
    if not isinstance(cell, str):
        return cell
    cell = cell.replace("\r", " ")
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\n")) else cell
