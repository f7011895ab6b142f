"""Faces followed from frame to frame: stable numbers, smoothed scores, labels and boxes that do not flicker.

Only overlap joins the faces of two frames. Nobody is recognised: who leaves and returns gets a new
number.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer.detection.following import overlap
from fer.results import Box, Prediction

COAST_SECONDS = 0.3
"""How long a face that the detector misses is still shown."""

_FORGET_SECONDS = 1.0
# boxes grow by this share of their sides before they are compared (Yang et al. 2023, "C-BIoU")
_BUFFER = 0.3
_OVERLAP = 0.2
_MARGIN = 0.1  # by which a label must lead before it replaces the one that is shown
_SHOWN_SECONDS = 0.25  # a figure that changes more often cannot be read
# 1 Euro filter (Casiez, Roussel, Vogel 2012): cutoffs in Hz, and how much faster for each box
# height a second.
_STILL, _MOVING, _SPEED = 1.0, 8.0, 1.0


@dataclass(frozen=True, slots=True)
class Track:
    """A face followed over frames.

    `prediction` is what its latest frame gave, untouched; the rest is steadied.

    `scores` are the smoothed probabilities, `label` is the one that leads clearly, and `figure` is
    its score as it should be written on the picture: it changes a few times a second, and with it
    `doubts`, the reasons not to take `label` for an answer. `seen` is the time of `prediction` in
    seconds.
    """

    number: int
    box: Box
    scores: Mapping[str, float]
    label: str
    figure: float
    prediction: Prediction
    seen: float
    doubts: tuple[str, ...]

    @property
    def score(self) -> float:
        """The smoothed probability of `label`."""
        return self.scores[self.label]

    @property
    def uncertain(self) -> bool:
        """Whether there is any reason not to take `label` for an answer."""
        return bool(self.doubts)


class FaceTracker:
    """Joins the predictions of successive frames into tracks; one tracker a stream, called from one thread at a time.

    `time_constant` is the exponential smoothing of the scores in seconds: after a sudden change
    they are 63 % of the way there. It may be set while the stream runs; 0 shows every frame's own
    scores and label.
    """

    def __init__(self, time_constant: float = 0.5) -> None:
        self.time_constant = time_constant
        self._tracks: list[_Followed] = []
        self._numbers = itertools.count(1)

    def update(self, predictions: Sequence[Prediction], time: float) -> list[Track]:
        """The tracks to show at `time` in seconds, by number.

        A face missed for a moment stays where it was.
        """
        self._tracks = [
            track for track in self._tracks if abs(time - track.seen) <= _FORGET_SECONDS
        ]
        for prediction, track in _matched(predictions, self._tracks):
            if track is None:
                self._tracks.append(_Followed(next(self._numbers), prediction, time))
            else:
                track.add(prediction, time, self.time_constant)
        return [track.shown for track in self._tracks if abs(time - track.seen) <= COAST_SECONDS]

    def scale(self, x: float, y: float) -> None:
        """Follow frames that have become `x` times as wide and `y` times as high."""
        for track in self._tracks:
            track.scale(x, y)


class _Followed:
    """What is remembered of one face."""

    def __init__(self, number: int, prediction: Prediction, time: float) -> None:
        scores = dict(prediction.scores)
        label, box = prediction.label, prediction.face.box
        self.shown = Track(
            number, box, scores, label, scores[label], prediction, time, prediction.doubts
        )
        self._figure_time = time
        self._filter = _BoxFilter(box)

    @property
    def seen(self) -> float:
        return self.shown.seen

    def add(self, prediction: Prediction, time: float, time_constant: float) -> None:
        seconds = max(time - self.seen, 0.0)
        scores = self._smoothed(prediction.scores, seconds, time_constant)
        label = self._leader(scores, time_constant)
        figure, doubts = self.shown.figure, self.shown.doubts
        if (
            label != self.shown.label
            or abs(time - self._figure_time) >= _SHOWN_SECONDS
            or time_constant <= 0
        ):
            figure, self._figure_time = scores[label], time
            doubts = prediction.doubts_at(figure)
        box = self._filter(prediction.face.box, seconds)
        self.shown = Track(self.shown.number, box, scores, label, figure, prediction, time, doubts)

    def scale(self, x: float, y: float) -> None:
        box, prediction = self.shown.box.scaled(x, y), self.shown.prediction
        face = replace(prediction.face, box=prediction.face.box.scaled(x, y))
        self.shown = replace(self.shown, box=box, prediction=replace(prediction, face=face))
        self._filter = _BoxFilter(box)

    def _smoothed(
        self, new: Mapping[str, float], seconds: float, time_constant: float
    ) -> dict[str, float]:
        old = self.shown.scores
        # another version with other labels starts anew
        if time_constant <= 0 or old.keys() != new.keys():
            return dict(new)
        weight = -math.expm1(-seconds / time_constant)
        return {label: old[label] + weight * (score - old[label]) for label, score in new.items()}

    def _leader(self, scores: Mapping[str, float], time_constant: float) -> str:
        best = max(scores, key=lambda label: scores[label])
        kept = self.shown.label
        if time_constant <= 0 or kept not in scores:
            return best
        return best if scores[best] - scores[kept] > _MARGIN else kept


class _BoxFilter:
    """The 1 Euro filter on a box's centre and sides.

    Still faces keep still, moving ones are followed without delay.
    """

    def __init__(self, box: Box) -> None:
        self._shape, self._speed = _shape(box), np.zeros(4)

    def __call__(self, box: Box, seconds: float) -> Box:
        if seconds > 0:
            new, side = _shape(box), box.height
            self._speed += _weight(_STILL, seconds) * (
                (new - self._shape) / seconds / side - self._speed
            )
            cutoff = _STILL + _MOVING * _SPEED * np.abs(self._speed)
            self._shape = self._shape + _weight(cutoff, seconds) * (new - self._shape)
        x, y, width, height = self._shape.tolist()  # the sides stay positive, whatever comes
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _weight(cutoff: NDArray[np.float64] | float, seconds: float) -> NDArray[np.float64]:
    """The share of a new value in a first-order low-pass filter with this cutoff in Hz."""
    rate = 2 * math.pi * np.asarray(cutoff) * seconds
    return np.asarray(rate / (rate + 1))


def _shape(box: Box) -> NDArray[np.float64]:
    return np.array((*box.center, box.width, box.height))


def _matched(
    predictions: Sequence[Prediction], tracks: Sequence[_Followed]
) -> list[tuple[Prediction, _Followed | None]]:
    """Each prediction with the track it continues, the best overlaps first.

    None where it begins a new one.
    """
    grown = [_grown(prediction.face.box) for prediction in predictions]
    known = [_grown(track.shown.prediction.face.box) for track in tracks]
    pairs = [(overlap(a, b), i, j) for i, a in enumerate(grown) for j, b in enumerate(known)]
    of: dict[int, int] = {}
    for shared, i, j in sorted(pairs, reverse=True):
        if shared > _OVERLAP and i not in of and j not in of.values():
            of[i] = j
    return [
        (prediction, tracks[of[i]] if i in of else None) for i, prediction in enumerate(predictions)
    ]


def _grown(box: Box) -> Box:
    x, y = _BUFFER * box.width, _BUFFER * box.height
    return Box(box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y)


def mirrored(track: Track, width: int) -> Track:
    """The track as a mirror shows it, in a picture `width` pixels wide."""
    return replace(
        track, box=Box(width - track.box.x2, track.box.y1, width - track.box.x1, track.box.y2)
    )
