"""Which of two versions is better, or why they cannot be compared."""

from __future__ import annotations

import re

import pytest

from tests.support.pages import choose, open_page, open_section, texts


@pytest.mark.usefixtures("models")
def test_the_better_of_two_is_named() -> None:
    app = choose(open_page(), "v1.1.0", "v1.0.0")
    assert "v1.1.0 is better: +10.0 points, 95 % interval" in texts(app)
    assert "Exact McNemar test: p &lt; 0.001" in texts(app)
    assert len(app.get("plotly_chart")) == 4


@pytest.mark.usefixtures("models")
def test_other_test_sets_are_refused_with_the_reason() -> None:
    app = choose(open_page(), "v1.0.0", "v1.2.0")
    assert "v1.0.0 and v1.2.0 cannot be compared." in texts(app)
    assert "the test sets fer2013 differ (aaaaaaaaaaaa and bbbbbbbbbbbb)" in texts(app)
    assert "measured on different test pictures of fer2013" in texts(app)


@pytest.mark.usefixtures("models")
def test_many_versions_stand_against_the_first() -> None:
    app = choose(open_page(), "v1.1.0", "v1.0.0", "v1.2.0")
    assert "v1.1.0 is better" in texts(app)
    assert "v1.1.0 and v1.2.0 cannot be compared" in texts(app)


def test_four_and_seven_expressions_are_compared_on_those_that_both_know() -> None:
    app = choose(open_page(), "flagship", "flagship-seven")
    words = texts(app)
    assert (
        "Of happy, sad, neutral, surprised alone the likeliest counts here: flagship-seven knows 7"
        in words
    )
    assert re.search(r"points, 95 % interval|not distinguishable", words)
    assert "cannot be compared" not in words
    assert "flagship-seven on Ordinary faces; share recognised of each: happy" in texts(
        open_section(app, "Confusion")
    )
