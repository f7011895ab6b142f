"""The visitor's photos under several versions: what stands beside each face."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app_pages.side_by_side import Row, faces_html
from fer import Box, Face, Landmarks, Prediction

FRONTAL = Landmarks((10, 20), (30, 20), (20, 25))
TURNED = Landmarks((10, 20), (30, 20), (30, 25))


def answer(face: Face, label: str) -> Prediction:
    scores = {"happy": 0.1, "sad": 0.1} | {label: 0.9}
    return Prediction(face, scores, np.zeros((8, 8), np.uint8), 0.5)


@pytest.mark.parametrize(
    ("landmarks", "weak", "labels", "remark", "uncertain"),
    [
        (FRONTAL, False, ("happy", "happy"), "", 0),
        (FRONTAL, False, ("happy", "sad"), "they disagree", 0),
        (TURNED, False, ("happy", "happy"), "turned away", 2),
        (TURNED, True, ("happy", "sad"), "weak detection, turned away, they disagree", 2),
    ],
)
def test_the_caption_of_a_face_says_what_holds_for_every_version(landmarks, weak, labels, remark, uncertain):
    face = Face(Box(0, 0, 40, 40), 0.9, landmarks, weak=weak)
    answers = {name: answer(face, label) for name, label in zip("ab", labels, strict=True)}
    markup = faces_html([Row("photo.jpg", 1, "data:,", answers)], {"a": "A", "b": "B"})
    caption = re.search("<figcaption>(.*)</figcaption>", markup)
    assert caption is not None
    words = re.sub("<[^>]*>", "", caption[1]).strip()
    assert words == f"photo.jpg, face 1 {remark}".strip()
    assert markup.count("uncertain") == uncertain
