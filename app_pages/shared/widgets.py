"""Small pieces of every page: style, the note at its foot, errors, downloads, plain text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import streamlit as st

_STYLE = Path(__file__).with_name("style.css")


def style(*of_page: Path) -> None:
    """What Streamlit has no option for: the style of every page, and what a page adds to it."""
    for path in (_STYLE, *of_page):
        st.html(path)


def note(kept: str) -> None:
    """What the numbers mean, what is kept, and where the data ends: at the foot of every page."""
    st.container(key="note").caption(
        f"An expression is what a face shows, not what a person feels. {kept} The versions learned"
        " from small grey pictures of the web (FER2013), some from news and films too, with labels"
        " on which people often disagree. Expect more errors on children, profiles, covered faces"
        " and weak light. Do not judge people by it."
    )


def photos_note() -> None:
    """The note of a page that takes photos."""
    # a closed page may reconnect, so its session lives on for a while
    minutes = math.ceil(st.get_option("server.disconnectedSessionTTL") / 60) + 1
    note(
        "Photos stay in this app's memory until you clear them, or until at most "
        f"{count(minutes, 'minute')} after you close the page; none is stored."
    )


def show_error(message: str) -> None:
    """An error with its text as it is: names of files are no Markdown."""
    st.error(plain(message), icon=":material/error:")


def plain(text: str) -> str:
    """`text` for a Markdown element, so that nothing in it becomes markup."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!~$|<>:&])", r"\\\1", " ".join(text.split()))


def download(
    label: str, name: str, mime: str, content: str | bytes | Callable[[], str | bytes]
) -> None:
    """A button for a file; where `content` is a function, the file is made at the click.

    Streamlit forgets such a file once two scripts have ended, of whichever visitors; a slow browser
    then finds nothing and has to press again.
    """
    st.download_button(
        label, content, name, mime, key=name, on_click="ignore", icon=":material/download:"
    )


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 face, 2 faces."""
    return f"{number} {noun}{'s' * (number != 1)}"
