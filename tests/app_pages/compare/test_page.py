"""The page Compare without a browser: on a folder and on a repo of the Hub for tests."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from app_pages.shared import sidebar
from app_pages.shared.entry import FER2013
from tests.factories.compared import CROPS
from tests.factories.measured import write_measured
from tests.support.pages import choose, open_page, open_section, texts

pytest_plugins = ["tests.support.hub_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


def test_ordinary_faces_lead_where_they_were_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, accuracy, ordinary in (
        ("v1.0.0", 0.9, 0.5),
        ("v1.1.0", 0.7, 0.8),
        ("v1.2.0", 0.8, None),
    ):
        write_measured(tmp_path / name, accuracy, ordinary=ordinary, crops=CROPS)
    monkeypatch.setattr(sidebar, "MODELS", tmp_path)
    app = choose(open_page(), "v1.1.0", "v1.0.0")
    assert app.selectbox(key="labelling").options[:2] == ["Ordinary faces", "FER2013"]
    assert "v1.1.0 is better: +30.0 points" in texts(app)
    assert "Ordinary faces. McNemar's and, over 100 people, Obuchowski's test" in html.unescape(
        texts(app)
    )
    table = app.dataframe[0].value.set_index("Version")
    assert table["Ordinary faces (95 %)"]["v1.1.0"].startswith("0.800 (")
    assert table["FER2013 (95 %)"]["v1.1.0"].startswith("0.700 (")
    assert "Recall with 95 % intervals. happy: v1.1.0 0.800" in texts(app)
    words = texts(open_section(app, "Confusion"))
    assert "v1.1.0 on Ordinary faces; share recognised of each: happy 0.80" in words
    assert "v1.1.0 minus v1.0.0 in points" in words
    assert len(open_section(app, "Calibration").get("plotly_chart")) == 1
    words = texts(open_section(choose(app, "v1.2.0", "v1.1.0"), "Confusion"))
    assert "Left out, since it was not measured on Ordinary faces: v1.2.0" in words
    assert "v1.2.0 and v1.1.0 cannot be compared" in words
    app.selectbox(key="labelling").set_value(FER2013).run()
    assert "v1.2.0 is better: +10.0 points" in texts(app)


def test_one_version_says_how_to_get_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_measured(tmp_path / "models" / "only", crops=CROPS)
    monkeypatch.setattr(sidebar, "MODELS", tmp_path / "models")
    app = open_page()
    assert "1 version can be used so far" in texts(app)
    assert len(app.get("plotly_chart")) == 2
    for name in ("Confusion", "Calibration", "Robustness", "On your photos", "Card and history"):
        open_section(app, name)


def test_nothing_at_all_keeps_the_page_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidebar, "MODELS", tmp_path)
    assert "0 versions can be used so far" in texts(open_page())


def test_repo_shows_aliases_history_and_the_others_beside_a_broken_one(
    published: dict[str, str],
) -> None:
    app = open_page()
    table = app.dataframe[0].value
    assert table["Version"].tolist() == ["v1.3.0 (broken)", "v1.2.0", "v1.1.0", "v1.0.0"]
    assert table["Sha"].tolist()[-1] == published["v1.0.0"][:8]
    assert app.multiselect[0].value == ["v1.0.0", "v1.2.0"]
    assert "version v1.3.0" not in texts(app)
    assert "after a fresh download" in texts(app)
    words = texts(open_section(app, "Card and history"))
    assert "<b>production</b> v1.1.0 → v1.0.0" in words
