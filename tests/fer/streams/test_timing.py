"""Rates and processing times against streams whose pace is known."""

from __future__ import annotations

import pytest

from fer.streams.timing import FrameTimes


def fed(times: list[float], seconds: float = 0.01, **options: int) -> FrameTimes:
    frame_times = FrameTimes(**options)
    for time in times:
        frame_times.add(time, seconds)
    return frame_times


def steady(rate: float, duration: float, start: float = 100.0) -> list[float]:
    return [start + i / rate for i in range(round(rate * duration) + 1)]


def test_nothing_was_processed_yet():
    frame_times = FrameTimes()
    assert (frame_times.frames, frame_times.rate(5.0), frame_times.quantile(0.5)) == (0, 0.0, 0.0)


@pytest.mark.parametrize("now", [7.0, 6.0, -1e9])
def test_no_time_has_passed_since_the_first_frame(now):
    assert fed([7.0]).rate(now) == 0.0


@pytest.mark.parametrize("rate", [1, 5, 30, 60, 140])
@pytest.mark.parametrize("duration", [1.0, 2.0, 3.0, 60.0])
def test_a_steady_stream(rate, duration):
    times = steady(rate, duration)
    assert fed(times).rate(times[-1]) == pytest.approx(rate, abs=1.01)


def test_a_stream_too_fast_for_the_window_is_not_told_slower():
    times = steady(500, 5.0)
    assert fed(times).rate(times[-1]) == pytest.approx(500, rel=0.02)


def test_the_rate_does_not_leap_at_the_first_frame():
    """A millisecond after it, one frame is no thousand a second."""
    assert fed([10.0]).rate(10.001) <= 100


def test_two_frames_are_one_interval():
    assert fed([10.0, 10.1]).rate(10.1) == pytest.approx(10, abs=0.5)


def test_the_rate_follows_a_change_within_two_seconds_and_falls_to_none():
    slow = [10 + i / 5 for i in range(20)]
    assert fed(steady(30, 10.0, start=0.0) + slow).rate(slow[-1]) == pytest.approx(5, abs=1)
    assert fed(slow).rate(slow[-1] + 1) < 5
    assert fed(slow).rate(slow[-1] + 2.1) == 0


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (0.5, 0.5), (0.95, 0.95), (1.0, 1.0)])
def test_quantiles(share, expected):
    frame_times = FrameTimes()
    for i in range(101):
        frame_times.add(float(i), i / 100)
    assert frame_times.quantile(share) == pytest.approx(expected)


def test_only_the_window_is_remembered_but_all_frames_are_counted():
    frame_times = fed([float(i) for i in range(50)], seconds=9.0, window=10)
    for i in range(50, 60):
        frame_times.add(float(i), 0.1)
    assert frame_times.frames == 60
    assert frame_times.quantile(1.0) == pytest.approx(0.1)
