"""The live stream without a browser.

Real video frames, called from a thread with an event loop of its own.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app_pages.live import stream as module
from app_pages.live.recording import Recording
from app_pages.live.stream import TIMELINE_SECONDS, Stream
from app_pages.photos.sources import SAMPLES
from fer import (
    Box,
    EmotionClassifier,
    Face,
    FERError,
    FERPipeline,
    ModelVersion,
    load_detector,
    load_version,
)
from fer.streams import engine
from fer.streams.engine import StreamSettings
from tests.factories.versions import LABELS, write_tiny

Image = NDArray[np.uint8]
Camera = Callable[..., Image]
Opened = Callable[..., Stream]
BANNER = (0x8A, 0x2F, 0x2B)
GREY = 90
ODD_FRAMES = [
    ("rgb24", 64, 48),
    ("yuv420p", 128, 96),
    ("gray", 64, 48),
    ("yuv420p", 33, 17),
    ("rgba", 5, 3),
    ("nv12", 641, 479),
    ("gray10le", 7, 9),
    ("yuv420p", 1, 1),
    ("gray", 1, 1),
    ("rgb24", 1, 200),
    ("yuv420p", 200, 1),
    ("yuv420p", 64, 48),
]


class Eyes:
    """A detector that sees what it is told: a face at each box, or the whole picture."""

    name = "fixed"

    def __init__(self, *boxes: Box) -> None:
        self.boxes: Sequence[Box] | None = boxes or None
        self.error: Exception | None = None
        self.seen: list[Image] = []

    def detect(self, image: Image, *, region: Box | None = None) -> list[Face]:  # noqa: ARG002
        self.seen = [*self.seen[-20:], image]
        if self.error:
            raise type(self.error)(*self.error.args)
        whole = Box(0, 0, image.shape[1], image.shape[0])
        faces = [Face(box, 0.9) for box in ([whole] if self.boxes is None else self.boxes)]
        return sorted(faces, key=lambda face: -face.box.area)


class FixedScores(EmotionClassifier):
    """A classifier that always says the same, and as late as it is told."""

    def __init__(self, version: ModelVersion, *scores: float) -> None:
        self.version, self.labels = version, version.labels
        self.scores = scores or (1.0, *[0.0] * (len(version.labels) - 1))
        self.free = threading.Event()
        self.free.set()
        self.calls = self.running = self.most = 0

    def predict(self, crops: Image) -> NDArray[np.float32]:
        self.calls, self.running = self.calls + 1, self.running + 1
        self.most = max(self.most, self.running)
        assert self.free.wait(20)
        self.running -= 1
        return np.tile(np.float32(self.scores), (len(crops), 1))


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module, "monotonic", lambda: self.now)


@pytest.fixture(autouse=True)
def wait_seconds(monkeypatch: pytest.MonkeyPatch) -> float:
    """Wait for every frame however busy this machine is; what the app waits for is returned."""
    seconds = module._WAIT_SECONDS
    monkeypatch.setattr(module, "_WAIT_SECONDS", 20.0)
    return seconds


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    return write_tiny(tmp_path / "tiny")


@pytest.fixture
def camera() -> Iterator[Camera]:
    """Hands frames to a stream as the WebRTC library does.

    And returns the picture that comes back.
    """

    def show(stream: Stream, *frames: av.VideoFrame) -> Image:
        return library.submit(_received, stream, frames or (frame(),)).result(20)

    with ThreadPoolExecutor(1, thread_name_prefix="library") as library:
        yield show


@pytest.fixture
def opened(version: ModelVersion) -> Iterator[Opened]:
    """Opens streams, and sees to it that none leaves a thread behind."""
    streams: list[Stream] = []

    def open_stream(
        detector: Eyes | None = None, classifier: FixedScores | None = None, **settings: object
    ) -> Stream:
        pipeline = FERPipeline(detector or Eyes(), classifier or FixedScores(version))
        streams.append(Stream(StreamSettings(pipeline, **settings)))
        return streams[-1]

    yield open_stream
    for stream in streams:
        stream.ended()
    assert gone()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _received(stream: Stream, frames: Sequence[av.VideoFrame]) -> Image:
    (result,) = asyncio.run(stream.receive(list(frames)))
    assert (result.format.name, result.width, result.height) == (
        "rgb24",
        frames[-1].width,
        frames[-1].height,
    )
    return result.to_ndarray()


def frame(level: int = GREY, width: int = 160, height: int = 120) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((height, width, 3), level, np.uint8), format="rgb24")


def ramp() -> av.VideoFrame:
    """A picture that is dark on the left and bright on the right."""
    row = np.linspace(0, 255, 160).astype(np.uint8)
    return av.VideoFrame.from_ndarray(
        np.repeat(np.tile(row, (120, 1))[..., None], 3, axis=2), format="rgb24"
    )


def has_banner(picture: Image) -> bool:
    return bool((picture == BANNER).all(axis=2).any())


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("analysis")]


def gone(seconds: float = 5.0) -> bool:
    """Whether no thread of an analysis is left, now or soon."""
    return eventually(lambda: not threads(), seconds)


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not (done := true()) and time.monotonic() < end:
        time.sleep(0.005)
    return done


# Frames


def test_before_the_first_frame_there_is_nothing(opened: Opened) -> None:
    now = opened().displayed_values()
    assert (now.main, now.rate, now.median, now.late, now.dropped) == (None, 0, 0, 0, 0)
    assert (now.error, now.silence, now.timeline) == ("", None, [])
    assert not threads()


def test_frames_of_any_size_and_format_come_back_in_their_size(
    opened: Opened, camera: Camera
) -> None:
    stream = opened()
    stream.recording = Recording()
    for pixels, width, height in ODD_FRAMES * 2:
        camera(stream, av.VideoFrame(width, height, pixels))
        now = stream.displayed_values()
        assert (now.main is not None, now.error, now.dropped) == (True, "", 0)


@pytest.mark.parametrize("share", [0.5, 0.75, 2.0])
def test_a_face_keeps_its_number_when_the_frames_change_their_size(
    opened: Opened, camera: Camera, share: float
) -> None:
    """As connections do when they adapt to the network."""
    corners = np.array((260, 120, 400, 300))
    eyes = Eyes(Box(*corners.tolist()))
    stream = opened(eyes)
    camera(stream, frame(width=640, height=480))
    eyes.boxes = [Box(*(share * corners).tolist())]
    for _ in range(3):
        camera(stream, frame(width=round(640 * share), height=round(480 * share)))
        main = stream.displayed_values().main
        assert main is not None
        assert main.number == 1
        assert (main.box.x1, main.box.y2) == pytest.approx(
            (share * 260, share * 300), abs=share * 10
        )


def test_real_parts_follow_a_real_face_through_changing_frames(
    camera: Camera, clock: Clock
) -> None:
    stream = Stream(
        StreamSettings(
            FERPipeline(load_detector("blazeface", threads=1), EmotionClassifier(load_version()))
        )
    )
    with av.open(SAMPLES / "eileen-collins.jpg") as photo:
        portrait = next(photo.decode(video=0))
    try:
        for pixels, size in (("yuv420p", 480), ("gray", 480), ("yuv420p", 321), ("rgb24", 200)):
            clock.now += 2
            picture = camera(stream, portrait.reformat(size, size, pixels))
            now = stream.displayed_values()
            assert not has_banner(picture)
            assert now.main is not None
            assert list(now.main.scores) == list(load_version().labels)
            x, y = now.main.prediction.face.box.center
            assert (x / size, y / size) == pytest.approx((0.46, 0.24), abs=0.05)
        for pixels, width, height in ODD_FRAMES:
            assert not has_banner(camera(stream, av.VideoFrame(width, height, pixels)))
        assert stream.displayed_values().error == ""
    finally:
        stream.ended()
    assert gone()


@pytest.mark.parametrize(("count", "dropped"), [(1, 0), (2, 1), (30, 29)])
def test_the_newest_frame_is_taken_and_the_others_are_counted(
    opened: Opened, camera: Camera, count: int, dropped: int
) -> None:
    eyes = Eyes()
    stream = opened(eyes)
    camera(stream, *[frame(level) for level in range(count)])
    assert [int(image[60, 80, 0]) for image in eyes.seen] == [count - 1]
    assert stream.displayed_values().dropped == dropped
    camera(stream, frame(), frame())
    assert stream.displayed_values().dropped == dropped + 1


def test_mirror_changes_with_the_next_frame(opened: Opened, camera: Camera) -> None:
    eyes, stream = Eyes(Box(100, 40, 140, 80)), None
    stream = opened(eyes, mirror=True)
    for mirror in (True, False, True):
        stream.use(
            StreamSettings(
                FERPipeline(eyes, FixedScores(stream.pipeline.classifier.version)), mirror=mirror
            )
        )
        picture = camera(stream, ramp()).astype(int)
        assert (picture[5, 2, 0] > picture[5, -3, 0]) == mirror
        now = stream.displayed_values()
        assert now.main is not None
        # what is recorded lies in the camera's own picture
        assert now.main.box.x1 == pytest.approx(100)


@pytest.mark.parametrize("mirror", [False, True])
def test_mirror_holds_for_frames_that_fail(opened: Opened, camera: Camera, mirror: bool) -> None:
    eyes = Eyes()
    eyes.error = RuntimeError("broken")
    picture = camera(opened(eyes, mirror=mirror), ramp()).astype(int)
    assert (picture[5, 2, 0] > picture[5, -3, 0]) == mirror


# Changes while it runs


def test_another_version_applies_to_the_next_frame(
    opened: Opened, camera: Camera, version: ModelVersion, tmp_path: Path
) -> None:
    eyes, old = Eyes(), FixedScores(version)
    stream = opened(eyes, old)
    camera(stream)
    new = FixedScores(
        write_tiny(tmp_path / "other", name="other", labels=["a", "b", "c"]), 0.1, 0.2, 0.7
    )
    for classifier, labels, label in (
        (new, ("a", "b", "c"), "c"),
        (old, LABELS, "happy"),
        (new, ("a", "b", "c"), "c"),
    ):
        stream.use(StreamSettings(FERPipeline(eyes, classifier)))
        assert stream.pipeline.classifier is classifier
        camera(stream)
        main = stream.displayed_values().main
        assert main is not None
        assert (tuple(main.scores), main.label, main.number) == (labels, label, 1)
    assert (old.calls, new.calls) == (2, 2)
    assert stream.displayed_values().error == ""


def test_another_detector_applies_to_the_next_frame(
    opened: Opened, camera: Camera, version: ModelVersion
) -> None:
    stream, classifier = opened(Eyes(Box(0, 0, 40, 40))), FixedScores(version)
    camera(stream)
    stream.use(StreamSettings(FERPipeline(Eyes(Box(90, 50, 150, 110)), classifier)))
    camera(stream)
    main = stream.displayed_values().main
    assert main is not None
    assert (main.box.x1, main.number) == (90, 2)


def test_the_same_pipeline_is_not_begun_anew(opened: Opened, version: ModelVersion) -> None:
    eyes, classifier = Eyes(), FixedScores(version)
    stream = opened(eyes, classifier)
    before = stream.pipeline
    stream.use(StreamSettings(FERPipeline(eyes, classifier), 0.0, False))
    assert stream.pipeline is before


def test_another_version_can_be_chosen_while_the_old_one_is_busy(
    opened: Opened, camera: Camera, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.02)
    eyes, slow, quick = Eyes(), FixedScores(version), FixedScores(version, 0.0, 0.0, 1.0)
    stream = opened(eyes, slow)
    slow.free.clear()
    assert has_banner(camera(stream))
    stream.use(StreamSettings(FERPipeline(eyes, quick), 0.0))
    assert has_banner(camera(stream))
    assert quick.calls == 0
    slow.free.set()
    assert eventually(lambda: not has_banner(camera(stream)))
    main = stream.displayed_values().main
    assert main is not None
    assert main.label == "asleep"


@pytest.mark.parametrize(
    ("time_constant", "expected"), [(0.0, 0.0), (0.5, np.exp(-0.5 / 0.5)), (2.0, np.exp(-0.5 / 2))]
)
def test_time_constant_changes_while_it_runs(
    opened: Opened,
    camera: Camera,
    clock: Clock,
    version: ModelVersion,
    time_constant: float,
    expected: float,
) -> None:
    eyes, classifier = Eyes(), FixedScores(version)
    stream = opened(eyes, classifier, time_constant=1.0)
    camera(stream)
    clock.now += 0.5
    classifier.scores = (0.0, 1.0, 0.0)
    stream.use(StreamSettings(stream._settings.pipeline, time_constant))
    camera(stream)
    main = stream.displayed_values().main
    assert main is not None
    assert main.scores["happy"] == pytest.approx(expected, abs=1e-6)
    assert main.prediction.scores["happy"] == 0


# Errors


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (FERError("the graph is damaged."), "FERError: the graph is damaged."),
        (RuntimeError("two\nlines\0 and <b>*more*</b>"), "RuntimeError: two\nlines"),
        (ValueError(""), "ValueError: "),
        (MemoryError(), "MemoryError: "),
        (KeyError("key"), "KeyError: 'key'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_shown_and_the_stream_goes_on(
    opened: Opened, camera: Camera, clock: Clock, error: Exception, shown: str
) -> None:
    eyes = Eyes()
    stream = opened(eyes)
    assert not has_banner(camera(stream))
    eyes.error = error
    for _ in range(3):
        assert has_banner(camera(stream))
        # noted just after the picture came back
        assert eventually(lambda: stream.displayed_values().error.startswith(shown))
    eyes.error = None
    assert not has_banner(camera(stream))
    assert stream.displayed_values().main is not None
    clock.now += 4.9
    assert stream.displayed_values().error
    clock.now += 0.2
    assert stream.displayed_values().error == ""


def test_an_error_without_end_does_not_end_the_stream(opened: Opened, camera: Camera) -> None:
    eyes = Eyes()
    eyes.error = RuntimeError("x" * 1_000_001)  # more than the text renderer takes
    assert has_banner(camera(opened(eyes)))


def test_an_error_of_every_frame_is_logged_once_until_it_was_gone(
    opened: Opened, camera: Camera, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    eyes = Eyes()
    stream = opened(eyes)

    def fail(words: str) -> int:
        eyes.error = RuntimeError(words)
        camera(stream)
        assert eventually(lambda: stream.displayed_values().error.endswith(words))
        stream.ended()
        assert gone()
        return len(caplog.records)

    assert [fail("broken") for _ in range(5)] == [1] * 5
    assert fail("in another way") == 2
    clock.now += 5.1
    assert fail("in another way") == 3


def test_a_failing_classifier_recovers(
    opened: Opened, camera: Camera, version: ModelVersion
) -> None:
    classifier = FixedScores(version, 5.0, 5.0, 5.0)  # no probabilities
    stream = opened(classifier=classifier)
    assert has_banner(camera(stream))
    assert eventually(lambda: "scores must be probabilities" in stream.displayed_values().error)
    classifier.scores = (0.0, 1.0, 0.0)
    assert not has_banner(camera(stream))


def test_the_face_of_long_ago_is_not_shown_while_frames_fail(
    opened: Opened, camera: Camera, clock: Clock
) -> None:
    eyes = Eyes()
    stream = opened(eyes)
    camera(stream)
    eyes.error = RuntimeError("broken")
    for _ in range(20):
        clock.now += 0.1
        camera(stream)
    assert stream.displayed_values().silence == 0
    assert stream.displayed_values().main is None


def test_the_main_face_goes_with_the_frames(opened: Opened, camera: Camera, clock: Clock) -> None:
    stream = opened()
    camera(stream)
    clock.now += 1.4
    assert stream.displayed_values().main is not None
    clock.now += 0.2
    now = stream.displayed_values()
    assert now.main is None
    assert now.silence == pytest.approx(1.6)
    assert len(now.timeline) == 1


# Slow analysis


def test_a_classifier_of_two_seconds_holds_nothing_up(
    opened: Opened,
    camera: Camera,
    version: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    wait_seconds: float,
) -> None:
    classifier = FixedScores(version)
    stream = opened(classifier=classifier)
    camera(stream)
    assert wait_seconds == 0.5
    monkeypatch.setattr(module, "_WAIT_SECONDS", wait_seconds)
    classifier.free.clear()
    waits: list[float] = []
    end = time.monotonic() + 2.0
    while (begun := time.monotonic()) < end:
        assert has_banner(camera(stream))
        waits.append(time.monotonic() - begun)
        time.sleep(0.03)
    assert waits[0] >= 0.5
    assert max(waits) < 0.9
    assert max(waits[1:]) < 0.5
    assert stream.displayed_values().dropped == len(waits) - 1
    classifier.free.set()
    assert eventually(lambda: not has_banner(camera(stream)))
    assert classifier.most == 1
    now = stream.displayed_values()
    assert now.late > 0.5
    assert now.error == ""


def test_an_error_that_comes_too_late_is_still_reported(
    opened: Opened, camera: Camera, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.02)
    classifier = FixedScores(version, 9.0, 0.0, 0.0)
    stream = opened(classifier=classifier)
    classifier.free.clear()
    camera(stream)
    assert stream.displayed_values().error == ""
    classifier.free.set()
    assert eventually(lambda: "scores must be" in stream.displayed_values().error)


def test_two_threads_never_analyse_one_stream_at_once(
    opened: Opened, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a new connection begins before the old one has ended."""
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.05)
    classifier = FixedScores(version)
    stream = opened(classifier=classifier)
    with ThreadPoolExecutor(3) as connections:
        futures = [connections.submit(_received, stream, (frame(),)) for _ in range(120)]
        for i in range(10):
            if i % 2:
                classifier.free.clear()
            else:
                classifier.free.set()
            time.sleep(0.01)
            stream.ended()
        classifier.free.set()
        assert all(future.result(20).shape == (120, 160, 3) for future in futures)
    assert classifier.most == 1
    assert stream.displayed_values().error == ""


# The end


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_ended_leaves_no_thread_and_can_be_called_again(
    opened: Opened, camera: Camera, frames: int
) -> None:
    stream = opened()
    for _ in range(frames):
        camera(stream)
    assert len(threads()) == (frames > 0)
    for _ in range(2):
        stream.ended()
        assert gone()
    assert not has_banner(camera(stream))
    assert len(threads()) == 1
    stream.ended()
    assert gone()
    assert len(stream.displayed_values().timeline) >= 1


def test_ended_during_an_analysis(
    opened: Opened, camera: Camera, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.02)
    classifier = FixedScores(version)
    stream = opened(classifier=classifier)
    classifier.free.clear()
    camera(stream)
    begun = time.monotonic()
    stream.ended()
    assert time.monotonic() - begun < 0.1
    assert has_banner(camera(stream))  # started again before the old analysis is done
    classifier.free.set()
    assert eventually(lambda: not has_banner(camera(stream)))
    assert classifier.most == 1
    stream.ended()
    assert gone()
    assert stream.displayed_values().error == ""


@pytest.mark.parametrize("failing", [False, True])
def test_a_forgotten_stream_leaves_no_thread(
    camera: Camera, version: ModelVersion, monkeypatch: pytest.MonkeyPatch, failing: bool
) -> None:
    # pytest keeps what is logged, and with it the traceback
    monkeypatch.setattr(module.logger, "disabled", True)
    eyes = Eyes()
    eyes.error = RuntimeError("broken") if failing else None
    stream = Stream(StreamSettings(FERPipeline(eyes, FixedScores(version))))
    camera(stream)
    assert len(threads()) == 1
    reference = weakref.ref(stream)
    del stream
    if eyes.error:
        eyes.error.__traceback__ = None
    gc.collect()
    assert reference() is None
    assert gone()


def test_no_picture_is_kept_after_the_camera_is_off(
    opened: Opened, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures: list[weakref.ref[Image]] = []

    def annotate(image: Image, *_: object, **__: object) -> Image:
        annotated = image.copy()
        pictures.append(weakref.ref(annotated))
        return annotated

    monkeypatch.setattr(engine, "annotate_tracks", annotate)
    stream = opened()
    camera(stream)
    stream.ended()
    assert gone()
    gc.collect()
    assert [picture() is None for picture in pictures] == [True]


# Beside the picture


def test_two_streams_never_share_anything(opened: Opened, version: ModelVersion) -> None:
    shares = (("happy", Box(10, 10, 50, 50), 20), ("asleep", Box(100, 60, 150, 115), 200))
    scores = {"happy": (1.0, 0.0, 0.0), "asleep": (0.0, 0.0, 1.0)}
    streams = [
        opened(Eyes(box), FixedScores(version, *scores[label]), mirror=False)
        for label, box, _ in shares
    ]
    recordings = [Recording(), Recording()]
    for stream, recording in zip(streams, recordings, strict=True):
        stream.recording = recording
    pictures: list[list[Image]] = [[], []]

    def show(i: int) -> None:
        for _ in range(60):
            pictures[i].append(_received(streams[i], [frame(shares[i][2])] * (i + 1)))

    with ThreadPoolExecutor(2) as visitors:
        list(visitors.map(show, range(2)))
    for i, (label, box, level) in enumerate(shares):
        now = streams[i].displayed_values()
        assert now.main is not None
        assert (now.main.label, now.main.number, now.dropped) == (label, 1, 60 * i)
        assert now.main.box.x1 == pytest.approx(box.x1)
        assert {max(sample, key=sample.get) for _, sample in now.timeline if sample} == {label}
        other = shares[1 - i][1]
        x, y = map(round, other.center)
        assert all((picture[y, x] == level).all() for picture in pictures[i])


def test_shared_models_serve_two_streams() -> None:
    pipeline = FERPipeline(
        load_detector("blazeface", threads=1), EmotionClassifier(load_version(), threads=1)
    )
    streams = [Stream(StreamSettings(pipeline)), Stream(StreamSettings(pipeline))]
    with av.open(SAMPLES / "eileen-collins.jpg") as photo:
        portrait = next(photo.decode(video=0)).reformat(320, 320, "yuv420p")
    blank = av.VideoFrame.from_ndarray(np.full((320, 320, 3), 128, np.uint8), format="rgb24")
    with ThreadPoolExecutor(2) as visitors:
        for _ in range(6):
            futures: list[Future[Image]] = [
                visitors.submit(_received, stream, [picture])
                for stream, picture in zip(streams, (portrait, blank), strict=True)
            ]
            assert not any(has_banner(future.result(20)) for future in futures)
            assert streams[0].displayed_values().main is not None
            assert streams[1].displayed_values().main is None
    for stream in streams:
        stream.ended()
    assert gone()


def test_values_read_from_another_thread_while_frames_run(opened: Opened, camera: Camera) -> None:
    stream, stop, problems = opened(), threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            now = stream.displayed_values()
            times = [at for at, _ in now.timeline]
            if times != sorted(times) or now.dropped < 0 or now.median > now.late or now.error:
                problems.append(now)
            time.sleep(0.001)

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for i in range(50):
        camera(stream, *[frame()] * (1 + i % 2))
    stop.set()
    for watcher in watchers:
        watcher.join(5)
    assert problems == []
    assert stream.displayed_values().dropped == 25
    assert stream.displayed_values().rate > 0


def test_timeline_is_sampled_and_holds_one_minute(
    opened: Opened, camera: Camera, clock: Clock
) -> None:
    stream = opened()
    for _ in range(300):
        clock.now += 0.25
        camera(stream, frame(width=16, height=16))
    timeline = stream.displayed_values().timeline
    times = np.array([at for at, _ in timeline])
    assert times[0] >= -TIMELINE_SECONDS
    assert times[-1] > -0.4
    assert 239 <= len(times) <= 241
    assert len(stream._timeline) <= 242
    for _ in range(40):
        clock.now += 0.05
        camera(stream, frame(width=16, height=16))
    timeline = stream.displayed_values().timeline
    assert np.diff([at for at, _ in timeline]).min() > 0.19
    assert sum(at > -1.01 for at, _ in timeline) <= 6
    clock.now += 70
    assert stream.displayed_values().timeline == []


def test_timeline_has_a_gap_where_there_was_no_face(
    opened: Opened, camera: Camera, clock: Clock
) -> None:
    eyes = Eyes()
    stream = opened(eyes)
    for boxes in (None, (), None):
        eyes.boxes = boxes
        for _ in range(20):
            clock.now += 0.1
            camera(stream, frame(width=16, height=16))
    faces = [scores is not None for _, scores in stream.displayed_values().timeline]
    changes = [
        a for a, b in zip([*faces, None], [None, *faces], strict=True) if a != b and a is not None
    ]
    assert changes == [True, False, True]


@pytest.mark.parametrize(
    ("side", "takes_over"), [(30, False), (40, False), (48, False), (50, True), (70, True)]
)
def test_the_main_face_stays_until_another_is_clearly_larger(
    opened: Opened, camera: Camera, clock: Clock, side: int, takes_over: bool
) -> None:
    eyes = Eyes(Box(5, 5, 45, 45))
    stream = opened(eyes)
    camera(stream)
    eyes.boxes = (Box(5, 5, 45, 45), Box(80, 40, 80 + side, 40 + side))
    for _ in range(10):  # the whole picture is searched on every eighth frame
        camera(stream)
    main = stream.displayed_values().main
    assert main is not None
    assert main.number == (2 if takes_over else 1)
    eyes.boxes = eyes.boxes[1:]
    for _ in range(10):
        clock.now += 0.04
        camera(stream)
    main = stream.displayed_values().main
    assert main is not None
    assert main.number == 2


# Recording


def test_recording_gets_a_row_for_every_face_and_frame(opened: Opened, camera: Camera) -> None:
    eyes = Eyes(Box(5, 5, 45, 45), Box(80, 40, 120, 80))
    stream = opened(eyes)
    camera(stream)
    recording = stream.recording = Recording()
    for _ in range(3):
        camera(stream)
    assert len(recording) == 6
    eyes.boxes = ()
    camera(stream)  # the faces are still shown for a moment, but were not there
    assert len(recording) == 6
    stream.recording = None
    eyes.boxes = None
    camera(stream)
    assert len(recording) == 6


def test_recording_switched_off_in_the_middle_of_a_frame(
    camera: Camera, version: ModelVersion
) -> None:
    """As when the page sets it to None between two looks of the analysis."""

    class Fickle(Stream):
        looks = 0

        @property
        def recording(self) -> Recording | None:
            self.looks += 1
            return recording if self.looks % 2 else None

        @recording.setter
        def recording(self, _: Recording | None) -> None: ...

    recording = Recording()
    camera(record := Stream(StreamSettings(FERPipeline(Eyes(), FixedScores(version)))))
    recording.add([record.displayed_values().main], 0.0, version, "fixed")  # type: ignore[list-item]
    record.ended()
    stream = Fickle(StreamSettings(FERPipeline(Eyes(), FixedScores(version))))
    pictures = [camera(stream) for _ in range(3)]
    stream.ended()
    assert gone()
    assert stream.displayed_values().error == ""
    assert not any(map(has_banner, pictures))
