"""Every section describes its charts in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app_pages.shared.entry import FER2013
from tests.factories.versions import SEED
from tests.support.pages import choose, open_page, open_section, texts


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("name", "charts", "words"),
    [
        ("Overview", 4, "Recall with 95 % intervals. happy: v1.1.0 0.800"),
        ("Confusion", 3, "v1.1.0 minus v1.0.0 in points"),
        ("Calibration", 1, "Reliability diagram"),
        ("Robustness", 1, "Accuracy under blur (sigma, pixels) by strength: v1.1.0 0.80 0.72"),
        ("Card and history", 0, "No alias was ever set here"),
    ],
)
def test_sections_describe_their_charts(name: str, charts: int, words: str) -> None:
    app = open_section(choose(open_page(), "v1.1.0", "v1.0.0"), name)
    assert len(app.get("plotly_chart")) == charts
    assert words in texts(app)


def test_other_labels_are_refused_and_still_drawn(models: Path) -> None:
    shutil.copytree(SEED, models / "seed-cnn")
    app = choose(open_page(), "v1.0.0", "seed-cnn")
    app.selectbox(key="labelling").set_value(FER2013).run()
    assert "they know different expressions" in texts(app)
    for name in ("Confusion", "Calibration"):
        assert (
            len(open_section(app, name).get("plotly_chart"))
            == {"Confusion": 2, "Calibration": 1}[name]
        )
