"""The pages that lead to a file name files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("page", "least"), [("ARCHITECTURE.md", 20), ("docs/where.md", 20)])
def test_every_file_is_there(page: str, least: int) -> None:
    named = re.findall(r"`(\w+/[\w/]+\.py)`", (ROOT / page).read_text(encoding="utf-8"))
    assert len(named) >= least
    assert not [name for name in named if not (ROOT / name).is_file()]
