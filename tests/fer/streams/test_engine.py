"""The engine of every stream: who is present, the main face, and what picture and record say."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fer import Box, Face, FERPipeline, ModelVersion, Prediction, Track
from fer.annotate import annotate_tracks
from fer.records import track_record
from fer.streams.engine import AnalysedFrame, StreamEngine, StreamSettings, main_face
from fer.streams.tracking import COAST_SECONDS
from tests.factories.versions import write_tiny

Image = NDArray[np.uint8]
HAPPY = {"happy": 0.8, "sad": 0.2}
FRAME = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
LEFT = Box(20, 60, 80, 120)
RIGHT = Box(200, 60, 260, 120)


class Scene:
    """A detector that sees the boxes it is told to see."""

    name = "fixed"

    def __init__(self, *boxes: Box) -> None:
        self.boxes: Sequence[Box] = boxes
        self.weak = False

    def detect(self, _: Image) -> list[Face]:
        faces = [Face(box, 0.9, weak=self.weak) for box in self.boxes]
        return sorted(faces, key=lambda face: -face.box.area)


class FixedScores:
    """A classifier that gives every face the scores it is told."""

    def __init__(self, version: ModelVersion, scores: Mapping[str, float] = HAPPY) -> None:
        self.version = version
        self.labels = version.labels
        self.scores = scores
        self.uncertain_below = 0.0

    def classify(self, faces: Sequence[Face], crops: NDArray[np.uint8]) -> list[Prediction]:
        return [
            Prediction(face, self.scores, crop[0], self.uncertain_below)
            for face, crop in zip(faces, crops, strict=True)
        ]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def classifier(tmp_path) -> FixedScores:
    return FixedScores(write_tiny(tmp_path / "tiny"))


@pytest.fixture
def settings(scene, classifier) -> StreamSettings:
    return StreamSettings(FERPipeline(scene, classifier))


@pytest.fixture
def captions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Filled by each frame: the text of every caption on the picture."""
    module = importlib.import_module("fer.annotate")  # in the package the function hides the module
    placed = module.placed
    texts: list[str] = []

    def spy(*arguments: object) -> object:
        result = placed(*arguments)
        texts[:] = [caption.text for caption, _ in result]
        return result

    monkeypatch.setattr(module, "placed", spy)
    return texts


def numbers(tracks: Sequence[Track]) -> list[int]:
    return [track.number for track in tracks]


def track(number: int, side: float) -> Track:
    box = Box(0, 0, side, side)
    prediction = Prediction(Face(box, 0.9), HAPPY, np.zeros((4, 4), np.uint8))
    return Track(number, box, HAPPY, "happy", 0.8, prediction, 0.0, ())


def test_without_a_face_there_is_nothing_but_the_picture(settings):
    analysed = StreamEngine(settings)(FRAME, 0.0)
    assert (analysed.tracks, analysed.present, analysed.main) == ([], [], None)
    assert np.array_equal(analysed.picture, FRAME)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_picture_shows_the_tracks(settings, scene, mirror):
    scene.boxes = (LEFT, RIGHT)
    analysed = StreamEngine(replace(settings, mirror=mirror))(FRAME, 0.0)
    assert numbers(analysed.tracks) == numbers(analysed.present) == [1, 2]
    assert {track.box for track in analysed.tracks} == {LEFT, RIGHT}
    expected = annotate_tracks(FRAME, analysed.tracks, mirror=mirror)
    assert np.array_equal(analysed.picture, expected)
    assert not np.array_equal(analysed.picture, FRAME)


@pytest.mark.parametrize("step", [0.0, 0.1], ids=["the clock stands still", "time goes on"])
def test_a_face_that_has_just_gone_is_shown_and_not_present(settings, scene, step):
    engine = StreamEngine(settings)
    scene.boxes = (LEFT, RIGHT)
    engine(FRAME, 0.0)
    scene.boxes = (RIGHT,)
    analysed = engine(FRAME, step)
    assert len(analysed.tracks) == 2
    assert [track.box for track in analysed.present] == [RIGHT]
    gone = engine(FRAME, step + COAST_SECONDS + 0.01)
    assert gone.tracks == gone.present


def test_a_face_that_has_just_gone_is_not_present_where_the_size_changes(settings, scene):
    engine = StreamEngine(settings)
    scene.boxes = (LEFT,)
    engine(FRAME, 0.0)
    scene.boxes = ()
    analysed = engine(FRAME[::2, ::2], 0.1)
    assert analysed.present == []
    assert [track.box for track in analysed.tracks] == [LEFT.scaled(0.5, 0.5)]


@pytest.mark.parametrize(("x", "y"), [(0.5, 0.5), (2.0, 1.0), (1.0, 3.0)])
def test_a_face_keeps_its_number_when_the_frames_change_their_size(settings, scene, x, y):
    engine = StreamEngine(settings)
    scene.boxes = (LEFT,)
    engine(FRAME, 0.0)
    scene.boxes = (LEFT.scaled(x, y),)
    analysed = engine(np.zeros((round(240 * y), round(320 * x), 3), np.uint8), 0.1)
    assert numbers(analysed.present) == [1]
    assert analysed.present[0].box == LEFT.scaled(x, y)


# What picture and record say


def test_picture_and_record_call_the_same_tracks_uncertain(settings, scene, classifier, captions):
    """The displayed score changes a few times a second, and with it what is uncertain."""
    engine = StreamEngine(settings)
    scene.boxes = (LEFT,)
    classifier.uncertain_below = 0.7
    rng = np.random.default_rng(0)
    seen = set()
    for k in range(300):
        happy = rng.uniform(0.3, 1.0)
        classifier.scores = {"happy": happy, "sad": 1 - happy}
        scene.weak = k % 50 > 40
        (track,) = engine(FRAME, k / 30).present
        record = track_record(track, k / 30)
        _, label, _ = captions[0].split()
        assert label == record["label"] + "?" * record["uncertain"]
        assert record["doubts"] == list(track.doubts)
        assert record["uncertain"] == bool(record["doubts"])
        seen.add(record["uncertain"])
    assert seen == {False, True}


# The main face


@pytest.mark.parametrize(
    ("tracks", "previous", "main"),
    [
        ([], None, None),
        ([], track(1, 9), None),
        ([track(1, 9)], None, 1),
        ([track(1, 9), track(2, 10)], None, 2),
        ([track(1, 10), track(2, 12)], track(1, 10), 1),
        ([track(1, 10), track(2, 13)], track(1, 10), 2),
        ([track(1, 10), track(2, 20)], track(3, 99), 2),
        ([track(2, 5)], track(1, 99), 2),
    ],
)
def test_the_main_face_stays_until_another_is_clearly_larger(tracks, previous, main):
    found = main_face(tracks, previous)
    assert (found and found.number) == main


def test_the_main_face_of_a_frame_is_one_of_its_tracks(settings, scene):
    engine = StreamEngine(settings)
    scene.boxes = (LEFT,)
    assert engine(FRAME, 0.0).main.number == 1
    scene.boxes = (LEFT, RIGHT.scaled(1, 1.2))
    assert engine(FRAME, 0.1).main.number == 1
    scene.boxes = (RIGHT.scaled(1, 1.2),)
    engine(FRAME, 0.2)
    assert engine(FRAME, 0.6).main.number == 2


# Other settings in mid-stream


def labels_of(analysed: AnalysedFrame) -> list[str]:
    return [track.label for track in analysed.tracks]


def test_other_settings_apply_to_the_next_frame_and_tracks_go_on(settings, scene, classifier):
    engine = StreamEngine(settings)
    scene.boxes = (LEFT,)
    assert labels_of(engine(FRAME, 0.0)) == ["happy"]
    other = FixedScores(classifier.version, {"a": 0.1, "b": 0.9})
    engine.use(StreamSettings(FERPipeline(scene, other), time_constant=0.0))
    analysed = engine(FRAME, 0.1)
    assert (numbers(analysed.tracks), labels_of(analysed)) == ([1], ["b"])
    assert analysed.pipeline is engine.pipeline
    assert analysed.pipeline.classifier is other


@pytest.mark.parametrize(("time_constant", "happy"), [(0.0, 0.0), (0.5, np.exp(-1))])
def test_the_time_constant_is_that_of_the_settings(
    settings, scene, classifier, time_constant, happy
):
    engine = StreamEngine(settings)
    scene.boxes = (LEFT,)
    classifier.scores = {"happy": 1.0, "sad": 0.0}
    engine(FRAME, 0.0)
    classifier.scores = {"happy": 0.0, "sad": 1.0}
    engine.use(replace(settings, time_constant=time_constant))
    (track,) = engine(FRAME, 0.5).tracks
    assert track.scores["happy"] == pytest.approx(happy)


def test_the_same_pipeline_is_not_begun_anew(settings, scene, classifier):
    engine = StreamEngine(settings)
    before = engine.pipeline
    engine.use(StreamSettings(FERPipeline(scene, classifier), 0.0, mirror=True))
    assert engine.pipeline is before
    assert engine.pipeline.detector.name == "fixed"
