"""A call is given up after a while in all, after silence, and after attempts without an answer."""

from __future__ import annotations

import time

import pytest

from fer.registry.deadline import Deadline


def test_time_is_over_after_silence_or_in_all():
    assert 7 < Deadline(100).check() <= 8
    assert 0 < Deadline(1).check() <= 1
    for deadline in (Deadline(0.0), Deadline(100, silence=0.0)):
        with pytest.raises(TimeoutError):
            deadline.check()


def test_bytes_end_the_silence_but_not_the_time_in_all():
    deadline = Deadline(0.4, silence=0.2)
    for _ in range(3):
        time.sleep(0.1)
        deadline.hear()
        assert deadline.left() > 0
    time.sleep(0.15)
    deadline.hear()
    assert deadline.left() < 0
    assert 0.4 < deadline.waited() < 5


def test_a_request_is_tried_twice_until_somebody_answers():
    deadline = Deadline()
    for _ in range(2):
        deadline.attempt("HEAD a")
        deadline.attempt("HEAD a")
        deadline.answered("HEAD a")
    deadline.attempt("HEAD a")
    deadline.attempt("HEAD b")
    deadline.attempt("HEAD a")
    with pytest.raises(ConnectionError, match="2 attempts failed"):
        deadline.attempt("HEAD a")
