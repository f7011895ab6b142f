"""What is counted of a stream, and how steady it is on real videos."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from fer import (
    BlazeFace,
    Box,
    EmotionClassifier,
    Face,
    FERPipeline,
    Prediction,
    Track,
    load_version,
)
from fer.cli.watching import Span, Watched, Watcher
from fer.detection.following import FollowingDetector
from fer.streams.video import VideoFile
from fer.versions.labels import LABELS

BLANK = np.full((240, 320, 3), 110, np.uint8)


@pytest.fixture(scope="module")
def pipeline() -> FERPipeline:
    return FERPipeline(BlazeFace(threads=1), EmotionClassifier(load_version(), threads=1))


def shown(number: int, label: str, raw: str | None = None, score: float = 0.7) -> Track:
    def scores(first: str) -> dict[str, float]:
        return {other: score if other == first else (1 - score) / 3 for other in LABELS}

    inner = Prediction(Face(Box(0, 0, 9, 9), 0.9), scores(raw or label), np.zeros((4, 4), np.uint8))
    return Track(number, Box(0, 0, 9, 9), scores(label), label, score, inner, 0.0, inner.doubts)


def watched(*frames: list[Track], step: float = 1.0) -> Watched:
    result = Watched()
    for index, tracks in enumerate(frames):
        result.add(tracks, step * index, 0.01)
    return result


def test_nothing_watched_is_nothing_told():
    assert Watched().spans == []
    assert Watched().summary().startswith("0 frames in 0.0 s of video, 0 tracks, 0.0 ms a frame")


def test_a_single_frame_has_no_changes_a_minute():
    assert (
        watched([shown(1, "happy")]).summary()
        == "1 frames in 0.0 s of video, 1 tracks, 10.0 ms a frame (95 % within 10.0 ms)"
    )


def test_spans_begin_anew_with_each_label():
    frames = ["happy", "happy", "sad", "happy"]
    result = watched(*([shown(1, label)] for label in frames))
    assert [(s.label, s.start, s.end, s.frames) for s in result.spans] == [
        ("happy", 0.0, 1.0, 2),
        ("sad", 2.0, 2.0, 1),
        ("happy", 3.0, 3.0, 1),
    ]
    assert (result.changes, result.raw_changes, result.seconds) == (2, 2, 3.0)


def test_tracks_are_told_apart():
    result = watched(
        [shown(1, "happy"), shown(2, "sad")],
        [shown(2, "sad"), shown(1, "happy")],
        [shown(3, "sad")],
    )
    assert [(s.track, s.label, s.start, s.end) for s in result.spans] == [
        (1, "happy", 0.0, 1.0),
        (2, "sad", 0.0, 1.0),
        (3, "sad", 2.0, 2.0),
    ]
    assert result.changes == result.raw_changes == 0


def test_changes_are_counted_a_minute():
    frames = [
        [shown(1, "happy" if k < 15 else "sad", raw=("happy", "sad")[k % 2])] for k in range(31)
    ]
    result = watched(*frames)
    assert result.summary().endswith(", label changes a minute 2.0 (raw 60.0)")


def test_a_span_has_the_mean_score():
    span = Span(1, "happy", 0.0, 0.0)
    for index, score in enumerate((0.2, 0.4, 0.9)):
        span.add(float(index), score)
    assert (span.score, span.end, span.frames) == (pytest.approx(0.5), 2.0, 3)


def test_smoothing_leaves_a_third_of_the_label_changes_at_most(shared, pipeline):
    source = VideoFile(shared / "data" / "video" / "fer_woman2.mp4")
    result = Watched()
    for _ in islice(Watcher(pipeline)(source, result), 180):
        pass
    source.close()
    assert result.frames == 180
    assert len({span.track for span in result.spans}) == 1
    assert result.raw_changes >= 12
    assert 3 * result.changes <= result.raw_changes
    ends = [(span.start, span.end) for span in result.spans]
    assert all(before[1] < after[0] for before, after in pairwise(ends))


def test_a_video_without_a_person_gives_no_more_than_its_pictures_give(shared, pipeline):
    """The title that flies in looks like faces here and there; following must not add to them."""
    source = VideoFile(shared / "data" / "video" / "pyfeat_no_face.mp4")
    detector = FollowingDetector(pipeline.detector)
    plain = followed = 0
    for frame in islice(source, 10, 26):
        plain += len(pipeline.detector.detect(frame.image))
        followed += len(detector.detect(frame.image))
    source.close()
    assert followed <= 1.25 * plain
