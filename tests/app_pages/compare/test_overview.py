"""The section Overview."""

from __future__ import annotations

from pathlib import Path

import pytest

from app_pages.shared import sidebar
from tests.factories.versions import write_tiny
from tests.support.pages import choose, open_page, texts


@pytest.mark.usefixtures("models")
def test_time_is_asked_for_before_it_is_charted() -> None:
    words = texts(choose(open_page(), "v1.1.0", "v1.0.0"))
    assert "Accuracy (FER2013) against Size in MB: " in words
    assert "Not measured yet: press" in words


@pytest.mark.usefixtures("models")
def test_the_metric_of_the_history_is_chosen() -> None:
    app = choose(open_page(), "v1.1.0", "v1.0.0")
    assert "Accuracy on FER2013 over time" in texts(app)
    app.selectbox(key="metric").select("macro_f1").run()
    assert not app.exception
    assert "Macro F1 on FER2013 over time" in texts(app)


def test_versions_without_measurements_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        write_tiny(tmp_path / name, name=name)
    monkeypatch.setattr(sidebar, "MODELS", tmp_path)
    app = choose(open_page(), "a", "b")
    assert "published without measurements" in texts(app)
    assert not app.get("plotly_chart")
