"""`predictions.npz`: what a version answered on every example of its test sets."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from fer.errors import ModelError
from fer.intervals import Clusters
from fer.metrics import Scores, Targets, with_no_face
from fer.versions.comparison import PairedComparison, compare

Arrays = Mapping[str, NDArray[Any]]

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
class SetScores:
    """A version's scores (n, classes) for every example of one test set, and the set's digest.

    The classes are the expressions that the set asks for, all that the version knows or some of
    them. `targets` (n,) by labelling hold the true class, or -1 where the labelling leaves an
    example out. Where faces had to be found first, `found` (n,) says which were: the others have
    even scores and count as wrong. `people` (n,) numbers who is shown.
    """

    scores: Scores
    targets: Mapping[str, Targets]
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
        return sum(array.nbytes for array in self.arrays().values())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `predictions.npz` holds of the test set, by name within the set."""
        targets = {f"targets/{labelling}": values for labelling, values in self.targets.items()}
        optional = {"found": self.found, "people": self.people}
        given = {name: array for name, array in optional.items() if array is not None}
        return {"scores": self.scores, "sha256": np.array(self.sha256), **targets, **given}


@dataclass(frozen=True, slots=True)
class Predictions:
    """A version's scores by test set.

    `probes` are the answers of its graph to pictures made from a seed.
    """

    test_sets: Mapping[str, SetScores]
    probes: Scores

    @classmethod
    def read(cls, content: bytes, classes: int) -> Predictions:
        """Decode a `predictions.npz` of unknown origin, of a version that knows so many classes.

        Raises ModelError.
        """
        try:
            return _decode(_unpack(content), classes)
        except _UNREADABLE as error:
            raise ModelError(
                f"predictions.npz cannot be used ({type(error).__name__}: {error}); evaluate the"
                " version again."
            ) from error

    def to_bytes(self) -> bytes:
        """The content of `predictions.npz`."""
        arrays = {
            f"{name}/{key}": array
            for name, known in self.test_sets.items()
            for key, array in known.arrays().items()
        }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, probes=self.probes, **arrays)
        return buffer.getvalue()

    def compare(self, other: Predictions, test_set: str, labelling: str) -> PairedComparison:
        """This version (a) against another one (b).

        Raises ModelError unless both saw the same examples.
        """
        one, two = _same_set(self, other, test_set)
        targets = one.targets.get(labelling)
        others = two.targets.get(labelling)
        if targets is None or others is None or not np.array_equal(targets, others):
            raise ModelError(
                f"the test set {test_set} has no labels {labelling!r} on which both versions agree."
            )
        kept = targets >= 0
        people = None if one.people is None else one.people[kept]
        return compare(one.answers[kept], two.answers[kept], targets[kept], people)


def _same_set(a: Predictions, b: Predictions, test_set: str) -> tuple[SetScores, SetScores]:
    one = a.test_sets.get(test_set)
    two = b.test_sets.get(test_set)
    if one is None or two is None:
        raise ModelError(
            f"not both versions were measured on the test set {test_set!r}; measure them on it."
        )
    if one.sha256 != two.sha256:
        raise ModelError(
            f"the test sets {test_set} differ ({one.sha256:.12} and {two.sha256:.12}), so there"
            " are no pairs; evaluate both versions on the same data."
        )
    return one, two


def _unpack(content: bytes) -> Arrays:
    members = ZipFile(io.BytesIO(content)).infolist()
    if sum(member.file_size for member in members) > _MAX_UNPACKED:
        raise ValueError(f"over {_MAX_UNPACKED:,} bytes unpacked")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return dict(stored)


def _decode(arrays: Arrays, classes: int) -> Predictions:
    probes = _probabilities(arrays, "probes", least=classes, most=classes)
    names = dict.fromkeys(key.partition("/")[0] for key in arrays if "/" in key)
    if not names:
        raise ValueError("there is no test set in it")
    return Predictions({name: _set_scores(arrays, name, classes) for name in names}, probes)


def _set_scores(arrays: Arrays, name: str, classes: int) -> SetScores:
    scores = _probabilities(arrays, f"{name}/scores", least=2, most=classes)
    n, asked = scores.shape
    return SetScores(
        scores,
        _targets_by_labelling(arrays, f"{name}/targets/", n, asked),
        str(arrays[f"{name}/sha256"]),
        _one_each(arrays, f"{name}/found", n, "b"),
        _one_each(arrays, f"{name}/people", n, "i"),
    )


def _probabilities(arrays: Arrays, key: str, *, least: int, most: int) -> Scores:
    scores = arrays[key]
    two_axes = scores.dtype.kind == "f" and scores.ndim == 2
    if not two_axes or not least <= scores.shape[1] <= most:
        expected = most if least == most else f"{least} to {most}"
        raise ValueError(
            f"{key} are {scores.dtype} {scores.shape}, expected floats (n, {expected})"
        )
    if not _sum_to_one(scores):
        raise ValueError(f"{key} are no probabilities")
    return scores


def _sum_to_one(scores: Scores) -> bool:
    return bool((scores >= 0).all()) and np.allclose(scores.sum(axis=1), 1.0, atol=1e-3)


def _targets_by_labelling(arrays: Arrays, prefix: str, n: int, classes: int) -> dict[str, Targets]:
    keys = [key for key in arrays if key.startswith(prefix)]
    if not keys:
        raise ValueError(f"there is no {prefix}LABELLING in it")
    return {key.removeprefix(prefix): _targets(arrays, key, n, classes) for key in keys}


def _targets(arrays: Arrays, key: str, n: int, classes: int) -> Targets:
    targets = arrays[key]
    sound = targets.dtype.kind == "i" and targets.shape == (n,)
    if not sound or ((targets < -1) | (targets >= classes)).any():
        raise ValueError(f"{key} must hold, for each example, -1 to {classes - 1}")
    if not (targets >= 0).any():
        raise ValueError(f"{key} leaves every example out")
    return targets


def _one_each(arrays: Arrays, key: str, n: int, kind: str) -> NDArray[Any] | None:
    """An array with one value of this kind for each example, if it is there."""
    array = arrays.get(key)
    if array is not None and (array.dtype.kind != kind or array.shape != (n,)):
        raise ValueError(f"{key} is {array.dtype} {array.shape}, expected one value an example")
    return array
