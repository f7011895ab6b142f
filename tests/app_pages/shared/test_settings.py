"""What the operator sets."""

from __future__ import annotations

import pytest

from app_pages.shared import settings
from fer import FERError

MEGABYTE = 1_000_000


@pytest.mark.parametrize(("value", "expected"), [("", 2000), ("1", 1), ("16000", 16000)])
def test_max_uploads(monkeypatch: pytest.MonkeyPatch, value: str, expected: int) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", value)
    assert settings.max_uploads() == expected * MEGABYTE


@pytest.mark.parametrize("value", ["0", "-1", "2 GB", "1.5", "lots"])
def test_max_uploads_must_be_a_number(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", value)
    with pytest.raises(
        FERError, match=f"FER_MAX_UPLOADS is '{value}', expected a whole number of megabytes"
    ):
        settings.max_uploads()
