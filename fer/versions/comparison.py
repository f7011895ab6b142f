"""Two versions on the same test examples, pair by pair: is one of them really better?"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from fer.errors import ModelError
from fer.intervals import Z_95, Clusters, Estimate
from fer.metrics import Scores, Targets, with_no_face

_MAX_UNPACKED = 8 << 20  # bytes
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two versions on the same examples: how many each got right, and what that says of their accuracy.

    `difference` is accuracy of a minus accuracy of b, `low` to `high` its 95 % interval. `p_value`
    is McNemar's, exact; where the examples show `people`, some of them several times, interval and
    p-value also pass Obuchowski's test.
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
    people: int | None = None

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves out zero and the test, which is the stricter of the two.

        Agrees.
        """
        return self.p_value < 0.05 and not self.low <= 0 <= self.high

    def sentence(self, a: str, b: str) -> str:
        """The outcome in plain words, given the names of the two versions."""
        if not self.distinguishable:
            doubt = (
                ""
                if self.low <= 0 <= self.high
                else f" by the paired test (p = {self.p_value:.3f})"
            )
            return f"{a} and {b} are not distinguishable at n={self.n:,}{doubt}: {self._points(1)}"
        better, sign = (a, 1) if self.difference > 0 else (b, -1)
        return f"{better} is better: {self._points(sign)}, n={self.n:,}"

    def _points(self, sign: int) -> str:
        low, high = sorted((100 * sign * self.low, 100 * sign * self.high))
        difference = round(100 * sign * self.difference, 1) + 0.0  # minus nothing is nothing
        return f"{difference:+.1f} points, 95 % interval {low:.1f} to {high:.1f}"


@dataclass(frozen=True, slots=True)
class SetScores:
    """A version's scores (n, classes) for every example of one test set, and the digest of the set.

    The classes are those that the set asks for, all that the version knows or some of them.
    `labels` (n,) by labelling hold -1 where it leaves an example out. Where faces had to be found
    first, `found` (n,) says of which one was: the others have even scores and count as wrong.
    `people` (n,) numbers who is shown.
    """

    scores: Scores
    labels: Mapping[str, Targets]
    sha256: str
    found: NDArray[np.bool_] | None = None
    people: Clusters | None = None

    @property
    def answers(self) -> Scores:
        """The scores, with a column for "no face" where faces had to be found."""
        return self.scores if self.found is None else with_no_face(self.scores, self.found)

    @property
    def nbytes(self) -> int:
        """The size in memory."""
        arrays = (self.scores, self.found, self.people, *self.labels.values())
        return sum(array.nbytes for array in arrays if array is not None)


@dataclass(frozen=True, slots=True)
class Predictions:
    """A version's scores by test set.

    `probes` are the answers of its graph to pictures made from a seed.
    """

    test_sets: Mapping[str, SetScores]
    probes: Scores

    @classmethod
    def read(cls, content: bytes, classes: int) -> Predictions:
        """Parse a `predictions.npz` of unknown origin. Raises ModelError."""
        try:
            return _predictions(content, classes)
        except _UNREADABLE as error:
            raise ModelError(
                f"predictions.npz cannot be used ({type(error).__name__}: {error}); evaluate the"
                " version again."
            ) from error

    def to_bytes(self) -> bytes:
        """The content of `predictions.npz`."""
        arrays: dict[str, Any] = {"probes": self.probes}
        for name, known in self.test_sets.items():
            arrays |= {f"{name}/scores": known.scores, f"{name}/sha256": np.array(known.sha256)}
            arrays |= {
                f"{name}/labels/{labelling}": labels for labelling, labels in known.labels.items()
            }
            if known.found is not None:
                arrays[f"{name}/found"] = known.found
            if known.people is not None:
                arrays[f"{name}/people"] = known.people
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    def compare(self, other: Predictions, test_set: str, labelling: str) -> PairedComparison:
        """This version (a) against another one (b).

        Raises ModelError unless both saw the same examples.
        """
        one, two = self.test_sets.get(test_set), other.test_sets.get(test_set)
        if one is None or two is None:
            raise ModelError(
                f"not both versions were measured on the test set {test_set!r}; measure them on it."
            )
        if one.sha256 != two.sha256:
            raise ModelError(
                f"the test sets {test_set} differ ({one.sha256:.12} and {two.sha256:.12}), so there"
                " are no pairs; evaluate both versions on the same data."
            )
        labels, others = one.labels.get(labelling), two.labels.get(labelling)
        if labels is None or others is None or not np.array_equal(labels, others):
            raise ModelError(
                f"the test set {test_set} has no labels {labelling!r} on which both versions agree."
            )
        rows = labels >= 0
        people = None if one.people is None else one.people[rows]
        return compare(one.answers[rows], two.answers[rows], labels[rows], people)


def _predictions(content: bytes, classes: int) -> Predictions:
    if sum(member.file_size for member in ZipFile(io.BytesIO(content)).infolist()) > _MAX_UNPACKED:
        raise ValueError(f"over {_MAX_UNPACKED:,} bytes unpacked")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = dict(stored)
    _check_probabilities("probes", arrays["probes"], least=classes, most=classes)
    names = dict.fromkeys(key.partition("/")[0] for key in arrays if "/" in key)
    if not names:
        raise ValueError("there is no test set in it")
    return Predictions(
        {name: _set_scores(arrays, name, classes) for name in names}, arrays["probes"]
    )


def _set_scores(arrays: Mapping[str, Any], name: str, classes: int) -> SetScores:
    scores, sha256 = arrays[f"{name}/scores"], str(arrays[f"{name}/sha256"])
    found, people = arrays.get(f"{name}/found"), arrays.get(f"{name}/people")
    prefix = f"{name}/labels/"
    labels = {
        key.removeprefix(prefix): values for key, values in arrays.items() if key.startswith(prefix)
    }
    _check_probabilities(f"{name}/scores", scores, least=2, most=classes)
    classes = scores.shape[1]
    for labelling, values in labels.items():
        if (
            values.dtype.kind != "i"
            or values.shape != scores.shape[:1]
            or ((values < -1) | (values >= classes)).any()
        ):
            raise ValueError(
                f"{prefix}{labelling} must hold, for each example, -1 to {classes - 1}"
            )
        if not (values >= 0).any():
            raise ValueError(f"{prefix}{labelling} leaves every example out")
    for key, array, kind in (("found", found, "b"), ("people", people, "i")):
        if array is not None and (array.dtype.kind != kind or array.shape != scores.shape[:1]):
            raise ValueError(
                f"{name}/{key} is {array.dtype} {array.shape}, expected one value an example"
            )
    return SetScores(scores, labels, sha256, found, people)


def _check_probabilities(name: str, scores: Scores, *, least: int, most: int) -> None:
    if scores.dtype.kind != "f" or scores.ndim != 2 or not least <= scores.shape[1] <= most:
        expected = most if least == most else f"{least} to {most}"
        raise ValueError(
            f"{name} are {scores.dtype} {scores.shape}, expected floats (n, {expected})"
        )
    if not ((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1.0, atol=1e-3)):
        raise ValueError(f"{name} are no probabilities")


def compare(
    scores_a: Scores, scores_b: Scores, labels: Targets, people: Clusters | None = None
) -> PairedComparison:
    """Pair two versions on the same rows: McNemar's exact test and Tango's interval for the difference of accuracy.

    `people` (n,) tells who is in each picture. Pictures of one person are answered alike, so that
    they tell less than as many of different people: the interval is then the wider of Tango's and
    `obuchowski`'s, the p-value the larger.
    """
    right_a, right_b = scores_a.argmax(axis=1) == labels, scores_b.argmax(axis=1) == labels
    n, both = len(labels), int((right_a & right_b).sum())
    only_a, only_b = int(right_a.sum()) - both, int(right_b.sum()) - both
    neither = n - both - only_a - only_b
    interval, p_value = tango(only_a, only_b, n), mcnemar(only_a, only_b)
    difference, low, high = interval.value, interval.low, interval.high
    if people is None:
        return PairedComparison(n, both, only_a, only_b, neither, difference, low, high, p_value)
    half, clustered = obuchowski(right_a, right_b, people)
    low, high = min(low, difference - half), max(high, difference + half)
    p_value = max(p_value, clustered)
    return PairedComparison(
        n, both, only_a, only_b, neither, difference, low, high, p_value, len(np.unique(people))
    )


def obuchowski(
    right_a: NDArray[np.bool_], right_b: NDArray[np.bool_], clusters: Clusters
) -> tuple[float, float]:
    """Half the 95 % interval of a difference of paired proportions whose pairs come in clusters, and its p-value.

    Obuchowski (1998), "On the comparison of correlated proportions for clustered data": the
    variance of a ratio, from what each cluster's sum of differences deviates.
    """
    _, index = np.unique(clusters, return_inverse=True)
    differences = right_a.astype(np.float64) - right_b
    mean, count = differences.mean(), int(index.max()) + 1
    deviations = np.bincount(index, differences - mean)
    error = math.sqrt(count / max(1, count - 1) * float((deviations**2).sum())) / len(differences)
    if not error:
        return 0.0, 1.0
    return Z_95 * error, math.erfc(abs(mean) / error / math.sqrt(2))


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided p-value of the exact test on the examples that one of two got right (McNemar 1947).

    A fair coin.
    """
    n = only_a + only_b
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, float(2 * tail / 2**n))


def tango(only_a: int, only_b: int, n: int) -> Estimate:
    """A difference of paired proportions with its 95 % score interval (Tango 1998).

    McNemar's test, turned round.
    """
    if not 0 <= only_a + only_b <= n or min(only_a, only_b) < 0 or n == 0:
        raise ValueError(
            f"need 0 <= only_a + only_b <= n and n > 0, received {only_a} and {only_b} of {n}"
        )
    difference = (only_a - only_b) / n

    def covered(delta: float) -> bool:
        """Whether the score test accepts `delta`.

        `q` is the most likely share of `only_b` if it is true.
        """
        b, c = (2 * n - only_a + only_b) * delta - only_a - only_b, -only_b * delta * (1 - delta)
        q = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        return (only_a - only_b - n * delta) ** 2 <= Z_95**2 * n * (2 * q + delta * (1 - delta))

    return Estimate(
        difference, _last(covered, difference, -1.0), _last(covered, difference, 1.0), n
    )


def _last(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where, on the way from `inside` to `outside`, a condition ceases to hold; by bisection."""
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside
