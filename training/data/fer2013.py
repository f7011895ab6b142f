"""FER2013: faces of 48 pixels in three published splits, with the votes of FER+ where known.

The splits keep their published names: Training, PublicTest (validation here) and PrivateTest
(test). `training.data.fer2013_files` reads the data set from disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer import LABELS, DataError
from training.data.classes import CLASS_OF, CLASSES, EMOTION_OF, EMOTIONS, target_of_each

SPLITS = ("Training", "PublicTest", "PrivateTest")
VOTES = (*EMOTIONS, "unknown", "NF")
LABELLINGS = ("fer2013", "fer2013-dedup", "ferplus")
SIDE = 48

_MAJORITY = 5  # of the ten annotators; more must agree


@dataclass(frozen=True)
class FER2013:
    """The data set, row by row in the order of its source.

    Attributes:
        images: (n, 48, 48) uint8, grey.
        classes: (n,) uint8, indices of `CLASSES`.
        splits: (n,) uint8, indices of `SPLITS`.
        votes: (n, 10) uint8, how many FER+ annotators chose each of `VOTES`; None if not known.
    """

    images: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    splits: NDArray[np.uint8]
    votes: NDArray[np.uint8] | None

    def split(self, name: str, labels: tuple[str, ...] = LABELS) -> Split:
        """The rows of one split to which FER2013 or FER+ gives one of the labels."""
        fer2013 = target_of_each(CLASSES, CLASS_OF, labels)[self.classes]
        ferplus = self._ferplus_targets(labels)
        has_label = (fer2013 >= 0) | (ferplus >= 0)
        rows = np.flatnonzero((self.splits == SPLITS.index(name)) & has_label)
        if not len(rows):
            raise DataError(
                f"the data holds no {name} image of {', '.join(labels)}; all three splits are"
                " needed."
            )
        return Split(
            self.images[rows],
            fer2013[rows],
            ferplus[rows],
            self._stands_in_training(rows) & (name != "Training"),
            self._agreement(rows),
        )

    def _ferplus_targets(self, labels: tuple[str, ...]) -> NDArray[np.int8]:
        if self.votes is None:
            return np.full(len(self.images), -1, np.int8)
        return majority_vote(self.votes, labels)

    def _stands_in_training(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        training_images = self.images[self.splits == SPLITS.index("Training")]
        known = {image.tobytes() for image in training_images}
        return np.array([self.images[row].tobytes() in known for row in rows])

    def _agreement(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        if self.votes is None:
            return np.zeros(len(rows), np.uint8)
        return self.votes[rows, : len(EMOTIONS)].max(axis=1)


@dataclass(frozen=True)
class Split:
    """One split reduced to a label set; -1 marks a row that a labelling leaves out.

    Attributes:
        images: (n, 48, 48) uint8, grey.
        fer2013: (n,) int8, indices of the label set.
        ferplus: (n,) int8, indices of the label set.
        duplicate: (n,) bool, whether the same pixels stand in Training too.
        agreement: (n,) uint8, how many of the ten FER+ annotators chose the emotion that most of
            them chose; 0 without votes.
    """

    images: NDArray[np.uint8]
    fer2013: NDArray[np.int8]
    ferplus: NDArray[np.int8]
    duplicate: NDArray[np.bool_]
    agreement: NDArray[np.uint8]

    def targets(self, labelling: str) -> NDArray[np.int8]:
        """The true class of each row under one of `LABELLINGS`, -1 where it leaves the row out."""
        if labelling == "fer2013":
            return self.fer2013
        if labelling == "fer2013-dedup":
            return np.where(self.duplicate, np.int8(-1), self.fer2013)
        if labelling == "ferplus":
            return self.ferplus
        raise ValueError(f"unknown labelling {labelling!r}; there are {', '.join(LABELLINGS)}")

    @property
    def sha256(self) -> str:
        """Digest of images and targets: predictions may be paired only where it agrees."""
        digest = hashlib.sha256()
        for array in (self.images, self.fer2013, self.ferplus, self.duplicate):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def majority_vote(votes: NDArray[np.uint8], labels: tuple[str, ...] = LABELS) -> NDArray[np.int8]:
    """Votes (n, 10) of FER+ as targets (n,): indices of the labels, -1 without a majority.

    Of the four labels, more than five of the ten annotators must agree on one. Larger sets follow
    the rule under which results on FER+ are published (Barsoum et al. 2016): an answer that one
    annotator alone gave is dropped, and more than half of the others must agree on an emotion.
    """
    if labels != LABELS:
        votes = np.where(votes > 1, votes, 0)
    emotion_votes = votes[:, : len(EMOTIONS)]
    most_votes = emotion_votes.max(axis=1)
    has_majority = (
        most_votes > _MAJORITY if labels == LABELS else 2 * most_votes > votes.sum(axis=1)
    )
    targets = target_of_each(EMOTIONS, EMOTION_OF, labels)[emotion_votes.argmax(axis=1)]
    return np.where(has_majority, targets, np.int8(-1))


def checked(path: Path, data: FER2013) -> FER2013:
    """The data set itself. Raises DataError naming the array and the row that cannot be right."""
    _check_shapes(path, data)
    _check_range(path, "label", data.classes, len(CLASSES))
    _check_range(path, "usage", data.splits, len(SPLITS))
    missing = [name for i, name in enumerate(SPLITS) if not (data.splits == i).any()]
    if missing:
        raise DataError(
            f"{path}: the split {', '.join(missing)} is missing; {', '.join(SPLITS)} are all"
            " needed."
        )
    return data


def _check_shapes(path: Path, data: FER2013) -> None:
    n = data.classes.size
    expected_shapes = {
        "images": (data.images, (n, SIDE, SIDE)),
        "label": (data.classes, (n,)),
        "usage": (data.splits, (n,)),
        "ferplus_votes": (data.votes, (n, len(VOTES))),
    }
    for name, (array, shape) in expected_shapes.items():
        if array is not None and (array.shape != shape or array.dtype != np.uint8):
            raise DataError(
                f"{path}: {name} is {array.dtype} {array.shape}, expected uint8 {shape}."
            )


def _check_range(path: Path, name: str, array: NDArray[np.uint8], count: int) -> None:
    wrong_rows = np.flatnonzero(array >= count)
    if len(wrong_rows):
        row = int(wrong_rows[0])
        raise DataError(f"{path}, row {row}: {name} is {array[row]}, expected 0 to {count - 1}.")
