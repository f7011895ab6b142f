"""The engine of every stream: frames in; tracks, present faces, main face and picture out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer.annotate import annotate_tracks
from fer.detection.following import FollowingDetector
from fer.pipeline import FERPipeline
from fer.results import Prediction, Track
from fer.streams.tracking import FaceTracker

_CLEARLY_LARGER = 1.5  # times the main face, for another face to take its place


@dataclass(frozen=True)
class StreamSettings:
    """What may change while a stream runs; `time_constant` is `FaceTracker`'s, in seconds."""

    pipeline: FERPipeline
    time_constant: float = 0.5
    mirror: bool = False


@dataclass(frozen=True)
class AnalysedFrame:
    """What the engine found in one frame.

    `tracks` are all that `picture`, RGB uint8 (height, width, 3), shows; `present` are those whose
    face is in this frame itself, not only in one just before. `main` is the largest face; it keeps
    its place until another is clearly larger. `pipeline` is the one that was used.
    """

    tracks: list[Track]
    present: list[Track]
    main: Track | None
    picture: NDArray[np.uint8]
    pipeline: FERPipeline


class StreamEngine:
    """Follows and classifies the faces of one stream, frame by frame.

    Frames come in order, from one thread at a time; another thread may call `use` meanwhile.
    """

    def __init__(self, settings: StreamSettings) -> None:
        self._given = settings
        self._settings = _following(settings)
        self._tracker = FaceTracker()
        self._size: tuple[int, int] | None = None
        self._main: Track | None = None

    @property
    def pipeline(self) -> FERPipeline:
        """The pipeline in use, with a detector that follows faces."""
        return self._settings.pipeline

    def use(self, settings: StreamSettings) -> None:
        """Apply other settings from the next frame on; tracks go on."""
        same = settings.pipeline == self._given.pipeline
        self._given = settings
        self._settings = replace(settings, pipeline=self.pipeline) if same else _following(settings)

    def __call__(self, image: NDArray[np.uint8], time: float) -> AnalysedFrame:
        """Analyse an RGB uint8 (height, width, 3) frame that was taken at `time` in seconds."""
        settings = self._settings
        self._follow_size(image)
        predictions = settings.pipeline(image)
        self._tracker.time_constant = settings.time_constant
        tracks = self._tracker.update(predictions, time)
        self._main = main_face(tracks, self._main)
        return AnalysedFrame(
            tracks=tracks,
            present=_present(tracks, predictions),
            main=self._main,
            picture=annotate_tracks(image, tracks, mirror=settings.mirror),
            pipeline=settings.pipeline,
        )

    def _follow_size(self, image: NDArray[np.uint8]) -> None:
        """Connections change the size of their frames when they adapt to the network."""
        height, width = image.shape[:2]
        if self._size and self._size != (width, height):
            self._tracker.scale(width / self._size[0], height / self._size[1])
        self._size = width, height


def main_face(tracks: Sequence[Track], previous: Track | None) -> Track | None:
    """The largest face, or the previous main face where none is clearly larger."""
    if not tracks:
        return None
    largest = max(tracks, key=_area)
    same = _track_of(previous.number, tracks) if previous else None
    if same and _area(largest) <= _CLEARLY_LARGER * _area(same):
        return same
    return largest


def _track_of(number: int, tracks: Sequence[Track]) -> Track | None:
    return next((track for track in tracks if track.number == number), None)


def _present(tracks: Sequence[Track], predictions: Sequence[Prediction]) -> list[Track]:
    """By the predictions themselves: two frames may bear the same time."""
    here = {id(prediction) for prediction in predictions}
    return [track for track in tracks if id(track.prediction) in here]


def _area(track: Track) -> float:
    return track.box.area


def _following(settings: StreamSettings) -> StreamSettings:
    pipeline = settings.pipeline
    following = replace(pipeline, detector=FollowingDetector(pipeline.detector))
    return replace(settings, pipeline=following)
