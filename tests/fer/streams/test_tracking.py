"""Tracks of scripted faces: numbers, smoothing against its formula, steadiness.

And clocks that misbehave.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from fer.geometry import Box
from fer.results import Face, Prediction, Track
from fer.streams.tracking import COAST_SECONDS, FaceTracker
from fer.versions.labels import LABELS

CROP = np.zeros((48, 48), np.uint8)
HAPPY = {"happy": 0.7, "sad": 0.1, "neutral": 0.1, "surprised": 0.1}
SAD = {"happy": 0.1, "sad": 0.7, "neutral": 0.1, "surprised": 0.1}


def seen(
    x: float, y: float = 100.0, side: float = 100.0, scores: Mapping[str, float] = HAPPY
) -> Prediction:
    return Prediction(Face(Box(x, y, x + side, y + side), 0.9), scores, CROP)


def scored(happy: float) -> Prediction:
    """A still face, happy or else sad."""
    return seen(0, scores={"happy": happy, "sad": 1 - happy})


def numbers(tracks: list[Track]) -> list[int]:
    return [track.number for track in tracks]


def left(track: Track) -> float:
    return track.box.x1


# Numbers


def test_no_face_gives_no_track():
    tracker = FaceTracker()
    assert [tracker.update([], time) for time in (0.0, 0.0, 1.0, 100.0)] == [[]] * 4


def test_a_face_shows_as_it_is_in_its_first_frame():
    (track,) = FaceTracker().update([seen(10)], 5.0)
    assert (track.number, track.label, track.score, track.displayed_score, track.seen) == (
        1,
        "happy",
        0.7,
        0.7,
        5.0,
    )
    assert dict(track.scores) == HAPPY
    assert track.box == track.prediction.face.box


@pytest.mark.parametrize("fps", [8, 15, 30])
@pytest.mark.parametrize("speed", [0.0, 1.0, 3.0])
def test_a_number_stays_while_a_face_moves(fps, speed):
    """Up to three of its own heights a second."""
    tracker = FaceTracker()
    for k in range(3 * fps):
        assert numbers(tracker.update([seen(100 * speed * k / fps)], k / fps)) == [1]


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_the_predictions_does_not_matter(order):
    tracker = FaceTracker()
    tracker.update([seen(0), seen(300), seen(600)], 0.0)
    tracks = tracker.update([seen(600), seen(0), seen(300)][::order], 0.1)
    assert numbers(tracks) == [1, 2, 3]
    assert [left(track) for track in tracks] == pytest.approx([0, 300, 600])


@pytest.mark.parametrize("gap", [150, 200])
def test_two_people_who_cross_at_a_distance_keep_their_numbers(gap):
    """One above the other, with half a head between them at the least."""
    tracker = FaceTracker()
    for k in range(61):
        x = 10.0 * k
        tracks = tracker.update([seen(x, 0), seen(600 - x, gap)], k / 30)
        assert {t.number: t.prediction.face.box.y1 for t in tracks} == {1: 0, 2: gap}


def test_the_better_overlap_wins_where_two_are_near():
    tracker = FaceTracker()
    tracker.update([seen(0), seen(90)], 0.0)
    tracks = tracker.update([seen(80), seen(-10)], 0.03)
    assert {t.number: t.prediction.face.box.x1 for t in tracks} == {1: -10, 2: 80}


def test_one_face_of_two_that_merge_keeps_its_number_and_the_other_goes():
    tracker = FaceTracker()
    tracker.update([seen(0), seen(60)], 0.0)
    assert numbers(tracker.update([seen(5)], 0.1)) == [1, 2]
    assert numbers(tracker.update([seen(5)], 0.5)) == [1]


@pytest.mark.parametrize(
    ("absence", "shown", "number"),
    [
        (0.1, True, 1),
        (0.29, True, 1),
        (0.31, False, 1),
        (0.95, False, 1),
        (1.05, False, 2),
        (100.0, False, 2),
    ],
)
def test_a_missed_face_stays_for_a_moment_and_is_forgotten_after_a_second(absence, shown, number):
    tracker = FaceTracker()
    (before,) = tracker.update([seen(10)], 1.0)
    assert tracker.update([], 1.0 + absence) == ([before] if shown else [])
    assert numbers(tracker.update([seen(10)], 1.0 + absence)) == [number]


def test_a_coasting_face_tells_when_it_was_seen():
    tracker = FaceTracker()
    tracker.update([seen(10)], 1.0)
    (track,) = tracker.update([], 1.0 + COAST_SECONDS / 2)
    assert track.seen == 1.0


def test_numbers_are_never_given_twice():
    tracker = FaceTracker()
    given = [n for k in range(20) for n in numbers(tracker.update([seen(0), seen(400)], 10.0 * k))]
    assert given == list(range(1, 41))


def test_a_face_elsewhere_is_someone_else():
    tracker = FaceTracker()
    tracker.update([seen(0)], 0.0)
    assert numbers(tracker.update([seen(400)], 0.1)) == [1, 2]


# Scores and labels


@pytest.mark.parametrize("fps", [1, 3, 10, 30, 120])
@pytest.mark.parametrize("time_constant", [0.1, 0.5, 3.0])
def test_a_step_is_followed_exponentially_whatever_the_frame_rate(fps, time_constant):
    tracker = FaceTracker(time_constant)
    tracker.update([scored(1.0)], 0.0)
    for k in range(1, 3 * fps + 1):
        (track,) = tracker.update([scored(0.0)], k / fps)
        assert track.scores["happy"] == pytest.approx(math.exp(-k / fps / time_constant), abs=1e-9)


@pytest.mark.parametrize("fps", [10, 30])
def test_63_percent_after_one_time_constant(fps):
    tracker = FaceTracker(0.5)
    tracker.update([scored(0.0)], 0.0)
    for k in range(1, fps // 2 + 1):
        (track,) = tracker.update([scored(1.0)], k / fps)
    assert track.scores["happy"] == pytest.approx(0.632, abs=0.001)


def test_irregular_frames_smooth_like_regular_ones():
    tracker = FaceTracker(0.5)
    for time in (0.0, 0.001, 0.3, 0.31, 0.9, 1.0):
        (track,) = tracker.update([scored(1.0 if time == 0 else 0.0)], time)
    assert track.scores["happy"] == pytest.approx(math.exp(-2))


@pytest.mark.parametrize("time_constant", [0.0, -1.0])
def test_no_smoothing_shows_each_frame_s_own_scores_and_label(time_constant):
    tracker, rng = FaceTracker(time_constant), np.random.default_rng(0)
    for k in range(50):
        prediction = seen(0, scores=dict(zip(LABELS, rng.dirichlet(np.ones(4)), strict=True)))
        (track,) = tracker.update([prediction], k / 30)
        assert dict(track.scores) == dict(prediction.scores)
        assert (track.label, track.score, track.displayed_score) == (
            prediction.label,
            prediction.score,
            prediction.score,
        )


def test_smoothing_may_be_switched_off_and_on_in_mid_stream():
    tracker = FaceTracker(10.0)
    tracker.update([scored(1.0)], 0.0)
    assert tracker.update([scored(0.0)], 0.1)[0].label == "happy"
    tracker.time_constant = 0
    assert tracker.update([scored(0.0)], 0.2)[0].scores["happy"] == 0
    tracker.time_constant = 10.0
    assert tracker.update([scored(1.0)], 0.3)[0].label == "sad"


@pytest.mark.parametrize(
    ("happy", "label"),
    [(0.0, "sad"), (0.4, "sad"), (0.44, "sad"), (0.46, "happy"), (0.5, "happy"), (0.6, "happy")],
)
def test_a_label_gives_way_only_to_one_that_leads_by_a_tenth(happy, label):
    tracker = FaceTracker(0.1)
    tracker.update([scored(0.9)], 0.0)
    for k in range(1, 100):
        (track,) = tracker.update([scored(happy)], k / 10)
    assert track.scores["happy"] == pytest.approx(happy)
    assert track.label == label
    assert track.score == track.scores[label]


@pytest.mark.parametrize("time_constant", [0.2, 0.5, 1.0])
def test_scores_that_alternate_do_not_make_the_label_flicker(time_constant):
    tracker = FaceTracker(time_constant)
    labels = {tracker.update([scored(0.3 if k % 2 else 0.7)], k / 30)[0].label for k in range(300)}
    assert labels == {"happy"}


def test_a_lasting_change_changes_the_label_once_and_soon():
    tracker = FaceTracker(0.5)
    tracks = [
        tracker.update([seen(0, scores=HAPPY if k < 30 else SAD)], k / 30)[0] for k in range(90)
    ]
    changes = [k for k, (a, b) in enumerate(pairwise(tracks), start=1) if a.label != b.label]
    assert len(changes) == 1
    assert 30 < changes[0] <= 30 + 0.5 * 30


def test_the_displayed_score_holds_for_a_quarter_of_a_second_or_until_the_label_changes():
    tracker, rng = FaceTracker(0.5), np.random.default_rng(0)
    tracks = [tracker.update([scored(rng.uniform(0, 1))], k / 30)[0] for k in range(300)]
    last = 0
    for k, (before, after) in enumerate(pairwise(tracks), start=1):
        if after.label != before.label:
            assert after.displayed_score == after.score
        if after.displayed_score != before.displayed_score:
            assert k - last >= 7 or after.label != before.label
            last = k
        assert k - last <= 8


def test_doubts_change_with_the_displayed_score_and_no_more_often():
    tracker = FaceTracker()
    weak = replace(seen(0), face=replace(seen(0).face, weak=True))
    shown = [
        tracker.update([prediction], time)[0].doubts
        for prediction, time in ((seen(0), 0.0), (weak, 0.1), (weak, 0.3))
    ]
    assert shown == [(), (), ("weak detection",)]
    (track,) = FaceTracker().update([weak], 0.0)
    assert track.uncertain


def test_another_label_set_in_mid_stream_starts_anew_with_the_same_number():
    tracker = FaceTracker(10.0)
    tracker.update([seen(0)], 0.0)
    other = {"bored": 0.2, "asleep": 0.8}
    (track,) = tracker.update([seen(0, scores=other)], 0.1)
    assert (track.number, dict(track.scores), track.label, track.displayed_score) == (
        1,
        other,
        "asleep",
        0.8,
    )


@pytest.mark.parametrize(
    "scores", [{"happy": 0.2, "fear": 0.8}, {"fear": 1.0}, {"sad": 0.1, "happy": 0.9}]
)
def test_a_label_of_another_set_is_one_of_that_set(scores):
    tracker = FaceTracker(0.5)
    tracker.update([seen(0)], 0.0)
    (track,) = tracker.update([seen(0, scores=scores)], 0.1)
    assert dict(track.scores) == scores
    assert track.label == max(scores, key=lambda label: scores[label])


def test_the_same_labels_in_another_order_go_on():
    tracker = FaceTracker(10.0)
    tracker.update([scored(1.0)], 0.0)
    (track,) = tracker.update([seen(0, scores={"sad": 1.0, "happy": 0.0})], 0.1)
    assert track.scores["happy"] == pytest.approx(math.exp(-0.01))


# Boxes


def test_a_still_box_that_jitters_becomes_steadier():
    tracker, rng = FaceTracker(), np.random.default_rng(0)
    raw, steady = [], []
    for k in range(300):
        prediction = seen(*rng.normal(100, 1.5, 2))
        (track,) = tracker.update([prediction], k / 30)
        raw.append(prediction.face.box.x1)
        steady.append(left(track))
    assert np.std(steady[30:]) < 0.6 * np.std(raw[30:])
    assert np.abs(np.diff(steady)).mean() < 0.3 * np.abs(np.diff(raw)).mean()


@pytest.mark.parametrize("fps", [10, 30])
@pytest.mark.parametrize("speed", [0.2, 1.0, 3.0])
def test_a_moving_box_stays_within_a_twentieth_of_the_face_and_soon_within_a_fiftieth(fps, speed):
    """The lag of the filter at a speed v in heights a second is v / (2 pi (1 + 8 v)).

    Below 0.02 heights.
    """
    tracker, lags = FaceTracker(), []
    for k in range(3 * fps):
        x = 100 * speed * k / fps
        (track,) = tracker.update([seen(x)], k / fps)
        lags.append((x - left(track)) / 100)
    assert max(lags) < 0.05
    assert lags[-1] < 0.02


def test_a_face_that_stops_does_not_overshoot():
    tracker = FaceTracker()
    for k in range(90):
        (track,) = tracker.update([seen(min(10.0 * k, 300))], k / 30)
        assert left(track) <= 300 + 1e-6
    assert left(track) == pytest.approx(300, abs=0.5)


def test_a_face_that_comes_nearer_is_framed_by_a_valid_box_throughout():
    tracker = FaceTracker()
    for k in range(60):
        (track,) = tracker.update([seen(-2.0 * k, -2.0 * k, 10 + 4.0 * k)], k / 30)
    assert track.box.width == pytest.approx(246, rel=0.05)


def test_a_box_that_wanders_while_time_stands_still_and_then_shrinks_stays_a_box():
    """Its left edge was fast, its right edge was not.

    The filtered edges must not pass each other.
    """
    tracker, time = FaceTracker(), 0.0
    height = 1415

    def update(x1: float, x2: float) -> list[Track]:
        return tracker.update([Prediction(Face(Box(x1, 0, x2, height), 0.9), HAPPY, CROP)], time)

    x1, x2 = 0.0, 1000.0
    for k in range(20):
        time = k / 30
        update(x1 := 697.5 * k / 19, x2)
    while x1 < 1500:
        update(x1 := x1 + 60, x2 := x2 + 60)
    while x2 - x1 > 11:
        update(x1, x2 := x1 + 0.7 * (x2 - x1))
    time += 1 / 30
    assert numbers(update(x1, x2)) == [1]


# Clocks


def test_while_time_stands_still_nothing_is_smoothed_and_nobody_is_forgotten():
    tracker = FaceTracker()
    tracker.update([scored(1.0)], 3.0)
    for _ in range(100):
        (track,) = tracker.update([scored(0.0)], 3.0)
    assert (track.number, track.label) == (1, "happy")
    assert track.scores["happy"] == 1.0
    assert numbers(tracker.update([], 3.0)) == [1]


def test_time_that_runs_backwards_keeps_numbers_scores_and_boxes_sound():
    tracker = FaceTracker()
    for k in range(60):
        (track,) = tracker.update([seen(k / 2, scores=HAPPY if k % 2 else SAD)], -k / 30)
        assert track.number == 1
        assert sum(track.scores.values()) == pytest.approx(1)
        assert track.box.height == pytest.approx(100, abs=1)


@pytest.mark.parametrize("start", [-1e6, 0.0, 1e9])
def test_the_clock_may_start_anywhere(start):
    tracker = FaceTracker()
    tracker.update([scored(1.0)], start)
    (track,) = tracker.update([scored(0.0)], start + 0.5)
    assert track.scores["happy"] == pytest.approx(math.exp(-1), abs=1e-6)


@pytest.mark.parametrize("jump", [-2.0, -3600.0])
def test_a_clock_set_back_leaves_no_ghost_of_a_face_that_went(jump):
    tracker = FaceTracker()
    tracker.update([seen(0)], 4000.0)
    shown = [numbers(tracker.update([], 4000.0 + jump + k / 10)) for k in range(10)]
    assert shown[-1] == []


def test_a_clock_set_back_does_not_freeze_the_displayed_score():
    tracker = FaceTracker(0.1)
    tracker.update([scored(0.9)], 4000.0)
    for k in range(30):
        (track,) = tracker.update([scored(0.6)], 100 + k / 10)
    assert track.displayed_score == pytest.approx(0.6, abs=0.01)


# Anything goes


@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_every_track_is_sound(seed):
    """Faces come, go, jump, grow and shrink, and frames come at any pace, some at the same time."""
    rng = np.random.default_rng(seed)
    tracker, time, known, gone = FaceTracker(rng.choice([0.0, 0.1, 0.5, 2.0])), 0.0, {}, set()
    faces: list[NDArray[np.float64]] = []
    for _ in range(300):
        time += rng.choice(
            [0.0, 1e-6, 1 / 120, 1 / 30, 0.1, 0.6, 1.5], p=[0.05, 0.05, 0.2, 0.5, 0.1, 0.05, 0.05]
        )
        faces = [face for face in faces if rng.random() > 0.03]
        faces += [rng.uniform((0, 0, 5), (600, 400, 200)) for _ in range(rng.poisson(0.1))]
        for face in faces:
            face[:2] += rng.normal(0, 0.1 * face[2], 2)
            face[2] = np.clip(face[2] * rng.uniform(0.8, 1.25), 1, 400)
        shown = [
            seen(*face, scores=dict(zip(LABELS, rng.dirichlet(np.ones(4)), strict=True)))
            for face in faces
        ]
        predictions = [prediction for prediction in shown if rng.random() > 0.1]
        tracks = tracker.update(predictions, time)
        check(tracks, predictions, time)
        gone |= {number for number, last in known.items() if time - last > 1.0}
        assert not gone & set(numbers(tracks))
        known |= {track.number: track.seen for track in tracks}


def check(tracks: list[Track], predictions: list[Prediction], time: float) -> None:
    assert numbers(tracks) == sorted(set(numbers(tracks)))
    taken = [id(track.prediction) for track in tracks]
    assert len(set(taken)) == len(taken)
    assert {id(prediction) for prediction in predictions} <= set(taken)
    for track in tracks:
        assert time - COAST_SECONDS <= track.seen <= time
        assert sum(track.scores.values()) == pytest.approx(1)
        assert all(0 <= score <= 1 for score in track.scores.values())
        assert 0 <= track.displayed_score <= 1
        assert track.box.width > 0
        assert track.box.height > 0
        assert track.scores[track.label] >= max(track.scores.values()) - 0.1 - 1e-9
