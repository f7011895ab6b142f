"""The results of detection, classification and tracking: frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer.geometry import Box, Landmarks

TURNED_FROM = 30.0
"""Degrees of yaw, either way, from which on a face counts as turned away.

`benchmarks.turned` measures the accuracy at each angle. From here on it is under 0.7 for a network
that FER2013 alone taught, and 0.12 below that of all faces for one that learned photographs.
"""

LOW_SCORE = "low score"
WEAK_DETECTION = "weak detection"
TURNED_AWAY = "turned away"
"""The reasons why a label is uncertain, as pages and records word them."""

_ROUNDING = 1e-6  # how far a detector that computes in float32 may be beyond the bounds


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face.

    Args:
        box: Where the face is, clipped to the picture.
        confidence: The detector's confidence in [0, 1].
        landmarks: Eyes, nose, mouth and ears, where the detector gives them.
        extent: The detector's box before clipping, None where it is `box`. Crops are cut from it,
            so that a face at the border keeps its geometry.
        weak: Whether this detector often takes something else for a face at such a confidence.

    Raises:
        ValueError: `confidence` is outside [0, 1].

    Example:
        >>> Face(Box(0, 0, 40, 50), confidence=0.6, weak=True).doubts
        ('weak detection',)
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
        """Why no expression of this face is certain: `WEAK_DETECTION`, `TURNED_AWAY`, or both."""
        yaw = self.landmarks.yaw if self.landmarks else None
        turned = yaw is not None and abs(yaw) >= TURNED_FROM
        return (WEAK_DETECTION,) * self.weak + (TURNED_AWAY,) * turned


@dataclass(frozen=True, slots=True)
class Prediction:
    """A face and the probability of each expression label.

    Args:
        face: The face.
        scores: The probability of each label, in the version's own order; kept as a read-only copy.
        crop: What the network saw, grey uint8 (height, width). Not part of comparisons.
        uncertain_below: The version's limit under which its best label is uncertain.

    Raises:
        ValueError: The scores are no probabilities or do not sum to 1.

    Example:
        >>> face = Face(Box(0, 0, 40, 50), confidence=0.9)
        >>> crop = np.zeros((48, 48), np.uint8)
        >>> prediction = Prediction(face, {"happy": 0.6, "sad": 0.4}, crop, uncertain_below=0.7)
        >>> prediction.label, prediction.score, prediction.doubts
        ('happy', 0.6, ('low score',))
    """

    face: Face
    scores: Mapping[str, float]
    crop: NDArray[np.uint8] = field(repr=False, compare=False)
    uncertain_below: float = 0.0

    def __post_init__(self) -> None:
        if not _is_distribution(self.scores.values()):
            raise ValueError(
                f"scores must be probabilities that sum to 1, received {dict(self.scores)}"
            )
        object.__setattr__(self, "scores", _read_only(self.scores))

    def __hash__(self) -> int:
        return hash((self.face, frozenset(self.scores.items()), self.uncertain_below))

    def __reduce__(self) -> tuple[Any, ...]:  # a read-only view of a dict cannot be copied
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
        """Why `label` is uncertain, such as `TURNED_AWAY`; empty where it is not."""
        return self.doubts_at(self.score)

    @property
    def uncertain(self) -> bool:
        """Whether there is any reason to doubt `label`."""
        return bool(self.doubts)

    def doubts_at(self, score: float) -> tuple[str, ...]:
        """What `doubts` would be if the best label had this score, as a smoothed one has."""
        low = (LOW_SCORE,) if score < self.uncertain_below else ()
        return low + self.face.doubts

    def top(self, k: int) -> list[tuple[str, float]]:
        """The `k` most probable labels with their scores, best first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])[:k]

    def to_dict(self) -> dict[str, Any]:
        """Box (x1, y1, x2, y2), confidence, label, score, uncertain, doubts, scores; for JSON."""
        return {
            "box": _rounded_sides(self.face.box),
            "confidence": round(self.face.confidence, 4),
            "label": self.label,
            "score": round(float(self.score), 4),
            "uncertain": self.uncertain,
            "doubts": list(self.doubts),
            "scores": rounded(self.scores),
        }


@dataclass(frozen=True, slots=True)
class Track:
    """A face followed from frame to frame: steady where its latest prediction is not.

    Args:
        number: Counts from 1 in a stream and is never given twice.
        box: The smoothed box.
        scores: The smoothed probability of each label; kept as a read-only copy.
        label: The label that leads clearly.
        displayed_score: The score of `label` as people read it; it changes a few times a second.
        prediction: What the latest frame with this face gave, untouched.
        seen: The time of that frame in seconds.
        doubts: Why `label` is uncertain, by the displayed score; empty where it is not.

    Example:
        >>> from fer.streams.tracking import FaceTracker
        >>> face = Face(Box(0, 0, 40, 50), confidence=0.9)
        >>> crop = np.zeros((48, 48), np.uint8)
        >>> prediction = Prediction(face, {"happy": 0.6, "sad": 0.4}, crop)
        >>> (track,) = FaceTracker().update([prediction], time=0.0)
        >>> track.number, track.label, track.score, track.uncertain
        (1, 'happy', 0.6, False)
    """

    number: int
    box: Box
    scores: Mapping[str, float]
    label: str
    displayed_score: float
    prediction: Prediction
    seen: float
    doubts: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "scores", _read_only(self.scores))

    def __hash__(self) -> int:
        return hash((self.number, self.seen, self.prediction))

    def __reduce__(self) -> tuple[Any, ...]:  # as of a prediction
        smoothed = (self.number, self.box, dict(self.scores), self.label, self.displayed_score)
        return Track, (*smoothed, self.prediction, self.seen, self.doubts)

    @property
    def score(self) -> float:
        """The smoothed probability of `label`."""
        return self.scores[self.label]

    @property
    def uncertain(self) -> bool:
        """Whether there is any reason to doubt `label`."""
        return bool(self.doubts)


def rounded(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores as records write them."""
    return {label: round(float(score), 4) for label, score in scores.items()}


def _rounded_sides(box: Box) -> list[float]:
    return [round(float(side), 1) for side in (box.x1, box.y1, box.x2, box.y2)]


def _is_distribution(probabilities: Iterable[float]) -> bool:
    values = list(probabilities)
    return all(0.0 <= value <= 1.0 for value in values) and abs(sum(values) - 1.0) <= 1e-3


def _read_only(scores: Mapping[str, float]) -> Mapping[str, float]:
    return MappingProxyType(dict(scores))
