"""Compare: the versions side by side, and whether one of them is really better."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app_pages.compare.charts import MARKS, labelling_title
from app_pages.compare.sections import SECTIONS
from app_pages.compare.speed import keep, race, speed_words, speeds_of
from app_pages.compare.table import broken_list, version_table
from app_pages.compare.verdict import judge, pair_html
from app_pages.shared import sidebar, widgets
from app_pages.shared.catalogue import FER2013, Catalogue, Entry, Labelling, labellings_of
from fer import FERError


def choose(catalogue: Catalogue) -> list[Entry]:
    """The versions to look at: at first the one in use and the newest other."""
    names = [entry.name for entry in catalogue.usable]
    key = f"chosen from {catalogue.listing.source}"
    chosen = st.multiselect(
        "Versions to compare",
        names,
        sorted(names, key=lambda name: name != catalogue.default)[:2],
        max_selections=len(MARKS),
        key=key,
        persist_state="session",
    )
    sidebar.tell_changes(catalogue, names, chosen, key=key)
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


def measure_speed(catalogue: Catalogue, entries: Sequence[Entry]) -> None:
    """A button that times the chosen versions on this machine, and its result in words."""
    if st.button("Measure speed here", icon=":material/timer:", disabled=not entries):
        with st.spinner("Timing one face at a time, version after version"):
            ready = catalogue.library.classifiers(entries)
            for error in ready.values():
                if isinstance(error, FERError):
                    widgets.show_error(str(error))
            keep(
                catalogue,
                race({name: c for name, c in ready.items() if not isinstance(c, FERError)}),
            )


def verdict(catalogue: Catalogue, entries: Sequence[Entry], labelling: Labelling) -> None:
    """The first of the chosen versions against each of the others.

    Or what to do to get a second one.
    """
    if len(entries) >= 2:
        pairs = judge(catalogue.library, entries, labelling)
        st.html("".join(pair_html(pair, labelling) for pair in pairs))
    elif len(catalogue.usable) < 2:
        st.info(
            f"{widgets.count(len(catalogue.usable), 'version')} can be used so far, and comparing"
            " takes two. Train another one and export it into the folder models, or set"
            " FER_HUB_REPO to a repo on the Hugging Face Hub.",
            icon=":material/balance:",
        )
    else:
        st.info(
            "Choose two versions to see whether one is really better.", icon=":material/balance:"
        )


widgets.style()
with st.sidebar:
    catalogue = sidebar.choose_catalogue()
head, table = (
    st.container(horizontal=True, vertical_alignment="center", key="compare-head"),
    st.container(),
)
head.title("Compare", anchor=False)
left, right = st.columns([3, 1], gap="medium")
with left:
    chosen = choose(catalogue)
with right:
    labelling = choose_labelling(chosen or catalogue.usable)
with head:
    measure_speed(catalogue, chosen)
speeds = speeds_of(catalogue)
with table:
    version_table(catalogue.entries, speeds)
    if speeds:
        st.caption(widgets.plain(speed_words(speeds)))
    broken_list(catalogue.entries)
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
