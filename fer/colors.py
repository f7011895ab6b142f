"""The colour of every expression, and text that can be read on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from PIL import ImageColor

EXPRESSION_COLORS: Mapping[str, str] = MappingProxyType(
    {"happy": "#E69F00", "sad": "#0072B2", "neutral": "#8A8A8A", "surprised": "#CC79A7"}
)
"""The colour of each of the project's labels, from the palette of Okabe and Ito, as `#RRGGBB`."""
OTHER_COLORS = ("#56B4E9", "#009E73", "#F0E442", "#D55E00")
"""The palette's other colours, for labels outside the four, in this order."""


def color_of(label: str, labels: Sequence[str]) -> str:
    """The `#RRGGBB` of one of a version's `labels`.

    Beyond four labels of its own the colours come round again.
    """
    if label in EXPRESSION_COLORS:
        return EXPRESSION_COLORS[label]
    others = [other for other in labels if other not in EXPRESSION_COLORS]
    return OTHER_COLORS[others.index(label) % len(OTHER_COLORS)]


def text_color(background: str) -> str:
    """Black or white, whichever stands out more (WCAG 2 relative luminance.

    The two meet at 0.179).
    """
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in np.divide(rgb(background), 255)
    ]
    return "black" if np.dot(linear, (0.2126, 0.7152, 0.0722)) > 0.179 else "white"


def rgb(color: str) -> tuple[int, ...]:
    return ImageColor.getrgb(color)
