"""The sidebar: the choice of version and detector, and what the chosen version is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from app_pages.shared.catalogue import (
    BUNDLED_SOURCE,
    FER2013,
    ORDINARY,
    Catalogue,
    Entry,
    any_repo_allowed,
    open_catalogue,
    refresh,
    sources,
)
from app_pages.shared.detectors import Failure, shared_detector
from app_pages.shared.face_cards import legend
from app_pages.shared.widgets import plain, show_error, style
from fer import DETECTORS, LABELS, FaceDetector, FERError, FERPipeline
from fer.registry.base import PRODUCTION
from fer.registry.bundled import BUNDLED
from fer.versions.folder import GRAPH

MODELS = BUNDLED
_DETECTOR_NAMES = {
    "blazeface": "BlazeFace",
    "yunet": "YuNet",
    "none": "None: the picture is a face",
}
_VERSION, _SWITCH = "version", ":material/swap_horiz:"


def choose_pipeline(detectors: Sequence[str] = DETECTORS) -> FERPipeline | None:
    """Offer versions and `detectors` in the sidebar.

    The chosen pair, or None after an error was shown.
    """
    style()
    with st.sidebar:
        catalogue = choose_catalogue()
        entry = _choose_version(catalogue)
        detector = choose_detector(detectors)
        if entry:
            version_card(entry)
    if entry is None or detector is None:
        return None
    try:
        return FERPipeline(detector, catalogue.library.classifier(entry))
    except FERError as error:
        show_error(f"{error} Choose another version or detector.")
        return None


def choose_catalogue() -> Catalogue:
    """The versions on offer, after the choice of their source; what is wrong with it is said."""
    source = _choose_source(sources())
    with st.spinner("Asking for versions"):
        catalogue = open_catalogue(source, MODELS)
    if catalogue.notice:
        icon = ":material/cloud_off:" if catalogue.listing.offline else ":material/warning:"
        st.warning(plain(catalogue.notice), icon=icon)
    return catalogue


def choose_detector(names: Sequence[str] = DETECTORS) -> FaceDetector | None:
    """The chosen face detector, or None after an error was shown."""
    if st.session_state.get("detector") not in names:
        st.session_state["detector"] = names[0]
    name = st.selectbox(
        "Face detector",
        names,
        format_func=lambda name: _DETECTOR_NAMES[name],
        key="detector",
        persist_state="session",
    )
    detector = shared_detector(name)
    if isinstance(detector, Failure):
        show_error(str(detector.error))
        return None
    return detector


class _Look(NamedTuple):
    """What a visitor saw last: where versions come from, which are chosen.

    What aliases stand for.
    """

    source: str
    chosen: tuple[str, ...]
    aliases: Mapping[str, str]


def tell_changes(
    catalogue: Catalogue,
    offered: Sequence[str],
    chosen: Sequence[str],
    *,
    key: str,
) -> None:
    """Say once what happened to the chosen versions since the visitor's last look.

    `key` names the widget in which they are chosen.
    """
    aliases = {alias: entry.name for entry in catalogue.entries for alias in entry.ref.aliases}
    look = _Look(catalogue.listing.source, tuple(chosen), aliases)
    before: _Look = st.session_state.get(f"last look at {key}", look)
    st.session_state[f"last look at {key}"] = look
    if before.source != look.source:
        return
    for name in before.chosen:
        if name not in offered:
            _toast(f"{name} is no longer offered; in use now: {', '.join(chosen) or 'none'}.")
    for alias, name in aliases.items():
        former = before.aliases.get(alias)
        if former in chosen and former != name:
            _toast(f"{alias} is now {name}; you stay on {former}.")


def version_card(entry: Entry) -> None:
    """What a version is: its accuracy with n and interval, on ordinary faces first, size.

    Digest and labels.
    """
    version = entry.version
    if version is None:
        return
    ordinary, fer2013 = (entry.estimate("accuracy", labelling) for labelling in (ORDINARY, FER2013))
    with st.container(border=True, gap="xsmall"):
        if ordinary:
            st.metric("Right on ordinary faces", _percent(ordinary))
            st.caption(
                f"{_interval(ordinary)}, n = {ordinary['n']:,} photographs, each with a face to be"
                " found"
            )
        if fer2013 and ordinary:
            st.caption(
                f"On FER2013 {_percent(fer2013)}, {_interval(fer2013)}, n = {fer2013['n']:,}"
            )
        elif fer2013:
            st.metric("Right on FER2013", _percent(fer2013))
            st.caption(f"{_interval(fer2013)}, n = {fer2013['n']:,} test pictures")
        elif not ordinary:
            st.metric("Accuracy", "not measured")
        st.html(legend(version.labels))
        if known := _labels_words(entry, version.labels):
            st.caption(plain(known))
        st.caption(
            f"{version.files[GRAPH].bytes / 1e6:.1f} MB, {version.parameters / 1e6:.2f} M"
            f" parameters  \nsha256 {version.sha256[:12]}"
        )


def _labels_words(entry: Entry, labels: Sequence[str]) -> str:
    """What to know of the figures of a version that knows other expressions than the four.

    Empty for these.
    """
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


def _percent(estimate: Mapping[str, float]) -> str:
    return f"{100 * estimate['value']:.1f} %"


def _interval(estimate: Mapping[str, float]) -> str:
    return f"95 % interval {100 * estimate['low']:.1f} to {100 * estimate['high']:.1f} %"


def _choose_source(repos: Sequence[str]) -> str:
    """Where the versions come from, with a button that asks there again.

    Nothing to choose without a repo.
    """
    if len(repos) == 1 and not any_repo_allowed():
        return repos[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        source = st.selectbox(
            "Versions from",
            repos,
            format_func=lambda name: "this app's folder" if name == BUNDLED_SOURCE else name,
            accept_new_options=any_repo_allowed(),
            key="source of versions",
            persist_state="session",
        )
        source = source or repos[0]
        st.button("Refresh", icon=":material/refresh:", help="Refresh", key="Refresh", on_click=refresh,
                  args=(source, MODELS))  # fmt: skip
    return source


def _choose_version(catalogue: Catalogue) -> Entry | None:
    entries = {entry.name: entry for entry in catalogue.entries}
    if not entries:
        show_error(f"There is no version in {MODELS}. Train one, or fetch one into this folder.")
        return None
    chosen = st.session_state.get(_VERSION)
    # Written at every run, so that the browser shows it on every page and after every refresh.
    st.session_state[_VERSION] = chosen if chosen in entries else catalogue.default
    name = st.selectbox(
        "Version",
        list(entries),  # the names alone: Streamlit keeps a choice by its text, and aliases move
        key=_VERSION,
        persist_state="session",
    )
    _mark(entries[name], catalogue)
    tell_changes(catalogue, list(entries), [name], key=_VERSION)
    if problem := entries[name].problem:
        show_error(f"Version {name} cannot be used: {problem} Choose another version.")
        return None
    return entries[name]


def _mark(entry: Entry, catalogue: Catalogue) -> None:
    """The aliases of the chosen version, and a way to the one in production where it is another."""
    if entry.ref.aliases or entry.problem:
        with st.container(horizontal=True, gap="xsmall"):
            for alias in entry.ref.aliases:
                st.badge(plain(alias), color="primary")
            if entry.problem:
                st.badge("broken", color="red")
    for other in catalogue.usable:
        if PRODUCTION in other.ref.aliases and other.name != entry.name:
            label = plain(f"Switch to {other.name} ({PRODUCTION})")
            st.button(
                label,
                icon=_SWITCH,
                key="Switch",
                type="tertiary",
                on_click=_use,
                args=(other.name,),
            )


def _use(name: str) -> None:
    st.session_state[_VERSION] = name


def _toast(message: str) -> None:
    st.toast(plain(message), icon=_SWITCH, duration="long")
