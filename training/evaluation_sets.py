"""The names of test sets, and which expressions a version is asked for on each."""

from __future__ import annotations

from fer import LABELS
from fer.versions.labels import LABEL_SETS

FER2013 = "fer2013"
NATURAL = "natural"
SIZE_OF = {labels: size for size, labels in LABEL_SETS.items()}
"""The size of each label set, in words."""

_TITLES = {FER2013: "FER2013", NATURAL: "Ordinary faces"}


def order(test_set: str) -> tuple[bool, bool, str]:
    """A sort key: ordinary faces first, then FER2013, then all others."""
    return test_set != NATURAL, test_set != FER2013, test_set


def title(test_set: str) -> str:
    """What a test set is called where people read of it."""
    base, _, size = test_set.partition("-")
    if size in LABEL_SETS and base in _TITLES:
        return f"{_TITLES[base]}, {size} expressions"
    return _TITLES.get(test_set, test_set)


def asked_labels(labels: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """What a version with these labels is asked for, by the ending of the test set's name.

    One that knows more than the four is asked twice: for the four alone, on which it can be
    compared with every other version, and for all that it knows.
    """
    if labels != LABELS and labels in SIZE_OF:
        return {"": LABELS, f"-{SIZE_OF[labels]}": labels}
    return {"": labels}
