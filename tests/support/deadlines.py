"""A client that soon gives up a Hub that is silent.

For calls that shall meet silence: a busy machine is slow too.
"""

from __future__ import annotations

import pytest

from fer.registry import deadline, hub_calls, hub_client


def shorten_deadlines(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.5) -> None:
    """So many seconds without an answer are too long."""
    monkeypatch.setattr(deadline, "SILENCE", seconds)
    monkeypatch.setattr(hub_client, "REQUEST_SECONDS", seconds)
    monkeypatch.setattr(hub_calls, "_GRACE", 0.2)
