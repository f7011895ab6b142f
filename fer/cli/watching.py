"""Follow the expressions of a video file or a camera without a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fer.cli.files import GrowingFile
from fer.errors import FERError
from fer.pipeline import FERPipeline
from fer.records import Record, csv_lines, origin_of, track_columns, track_record
from fer.results import Track
from fer.streams.engine import AnalysedFrame, StreamEngine, StreamSettings
from fer.streams.timing import FrameTimes
from fer.streams.video import Camera, VideoFile
from fer.streams.video_writer import VideoWriter

_MINUTE = 60.0
_ALL_FRAMES = 100_000  # an hour of a camera

_Sink = Callable[[AnalysedFrame, float], None]
"""Takes an analysed frame and its time in seconds from the start of the stream."""


@dataclass
class Span:
    """How long one track kept one label, in seconds from the start, and its mean score."""

    track: int
    label: str
    start: float
    end: float
    score: float = 0.0
    frames: int = 0

    def add(self, seconds: float, score: float) -> None:
        self.end = seconds
        self.frames += 1
        self.score += (score - self.score) / self.frames


@dataclass
class Watched:
    """What was seen of a stream: spans, processing times, and how often labels changed."""

    spans: list[Span] = field(default_factory=list)
    frame_times: FrameTimes = field(default_factory=lambda: FrameTimes(window=_ALL_FRAMES))
    seconds: float = 0.0
    changes: int = 0
    raw_changes: int = 0
    _open: dict[int, Span] = field(default_factory=dict, repr=False)
    _raw_labels: dict[int, str] = field(default_factory=dict, repr=False)

    @property
    def frames(self) -> int:
        return self.frame_times.frames

    def add(self, present: list[Track], seconds: float, processing: float) -> None:
        """Count the frame at `seconds` from the start, with the tracks present in it."""
        self.frame_times.add(seconds, processing)
        self.seconds = seconds
        for track in present:
            self._span_of(track).add(seconds, track.score)
            self._note_raw_label(track)

    def _span_of(self, track: Track) -> Span:
        """The open span of the track, or a new one where its label has changed."""
        span = self._open.get(track.number)
        if span is None or span.label != track.label:
            self.changes += span is not None
            span = Span(track.number, track.label, self.seconds, self.seconds)
            self._open[track.number] = span
            self.spans.append(span)
        return span

    def _note_raw_label(self, track: Track) -> None:
        label = track.prediction.label
        before = self._raw_labels.get(track.number, label)
        self.raw_changes += label != before
        self._raw_labels[track.number] = label

    def table(self) -> str:
        """A line a span: its start and end, track, label and mean score."""
        return "".join(
            f"{span.start:9.2f} {span.end:9.2f} s  track {span.track:<3} {span.label:10}"
            f" {span.score:.2f}\n"
            for span in self.spans
        )

    def summary(self) -> str:
        """One line: frames, tracks, processing time, label changes a minute."""
        median = 1e3 * self.frame_times.quantile(0.5)
        late = 1e3 * self.frame_times.quantile(0.95)
        return (
            f"{self.frames} frames in {self.seconds:.1f} s of video, {len(self._open)} tracks,"
            f" {median:.1f} ms a frame (95 % within {late:.1f} ms){self._changes_a_minute()}"
        )

    def _changes_a_minute(self) -> str:
        if not self.seconds:
            return ""
        minutes = self.seconds / _MINUTE
        smoothed = self.changes / minutes
        raw = self.raw_changes / minutes
        return f", label changes a minute {smoothed:.1f} (raw {raw:.1f})"


@dataclass(frozen=True)
class Watcher:
    """Runs a pipeline over a stream, and writes an annotated video and a table where asked to."""

    pipeline: FERPipeline
    time_constant: float = 0.5
    output: Path | None = None
    csv: Path | None = None

    def __call__(self, source: VideoFile | Camera, watched: Watched) -> Generator[None]:
        """Add frame by frame to `watched`; what was written is whole wherever the caller stops."""
        engine = StreamEngine(StreamSettings(self.pipeline, self.time_constant))
        with ExitStack() as stack:
            sinks = list(self._sinks(stack, live=isinstance(source, Camera)))
            for image, seconds in source:
                begun = time.perf_counter()
                analysed = engine(image, seconds)
                watched.add(analysed.present, seconds, time.perf_counter() - begun)
                for sink in sinks:
                    sink(analysed, seconds)
                yield

    def _origin(self) -> Record:
        return origin_of(self.pipeline.classifier.version, self.pipeline.detector.name)

    def _sinks(self, stack: ExitStack, *, live: bool) -> Iterator[_Sink]:
        if self.output:
            writer = stack.enter_context(VideoWriter(self.output))
            yield lambda analysed, seconds: writer.write(analysed.picture, seconds)
        if self.csv:
            columns = track_columns(self.pipeline.classifier.labels)
            table = GrowingFile(self.csv, "--csv", header="".join(csv_lines([], columns)))
            stack.enter_context(table)
            stack.push(_finishing(table))
            yield _TableSink(table, columns, self._origin(), live)


@dataclass(frozen=True)
class _TableSink:
    """Writes a row for every track that is present; frames of a camera have a date."""

    table: GrowingFile
    columns: list[str]
    origin: Record
    live: bool

    def __call__(self, analysed: AnalysedFrame, seconds: float) -> None:
        date = datetime.now(UTC) if self.live else None
        rows = [track_record(track, seconds, date) | self.origin for track in analysed.present]
        self.table.append("".join(csv_lines(rows, self.columns, header=False)))


def _finishing(table: GrowingFile) -> Callable[..., None]:
    """What finishes the table as its block ends, unless it cannot be written."""

    def finish(kind: type[BaseException] | None, *_: object) -> None:
        if not (kind and issubclass(kind, FERError)):
            table.finish()

    return finish
