"""Predictions as flat records, for CSV and JSON lines alike.

A photo gives one record a face, or a single one without a face; a stream gives one for every track
and frame.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from fer.results import Prediction
from fer.streams.tracking import Track
from fer.versions.folder import ModelVersion

Record = dict[str, Any]


def face_records(
    file: str, predictions: Sequence[Prediction], version: ModelVersion, detector: str
) -> list[Record]:
    """One record a face, numbered from 1 in the order of `predictions`.

    One with `face` None where there is none.
    """
    faces: list[Record] = [
        {"file": file, "face": number, **prediction.to_dict()}
        for number, prediction in enumerate(predictions, start=1)
    ]
    nothing = dict.fromkeys(
        ("face", "box", "confidence", "label", "score", "uncertain", "doubts", "scores")
    )
    origin = origin_of(version, detector)
    return [{**record, **origin, "error": None} for record in faces or [{"file": file, **nothing}]]


def track_record(track: Track, seconds: float, date: datetime | None = None) -> Record:
    """A track in one frame, `seconds` after the start; `date` is the wall clock, None for a file.

    `box`, `confidence` and `raw_scores` are as the frame gave them, `label`, `score` and `scores`
    are smoothed. Version and detector are left to `origin_of`, since a stream repeats them in every
    record.
    """
    prediction = track.prediction.to_dict()
    doubts = track.prediction.doubts_at(track.score)
    return {
        "time": date and date.astimezone(UTC).isoformat(timespec="milliseconds"),
        "seconds": round(seconds, 3),
        "track": track.number,
        "box": prediction["box"],
        "confidence": prediction["confidence"],
        "label": track.label,
        "score": round(track.score, 4),
        "uncertain": bool(doubts),
        "doubts": list(doubts),
        "scores": {label: round(score, 4) for label, score in track.scores.items()},
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
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(columns)
        yield text.getvalue()
    for record in records:
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
        box = dict(zip(_BOX, record["box"] or [], strict=False))
        scores = {f"score_{label}": score for label, score in (record["scores"] or {}).items()}
        raw = {f"raw_score_{label}": score for label, score in record.get("raw_scores", {}).items()}
        doubts = {"doubts": ", ".join(record["doubts"] or [])}
        row = {**record, **box, **doubts, **scores, **raw}
        writer.writerow(
            {key: _harmless(cell) if isinstance(cell, str) else cell for key, cell in row.items()}
        )
        yield text.getvalue()


_BOX = ("x1", "y1", "x2", "y2")
_CERTAINTY = ("uncertain", "doubts")
_ORIGIN = ("model", "sha256", "detector")


def _named(prefix: str, labels: Sequence[str]) -> list[str]:
    return [f"{prefix}_{label}" for label in labels]


def _harmless(cell: str) -> str:
    """A text that a spreadsheet would run as a formula gets a quote in front: a file name, or an error with one.

    A carriage return becomes a space, because the csv module would not quote it and it ends the row
    for a reader.
    """
    cell = cell.replace("\r", " ")
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\n")) else cell
