"""The section Card and history: texts that others wrote, as HTML without markup of theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import streamlit as st
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import Entry, Labelling
from app_pages.shared.html import render
from app_pages.shared.widgets import plain, show_error
from fer import FERError, Move
from fer.versions.folder import CARD

_HEAD = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_RENDERER = RendererHTML()
_LONGEST = 100_000
"""Characters; a model card has some 6,000, and a hostile one must not block a page."""

_ALLOWED = {
    *("blockquote", "code_block", "code_inline", "fence", "hr"),
    *("paragraph", "text", "em", "strong", "hardbreak", "softbreak"),
    *("bullet_list", "ordered_list", "list_item"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"start", "style"}  # of lists and of cells, where the parser writes an alignment
_WEB = ("http://", "https://")
_LEVELS_DOWN = 2  # a model card's headings stand below those of the page
_LOWEST_LEVEL = 6


def model_card_and_history(
    catalogue: Catalogue,
    chosen: Sequence[Entry],
    labelling: Labelling,  # noqa: ARG001
) -> None:
    """The model card of any version, and every move of an alias."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        names = [entry.name for entry in catalogue.entries]
        name = st.selectbox("Model card of", names, names.index(chosen[0].name), key="model card")
        _show_model_card(catalogue, catalogue.entry(name))
    with right:
        st.subheader("History of the aliases", anchor=False)
        if catalogue.history:
            st.html(history_list(catalogue.history))
        else:
            st.caption(
                "No alias was ever set here. In a repo on the Hub, `python -m training.promote`"
                " sets them."
            )


def model_card_html(text: str) -> str:
    """Markdown as HTML that loads nothing: elements that are not on the list are left out.

    A picture would tell its host who looks, so it becomes its description; HTML is dropped; links
    lead to the web.
    """
    tokens = _MARKDOWN.parse(_HEAD.sub("", text)[:_LONGEST])
    body = _RENDERER.render(list(_allowed(tokens)), _MARKDOWN.options, {})
    return render("model_card.html", body=body)


def history_list(history: Sequence[Move]) -> str:
    """Every move of an alias, newest first, as HTML."""
    return render("alias_moves.html", moves=list(reversed(history)))


def _show_model_card(catalogue: Catalogue, entry: Entry) -> None:
    commit = entry.commit or "unknown"
    st.caption(f"{plain(entry.name)}, commit {plain(commit)}")
    try:
        text = catalogue.read(entry, CARD).decode("utf-8", "replace")
    except FERError as error:
        show_error(str(error))
        return
    with st.container(border=True, key="model-card-text"):
        st.html(model_card_html(text))


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
            level = min(int(token.tag[1:]) + _LEVELS_DOWN, _LOWEST_LEVEL)
            yield replace(token, tag=f"h{level}", attrs={})
        elif token.type == "link_open":
            target = str(token.attrs["href"])
            in_web_link = target.lower().startswith(_WEB)
            if in_web_link:
                yield replace(token, attrs={"href": target, "target": "_blank"})
        elif token.type == "link_close":
            if in_web_link:
                yield token
        elif kind in _ALLOWED:
            kept = {name: value for name, value in token.attrs.items() if name in _ATTRIBUTES}
            yield replace(token, attrs=kept, info="")
