"""Follow the expressions of a video file or a camera without a browser.

With the engine of the live page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from fer.annotate import annotate_tracks
from fer.cli.files import GrowingFile
from fer.detection.following import FollowingDetector
from fer.errors import FERError
from fer.pipeline import FERPipeline
from fer.records import csv_lines, origin_of, track_columns, track_record
from fer.streams.timing import FrameMeter
from fer.streams.tracking import FaceTracker, Track
from fer.streams.video import Camera, Frame, VideoFile, VideoWriter

_MINUTE = 60.0


@dataclass
class Span:
    """How long one track kept one label, in seconds from the start of the stream.

    And its mean score.
    """

    track: int
    label: str
    start: float
    end: float
    score: float = 0.0
    frames: int = 0

    def add(self, time: float, score: float) -> None:
        self.end = time
        self.frames += 1
        self.score += (score - self.score) / self.frames


@dataclass
class Watched:
    """What a stream showed: spans by time, label changes with and without smoothing.

    And processing times.
    """

    spans: list[Span] = field(default_factory=list)
    meter: FrameMeter = field(default_factory=lambda: FrameMeter(window=100_000))
    seconds: float = 0.0
    changes: int = 0
    raw_changes: int = 0
    _open: dict[int, Span] = field(default_factory=dict, repr=False)
    _raw: dict[int, str] = field(default_factory=dict, repr=False)

    def add(self, tracks: list[Track], frame: Frame, processing: float) -> None:
        """Count one frame; `tracks` are those that it shows itself."""
        self.meter.add(frame.seconds, processing)
        self.seconds = frame.seconds
        for track in tracks:
            span = self._open.get(track.number)
            if span is None or span.label != track.label:
                self.changes += span is not None
                span = self._open[track.number] = Span(
                    track.number, track.label, frame.seconds, frame.seconds
                )
                self.spans.append(span)
            span.add(frame.seconds, track.score)
            raw = track.prediction.label
            self.raw_changes += self._raw.get(track.number, raw) != raw
            self._raw[track.number] = raw

    def table(self) -> str:
        """A line a span: its start and end, track, label and mean score."""
        return "".join(
            f"{span.start:9.2f} {span.end:9.2f} s  track {span.track:<3} {span.label:10}"
            f" {span.score:.2f}\n"
            for span in self.spans
        )

    def summary(self) -> str:
        """One line: frames, tracks, processing time, label changes a minute."""
        median, late = (1e3 * self.meter.quantile(share) for share in (0.5, 0.95))
        minutes = self.seconds / _MINUTE
        rates = [count / minutes if minutes else 0.0 for count in (self.changes, self.raw_changes)]
        changes = ", label changes a minute {:.1f} (raw {:.1f})".format(*rates)
        return (
            f"{self.meter.frames} frames in {self.seconds:.1f} s of video, {len(self._open)}"
            f" tracks, {median:.1f} ms a frame (95 % within {late:.1f}"
            f" ms){changes if minutes else ''}"
        )


@dataclass(frozen=True)
class Watcher:
    """Runs a pipeline over a stream.

    And writes the annotated video and the table of tracks where asked to.
    """

    pipeline: FERPipeline
    time_constant: float = 0.5
    output: Path | None = None
    csv: Path | None = None

    def __call__(self, source: VideoFile | Camera, watched: Watched) -> Generator[None]:
        """Process frame by frame into `watched`.

        What was written is whole wherever the caller stops.
        """
        pipeline = replace(self.pipeline, detector=FollowingDetector(self.pipeline.detector))
        tracker = FaceTracker(self.time_constant)
        with ExitStack() as stack:
            sinks = list(self._sinks(stack, live=isinstance(source, Camera)))
            for frame in source:
                begun = time.perf_counter()
                predictions = pipeline(frame.image)
                tracks = tracker.update(predictions, frame.seconds)
                picture = annotate_tracks(frame.image, tracks)
                processing = time.perf_counter() - begun
                present = [
                    track for track in tracks if any(track.prediction is p for p in predictions)
                ]
                watched.add(present, frame, processing)
                for sink in sinks:
                    sink(frame._replace(image=picture), present)
                yield

    def _sinks(
        self, stack: ExitStack, live: bool
    ) -> Iterator[Callable[[Frame, list[Track]], None]]:
        if self.output:
            writer = stack.enter_context(VideoWriter(self.output))
            yield lambda frame, _: writer.write(frame.image, frame.seconds)
        if self.csv:
            columns = track_columns(self.pipeline.classifier.labels)
            table = GrowingFile(self.csv, "--csv", header="".join(csv_lines([], columns)))
            stack.enter_context(table)
            stack.push(_finishing(table))
            yield self._table_sink(table, columns, live)

    def _table_sink(
        self, table: GrowingFile, columns: list[str], live: bool
    ) -> Callable[[Frame, list[Track]], None]:
        origin = origin_of(self.pipeline.classifier.version, self.pipeline.detector.name)

        def write(frame: Frame, tracks: list[Track]) -> None:
            date = datetime.now(UTC) if live else None
            rows = [track_record(track, frame.seconds, date) | origin for track in tracks]
            table.append("".join(csv_lines(rows, columns, header=False)))

        return write


def _finishing(table: GrowingFile) -> Callable[..., None]:
    """What finishes the table as its block ends, also where the caller stops.

    But not where it cannot be written.
    """

    def finish(kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, FERError):
            table.finish()

    return finish
