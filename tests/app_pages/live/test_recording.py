"""The record of a live session.

What a row holds, how many there are, and reading it while it grows.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from app_pages.live.recording import Recording
from fer import Box, Face, ModelVersion, Prediction, Track
from tests.factories.versions import LABELS, tiny_graph, weights, write_tiny

DETECTOR = "fixed"
READERS = (Recording.to_csv, Recording.to_json_lines)


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    return write_tiny(tmp_path / "tiny")


@pytest.fixture
def other(tmp_path: Path) -> ModelVersion:
    return write_tiny(
        tmp_path / "other", tiny_graph(weights(1)), name="other", labels=["happy", "=1+1", "a b"]
    )


def track(number: int = 1, labels: tuple[str, ...] = LABELS, time: float = 0.0) -> Track:
    raw = dict(zip(labels, (0.25, 0.7, 0.05), strict=True))
    smoothed = dict(zip(labels, (0.6, 0.30004, 0.09996), strict=True))
    face = Face(Box(1.04, 2, 30.06, 40), 0.91234)
    prediction = Prediction(face, raw, np.zeros((8, 6), np.uint8))
    return Track(
        number, Box(0, 0, 50, 50), smoothed, labels[0], 0.5, prediction, time, prediction.doubts
    )


def table(recording: Recording) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(recording.to_csv())))


def lines(recording: Recording) -> list[dict[str, object]]:
    return [json.loads(line) for line in recording.to_json_lines().splitlines()]


def test_empty_recording_has_a_header_alone() -> None:
    recording = Recording()
    assert (len(recording), recording.dropped, recording.to_json_lines()) == (0, 0, "")
    assert recording.to_csv().count("\n") == 1
    assert table(recording) == []


def test_a_frame_without_faces_gives_no_row_but_starts_the_clock(version: ModelVersion) -> None:
    recording = Recording()
    recording.add([], 100.0, version, DETECTOR)
    recording.add([track()], 102.5, version, DETECTOR)
    assert len(recording) == 1
    assert lines(recording)[0]["seconds"] == 2.5


def test_rows_hold_times_numbers_boxes_and_scores(version: ModelVersion) -> None:
    recording = Recording()
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    recording.add([track(1), track(7)], 5000.0, version, DETECTOR)
    recording.add([track(1)], 5000.0334, version, DETECTOR)
    after = datetime.now(UTC)
    rows = lines(recording)
    assert [(row["track"], row["seconds"]) for row in rows] == [(1, 0.0), (7, 0.0), (1, 0.033)]
    for row in rows:
        time = datetime.fromisoformat(str(row["time"]))
        assert time.utcoffset() == timedelta(0)
        assert before <= time <= after
        assert row["box"] == [1.0, 2.0, 30.1, 40.0]
        assert (row["confidence"], row["label"], row["score"], row["raw_label"]) == (
            0.9123,
            "happy",
            0.6,
            "bored",
        )
        assert row["scores"] == {"happy": 0.6, "bored": 0.3, "asleep": 0.1}
        assert row["raw_scores"] == {"happy": 0.25, "bored": 0.7, "asleep": 0.05}
        assert (row["model"], row["sha256"], row["detector"]) == ("tiny", version.sha256, DETECTOR)
        assert not any("crop" in key or "image" in key for key in row)


def test_csv_says_what_json_says(version: ModelVersion) -> None:
    recording = Recording()
    recording.add([track(1), track(2)], 1.0, version, DETECTOR)
    for cells, row in zip(table(recording), lines(recording), strict=True):
        assert {
            key: cells[key] for key in ("time", "label", "raw_label", "model", "sha256", "detector")
        } == {
            key: row[key] for key in ("time", "label", "raw_label", "model", "sha256", "detector")
        }
        assert [float(cells[key]) for key in ("x1", "y1", "x2", "y2")] == row["box"]
        assert {label: float(cells[f"score_{label}"]) for label in LABELS} == row["scores"]
        assert {label: float(cells[f"raw_score_{label}"]) for label in LABELS} == row["raw_scores"]
        assert int(cells["track"]) == row["track"]


def test_files_are_made_again_only_when_rows_have_come(version: ModelVersion) -> None:
    recording = Recording(max_rows=2)
    for number in range(4):
        recording.add([track(number)], number, version, DETECTOR)
        files = recording.files()
        assert files == (recording.to_csv().encode(), recording.to_json_lines().encode())
        assert all(again is file for again, file in zip(recording.files(), files, strict=True))


@pytest.mark.parametrize(
    ("added", "kept", "dropped"), [(0, 0, 0), (4, 4, 0), (5, 5, 0), (6, 5, 1), (23, 5, 18)]
)
def test_the_oldest_rows_go(version: ModelVersion, added: int, kept: int, dropped: int) -> None:
    recording = Recording(max_rows=5)
    for number in range(added):
        recording.add([track(number)], number, version, DETECTOR)
    assert (len(recording), recording.dropped) == (kept, dropped)
    assert [row["track"] for row in lines(recording)] == list(range(added - kept, added))
    assert len(table(recording)) == kept


def test_columns_cover_every_version_that_was_used(
    version: ModelVersion, other: ModelVersion
) -> None:
    recording = Recording()
    assert version.sha256 != other.sha256
    for used, detector in ((version, "a"), (other, "a"), (other, "b"), (version, "a")):
        recording.add([track(labels=used.labels)], 1.0, used, detector)
    rows = table(recording)
    named = [column for column in rows[0] if column.startswith("score_")]
    assert named == ["score_happy", "score_bored", "score_asleep", "score_=1+1", "score_a b"]
    assert [(row["model"], row["sha256"], row["detector"]) for row in rows] == [
        ("tiny", version.sha256, "a"),
        ("other", other.sha256, "a"),
        ("other", other.sha256, "b"),
        ("tiny", version.sha256, "a"),
    ]
    assert [row["score_bored"] for row in rows] == ["0.3", "", "", "0.3"]
    assert [row["score_a b"] for row in rows] == ["", "0.1", "0.1", ""]
    assert [row["raw_label"] for row in rows] == ["bored", "'=1+1", "'=1+1", "bored"]
    assert [list(row["scores"]) for row in lines(recording)[:2]] == [
        list(LABELS),
        list(other.labels),
    ]


@pytest.mark.parametrize(
    "label", ["<script>", "日本", "score", "x1", "=1+1", "two words", "a,b", 'a"b']
)
def test_labels_of_any_kind_name_their_columns(tmp_path: Path, label: str) -> None:
    recording = Recording()
    version = write_tiny(tmp_path / "odd", labels=[label, "b", "c"])
    recording.add([track(labels=version.labels)], 0.0, version, DETECTOR)
    assert lines(recording)[0]["label"] == label
    (row,) = table(recording)
    assert (row[f"score_{label}"], row[f"raw_score_{label}"], row["detector"]) == (
        "0.6",
        "0.25",
        DETECTOR,
    )


def test_reading_while_another_thread_adds(version: ModelVersion, other: ModelVersion) -> None:
    recording, stop, errors = Recording(max_rows=100), threading.Event(), []

    def add() -> None:
        number = 0
        try:
            while not stop.is_set():
                used = version if number // 20 % 2 else other
                recording.add(
                    [track(number, used.labels), track(number + 1, used.labels)],
                    number / 30,
                    used,
                    DETECTOR,
                )
                number += 2
        except Exception as error:  # noqa: BLE001 - the thread must tell
            errors.append(error)

    writer = threading.Thread(target=add)
    writer.start()
    try:
        for _ in range(15):
            for rows in (table(recording), lines(recording)):
                numbers = [int(str(row["track"])) for row in rows]
                assert (
                    numbers == list(range(numbers[0], numbers[0] + len(numbers)))
                    if numbers
                    else True
                )
                assert len(rows) <= 100
            assert recording.dropped >= 0
    finally:
        stop.set()
        writer.join(5)
    assert errors == []


def between_the_steps(recording: Recording, look: Callable[[], object]) -> list[object]:
    """What a reader sees who looks right before and right after a row is appended.

    While `add` is at work.
    """
    seen: list[object] = []

    class Watched(deque):  # type: ignore[type-arg]
        def append(self, row: object) -> None:
            seen.append(look())
            super().append(row)
            seen.append(look())

        def copy(self) -> deque[object]:
            return deque(self)

    recording._rows = Watched(maxlen=recording._rows.maxlen)
    return seen


def test_nothing_is_called_dropped_in_the_middle_of_adding(version: ModelVersion) -> None:
    recording = Recording()
    seen = between_the_steps(recording, lambda: recording.dropped)
    recording.add([track(1), track(2)], 0.0, version, DETECTOR)
    assert seen == [0, 0, 0, 0]


def test_no_column_is_missing_in_the_middle_of_adding(version: ModelVersion) -> None:
    recording = Recording()
    seen = between_the_steps(
        recording, lambda: [row.get("score_happy") for row in table(recording)]
    )
    recording.add([track(1)], 0.0, version, DETECTOR)
    assert seen == [[], ["0.6"]]
