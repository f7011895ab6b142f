"""Records are read back by the readers people use: the csv module and json."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from fer import Box, Face, ModelVersion, Prediction, Track
from fer.records import (
    Record,
    csv_lines,
    error_record,
    face_records,
    origin_of,
    to_csv,
    to_json_lines,
    track_columns,
    track_record,
)
from fer.streams.tracking import FaceTracker
from tests.factories.versions import LABELS, write_tiny

KEYS = [
    "file",
    "face",
    "box",
    "confidence",
    "label",
    "score",
    "uncertain",
    "doubts",
    "scores",
    "model",
    "sha256",
    "detector",
    "error",
]
COLUMNS = [
    "file",
    "face",
    "x1",
    "y1",
    "x2",
    "y2",
    "confidence",
    "label",
    "score",
    "uncertain",
    "doubts",
    "score_happy",
    "score_bored",
    "score_asleep",
    "model",
    "sha256",
    "detector",
    "error",
]
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
    return Prediction(
        Face(Box(1.25, 2, 30.04, 40.5), 0.87654321), dict(zip(LABELS, scores, strict=True)), CROP
    )


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
            "uncertain": False,
            "doubts": [],
            "scores": {"happy": 0.2, "bored": 0.7, "asleep": 0.1},
            "model": "tiny",
            "sha256": version.sha256,
            "detector": "fixed",
            "error": None,
        }
    ]


@pytest.mark.parametrize(
    ("below", "weak", "doubts"),
    [
        (0.7, False, []),
        (0.71, False, ["low score"]),
        (0.7, True, ["weak detection"]),
        (0.71, True, ["low score", "weak detection"]),
    ],
)
def test_doubts_are_recorded(version, below, weak, doubts):
    certain = prediction(0.2, 0.7, 0.1)
    face = dataclasses.replace(certain.face, weak=weak)
    doubtful = dataclasses.replace(certain, face=face, uncertain_below=below)
    (record,) = face_records("a.jpg", [doubtful], version, "fixed")
    track = track_record(FaceTracker().update([doubtful], 0.0)[0], 0.0)
    for entry in (record, track):
        assert (entry["uncertain"], entry["doubts"]) == (bool(doubts), doubts)
    (row,) = read_csv(to_csv([record], LABELS))
    assert (row["uncertain"], row["doubts"]) == (str(bool(doubts)), ", ".join(doubts))


def test_faces_are_numbered_from_one_in_their_order(version):
    records = face_records(
        "a.jpg", [prediction(1, 0, 0), prediction(0, 1, 0), prediction(0, 0, 1)], version, "fixed"
    )
    assert [(record["face"], record["label"]) for record in records] == [
        (1, "happy"),
        (2, "bored"),
        (3, "asleep"),
    ]


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
        "file": name,
        "face": "1",
        "x1": "1.2",
        "y1": "2.0",
        "x2": "30.0",
        "y2": "40.5",
        "confidence": "0.8765",
        "label": "bored",
        "score": "0.7",
        "uncertain": "False",
        "doubts": "",
        "score_happy": "0.2",
        "score_bored": "0.7",
        "score_asleep": "0.1",
        "model": "tiny",
        "sha256": version.sha256,
        "detector": "fixed",
        "error": "",
    }
    assert rows[1]["score_asleep"] == rows[1]["score"] == "1.0"
    empty = {
        "face",
        "x1",
        "y1",
        "x2",
        "y2",
        "confidence",
        "label",
        "score",
        "uncertain",
        "doubts",
        "score_happy",
    }
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


# Streams

TRACK_COLUMNS = [
    "time",
    "seconds",
    "track",
    "x1",
    "y1",
    "x2",
    "y2",
    "confidence",
    "label",
    "score",
    "uncertain",
    "doubts",
    "score_happy",
    "score_bored",
    "score_asleep",
    "raw_label",
    "raw_score_happy",
    "raw_score_bored",
    "raw_score_asleep",
    "model",
    "sha256",
    "detector",
]


def track() -> Track:
    """Happy for long, and bored in its latest frame."""
    tracker = FaceTracker(0.5)
    tracker.update([prediction(0.9, 0.06, 0.04)], 0.0)
    return tracker.update([prediction(0.1, 0.70004, 0.19996)], 0.1)[0]


def test_no_track_gives_a_header_and_no_line():
    assert track_columns(LABELS) == TRACK_COLUMNS
    assert "".join(csv_lines([], TRACK_COLUMNS)) == ",".join(TRACK_COLUMNS) + "\n"
    assert list(csv_lines([], TRACK_COLUMNS, header=False)) == []


def test_a_track_record_holds_what_was_smoothed_and_what_was_not():
    shown = track()
    record = track_record(shown, 12.34567)
    assert record == {
        "time": None,
        "seconds": 12.346,
        "track": 1,
        "box": [1.2, 2.0, 30.0, 40.5],
        "confidence": 0.8765,
        "label": "happy",
        "score": round(shown.scores["happy"], 4),
        "uncertain": False,
        "doubts": [],
        "scores": {label: round(score, 4) for label, score in shown.scores.items()},
        "raw_label": "bored",
        "raw_scores": {"happy": 0.1, "bored": 0.7, "asleep": 0.2},
    }
    assert record["scores"] != record["raw_scores"]
    json.dumps(record)


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]
)
def test_the_wall_clock_is_told_in_utc(zone):
    date = datetime(2024, 3, 1, 12, 30, 15, 123_987, UTC).astimezone(zone)
    assert track_record(track(), 0.0, date)["time"] == "2024-03-01T12:30:15.123+00:00"


def test_what_made_a_record(version):
    assert origin_of(version, "fixed") == {
        "model": "tiny",
        "sha256": version.sha256,
        "detector": "fixed",
    }


def test_a_track_in_csv(version):
    rows = [track_record(track(), i / 10) | origin_of(version, "fixed") for i in range(3)]
    lines = list(csv_lines(rows, TRACK_COLUMNS))
    assert len(lines) == 4
    assert lines[1:] == list(csv_lines(rows, TRACK_COLUMNS, header=False))
    read = read_csv("".join(lines))
    assert [row["seconds"] for row in read] == ["0.0", "0.1", "0.2"]
    assert list(read[0]) == TRACK_COLUMNS
    assert (read[0]["time"], read[0]["x1"], read[0]["raw_label"], read[0]["raw_score_bored"]) == (
        "",
        "1.2",
        "bored",
        "0.7",
    )
    assert (read[0]["label"], read[0]["detector"]) == ("happy", "fixed")
    assert None not in read[0]


def test_scores_of_other_labels_than_the_table_s_are_left_out(version):
    """A version may change in mid-stream."""
    (line,) = csv_lines(
        [track_record(track(), 0.0) | origin_of(version, "fixed")],
        track_columns(["glad"]),
        header=False,
    )
    assert (
        dict(zip(track_columns(["glad"]), line.rstrip("\n").split(","), strict=True))["score_glad"]
        == ""
    )


@pytest.mark.parametrize("label", ["very, very happy", 'so-called "happy"', "=1+1", "glücklich"])
def test_labels_that_csv_must_quote_in_the_header_of_either_table(version, label):
    labels = (label, "sad")
    face = Prediction(Face(Box(0, 0, 1, 1), 0.5), {label: 0.75, "sad": 0.25}, CROP)
    (row,) = read_csv(to_csv(face_records("a.jpg", [face], version, "fixed"), labels))
    assert (row[f"score_{label}"], row["model"], row["error"]) == ("0.75", "tiny", "")
    (shown,) = FaceTracker().update([face], 0.0)
    (row,) = read_csv(
        "".join(
            csv_lines([track_record(shown, 0) | origin_of(version, "fixed")], track_columns(labels))
        )
    )
    assert (row[f"raw_score_{label}"], row["model"], row["detector"]) == ("0.75", "tiny", "fixed")
