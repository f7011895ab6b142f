"""The list of decisions names each of them, once."""

from __future__ import annotations

import re
from pathlib import Path

DECISIONS = Path(__file__).resolve().parents[2] / "docs" / "decisions"


def test_the_list_is_whole():
    listed = re.findall(r"^- \[.+\]\((.+)\)$", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in DECISIONS.glob("20*.md"))
