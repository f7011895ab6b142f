"""The section Calibration."""

from __future__ import annotations

import re

import pytest

from tests.support.pages import choose, open_page, open_section


@pytest.mark.usefixtures("models")
def test_calibration_says_what_chance_alone_would_give() -> None:
    app = open_section(choose(open_page(), "v1.1.0", "v1.0.0"), "Calibration")
    said = [
        found.value
        for found in app.caption
        if found.value.startswith("Scores that are exactly right")
    ]
    assert len(said) == 2
    for text in said:
        low, high = (float(number) for number in re.findall(r"0\.\d{3}", text))
        assert 0 < low < high < 0.3
