"""The section Overview: accuracy and recall, what accuracy costs, and how it went over time."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app_pages.compare.charts import METRICS, labelling_title, show, show_titled
from app_pages.compare.charts_of_all import history_chart, trade_chart
from app_pages.compare.intervals import accuracy_rows, interval_chart, recall_rows
from app_pages.compare.speed import speeds_of
from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import Entry, Labelling
from app_pages.shared.widgets import plain
from fer.versions.folder import GRAPH


def overview(catalogue: Catalogue, chosen: Sequence[Entry], labelling: Labelling) -> None:
    """Accuracy and recall of the chosen versions, then charts of all versions."""
    names = [entry.name for entry in chosen]
    _warn_of_other_tests(chosen)
    if not any(entry.labellings for entry in chosen):
        st.info(
            "These versions were published without measurements; evaluate them.",
            icon=":material/straighten:",
        )
        return
    left, right = st.columns(2, gap="large")
    with left:
        accuracies = interval_chart(names, accuracy_rows(chosen), "Accuracy")
        show_titled("Accuracy on each test set", accuracies)
    with right:
        recalls = interval_chart(names, recall_rows(chosen, labelling), "Recall")
        show_titled(f"Recall of each expression, {labelling_title(labelling)}", recalls)
    if len(catalogue.usable) > 1:
        _trade_offs(catalogue, names, labelling)
        _history(catalogue, names, labelling)


def _trade_offs(catalogue: Catalogue, names: Sequence[str], labelling: Labelling) -> None:
    """What accuracy costs, in size and in time."""
    versions = catalogue.usable
    sizes = {
        entry.name: entry.version.files[GRAPH].bytes / 1e6 for entry in versions if entry.version
    }
    speeds = speeds_of(catalogue)
    left, right = st.columns(2, gap="large")
    with left:
        by_size = trade_chart(versions, names, sizes, "Size in MB", labelling)
        show_titled("Accuracy against size", by_size)
    with right:
        if speeds:
            axis = "Milliseconds for one face, on this machine"
            by_time = trade_chart(versions, names, speeds, axis, labelling)
            show_titled("Accuracy against time", by_time)
        else:
            st.subheader("Accuracy against time", anchor=False)
            st.caption("Not measured yet: press **Measure speed here** at the top.")


def _history(catalogue: Catalogue, names: Sequence[str], labelling: Labelling) -> None:
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"
    ):
        st.subheader("All versions over time", anchor=False)
        metric = st.selectbox(
            "Metric",
            list(METRICS),
            format_func=METRICS.__getitem__,
            key="metric",
            persist_state="session",
            width=220,
        )
    show(history_chart(catalogue.usable, names, metric, labelling), key="history")


def _warn_of_other_tests(chosen: Sequence[Entry]) -> None:
    """Say which of the chosen versions were measured on other pictures under the same name."""
    for test_set in dict.fromkeys(name for entry in chosen for name in entry.test_sets):
        digests = {
            entry.name: known.sha256 for entry in chosen if (known := entry.test_sets.get(test_set))
        }
        if len(set(digests.values())) > 1:
            named = ", ".join(f"{name} on {digest[:8]}" for name, digest in digests.items())
            st.warning(
                plain(
                    f"These versions were measured on different test pictures of {test_set}, so"
                    f" their figures do not compare: {named}."
                ),
                icon=":material/warning:",
            )
