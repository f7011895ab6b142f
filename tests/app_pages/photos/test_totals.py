"""The totals of all photos, and the downloads beside them."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from fer import load_version
from tests.support.pages import press, texts


def test_faces_are_counted_by_expression(app: AppTest) -> None:
    press(app, "Try two sample photos")
    (legend,) = (
        element.proto.body
        for element in app.get("html")
        if 'class="fer-legend"' in element.proto.body and "<b>" in element.proto.body
    )
    labels = load_version().labels
    assert [label for label in labels if f"</i>{label} <b>" in legend] == list(labels)
    assert legend.count("<b>0</b>") >= len(labels) - 2
    assert "2 photos, 2 faces" in texts(app)


def test_what_can_be_downloaded(app: AppTest) -> None:
    press(app, "Try two sample photos")
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == ["CSV", "JSON", "Annotated ZIP"]
