"""Where the offered versions come from: the operator's repo on the Hub, or the app's own folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import streamlit as st

from app_pages.shared.catalogue import Catalogue, Memory
from app_pages.shared.settings import setting
from fer import BundledRegistry, FERError, open_registry
from fer.registry.opening import REPO_VARIABLE

ANY_REPO = "FER_ALLOW_ANY_REPO"
BUNDLED_SOURCE = "bundled"


def sources() -> list[str]:
    """The operator's repo, if there is one, and the app's own folder."""
    repo = setting(REPO_VARIABLE)
    return [repo, BUNDLED_SOURCE] if repo else [BUNDLED_SOURCE]


def any_repo_allowed() -> bool:
    """Whether visitors may name a repo of their own; it is read without the server's token."""
    return setting(ANY_REPO) == "1"


def open_catalogue(source: str, models: Path) -> Catalogue:
    """The versions of a source.

    Where a repo cannot be used it is those bundled in `models`, with a notice that says why.
    """
    if source == BUNDLED_SOURCE:
        return _bundled(str(models)).catalogue()
    try:
        catalogue = _repo(source).catalogue()
    except FERError as error:
        problem = str(error)
    else:
        if catalogue.usable:
            return catalogue
        problem = f"{catalogue.notice} {_nothing_usable(source, catalogue)}".strip()
    notice = f"{problem} Shown instead are the versions that came with this app."
    return replace(_bundled(str(models)).catalogue(), notice=notice)


def refresh(source: str, models: Path) -> None:
    """Ask again at the next look, whatever is remembered."""
    try:
        memory = _bundled(str(models)) if source == BUNDLED_SOURCE else _repo(source)
    except FERError:
        return  # the page says why when it opens the catalogue
    memory.registry.refresh()


def _nothing_usable(source: str, catalogue: Catalogue) -> str:
    if not catalogue.entries:
        return f"{source} holds no version yet; publish one with `python -m training.push`."
    return f"None of the versions in {source} can be used: {catalogue.entries[0].problem}"


def _repo(source: str) -> Memory:
    return _operators_repo(source) if source == setting(REPO_VARIABLE) else _visitors_repo(source)


@st.cache_resource(show_spinner=False, max_entries=1)
def _operators_repo(source: str) -> Memory:
    return Memory(open_registry(source, token=None))


@st.cache_resource(show_spinner=False, max_entries=2)
def _visitors_repo(source: str) -> Memory:
    return Memory(open_registry(source, token=False), visitors=True)


@st.cache_resource(show_spinner=False, max_entries=4)
def _bundled(folder: str) -> Memory:
    return Memory(BundledRegistry(Path(folder)))
