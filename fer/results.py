"""What a detection and a prediction are: small frozen dataclasses, checked at birth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-6  # what a detector that computes in float32 may be beyond the bounds

_NOSE_DEPTH = 0.8  # half eye distances, of an adult's skull

TURNED_FROM = 30.0
"""Degrees of yaw, either way, from which on a face counts as turned away.

`benchmarks.turned` measures the accuracy at each angle. From here on it is under 0.7 for a network
that FER2013 alone taught, and 0.12 below that of all faces for one that learned photographs. """

LOW_SCORE = "low score"
WEAK_DETECTION = "weak detection"
TURNED_AWAY = "turned away"
"""The reasons why an answer is uncertain, as pages and records word them."""

Point = tuple[float, float]
"""A place in a picture: x, y in pixels."""

LABELS = ("happy", "sad", "neutral", "surprised")
"""The project's expression labels, in the order every bundled version uses."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels, `x1 < x2` and `y1 < y2`.

    (0, 0) is the top left corner.
    """

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not (0 < self.width < math.inf and 0 < self.height < math.inf):
            raise ValueError(f"a box needs x1 < x2 and y1 < y2, all finite, received {self}")

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def center(self) -> tuple[float, float]:
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def scaled(self, x: float, y: float) -> Box:
        """The same rectangle in a picture `x` times as wide and `y` times as high."""
        return Box(self.x1 * x, self.y1 * y, self.x2 * x, self.y2 * y)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Points of a face in pixels; of two, the left one is further left in the picture.

    `mouth` is the middle of the mouth. What a detector does not give is None.
    """

    left_eye: Point
    right_eye: Point
    nose: Point | None = None
    mouth: Point | None = None
    ears: tuple[Point, Point] | None = None

    @property
    def yaw(self) -> float | None:
        """How far the head is turned about its upright axis, in degrees, estimated from eyes and nose.

        0 looks straight into the camera, positive to the right of the picture, up to 90 either way.
        None without a nose. The tip of a nose lies `_NOSE_DEPTH` half eye distances before the
        eyes, so that it moves against them by the tangent of the angle times that.
        """
        if self.nose is None:
            return None
        (x1, y1), (x2, y2) = self.left_eye, self.right_eye
        across, down = (x2 - x1) / 2, (y2 - y1) / 2
        half_distance = math.hypot(across, down)
        if not half_distance:
            return 90.0
        aside = (self.nose[0] - (x1 + x2) / 2) * across + (self.nose[1] - (y1 + y2) / 2) * down
        return math.degrees(math.atan2(aside / half_distance, _NOSE_DEPTH * half_distance))


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face: its box clipped to the picture, the detector's confidence in [0, 1], its landmarks.

    `extent` is the detector's box before clipping. Crops are cut from it, so that a face at the
    border keeps its geometry; without one, the box serves. `weak` says that the confidence is so
    low that this detector often takes something else for a face.
    """

    box: Box
    confidence: float
    landmarks: Landmarks | None = None
    extent: Box | None = None
    weak: bool = False

    def __post_init__(self) -> None:
        if not -_ROUNDING <= self.confidence <= 1.0 + _ROUNDING:
            raise ValueError(f"confidence must lie in [0, 1], received {self.confidence}")
        object.__setattr__(self, "confidence", min(max(float(self.confidence), 0.0), 1.0))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why no expression of this face is certain.

        `WEAK_DETECTION`, `TURNED_AWAY`, both or none.
        """
        yaw = self.landmarks.yaw if self.landmarks else None
        turned = yaw is not None and abs(yaw) >= TURNED_FROM
        return (WEAK_DETECTION,) * self.weak + (TURNED_AWAY,) * turned


@dataclass(frozen=True, slots=True)
class Prediction:
    """A face and the probability of each expression label, in the version's own order.

    `crop` is the grey (height, width) uint8 picture that the network saw; `uncertain_below` is the
    version's own limit.
    """

    face: Face
    scores: Mapping[str, float]
    crop: NDArray[np.uint8] = field(repr=False, compare=False)
    uncertain_below: float = 0.0

    def __post_init__(self) -> None:
        valid = all(0.0 <= score <= 1.0 for score in self.scores.values())
        if not (valid and abs(sum(self.scores.values()) - 1.0) <= 1e-3):
            raise ValueError(
                f"scores must be probabilities that sum to 1, received {dict(self.scores)}"
            )
        object.__setattr__(self, "scores", MappingProxyType(dict(self.scores)))

    def __hash__(self) -> int:
        return hash((self.face, frozenset(self.scores.items()), self.uncertain_below))

    def __reduce__(self) -> tuple[Any, ...]:
        """How pickle and copy make another.

        A read-only view of a dict, as `scores` is, can be neither.
        """
        return Prediction, (self.face, dict(self.scores), self.crop, self.uncertain_below)

    @property
    def label(self) -> str:
        """The most probable label; the first one in the version's order on a tie."""
        return max(self.scores, key=lambda label: self.scores[label])

    @property
    def score(self) -> float:
        """The probability of `label`."""
        return self.scores[self.label]

    @property
    def doubts(self) -> tuple[str, ...]:
        """The reasons not to take `label` for an answer, such as `TURNED_AWAY`.

        Empty where there is none.
        """
        return self.doubts_at(self.score)

    @property
    def uncertain(self) -> bool:
        """Whether there is any reason not to take `label` for an answer."""
        return bool(self.doubts)

    def doubts_at(self, score: float) -> tuple[str, ...]:
        """What `doubts` would be if the best label had this score, as a smoothed one has."""
        low = (LOW_SCORE,) if score < self.uncertain_below else ()
        return low + self.face.doubts

    def top(self, k: int) -> list[tuple[str, float]]:
        """The `k` most probable labels with their scores, best first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])[:k]

    def to_dict(self) -> dict[str, Any]:
        """Box (x1, y1, x2, y2), confidence, label, score, uncertain, doubts and scores.

        Ready for JSON.
        """
        box = self.face.box
        return {
            "box": [round(float(side), 1) for side in (box.x1, box.y1, box.x2, box.y2)],
            "confidence": round(self.face.confidence, 4),
            "label": self.label,
            "score": round(float(self.score), 4),
            "uncertain": self.uncertain,
            "doubts": list(self.doubts),
            "scores": {label: round(float(score), 4) for label, score in self.scores.items()},
        }
