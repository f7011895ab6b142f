"""Results are checked at birth and cannot be changed afterwards."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from fer import LABELS, Box, Face, Prediction

BOX = Box(10, 20, 30, 60)
CROP = np.zeros((48, 48), np.uint8)


def prediction(**scores: float) -> Prediction:
    return Prediction(Face(BOX, 0.9), scores, CROP)


def test_labels_keep_their_order():
    assert LABELS == ("happy", "sad", "neutral", "surprised")


def test_box_measures():
    assert (BOX.width, BOX.height, BOX.center) == (20, 40, (20, 40))


@pytest.mark.parametrize(
    "corners",
    [
        (0, 0, 0, 0),
        (5, 0, 5, 9),
        (0, 5, 9, 5),
        (9, 0, 5, 9),
        (0, 9, 9, 5),
        (math.nan, 0, 9, 9),
        (0, 0, 9, math.nan),
        (0, 0, math.inf, 9),
        (0, -math.inf, 9, 9),
        (math.inf, 0, math.inf, 9),
    ],
)
def test_box_refuses_what_has_no_area(corners):
    with pytest.raises(ValueError, match="a box needs x1 < x2 and y1 < y2, all finite, received Box"):
        Box(*corners)


@pytest.mark.parametrize("confidence", [-0.01, 1.01, math.nan, math.inf])
def test_face_refuses_an_impossible_confidence(confidence):
    with pytest.raises(ValueError, match=r"confidence must lie in \[0, 1\], received"):
        Face(BOX, confidence)


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_face_takes_the_bounds_and_needs_neither_eyes_nor_frame(confidence):
    face = Face(BOX, confidence)
    assert (face.landmarks, face.frame) == (None, None)


@pytest.mark.parametrize(
    "scores",
    [
        {},
        {"happy": 0.5},
        {"happy": 0.5, "sad": 0.6},
        {"happy": math.nan, "sad": 0.5},
        {"happy": math.nan, "sad": math.nan},
        {"happy": -0.5, "sad": 1.5},
        {"happy": math.inf, "sad": -math.inf},
    ],
)
def test_prediction_refuses_what_is_no_distribution(scores):
    with pytest.raises(ValueError, match="scores must be probabilities that sum to 1, received"):
        prediction(**scores)


@pytest.mark.parametrize(
    ("scores", "label", "score"),
    [
        ({"happy": 1.0}, "happy", 1.0),
        ({"happy": 0.2, "sad": 0.7, "neutral": 0.1}, "sad", 0.7),
        ({"sad": 0.5, "happy": 0.5}, "sad", 0.5),
        ({"happy": 0.25, "sad": 0.25, "neutral": 0.25, "surprised": 0.25}, "happy", 0.25),
        ({"bored": 0.0004, "asleep": 0.9999}, "asleep", 0.9999),
    ],
)
def test_label_is_the_most_probable_and_the_first_on_a_tie(scores, label, score):
    result = prediction(**scores)
    assert (result.label, result.score) == (label, score)
    assert result.top(1) == [(label, score)]


@pytest.mark.parametrize(
    ("k", "expected"),
    [(0, []), (1, ["sad"]), (2, ["sad", "happy"]), (3, ["sad", "happy", "neutral"]), (9, ["sad", "happy", "neutral"])],
)
def test_top_is_best_first_and_keeps_the_order_of_ties(k, expected):
    result = prediction(happy=0.2, sad=0.6, neutral=0.2)
    assert [label for label, _ in result.top(k)] == expected


@pytest.mark.parametrize(("thing", "field"), [(BOX, "x1"), (Face(BOX, 0.5), "box"), (prediction(happy=1.0), "scores")])
def test_results_are_frozen(thing, field):
    with pytest.raises(dataclasses.FrozenInstanceError, match=field):
        setattr(thing, field, None)


def test_scores_are_a_copy_that_cannot_be_written():
    scores = {"happy": 0.6, "sad": 0.4}
    result = Prediction(Face(BOX, 0.9), scores, CROP)
    scores["happy"] = 0.0
    assert result.scores == {"happy": 0.6, "sad": 0.4}
    with pytest.raises(TypeError, match="does not support item assignment"):
        result.scores["happy"] = 1.0


def test_predictions_compare_by_face_and_scores():
    assert prediction(happy=0.6, sad=0.4) == Prediction(Face(BOX, 0.9), {"happy": 0.6, "sad": 0.4}, CROP + 1)
    assert prediction(happy=0.6, sad=0.4) != prediction(happy=0.4, sad=0.6)
    assert "crop" not in repr(prediction(happy=1.0))
