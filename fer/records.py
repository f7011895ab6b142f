"""Predictions as flat records, for CSV and JSON lines alike: one a face, and one for a picture without a face."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from fer.artifact import ModelVersion
from fer.results import Prediction

Record = dict[str, Any]


def face_records(file: str, predictions: Sequence[Prediction], version: ModelVersion, detector: str) -> list[Record]:
    """One record a face, numbered from 1 in the order of `predictions`; one with `face` None where there is none."""
    origin = {"model": version.name, "sha256": version.sha256, "detector": detector}
    faces: list[Record] = [
        {
            "file": file,
            "face": number,
            "box": [round(v, 1) for v in (p.face.box.x1, p.face.box.y1, p.face.box.x2, p.face.box.y2)],
            "confidence": round(p.face.confidence, 4),
            "label": p.label,
            "score": round(p.score, 4),
            "scores": {label: round(score, 4) for label, score in p.scores.items()},
        }
        for number, p in enumerate(predictions, start=1)
    ]
    nothing = dict.fromkeys(("face", "box", "confidence", "label", "score", "scores"))
    return [{**record, **origin, "error": None} for record in faces or [{"file": file, **nothing}]]


def error_record(file: str, error: str, version: ModelVersion, detector: str) -> Record:
    """The record of a file that could not be used, with the same keys as any other."""
    return {**face_records(file, [], version, detector)[0], "error": error}


def to_json_lines(records: Iterable[Record]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def to_csv(records: Iterable[Record], labels: Sequence[str]) -> str:
    """A CSV table with a header; the box becomes x1, y1, x2, y2 and the scores one column a label."""
    columns = ["file", "face", "x1", "y1", "x2", "y2", "confidence", "label", "score"]
    columns += [f"score_{label}" for label in labels] + ["model", "sha256", "detector", "error"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in records:
        box = dict(zip(("x1", "y1", "x2", "y2"), record["box"] or [], strict=False))
        scores = {f"score_{label}": score for label, score in (record["scores"] or {}).items()}
        row = {**record, **box, **scores}
        writer.writerow({key: _harmless(cell) if isinstance(cell, str) else cell for key, cell in row.items()})
    return text.getvalue()


def _harmless(cell: str) -> str:
    """A text that a spreadsheet would run as a formula gets a quote in front: a file name, or an error with one.

    A carriage return becomes a space, because the csv module would not quote it and it ends the row for a reader.
    """
    cell = cell.replace("\r", " ")
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\n")) else cell
