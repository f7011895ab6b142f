"""Sets of expressions that a version may know."""

from __future__ import annotations

LABELS = ("happy", "sad", "neutral", "surprised")
"""The project's four expressions; every bundled version's labels begin with them."""

_SEVEN = (*LABELS, "angry", "disgusted", "afraid")

LABEL_SETS = {"four": LABELS, "seven": _SEVEN, "eight": (*_SEVEN, "contemptuous")}
"""By size: the project's four, those that FER2013 knows, those that FER+ knows."""
