"""The files that were left out, named on the page that they came through."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app_pages.photos.session import (
    APP_FULL,
    MAX_PHOTOS,
    MAX_TOTAL,
    VISIT_FULL,
    LeftOut,
    Receipt,
    Visit,
)
from app_pages.shared.settings import max_uploads
from app_pages.shared.widgets import count, plain

LIMITS = f"{MAX_PHOTOS} photos and {MAX_TOTAL / 1e6:.0f} MB"
_NAMED = 9  # files in a sentence; more make a table


def remember_page() -> None:
    """The files that have just come belong to this page; another page does not speak of them."""
    st.session_state.receipt_page = st.context.url


def show_left_out(visit: Visit) -> None:
    """Name the files that were left out, and say what to do where there was no room."""
    if st.session_state.get("receipt_page") != st.context.url:
        visit.receipt = None
    if visit.receipt is None or not visit.receipt.left_out:
        return
    left_out = visit.receipt.left_out
    folded = len(left_out) > _NAMED
    summary = f"{len(left_out)} files were left out." if folded else _named(left_out)
    words = f"{_added(visit.receipt)} {summary} {_remedy(left_out)}"
    st.warning(plain(words), icon=":material/warning:")
    if folded:
        with st.expander("Which files were left out, and why"):
            rows = [{"File": file.name, "Reason": file.reason} for file in left_out]
            st.dataframe(rows, hide_index=True)


def _added(receipt: Receipt) -> str:
    return f"{count(receipt.added, 'photo') if receipt.added else 'No photo'} added."


def _named(left_out: Sequence[LeftOut]) -> str:
    return f"Left out: {', '.join(f'{file.name} ({file.reason})' for file in left_out)}."


def _remedy(left_out: Sequence[LeftOut]) -> str:
    """What to do where there was no room."""
    remedies = {
        VISIT_FULL: (
            f"You can have {LIMITS} here at a time: download your results, clear, then add the"
            " rest."
        ),
        APP_FULL: (
            f"The photos of all visitors may take {max_uploads() / 1e6:,.0f} MB together, and "
            "that is used up: clear those that you no longer need, or try again in a few minutes."
        ),
    }
    reasons = {file.reason for file in left_out}
    return " ".join(remedy for reason, remedy in remedies.items() if reason in reasons)
