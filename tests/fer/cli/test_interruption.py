"""Ctrl-C and SIGTERM are noted, once."""

from __future__ import annotations

import signal

import pytest

from fer.cli.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_noted_once(number):
    before = signal.getsignal(number)
    with Interruption() as interruption:
        assert not interruption.noted
        signal.raise_signal(number)
        assert (interruption.noted, interruption.status) == (True, 128 + number)
        assert signal.getsignal(number) is before  # the next one ends the process
    assert signal.getsignal(number) is before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGINT)
        assert not interruption.noted
    finally:
        signal.signal(signal.SIGINT, before)
