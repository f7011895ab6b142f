"""The reference names everything that `fer` exports, once."""

from __future__ import annotations

import re
from pathlib import Path

import fer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def test_it_names_every_export_once():
    text = PAGE.read_text(encoding="utf-8")
    names = re.findall(r"^::: fer\.(?:\w+\.)*(\w+)$", text, re.MULTILINE)
    assert sorted(names) == sorted(fer.__all__)
