"""Detectors are shared by all sessions; one out of reach is not asked for at every click."""

from __future__ import annotations

import pytest

from app_pages.shared import detectors
from app_pages.shared.detectors import Failure, shared_detector
from fer import DownloadError


def test_a_detector_is_loaded_once() -> None:
    detector = shared_detector("blazeface")
    assert not isinstance(detector, Failure)
    assert shared_detector("blazeface") is detector


def test_a_failure_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def fail(name: str, *, threads: int) -> None:
        tries.append((name, threads))
        raise DownloadError("out of reach")

    monkeypatch.setattr(detectors, "load_detector", fail)
    for _ in range(2):
        failure = shared_detector("yunet")
        assert isinstance(failure, Failure)
        assert str(failure.error) == "out of reach"
    assert tries == [("yunet", 1)]
    monkeypatch.setattr(detectors, "_RETRY_SECONDS", 0.0)
    shared_detector("yunet")
    assert len(tries) == 2
