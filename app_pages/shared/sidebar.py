"""The sidebar: where versions come from, which version and which face detector are in use."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app_pages.shared.catalogue import Catalogue
from app_pages.shared.changes import SWITCH_ICON, tell_changes
from app_pages.shared.detectors import Failure, shared_detector
from app_pages.shared.entry import Entry
from app_pages.shared.registries import (
    BUNDLED_SOURCE,
    any_repo_allowed,
    open_catalogue,
    refresh,
    sources,
)
from app_pages.shared.version_summary import version_summary
from app_pages.shared.widgets import plain, show_error, style
from fer import DETECTORS, FaceDetector, FERError, FERPipeline
from fer.registry.base import PRODUCTION
from fer.versions.folder import BUNDLED

MODELS = BUNDLED
_DETECTOR_NAMES = {
    "blazeface": "BlazeFace",
    "yunet": "YuNet",
    "none": "None: the picture is a face",
}
_VERSION = "version"


def choose_pipeline(detectors: Sequence[str] = DETECTORS) -> FERPipeline | None:
    """Offer versions and `detectors` in the sidebar and return the chosen pair.

    None after an error was shown.
    """
    style()
    with st.sidebar:
        catalogue = choose_catalogue()
        entry = _choose_version(catalogue)
        detector = choose_detector(detectors)
        if entry:
            version_summary(entry)
    if entry is None or detector is None:
        return None
    try:
        return FERPipeline(detector, catalogue.classifier(entry))
    except FERError as error:
        show_error(f"{error} Choose another version or detector.")
        return None


def choose_catalogue() -> Catalogue:
    """The versions on offer, after the choice of their source; what is wrong with it is said."""
    source = _choose_source(sources())
    with st.spinner("Asking for versions"):
        catalogue = open_catalogue(source, MODELS)
    if catalogue.notice:
        icon = ":material/cloud_off:" if catalogue.offline else ":material/warning:"
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


def _choose_source(repos: Sequence[str]) -> str:
    """Where the versions come from; there is nothing to choose where there is but one source."""
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
        _refresh_button(source)
    return source


def _refresh_button(source: str) -> None:
    st.button(
        "Refresh",
        icon=":material/refresh:",
        help="Refresh",
        key="Refresh",
        on_click=refresh,
        args=(source, MODELS),
    )


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
    _badges(entries[name])
    _offer_production(entries[name], catalogue)
    tell_changes(catalogue, list(entries), [name], key=_VERSION)
    if problem := entries[name].problem:
        show_error(f"Version {name} cannot be used: {problem} Choose another version.")
        return None
    return entries[name]


def _badges(entry: Entry) -> None:
    """The aliases of the chosen version, and whether it is broken."""
    if entry.aliases or entry.problem:
        with st.container(horizontal=True, gap="xsmall"):
            for alias in entry.aliases:
                st.badge(plain(alias), color="primary")
            if entry.problem:
                st.badge("broken", color="red")


def _offer_production(entry: Entry, catalogue: Catalogue) -> None:
    """A way to the version in production, where another one is chosen."""
    for other in catalogue.usable:
        if PRODUCTION in other.aliases and other.name != entry.name:
            st.button(
                plain(f"Switch to {other.name} ({PRODUCTION})"),
                icon=SWITCH_ICON,
                key="Switch",
                type="tertiary",
                on_click=_use,
                args=(other.name,),
            )


def _use(name: str) -> None:
    st.session_state[_VERSION] = name
