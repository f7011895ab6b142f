"""Compare: the versions side by side, and whether one of them is really better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app_pages.compare.charts import MARKS, labelling_title
from app_pages.compare.sections import SECTIONS
from app_pages.compare.speed import speed_button, speed_words, speeds_of
from app_pages.compare.table import broken_list, version_table
from app_pages.compare.verdict import verdict
from app_pages.shared import sidebar, widgets
from app_pages.shared.catalogue import Catalogue
from app_pages.shared.changes import tell_changes
from app_pages.shared.entry import FER2013, Entry, Labelling, labellings_of


def choose_versions(catalogue: Catalogue) -> list[Entry]:
    """The versions to compare: at first the one in use and the newest other."""
    names = [entry.name for entry in catalogue.usable]
    key = f"chosen from {catalogue.source}"
    chosen = st.multiselect(
        "Versions to compare",
        names,
        sorted(names, key=lambda name: name != catalogue.default)[:2],
        max_selections=len(MARKS),
        key=key,
        persist_state="session",
    )
    tell_changes(catalogue, names, chosen, key=key)
    return [catalogue.entry(name) for name in chosen]


def choose_labelling(entries: Sequence[Entry]) -> Labelling:
    """Which test pictures count, and whose labels of them."""
    return st.selectbox(
        "Test pictures",
        labellings_of(entries) or [FER2013],
        format_func=labelling_title,
        key="labelling",
        persist_state="session",
        help=(
            "Ordinary faces are photographs of people who were simply photographed, measured as a"
            " visitor's own: a face must be found first. FER2013 are small grey crops, with their"
            " own labels; the same without pictures that are also in the training data; or FER+, on"
            " which more than five of ten annotators agree."
        ),
    )


def show_table(catalogue: Catalogue) -> None:
    """All versions, how fast they are once that was measured, and which are broken."""
    speeds = speeds_of(catalogue)
    version_table(catalogue.entries, speeds)
    if speeds:
        st.caption(widgets.plain(speed_words(speeds)))
    broken_list(catalogue.entries)


widgets.style(Path(__file__).with_name("style.css"))
with st.sidebar:
    catalogue = sidebar.choose_catalogue()
head = st.container(horizontal=True, vertical_alignment="center", key="compare-head")
head.title("Compare", anchor=False)
table = st.container()
left, right = st.columns([3, 1], gap="medium")
with left:
    chosen = choose_versions(catalogue)
with right:
    labelling = choose_labelling(chosen or catalogue.usable)
with head:
    speed_button(catalogue, chosen)
with table:
    show_table(catalogue)
verdict(catalogue, chosen, labelling)
section = st.segmented_control(
    "Section",
    list(SECTIONS),
    default=next(iter(SECTIONS)),
    required=True,
    key="section",
    persist_state="session",
    label_visibility="collapsed",
)
if chosen:
    SECTIONS[section](catalogue, chosen, labelling)
widgets.photos_note()
