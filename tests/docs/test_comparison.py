"""The page that sets the bundled versions beside published figures."""

from __future__ import annotations

import re

from docs.comparison import PAGE, page
from fer import load_version


def test_the_page_tells_what_was_measured():
    assert PAGE.read_text(encoding="utf-8") == page(), "out of date: run python -m docs.comparison"


def test_every_row_has_a_size_a_figure_and_a_place():
    rows = [line for line in page().splitlines() if line.startswith("| ") and "network" not in line]
    assert len(rows) > 15
    assert all(re.fullmatch(r"\|( [^|]+ \|){4}", row) for row in rows)
    seven = load_version("flagship-seven").report().test_sets["fer2013-seven"]
    assert f"**{100 * seven.labellings['fer2013-seven'].accuracy.value:.2f}** (" in page()
