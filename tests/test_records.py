"""Records are read back by the readers people use: the csv module and json."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from fer import Box, Face, ModelVersion, Prediction
from fer.records import Record, error_record, face_records, to_csv, to_json_lines
from tests.support.versions import LABELS, write_tiny

KEYS = ["file", "face", "box", "confidence", "label", "score", "scores", "model", "sha256", "detector", "error"]
COLUMNS = [
    "file", "face", "x1", "y1", "x2", "y2", "confidence", "label", "score",
    "score_happy", "score_bored", "score_asleep", "model", "sha256", "detector", "error",
]  # fmt: skip
CROP = np.zeros((8, 6), np.uint8)
NAMES = [
    "plain.jpg",
    "with space.jpg",
    "comma, quote \" and 'quote'.jpg",
    "line\nbreak.jpg",
    "Grüße 笑顔 😀.jpg",
    "tab\t;semicolon|pipe.jpg",
    "\u2028separator.jpg",
]


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    return write_tiny(tmp_path)


def prediction(*scores: float) -> Prediction:
    return Prediction(Face(Box(1.25, 2, 30.04, 40.5), 0.87654321), dict(zip(LABELS, scores, strict=True)), CROP)


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def read_lines(text: str) -> list[Record]:
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_no_record_gives_a_header_and_no_line():
    assert to_csv([], LABELS) == ",".join(COLUMNS) + "\n"
    assert to_json_lines([]) == ""


def test_a_face_is_a_record(version):
    assert face_records("a.jpg", [prediction(0.2, 0.700049, 0.099951)], version, "fixed") == [
        {
            "file": "a.jpg",
            "face": 1,
            "box": [1.2, 2.0, 30.0, 40.5],
            "confidence": 0.8765,
            "label": "bored",
            "score": 0.7,
            "scores": {"happy": 0.2, "bored": 0.7, "asleep": 0.1},
            "model": "tiny",
            "sha256": version.sha256,
            "detector": "fixed",
            "error": None,
        }
    ]


def test_faces_are_numbered_from_one_in_their_order(version):
    records = face_records("a.jpg", [prediction(1, 0, 0), prediction(0, 1, 0), prediction(0, 0, 1)], version, "fixed")
    assert [(record["face"], record["label"]) for record in records] == [(1, "happy"), (2, "bored"), (3, "asleep")]


def test_every_record_has_the_same_keys_in_the_same_order(version):
    records = [
        *face_records("a.jpg", [prediction(1, 0, 0)], version, "fixed"),
        *face_records("b.jpg", [], version, "fixed"),
        error_record("c.jpg", "c.jpg: broken", version, "fixed"),
    ]
    assert [list(record) for record in records] == [KEYS] * 3
    assert [(record["face"], record["label"], record["error"]) for record in records] == [
        (1, "happy", None),
        (None, None, None),
        (None, None, "c.jpg: broken"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_are_read_back(version, name):
    records = [
        *face_records(name, [prediction(0.2, 0.7, 0.1), prediction(0, 0, 1)], version, "fixed"),
        *face_records(name, [], version, "fixed"),
        error_record(name, f"{name}: broken", version, "fixed"),
    ]
    assert read_lines(to_json_lines(records)) == records
    rows = read_csv(to_csv(records, LABELS))
    assert [list(row) for row in rows] == [COLUMNS] * 4
    assert [row["file"] for row in rows] == [name] * 4
    assert rows[0] == {
        "file": name, "face": "1", "x1": "1.2", "y1": "2", "x2": "30.0", "y2": "40.5", "confidence": "0.8765",
        "label": "bored", "score": "0.7", "score_happy": "0.2", "score_bored": "0.7", "score_asleep": "0.1",
        "model": "tiny", "sha256": version.sha256, "detector": "fixed", "error": "",
    }  # fmt: skip
    assert rows[1]["score_asleep"] == rows[1]["score"] == "1"
    empty = {"face", "x1", "y1", "x2", "y2", "confidence", "label", "score", "score_happy", "score_bored"}
    assert {rows[2][column] for column in [*empty, "error"]} == {""}
    assert {rows[3][column] for column in empty} == {""}
    assert rows[3]["error"] == f"{name}: broken"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n"])
def test_no_text_of_a_csv_table_is_a_formula(version, start):
    """A file called `=1+1.jpg` and an error that begins with it stay text in a spreadsheet."""
    name = f"{start}1+1.jpg"
    records = [
        *face_records(name, [prediction(1, 0, 0)], version, start + "detector"),
        error_record(name, f"{name}: broken", version, "fixed"),
    ]
    rows = read_csv(to_csv(records, LABELS))
    assert [row["file"] for row in rows] == ["'" + name] * 2
    assert (rows[0]["detector"], rows[1]["error"]) == (f"'{start}detector", f"'{name}: broken")
    assert [record["file"] for record in read_lines(to_json_lines(records))] == [name] * 2


@pytest.mark.parametrize("name", ["\r.jpg", "a\rb.jpg", "a\r\nb.jpg"])
def test_a_carriage_return_does_not_end_a_row(version, name):
    rows = read_csv(to_csv([error_record(name, f"{name}: broken", version, "fixed")], LABELS))
    assert [row["file"] for row in rows] == [name.replace("\r", " ")]
    assert rows[0]["error"] == name.replace("\r", " ") + ": broken"


def test_a_formula_sign_further_inside_stays_as_it_is(version):
    rows = read_csv(to_csv(face_records("a=b-c.jpg", [], version, "fixed"), LABELS))
    assert rows[0]["file"] == "a=b-c.jpg"


def test_json_lines_keep_one_line_a_record(version):
    records = [record for name in NAMES for record in face_records(name, [], version, "fixed")]
    assert to_json_lines(records).count("\n") == len(NAMES)
