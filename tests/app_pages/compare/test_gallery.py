"""Versions side by side: what counts as the same answer.

Also where they know different expressions.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from app_pages.compare.gallery import gallery_html, summary
from app_pages.compare.side_by_side import ComparedFace
from fer import Box, Face, Landmarks, Prediction

FACE = Face(Box(0, 0, 10, 10), 0.9)
CROP = np.zeros((48, 48), np.uint8)


def row(*answers: dict[str, float]) -> ComparedFace:
    named = {f"v{i}": Prediction(FACE, scores, CROP) for i, scores in enumerate(answers)}
    return ComparedFace("photo.jpg", 1, "data:", FACE, named)


@pytest.mark.parametrize(
    ("one", "other", "agreed"),
    [
        ({"happy": 0.6, "sad": 0.4}, {"happy": 0.9, "sad": 0.1}, True),
        ({"happy": 0.6, "sad": 0.4}, {"sad": 0.6, "happy": 0.4}, False),
        ({"happy": 0.6, "sad": 0.4}, {"angry": 0.5, "sad": 0.2, "happy": 0.3}, True),
        ({"happy": 0.6, "sad": 0.4}, {"angry": 0.5, "sad": 0.3, "happy": 0.2}, False),
    ],
)
def test_versions_agree_among_the_expressions_that_all_know(one, other, agreed):
    assert row(one, other).agreed is agreed


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        (
            {"happy": 0.6, "sad": 0.4},
            {"sad": 0.6, "happy": 0.4},
            "Both versions give the same expression to 0 of 1 face (0%).",
        ),
        (
            {"happy": 0.6, "sad": 0.4},
            {"angry": 0.5, "sad": 0.2, "happy": 0.3},
            (
                "Both versions give the same expression to 1 of 1 face (100%), among those that"
                " both know: happy, sad."
            ),
        ),
        (
            {"happy": 0.6, "sad": 0.4},
            {"bored": 0.5, "asleep": 0.5},
            "1 face found; there is no expression that all of these versions know.",
        ),
    ],
)
def test_the_summary_says_which_expressions_were_compared(one, other, text):
    assert summary([row(one, other)], 2) == text


@pytest.mark.parametrize(
    ("nose", "weak", "labels", "remark", "uncertain"),
    [
        ((20, 25), False, ("happy", "happy"), "", 0),
        ((20, 25), False, ("happy", "sad"), "they disagree", 0),
        ((30, 25), False, ("happy", "happy"), "turned away", 2),
        ((30, 25), True, ("happy", "sad"), "weak detection, turned away, they disagree", 2),
    ],
)
def test_the_caption_of_a_compared_face_says_what_holds_for_every_version(
    nose: tuple[float, float], weak: bool, labels: tuple[str, str], remark: str, uncertain: int
) -> None:
    face = Face(Box(0, 0, 40, 40), 0.9, Landmarks((10, 20), (30, 20), nose), weak=weak)
    scores = [{"happy": 0.1, "sad": 0.1} | {label: 0.9} for label in labels]
    answers = {
        name: Prediction(face, s, np.zeros((8, 8), np.uint8), 0.5)
        for name, s in zip("ab", scores, strict=True)
    }
    markup = gallery_html(
        [ComparedFace("photo.jpg", 1, "data:,", face, answers)], {"a": "A", "b": "B"}
    )
    caption = re.search("<figcaption>(.*)</figcaption>", markup)
    assert caption is not None
    assert re.sub("<[^>]*>", "", caption[1]).strip() == f"photo.jpg, face 1 {remark}".strip()
    assert markup.count("uncertain") == uncertain
