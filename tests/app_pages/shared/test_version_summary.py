"""What the sidebar says of a version."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app_pages.shared import sidebar
from fer import LABELS
from tests.factories.compared import CROPS
from tests.factories.measured import write_measured
from tests.factories.versions import tiny_graph, weights, write_tiny
from tests.support.pages import PHOTOS, forget_versions, open_page, texts


def test_the_sidebar_leads_with_ordinary_faces_and_names_fer2013(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_measured(tmp_path / "both", 0.8, ordinary=0.6, crops=CROPS)
    monkeypatch.setattr(sidebar, "MODELS", tmp_path)
    app = open_page(PHOTOS)
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("Right on ordinary faces", "60.0 %")
    ]
    assert "On FER2013 80.0 %, 95 % interval 77.6 to 82.2 %, n = 1,200" in texts(app)
    shutil.rmtree(tmp_path / "both")
    write_measured(tmp_path / "one", 0.8, crops=CROPS)
    forget_versions()
    app = open_page(PHOTOS)
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("Right on FER2013", "80.0 %")
    ]


def test_unusual_expressions_are_named(models: Path) -> None:
    shutil.rmtree(models)
    write_tiny(models / "tiny", name="tiny", labels=("happy", "angry_1", "sad"))
    app = open_page(PHOTOS)
    assert (
        "Unusual: it knows happy, angry_1, sad instead of happy, sad, neutral, surprised"
        in texts(app)
    )


def test_a_version_of_seven_expressions_tells_how_many_it_knows(models: Path) -> None:
    shutil.rmtree(models)
    graph = tiny_graph(weights(classes=7))
    write_tiny(
        models / "tiny", graph, name="tiny", labels=(*LABELS, "angry", "disgusted", "afraid")
    )
    app = open_page(PHOTOS)
    assert "It knows 7 expressions" in texts(app)
    assert "Unusual" not in texts(app)
