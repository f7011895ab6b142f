"""Follow faces from frame to frame: stable numbers; scores, labels and boxes that do not flicker.

Only overlap joins the faces of two frames. Nobody is recognised: who leaves and returns gets a new
number.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer.geometry import Box
from fer.results import Prediction, Track

COAST_SECONDS = 0.3
"""How long the track of a face that the detector misses is still returned."""

_FORGET_SECONDS = 1.0
# boxes grow by this share of their sides before they are compared (Yang et al. 2023, "C-BIoU")
_BUFFER = 0.3
_SAME_FACE = 0.2  # intersection over union of two such boxes
_MARGIN = 0.1  # by which a label must lead before it replaces the track's label
_DISPLAY_SECONDS = 0.25  # a score that changes more often cannot be read

# 1 Euro filter (Casiez, Roussel, Vogel 2012): the cutoff of a still face, and of the speed, and by
# how much the cutoff rises for each box height a second, all in Hz
_STILL_CUTOFF = 1.0
_CUTOFF_SLOPE = 8.0


class FaceTracker:
    """Joins the predictions of the frames of one stream into tracks, from one thread at a time.

    `time_constant` is that of the exponential smoothing of the scores, in seconds: after a sudden
    change they are 63 % of the way there. It may be set while the stream runs; at 0 every frame
    keeps its own scores and label.
    """

    def __init__(self, time_constant: float = 0.5) -> None:
        self.time_constant = time_constant
        self._followed: list[_Followed] = []
        self._numbers = itertools.count(1)

    def update(self, predictions: Sequence[Prediction], time: float) -> list[Track]:
        """The tracks at `time` in seconds, by number; a face missed for a moment stays in place."""
        self._forget(time)
        for prediction, followed in _matched(predictions, self._followed):
            if followed is None:
                self._followed.append(_Followed(next(self._numbers), prediction, time))
            else:
                followed.add(prediction, time, self.time_constant)
        tracks = [face.track for face in self._followed]
        return [track for track in tracks if _age(track, time) <= COAST_SECONDS]

    def _forget(self, time: float) -> None:
        self._followed = [
            face for face in self._followed if _age(face.track, time) <= _FORGET_SECONDS
        ]

    def scale(self, x: float, y: float) -> None:
        """Adapt to frames that have become `x` times as wide and `y` times as high."""
        for face in self._followed:
            face.scale(x, y)


class _Followed:
    """A face, its track, and what the track's next step depends on."""

    def __init__(self, number: int, prediction: Prediction, time: float) -> None:
        box, label = prediction.face.box, prediction.label
        self.track = Track(
            number=number,
            box=box,
            scores=prediction.scores,
            label=label,
            displayed_score=prediction.score,
            prediction=prediction,
            seen=time,
            doubts=prediction.doubts,
        )
        self._displayed_at = time
        self._filter = _BoxFilter(box)

    def add(self, prediction: Prediction, time: float, time_constant: float) -> None:
        elapsed = max(time - self.track.seen, 0.0)
        scores = _smoothed(self.track.scores, prediction.scores, elapsed, time_constant)
        label = _steady_label(self.track.label, scores, time_constant)
        track = replace(
            self.track,
            box=self._filter(prediction.face.box, elapsed),
            scores=scores,
            label=label,
            prediction=prediction,
            seen=time,
        )
        if self._display_is_due(label, time) or time_constant <= 0:
            self._displayed_at = time
            doubts = prediction.doubts_at(track.score)
            track = replace(track, displayed_score=track.score, doubts=doubts)
        self.track = track

    def _display_is_due(self, label: str, time: float) -> bool:
        return label != self.track.label or abs(time - self._displayed_at) >= _DISPLAY_SECONDS

    def scale(self, x: float, y: float) -> None:
        prediction = self.track.prediction
        face = replace(prediction.face, box=prediction.face.box.scaled(x, y))
        box = self.track.box.scaled(x, y)
        self.track = replace(self.track, box=box, prediction=replace(prediction, face=face))
        self._filter = _BoxFilter(box)


class _BoxFilter:
    """The 1 Euro filter on a box's centre and sides: steady at rest, without delay in motion."""

    def __init__(self, box: Box) -> None:
        self._shape = _shape(box)
        self._speed = np.zeros(4)

    def __call__(self, box: Box, seconds: float) -> Box:
        if seconds > 0:
            self._follow(box, seconds)
        x, y, width, height = self._shape.tolist()  # the sides stay positive, whatever comes
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def _follow(self, box: Box, seconds: float) -> None:
        change = _shape(box) - self._shape
        speed = change / seconds / box.height
        self._speed += _weight(_STILL_CUTOFF, seconds) * (speed - self._speed)
        cutoff = _STILL_CUTOFF + _CUTOFF_SLOPE * np.abs(self._speed)
        self._shape = self._shape + _weight(cutoff, seconds) * change


def _age(track: Track, time: float) -> float:
    """Seconds since the face was seen, or, after a clock was set back, until then."""
    return abs(time - track.seen)


def _smoothed(
    old: Mapping[str, float], new: Mapping[str, float], elapsed: float, time_constant: float
) -> Mapping[str, float]:
    another_label_set = old.keys() != new.keys()
    if time_constant <= 0 or another_label_set:
        return new
    weight = -math.expm1(-elapsed / time_constant)
    return {label: old[label] + weight * (score - old[label]) for label, score in new.items()}


def _steady_label(kept: str, scores: Mapping[str, float], time_constant: float) -> str:
    best = max(scores, key=lambda label: scores[label])
    if time_constant <= 0 or kept not in scores:
        return best
    return best if scores[best] - scores[kept] > _MARGIN else kept


def _weight(cutoff: NDArray[np.float64] | float, seconds: float) -> NDArray[np.float64]:
    """The share of a new value in a first-order low-pass filter with this cutoff in Hz."""
    rate = 2 * math.pi * np.asarray(cutoff) * seconds
    return np.asarray(rate / (rate + 1))


def _shape(box: Box) -> NDArray[np.float64]:
    return np.array((*box.center, box.width, box.height))


def _matched(
    predictions: Sequence[Prediction], followed: Sequence[_Followed]
) -> list[tuple[Prediction, _Followed | None]]:
    """Each prediction with the face that it continues, best overlaps first, or with None."""
    new = [_buffered(prediction) for prediction in predictions]
    known = [_buffered(face.track.prediction) for face in followed]
    partners = _partners(new, known)
    return [
        (prediction, followed[partners[i]] if i in partners else None)
        for i, prediction in enumerate(predictions)
    ]


def _partners(new: Sequence[Box], known: Sequence[Box]) -> dict[int, int]:
    """For the numbers of new boxes, those of the known ones that show the same face."""
    overlaps = [(a.iou(b), i, j) for i, a in enumerate(new) for j, b in enumerate(known)]
    partners: dict[int, int] = {}
    for overlap, i, j in sorted(overlaps, reverse=True):
        if overlap > _SAME_FACE and i not in partners and j not in partners.values():
            partners[i] = j
    return partners


def _buffered(prediction: Prediction) -> Box:
    box = prediction.face.box
    x = _BUFFER * box.width
    y = _BUFFER * box.height
    return Box(box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y)
