"""The colours of charts on the visitor's theme; `.streamlit/config.toml` repeats those it needs."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from fer.colors import EXPRESSION_COLORS, OTHER_COLORS

CATEGORIES = (*EXPRESSION_COLORS.values(), *OTHER_COLORS)
"""The colours of expressions, in the order in which a theme hands them out."""

GREY = "rgba(128, 128, 128, 0.5)"
FAINT_GREY = "rgba(128, 128, 128, 0.14)"

LESS = "#9A5B3C"
MORE = "#3F7A80"
"""The two ends of a difference; between them lies the background."""


@dataclass(frozen=True)
class Theme:
    """The colours of one theme.

    Attributes:
        background: of the page and of its charts.
        text: of words, lines and marks.
        second_text: of every second version's lines and marks.
        sequence: from little to much, without any colour of an expression.
        strongest: the colour of the sequence that is still a ground for text.
    """

    background: str
    text: str
    second_text: str
    sequence: tuple[str, ...]
    strongest: str

    @property
    def tints(self) -> list[str]:
        """A scale of three colours, from the background to the strongest ground for text."""
        return [self.background, self.sequence[3], self.strongest]


LIGHT = Theme(
    background="#FBFBF9",
    text="#1E2526",
    second_text="#2F7A80",
    sequence=(
        "#EEF2F1",
        "#DAE4E3",
        "#C2D3D2",
        "#A8C0C0",
        "#8DACAD",
        "#739899",
        "#5A8486",
        "#437073",
        "#2F5D62",
        "#1D4549",
    ),
    strongest="#2F5D62",
)
DARK = Theme(
    background="#141819",
    text="#E4E8E6",
    second_text="#8FBFC0",
    sequence=(
        "#1D2728",
        "#243536",
        "#2C4446",
        "#365558",
        "#42676A",
        "#517B7E",
        "#638F92",
        "#78A5A7",
        "#8FBABB",
        "#ABCFD0",
    ),
    strongest="#78A5A7",
)


def current_theme() -> Theme:
    """The theme that the visitor's browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT
