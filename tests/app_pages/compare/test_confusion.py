"""The section Confusion."""

from __future__ import annotations

import pytest

from tests.support.pages import choose, open_page, open_section, texts


@pytest.mark.usefixtures("models")
def test_matrices_and_their_difference() -> None:
    app = open_section(choose(open_page(), "v1.1.0", "v1.0.0"), "Confusion")
    words = texts(app)
    assert "Confusion matrix of v1.1.0 on FER2013; share recognised of each: happy 0.80" in words
    assert "Confusion matrix of v1.0.0 on FER2013; share recognised of each: happy 0.70" in words
    assert "v1.1.0 minus v1.0.0 in points; on the diagonal: happy +10.0" in words


@pytest.mark.usefixtures("models")
def test_one_version_has_nothing_to_differ_from() -> None:
    app = open_section(choose(open_page(), "v1.1.0"), "Confusion")
    assert len(app.get("plotly_chart")) == 1
    assert "Difference, in points" not in texts(app)
