"""The colours of charts are those that Streamlit's theme has."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from app_pages.shared import theme
from app_pages.shared.theme import DARK, LIGHT, Theme
from fer.colors import color_of

ROOT = Path(__file__).resolve().parents[3]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]


def test_expressions_have_the_themes_colours_in_its_order() -> None:
    assert CONFIG["chartCategoricalColors"] == list(theme.CATEGORIES)
    labels = ["happy", "sad", "neutral", "surprised", "angry", "disgusted", "afraid", "contempt"]
    assert [color_of(label, labels) for label in labels] == list(theme.CATEGORIES)


@pytest.mark.parametrize(("name", "colors"), [("light", LIGHT), ("dark", DARK)])
def test_charts_have_the_colours_of_the_page(name: str, colors: Theme) -> None:
    configured = CONFIG[name]
    assert colors.background == configured["backgroundColor"]
    assert colors.text == configured["textColor"]
    assert list(colors.sequence) == configured["chartSequentialColors"]


@pytest.mark.parametrize(("kind", "expected"), [("light", LIGHT), ("dark", DARK), (None, LIGHT)])
def test_the_visitors_theme(
    monkeypatch: pytest.MonkeyPatch, kind: str | None, expected: Theme
) -> None:
    browser = SimpleNamespace(theme=SimpleNamespace(type=kind))
    monkeypatch.setattr(theme.st, "context", browser)
    assert theme.current_theme() is expected


@pytest.mark.parametrize("colors", [LIGHT, DARK])
def test_tints_rise_from_the_background(colors: Theme) -> None:
    first, *others = colors.tints
    assert first == colors.background
    assert [colors.sequence.index(other) for other in others] == sorted(
        colors.sequence.index(other) for other in others
    )
