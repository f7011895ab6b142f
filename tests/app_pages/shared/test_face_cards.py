"""How a face is titled."""

from __future__ import annotations

import numpy as np
import pytest

from app_pages.shared import face_cards
from fer import Box, Face, Prediction


@pytest.mark.parametrize(
    ("score", "weak", "remark"),
    [
        (0.93, False, ""),
        (0.5, False, ""),
        (0.49, False, "<small>uncertain: low score</small>"),
        (0.93, True, "<small>uncertain: weak detection</small>"),
        (0.49, True, "<small>uncertain: low score, weak detection</small>"),
    ],
)
def test_the_title_of_a_face_says_why_it_is_uncertain(
    score: float, weak: bool, remark: str
) -> None:
    rest = (1 - score) / 2
    scores = {"<b>": score, "sad": rest, "neutral": rest}
    face = Face(Box(0, 0, 1, 1), 1.0, weak=weak)
    title = face_cards.face_title(
        Prediction(face, scores, np.zeros((48, 48), np.uint8), uncertain_below=0.5)
    )
    assert ("uncertain" in title) is bool(remark)
    assert remark in title
    assert f"{score:.2f}" in title
    assert "&lt;b&gt;" in title
