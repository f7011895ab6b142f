"""One visitor's live stream: frames in, annotated frames out, and the values beside the picture.

The WebRTC library calls `receive` in a thread of its own, where Streamlit must not be touched.
Everything that passes between that thread and the page passes through a `Stream`.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app_pages.live.recording import Recording
from fer import FERPipeline, Track
from fer.annotate import write_banner
from fer.streams.engine import AnalysedFrame, StreamEngine, StreamSettings
from fer.streams.timing import FrameTimes
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
_SLOW = "classification is slow, the picture goes on without it"
_MAX_REASON = 200  # characters of a banner

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DisplayedValues:
    """What the page shows at one moment; all times are in seconds.

    `rate` is that of processed frames, `median` and `late` are the processing times that half and
    95 % of the frames stay within, `silence` is the time since the last frame, if any came.
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

    `receive` and `ended` belong to the WebRTC library, everything else to the page.
    """

    def __init__(self, settings: StreamSettings) -> None:
        self._lock = threading.Lock()
        self._settings = settings
        self._engine = StreamEngine(settings)
        self._frame_times = FrameTimes()
        self._main: Track | None = None
        self._timeline = _Timeline()
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
        return self._engine.pipeline

    def use(self, settings: StreamSettings) -> None:
        """Apply other settings from the next frame on."""
        with self._lock:
            self._settings = settings
            self._engine.use(settings)

    async def receive(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """The newest of the frames since the last call, annotated; the others are dropped."""
        annotated = self._annotated(to_rgb(frames[-1]), len(frames) - 1)
        return [av.VideoFrame.from_ndarray(annotated, format="rgb24")]

    def ended(self) -> None:
        """The camera is off: the thread of the analysis ends, what was measured stays."""
        with self._lock:
            analysis = self._analysis
            self._analysis = None
        if analysis:  # outside the lock, which the callbacks of what is cancelled take
            analysis.shutdown(wait=False, cancel_futures=True)

    def silence(self) -> float | None:
        """Seconds since the last frame, None before the first."""
        arrival = self._arrival
        return None if arrival is None else monotonic() - arrival

    def displayed_values(self) -> DisplayedValues:
        """What the page shows now."""
        with self._lock:
            now = monotonic()
            error, error_time = self._error
            return DisplayedValues(
                main=self._main_at(now),
                rate=self._frame_times.rate(now),
                median=self._frame_times.quantile(0.5),
                late=self._frame_times.quantile(0.95),
                dropped=self._dropped,
                error=error if now - error_time < _ERROR_SECONDS else "",
                silence=self.silence(),
                timeline=self._timeline.before(now),
            )

    def _main_at(self, now: float) -> Track | None:
        main = self._main
        return main if main and now - main.seen < _STOPPED_SECONDS else None

    def _annotated(self, image: Image, dropped: int) -> Image:
        """Wait for the analysis a moment; the picture goes on whatever becomes of it."""
        pending = self._submit(image, dropped)
        if pending is None or not wait([pending], _WAIT_SECONDS).done:
            return self._unclassified(image, _SLOW)
        if error := pending.exception():
            return self._unclassified(image, f"not classified: {error}")
        return pending.result()

    def _submit(self, image: Image, dropped: int) -> Future[Image] | None:
        """Hand the frame to the analysis, unless that is still busy with one before."""
        with self._lock:
            self._arrival = monotonic()
            self._dropped += dropped
            if self._pending and not self._pending.done():
                self._dropped += 1
                return None
            self._analysis = self._analysis or ThreadPoolExecutor(1, thread_name_prefix="analysis")
            pending = self._analysis.submit(self._analyse, image, self._arrival)
            self._pending = pending
        pending.add_done_callback(self._finished)
        return pending

    def _unclassified(self, image: Image, reason: str) -> Image:
        if self._settings.mirror:
            image = np.asarray(cv2.flip(image, 1), np.uint8)
        return write_banner(image, reason[:_MAX_REASON])

    def _analyse(self, image: Image, time: float) -> Image:
        begun = monotonic()
        analysed = self._engine(image, time)
        if (recording := self.recording) is not None:  # the page may set it to None meanwhile
            _record(recording, analysed, time)
        with self._lock:
            done = monotonic()
            self._frame_times.add(done, done - begun)
            self._main = analysed.main
            self._timeline.add(time, self._main.scores if self._main else None)
        return analysed.picture

    def _finished(self, done: Future[Image]) -> None:
        with self._lock:
            if self._pending is done:  # a future keeps its picture
                self._pending = None
        error = None if done.cancelled() else done.exception()
        if error:
            self._report(error)

    def _report(self, error: BaseException) -> None:
        """Show the error, and log it once while every frame of a stream fails in the same way."""
        text = f"{type(error).__name__}: {error}"
        with self._lock:
            now = monotonic()
            known, known_time = self._error
            self._error = (text, now)
        if text != known or now - known_time > _ERROR_SECONDS:
            logger.error("a frame could not be classified", exc_info=error)


class _Timeline:
    """Samples of the last minute."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, time: float, scores: Mapping[str, float] | None) -> None:
        """Take the sample, unless the last one is too near."""
        if self._samples and time - self._samples[-1][0] < _SAMPLE_SECONDS:
            return
        self._samples.append((time, scores))
        while time - self._samples[0][0] > TIMELINE_SECONDS:
            self._samples.popleft()

    def before(self, now: float) -> list[Sample]:
        """The samples with their times counted from `now`."""
        return [
            (time - now, scores) for time, scores in self._samples if now - time <= TIMELINE_SECONDS
        ]


def _record(recording: Recording, analysed: AnalysedFrame, time: float) -> None:
    pipeline = analysed.pipeline
    version = pipeline.classifier.version
    recording.add(analysed.present, time, version, pipeline.detector.name)
