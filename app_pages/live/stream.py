"""One visitor's live stream: frames in, annotated frames out, and what the page shows beside them.

The WebRTC library calls `receive` in a thread of its own, where Streamlit must not be touched.
Everything that passes between that thread and the page passes through a `Stream`.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from time import monotonic

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app_pages.live.recording import Recording
from fer import FERPipeline
from fer.annotate import annotate_tracks, write_banner
from fer.detection.following import FollowingDetector
from fer.streams.timing import FrameMeter
from fer.streams.tracking import FaceTracker, Track
from fer.streams.video import to_rgb

Image = NDArray[np.uint8]
Sample = tuple[float, Mapping[str, float] | None]
"""A time in seconds and the scores of the main face then, None while there was none."""

TIMELINE_SECONDS = 60.0

# for one frame; the library ends a stream whose callback takes 10 s, and its loop waits on us
_WAIT_SECONDS = 0.5
_SAMPLE_SECONDS = 0.2  # between two points of the timeline
_ERROR_SECONDS = 5.0  # how long an error is shown after the last bad frame
_STOPPED_SECONDS = 1.5  # without a frame
_LARGER = 1.5  # by which another face must exceed the main one to take its place

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What may change while the camera runs; a new one applies from the next frame on."""

    pipeline: FERPipeline
    time_constant: float = 0.5
    mirror: bool = True


@dataclass(frozen=True)
class Readout:
    """What the page shows at one moment, times in seconds.

    `silence` is the time since the last frame, if any came.
    """

    main: Track | None
    rate: float
    median: float
    late: float
    dropped: int
    error: str
    silence: float | None
    timeline: list[Sample]


class Stream:
    """Frames of one visitor.

    `use` and `readout` belong to the page, `receive` and `ended` to the WebRTC library.
    """

    def __init__(self, settings: Settings) -> None:
        self._lock = threading.Lock()
        self._settings, self._pipeline = settings, _following(settings.pipeline)
        self._tracker, self._meter = FaceTracker(), FrameMeter()
        self._main: Track | None = None
        self._timeline: deque[Sample] = deque()
        self._size: tuple[int, int] | None = None
        self._dropped = 0
        self._arrival: float | None = None
        self._error = ("", 0.0)
        self._analysis: ThreadPoolExecutor | None = None
        self._pending: Future[Image] | None = None
        self.recording: Recording | None = None
        """Where rows go, set by the page; None while nothing is recorded."""

    @property
    def pipeline(self) -> FERPipeline:
        """The one in use."""
        return self._pipeline

    def use(self, settings: Settings) -> None:
        """Apply other settings from the next frame on."""
        changed = settings.pipeline != self._settings.pipeline
        pipeline = _following(settings.pipeline) if changed else self._pipeline
        with self._lock:
            self._settings, self._pipeline = settings, pipeline

    async def receive(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """The newest of the frames that have come since the last call, annotated.

        The others are dropped.
        """
        annotated = self._annotated(to_rgb(frames[-1]), len(frames) - 1)
        return [av.VideoFrame.from_ndarray(annotated, format="rgb24")]

    def ended(self) -> None:
        """The camera is off: the thread of the analysis ends, what was measured stays."""
        with self._lock:
            analysis, self._analysis = self._analysis, None
        if analysis:  # outside the lock, which the callbacks of what is cancelled take
            analysis.shutdown(wait=False, cancel_futures=True)

    def readout(self) -> Readout:
        """What the page shows now."""
        now = monotonic()
        with self._lock:
            silence = None if self._arrival is None else now - self._arrival
            error, since = self._error
            return Readout(
                main=(
                    self._main if self._main and now - self._main.seen < _STOPPED_SECONDS else None
                ),
                rate=self._meter.rate(now),
                median=self._meter.quantile(0.5),
                late=self._meter.quantile(0.95),
                dropped=self._dropped,
                error=error if now - since < _ERROR_SECONDS else "",
                silence=silence,
                timeline=[
                    (at - now, scores)
                    for at, scores in self._timeline
                    if now - at <= TIMELINE_SECONDS
                ],
            )

    def _annotated(self, image: Image, dropped: int) -> Image:
        """Hand the frame to the analysis and wait for it a moment.

        The picture goes on whatever becomes of it.
        """
        with self._lock:
            self._arrival = monotonic()
            self._dropped += dropped
            mirror = self._settings.mirror
            if self._pending and not self._pending.done():
                self._dropped += 1
                return _unclassified(
                    image, mirror, "classification is slow, the picture goes on without it"
                )
            self._analysis = self._analysis or ThreadPoolExecutor(1, thread_name_prefix="analysis")
            self._pending = pending = self._analysis.submit(self._process, image, self._arrival)
        pending.add_done_callback(self._finished)
        if not wait([pending], _WAIT_SECONDS).done:
            return _unclassified(
                image, mirror, "classification is slow, the picture goes on without it"
            )
        error = pending.exception()
        return (
            _unclassified(image, mirror, f"not classified: {error}") if error else pending.result()
        )

    def _process(self, image: Image, time: float) -> Image:
        begun = monotonic()
        with self._lock:
            settings, pipeline = self._settings, self._pipeline
        size = image.shape[1], image.shape[0]
        if self._size and size != self._size:
            self._tracker.scale(size[0] / self._size[0], size[1] / self._size[1])
        self._size = size
        self._tracker.time_constant = settings.time_constant
        tracks = self._tracker.update(pipeline(image), time)
        annotated = annotate_tracks(image, tracks, mirror=settings.mirror)
        if (recording := self.recording) is not None:
            present = [track for track in tracks if track.seen == time]
            recording.add(present, time, pipeline.classifier.version, pipeline.detector.name)
        with self._lock:
            done = monotonic()
            self._meter.add(done, done - begun)
            self._main = _main(tracks, self._main)
            self._sample(time)
        return annotated

    def _sample(self, time: float) -> None:
        if self._timeline and time - self._timeline[-1][0] < _SAMPLE_SECONDS:
            return
        self._timeline.append((time, self._main.scores if self._main else None))
        while time - self._timeline[0][0] > TIMELINE_SECONDS:
            self._timeline.popleft()

    def _finished(self, done: Future[Image]) -> None:
        with self._lock:
            if self._pending is done:  # a future keeps its picture
                self._pending = None
        if done.cancelled() or not (error := done.exception()):
            return
        text, now = f"{type(error).__name__}: {error}", monotonic()
        with self._lock:
            (known, since), self._error = self._error, (text, now)
        # not every frame of a stream on which all of them fail
        if text != known or now - since > _ERROR_SECONDS:
            logger.error("a frame could not be classified", exc_info=error)


def _following(pipeline: FERPipeline) -> FERPipeline:
    return replace(pipeline, detector=FollowingDetector(pipeline.detector))


def _unclassified(image: Image, mirror: bool, reason: str) -> Image:
    return write_banner(np.asarray(cv2.flip(image, 1), np.uint8) if mirror else image, reason[:200])


def _main(tracks: list[Track], previous: Track | None) -> Track | None:
    """The largest face; the one it was before keeps the place until another is clearly larger."""
    if not tracks:
        return None
    largest = max(tracks, key=_area)
    same = next(
        (track for track in tracks if previous and track.number == previous.number), largest
    )
    return largest if _area(largest) > _LARGER * _area(same) else same


def _area(track: Track) -> float:
    return track.box.width * track.box.height
