"""What the sidebar says of the chosen version: accuracy with its interval, labels, size, digest."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app_pages.shared.entry import FER2013, ORDINARY, Entry
from app_pages.shared.face_cards import legend
from app_pages.shared.widgets import plain
from fer import LABELS
from fer.intervals import Estimate
from fer.versions.folder import GRAPH


def version_summary(entry: Entry) -> None:
    """Show how often a version is right, on ordinary faces first, and what it is."""
    version = entry.version
    if version is None:
        return
    with st.container(border=True, gap="xsmall"):
        _accuracies(entry)
        st.html(legend(version.labels))
        if remark := _labels_remark(entry, version.labels):
            st.caption(plain(remark))
        megabytes = version.files[GRAPH].bytes / 1e6
        millions = version.parameters / 1e6
        st.caption(
            f"{megabytes:.1f} MB, {millions:.2f} M parameters  \nsha256 {version.sha256[:12]}"
        )


def _accuracies(entry: Entry) -> None:
    ordinary = entry.estimate("accuracy", ORDINARY)
    fer2013 = entry.estimate("accuracy", FER2013)
    if ordinary:
        st.metric("Right on ordinary faces", _percent(ordinary))
        st.caption(
            f"{_interval(ordinary)}, n = {ordinary.n:,} photographs, each with a face to be found"
        )
        if fer2013:
            st.caption(f"On FER2013 {_percent(fer2013)}, {_interval(fer2013)}, n = {fer2013.n:,}")
    elif fer2013:
        st.metric("Right on FER2013", _percent(fer2013))
        st.caption(f"{_interval(fer2013)}, n = {fer2013.n:,} test pictures")
    else:
        st.metric("Accuracy", "not measured")


def _labels_remark(entry: Entry, labels: Sequence[str]) -> str:
    """How to read the accuracy of a version that does not know just the usual four, or ""."""
    if set(labels) == set(LABELS):
        return ""
    if LABELS in {entry.asked(labelling) for labelling in entry.labellings}:
        return (
            f"It knows {len(labels)} expressions. For the figures above, the likeliest of"
            f" {', '.join(LABELS)} counts, so that they compare with those of the others."
        )
    if set(labels) > set(LABELS):
        return (
            f"It knows {len(labels)} expressions, of which any may be mistaken for another: its"
            f" figures cannot be compared with those of versions that know {len(LABELS)}."
        )
    return (
        f"Unusual: it knows {', '.join(labels)} instead of {', '.join(LABELS)}, so its figures"
        " cannot be compared with those of the others."
    )


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} %"


def _interval(estimate: Estimate) -> str:
    return f"95 % interval {100 * estimate.low:.1f} to {100 * estimate.high:.1f} %"
