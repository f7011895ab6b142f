"""Model cards and the history of aliases, which others wrote: shown as text, never as markup of their own."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from app_pages.versions import Entry, Library
from fer import Move
from fer.artifact import CARD

_HEAD = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
_IMAGE = re.compile(r"!(?=\[)")


def read_card(library: Library, entry: Entry) -> str:
    """A version's model card as Markdown without its head and pictures. Raises FERError."""
    text = library.read(entry, CARD).decode("utf-8", "replace")
    return _IMAGE.sub("", _HEAD.sub("", text))  # a picture would tell its host who looks


def history_list(history: Sequence[Move]) -> str:
    """Every move of an alias, newest first, as HTML."""
    items = "".join(f'<li class="fer-move">{_move(move)}</li>' for move in reversed(history))
    return f'<ul class="fer-moves">{items}</ul>'


def _move(move: Move) -> str:
    former = f"{html.escape(move.former.version)} → " if move.former else ""
    forced = ", forced past the gate" if move.forced else ""
    when = f"{move.time:%d %B %Y, %H:%M %Z}"
    who = f"<small>{html.escape(when)}, by {html.escape(move.actor)}{forced}</small>"
    moved = f"<b>{html.escape(move.alias)}</b> {former}{html.escape(move.target.version)}"
    return f"<div>{moved} {who}</div><div>{html.escape(move.reason)}</div>"
