"""The sets of expressions: each holds the smaller ones, and bundled versions know one of them."""

from __future__ import annotations

import pytest

from fer import LABELS, BundledRegistry, VersionRef
from fer.versions.labels import LABEL_SETS


def test_each_set_begins_with_the_smaller_ones():
    sizes = [len(labels) for labels in LABEL_SETS.values()]
    assert (list(LABEL_SETS), sizes) == (["four", "seven", "eight"], [4, 7, 8])
    for labels in LABEL_SETS.values():
        assert labels[:4] == LABELS
        assert len(set(labels)) == len(labels)
    assert LABEL_SETS["eight"][:7] == LABEL_SETS["seven"]


@pytest.mark.parametrize("ref", BundledRegistry().list().versions, ids=lambda ref: ref.name)
def test_bundled_versions_know_one_of_the_sets(ref: VersionRef) -> None:
    assert BundledRegistry().fetch(ref).labels in LABEL_SETS.values()
