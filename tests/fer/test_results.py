"""Results are validated on creation and cannot be changed afterwards."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle

import numpy as np
import pytest

from fer import LABELS, Box, Face, Landmarks, Prediction

BOX = Box(10, 20, 30, 60)
CROP = np.zeros((48, 48), np.uint8)


def prediction(**scores: float) -> Prediction:
    return Prediction(Face(BOX, 0.9), scores, CROP)


def test_labels_keep_their_order():
    assert LABELS == ("happy", "sad", "neutral", "surprised")


@pytest.mark.parametrize("confidence", [-0.01, 1.01, 1.00001, math.nan, math.inf])
def test_face_refuses_an_impossible_confidence(confidence):
    with pytest.raises(ValueError, match=r"confidence must lie in \[0, 1\], received"):
        Face(BOX, confidence)


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_face_takes_the_bounds_and_needs_neither_eyes_nor_extent(confidence):
    face = Face(BOX, confidence)
    assert (face.landmarks, face.extent) == (None, None)


@pytest.mark.parametrize(
    ("received", "confidence"),
    [(np.float32(1.0000001), 1.0), (-1e-7, 0.0), (np.float32(0.5), 0.5), (1, 1.0)],
)
def test_a_confidence_that_rounding_pushed_over_the_bounds_is_clipped(received, confidence):
    face = Face(BOX, received)
    assert (face.confidence, type(face.confidence)) == (confidence, float)


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
    [
        (0, []),
        (1, ["sad"]),
        (2, ["sad", "happy"]),
        (3, ["sad", "happy", "neutral"]),
        (9, ["sad", "happy", "neutral"]),
    ],
)
def test_top_is_best_first_and_keeps_the_order_of_ties(k, expected):
    result = prediction(happy=0.2, sad=0.6, neutral=0.2)
    assert [label for label, _ in result.top(k)] == expected


@pytest.mark.parametrize(
    ("thing", "field"), [(BOX, "x1"), (Face(BOX, 0.5), "box"), (prediction(happy=1.0), "scores")]
)
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
    assert prediction(happy=0.6, sad=0.4) == Prediction(
        Face(BOX, 0.9), {"happy": 0.6, "sad": 0.4}, CROP + 1
    )
    assert prediction(happy=0.6, sad=0.4) != prediction(happy=0.4, sad=0.6)
    assert "crop" not in repr(prediction(happy=1.0))


@pytest.mark.parametrize(
    "make",
    [copy.copy, copy.deepcopy, lambda result: pickle.loads(pickle.dumps(result))],  # noqa: S301
)
def test_predictions_travel_between_processes(make):
    result = Prediction(Face(BOX, 0.9), {"happy": 0.6, "sad": 0.4}, CROP + 7, 0.7)
    other = make(result)
    assert other == result
    assert np.array_equal(other.crop, result.crop)
    assert (other.uncertain, list(other.scores)) == (True, ["happy", "sad"])
    with pytest.raises(TypeError, match="does not support item assignment"):
        other.scores["happy"] = 1.0


def test_equal_predictions_are_one_in_a_set():
    twice = [prediction(happy=0.6, sad=0.4), prediction(sad=0.4, happy=0.6)]
    assert len({*twice, prediction(happy=0.4, sad=0.6)}) == 2


@pytest.mark.parametrize(
    ("score", "weak", "nose", "doubts"),
    [
        (0.7, False, (20, 25), ()),
        (0.69, False, (20, 25), ("low score",)),
        (0.7, True, (20, 25), ("weak detection",)),
        (0.7, False, (24.5, 25), ()),  # 29.4 degrees
        (0.7, False, (24.7, 25), ("turned away",)),  # 30.4 degrees
        (0.7, False, (15.3, 25), ("turned away",)),
        (0.7, False, None, ()),
        (0.69, True, (30, 25), ("low score", "weak detection", "turned away")),
    ],
)
def test_an_answer_is_uncertain_for_its_reasons(score, weak, nose, doubts):
    face = Face(BOX, 0.9, Landmarks((10, 20), (30, 20), nose), weak=weak)
    result = Prediction(face, {"happy": score, "sad": 1 - score}, CROP, 0.7)
    assert (result.doubts, result.uncertain) == (doubts, bool(doubts))


@pytest.mark.parametrize("number", [float, np.float32])
def test_a_prediction_as_a_dict_is_ready_for_json(number):
    """Also where a detector of one's own counts in NumPy's numbers."""
    face = Face(Box(*map(number, (1.25, 2, 30.04, 40.5))), number(0.87654321))
    result = Prediction(face, {"happy": number(0.25), "sad": number(0.75)}, CROP, 0.8)
    assert json.loads(json.dumps(result.to_dict())) == {
        "box": [1.2, 2.0, 30.0, 40.5],
        "confidence": 0.8765,
        "label": "sad",
        "score": 0.75,
        "uncertain": True,
        "doubts": ["low score"],
        "scores": {"happy": 0.25, "sad": 0.75},
    }
