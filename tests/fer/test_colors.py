"""The colours of expressions, and whether text on them can be read."""

from __future__ import annotations

import pytest

from fer.colors import EXPRESSION_COLORS, OTHER_COLORS, color_of, text_color


def test_colours_are_those_of_the_style_guide() -> None:
    assert dict(EXPRESSION_COLORS) == {
        "happy": "#E69F00",
        "sad": "#0072B2",
        "neutral": "#8A8A8A",
        "surprised": "#CC79A7",
    }


def test_other_labels_take_the_other_colours_in_their_own_order() -> None:
    labels = ("angry", "happy", "disgust", "fear", "sad", "contempt", "surprised", "neutral")
    colors = [color_of(label, labels) for label in labels]
    assert len(set(colors)) == len(labels)
    assert [color_of(label, labels) for label in ("angry", "disgust", "fear", "contempt")] == list(
        OTHER_COLORS
    )
    assert color_of("e", "abcde") == color_of("a", "abcde")


@pytest.mark.parametrize(
    ("background", "text"),
    [
        ("#000000", "white"),
        ("#FFFFFF", "black"),
        ("#0072B2", "white"),
        ("#E69F00", "black"),
        ("#8A2F2B", "white"),
        ("#767676", "black"),  # just above the luminance at which both have the same contrast
        ("#757575", "white"),
    ],
)
def test_text_is_black_or_white_whichever_stands_out_more(background: str, text: str) -> None:
    assert text_color(background) == text
