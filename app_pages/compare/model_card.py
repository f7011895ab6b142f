"""Model cards and the history of aliases, which others wrote: as HTML without markup of theirs."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from app_pages.shared.catalogue import Entry, Library
from fer import Move
from fer.versions.folder import CARD

_HEAD = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_RENDERER = RendererHTML()
_LONGEST = 100_000  # characters; a card has some 6,000, and a hostile one must not block a page
_SHOWN = {
    *("blockquote", "bullet_list", "code_block", "code_inline", "em", "fence", "hardbreak", "hr"),
    *("list_item", "ordered_list", "paragraph", "softbreak", "strong", "text"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"start", "style"}  # of lists and of cells, where the parser writes an alignment
_WEB = ("http://", "https://")
_CARD_LEVEL, _LOWEST_LEVEL = 2, 6  # a card's headings stand below those of the page


def read_card(library: Library, entry: Entry) -> str:
    """A version's model card as HTML. Raises FERError."""
    return card_html(library.read(entry, CARD).decode("utf-8", "replace"))


def card_html(text: str) -> str:
    """Markdown as HTML that loads nothing: what is not on the list of allowed elements is left out.

    A picture would tell its host who looks, so it becomes its description; HTML is dropped; links
    lead to the web.
    """
    tokens = _MARKDOWN.parse(_HEAD.sub("", text)[:_LONGEST])
    body = _RENDERER.render(list(_allowed(tokens)), _MARKDOWN.options, {})
    return f'<div class="fer-model-card">{body}</div>'


def _allowed(tokens: Sequence[Token]) -> Iterator[Token]:
    in_web_link = False  # links do not nest
    for token in tokens:
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind == "inline":
            yield replace(token, children=list(_allowed(token.children or ())))
        elif kind == "image":
            description = _RENDERER.renderInlineAsText(token.children, _MARKDOWN.options, {})
            yield Token("text", "", 0, content=description)
        elif kind == "heading":
            level = min(int(token.tag[1:]) + _CARD_LEVEL, _LOWEST_LEVEL)
            yield replace(token, tag=f"h{level}", attrs={})
        elif token.type == "link_open":
            target = str(token.attrs["href"])
            in_web_link = target.lower().startswith(_WEB)
            if in_web_link:
                yield replace(token, attrs={"href": target, "target": "_blank"})
        elif token.type == "link_close":
            if in_web_link:
                yield token
        elif kind in _SHOWN:
            kept = {name: value for name, value in token.attrs.items() if name in _ATTRIBUTES}
            yield replace(token, attrs=kept, info="")


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
