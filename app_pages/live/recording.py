"""The record of a live session: times, track numbers, boxes and scores, never a picture."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from fer import ModelVersion, Track
from fer.records import Record, csv_lines, origin_of, to_json_lines, track_columns, track_record

MAX_ROWS = 100_000
"""About an hour of one face at 30 frames a second, in some 40 MB; beyond it the oldest rows go."""


class Recording:
    """Rows of tracks; one thread adds them while another may read."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._rows: deque[tuple[Record, bytes]] = deque(maxlen=max_rows)
        self._dropped = 0
        self._labels: dict[str, None] = {}
        self._start: float | None = None
        self._origin: tuple[ModelVersion, str, Record] | None = None
        self._files: tuple[int, bytes, bytes] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def dropped(self) -> int:
        """How many of the oldest rows had to go."""
        return self._dropped

    def add(
        self, tracks: Sequence[Track], time: float, version: ModelVersion, detector: str
    ) -> None:
        """Note the tracks of a frame at `time` in seconds of any steady clock."""
        if self._start is None:
            self._start = time
        date = datetime.now(UTC)
        for track in tracks:
            # before the row: a reader may come in between
            self._labels |= dict.fromkeys(track.scores)
            row = track_record(track, time - self._start, date)
            self._append(self._origin_of(version, detector), row)

    def files(self) -> tuple[bytes, bytes]:
        """The rows as CSV and as JSON lines, made once and kept until another row comes."""
        added = self._dropped + len(self._rows)
        if self._files is None or self._files[0] != added:
            self._files = (added, self.to_csv().encode(), self.to_json_lines().encode())
        return self._files[1:]

    def to_csv(self) -> str:
        """A line for every track in every frame, a column for each label of every version used."""
        return "".join(csv_lines(self._records(), track_columns(list(self._labels))))

    def to_json_lines(self) -> str:
        return to_json_lines(self._records())

    def _append(self, origin: Record, row: Record) -> None:
        self._dropped += len(self._rows) == self._rows.maxlen
        self._rows.append((origin, json.dumps(row).encode()))

    def _records(self) -> Iterator[Record]:
        return (json.loads(row) | origin for origin, row in self._rows.copy())

    def _origin_of(self, version: ModelVersion, detector: str) -> Record:
        """One object for all rows of a version and detector, which saves most of the memory."""
        if self._origin is None or self._origin[:2] != (version, detector):
            self._origin = (version, detector, origin_of(version, detector))
        return self._origin[2]
