"""Two versions on the same test examples, pair by pair: is one of them really better?"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zipfile import BadZipFile, ZipFile

import numpy as np

from fer.errors import ModelError
from fer.metrics import Z_95, Estimate, Labels, Scores

_MAX_UNPACKED = 8 << 20  # bytes
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, MemoryError, BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two versions on the same examples: how many each got right, and what that says of their accuracy.

    `difference` is accuracy of a minus accuracy of b, `low` to `high` its 95 % interval, `p_value` McNemar's, exact.
    """

    n: int
    both: int
    only_a: int
    only_b: int
    neither: int
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves out zero and the exact test, which is the stricter of the two, agrees."""
        return self.p_value < 0.05 and not self.low <= 0 <= self.high

    def sentence(self, a: str, b: str) -> str:
        """The outcome in plain words, given the names of the two versions."""
        if not self.distinguishable:
            doubt = "" if self.low <= 0 <= self.high else f" by the exact test (p = {self.p_value:.3f})"
            return f"{a} and {b} are not distinguishable at n={self.n}{doubt}: {self._points(1)}"
        better, sign = (a, 1) if self.difference > 0 else (b, -1)
        return f"{better} is better: {self._points(sign)}, n={self.n}"

    def _points(self, sign: int) -> str:
        low, high = sorted((100 * sign * self.low, 100 * sign * self.high))
        return f"{100 * sign * self.difference:+.1f} points, 95 % interval {low:.1f} to {high:.1f}"


@dataclass(frozen=True, slots=True)
class Predictions:
    """A version's scores for every test example, the labels under each labelling (-1: left out), the set's digest.

    `probes` are the answers that its graph gave to pictures made from a seed, or None where they were not kept.
    """

    scores: Scores
    labels: Mapping[str, Labels]
    test_sha256: str
    probes: Scores | None = None

    @classmethod
    def read(cls, content: bytes, classes: int) -> Predictions:
        """Parse a `predictions.npz` of unknown origin. Raises ModelError."""
        try:
            return _predictions(content, classes)
        except _UNREADABLE as error:
            raise ModelError(f"predictions.npz cannot be used ({type(error).__name__}: {error}).") from error

    def compare(self, other: Predictions, labelling: str) -> PairedComparison:
        """This version (a) against another one (b). Raises ModelError unless both saw the same examples."""
        if self.test_sha256 != other.test_sha256:
            raise ModelError(
                f"the test sets differ ({self.test_sha256:.12} and {other.test_sha256:.12}), so there are no pairs; "
                "evaluate both versions on the same data."
            )
        labels, others = self.labels.get(labelling), other.labels.get(labelling)
        if labels is None or others is None or not np.array_equal(labels, others):
            raise ModelError(f"the test set has no labels {labelling!r} on which both versions agree.")
        rows = labels >= 0
        return compare(self.scores[rows], other.scores[rows], labels[rows])


def _predictions(content: bytes, classes: int) -> Predictions:
    if sum(member.file_size for member in ZipFile(io.BytesIO(content)).infolist()) > _MAX_UNPACKED:
        raise ValueError(f"over {_MAX_UNPACKED:,} bytes unpacked")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        scores, duplicate, digest = stored["scores"], stored["duplicate"].astype(bool), str(stored["test_sha256"])
        labels = {"fer2013": stored["fer2013"], "ferplus": stored["ferplus"]}
        probes = stored.get("probes")
    labels["fer2013-dedup"] = np.where(duplicate, -1, labels["fer2013"])
    _check_probabilities("scores", scores, classes)
    if probes is not None:
        _check_probabilities("probes", probes, classes)
    for name, values in labels.items():
        if values.dtype.kind != "i" or values.shape != scores.shape[:1] or ((values < -1) | (values >= classes)).any():
            raise ValueError(f"{name} must hold, for each example, -1 to {classes - 1}")
    counted = {name: values for name, values in labels.items() if (values >= 0).any()}
    return Predictions(scores, counted, digest, probes)


def _check_probabilities(name: str, scores: Scores, classes: int) -> None:
    if scores.dtype.kind != "f" or scores.ndim != 2 or scores.shape[1] != classes:
        raise ValueError(f"{name} are {scores.dtype} {scores.shape}, expected floats (n, {classes})")
    if not ((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1.0, atol=1e-3)):
        raise ValueError(f"{name} are no probabilities")


def compare(scores_a: Scores, scores_b: Scores, labels: Labels) -> PairedComparison:
    """Pair two versions on the same rows: McNemar's exact test and Tango's interval for the difference of accuracy."""
    right_a, right_b = scores_a.argmax(axis=1) == labels, scores_b.argmax(axis=1) == labels
    n, both = len(labels), int((right_a & right_b).sum())
    only_a, only_b = int(right_a.sum()) - both, int(right_b.sum()) - both
    found, neither, p_value = tango(only_a, only_b, n), n - both - only_a - only_b, mcnemar(only_a, only_b)
    return PairedComparison(n, both, only_a, only_b, neither, found.value, found.low, found.high, p_value)


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided p-value of the exact test on the examples that one of two got right (McNemar 1947): a fair coin."""
    n = only_a + only_b
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, float(2 * tail / 2**n))


def tango(only_a: int, only_b: int, n: int) -> Estimate:
    """A difference of paired proportions with its 95 % score interval (Tango 1998): McNemar's test, turned round."""
    if not 0 <= only_a + only_b <= n or min(only_a, only_b) < 0 or n == 0:
        raise ValueError(f"need 0 <= only_a + only_b <= n and n > 0, received {only_a} and {only_b} of {n}")
    difference = (only_a - only_b) / n

    def covered(delta: float) -> bool:
        """Whether the score test accepts `delta`; `q` is the most likely share of `only_b` if it is true."""
        b, c = (2 * n - only_a + only_b) * delta - only_a - only_b, -only_b * delta * (1 - delta)
        q = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        return (only_a - only_b - n * delta) ** 2 <= Z_95**2 * n * (2 * q + delta * (1 - delta))

    return Estimate(difference, _last(covered, difference, -1.0), _last(covered, difference, 1.0), n)


def _last(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where, on the way from `inside` to `outside`, a condition ceases to hold; by bisection."""
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside
