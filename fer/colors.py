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

# WCAG 2: the linear parts of relative luminance, and the luminance at which white and black text
# have the same contrast
_LUMINANCE = (0.2126, 0.7152, 0.0722)
_MIDDLE = 0.179


def color_of(label: str, labels: Sequence[str]) -> str:
    """The `#RRGGBB` of one of a version's `labels`.

    Labels outside the four take the other colours in turn; the fifth begins anew.
    """
    if label in EXPRESSION_COLORS:
        return EXPRESSION_COLORS[label]
    others = [other for other in labels if other not in EXPRESSION_COLORS]
    return OTHER_COLORS[others.index(label) % len(OTHER_COLORS)]


def text_color(background: str) -> str:
    """Black or white, whichever stands out more."""
    luminance = np.dot([_linear(value / 255) for value in rgb(background)], _LUMINANCE)
    return "black" if luminance > _MIDDLE else "white"


def rgb(color: str) -> tuple[int, ...]:
    return ImageColor.getrgb(color)


def _linear(value: float) -> float:
    """An sRGB value in [0, 1] without its gamma."""
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
