"""A client that soon gives up a Hub that is silent.

For calls that shall meet silence: a busy machine is slow too.
"""

from __future__ import annotations

import pytest

from fer.registry import hub, hub_client


def lose_patience(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.5) -> None:
    """So many seconds without an answer are too long."""
    monkeypatch.setattr(hub_client, "SILENCE", seconds)
    monkeypatch.setattr(hub_client, "_DEFAULT_SECONDS", seconds)
    monkeypatch.setattr(hub, "_GRACE", 0.2)
