"""Tell a visitor when a chosen version is no longer offered, or an alias has moved away from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from app_pages.shared.catalogue import Catalogue
from app_pages.shared.widgets import plain

SWITCH_ICON = ":material/swap_horiz:"


class _Seen(NamedTuple):
    """What a visitor saw last: the source, the chosen versions, and what aliases stood for."""

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
    """Say once what happened to the chosen versions since the last run of a page.

    `key` names the widget in which they are chosen.
    """
    aliases = {alias: entry.name for entry in catalogue.entries for alias in entry.aliases}
    now = _Seen(catalogue.source, tuple(chosen), aliases)
    before: _Seen = st.session_state.get(f"last seen of {key}", now)
    st.session_state[f"last seen of {key}"] = now
    if before.source != now.source:
        return
    for name in before.chosen:
        if name not in offered:
            _toast(f"{name} is no longer offered; in use now: {', '.join(chosen) or 'none'}.")
    for alias, name in aliases.items():
        former = before.aliases.get(alias)
        if former in chosen and former != name:
            _toast(f"{alias} is now {name}; you stay on {former}.")


def _toast(message: str) -> None:
    st.toast(plain(message), icon=SWITCH_ICON, duration="long")
