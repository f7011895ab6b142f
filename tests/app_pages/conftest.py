"""Fixtures for the tests of the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi
from streamlit.testing.v1 import AppTest

from app_pages.shared import sidebar
from demo.hub_server import HubServer
from fer import EmotionClassifier, FERPipeline, load_detector, load_version
from tests.factories.compared import publish_versions, write_versions
from tests.factories.published import REPO
from tests.support.pages import forget_versions, new_app, set_repo


@pytest.fixture(autouse=True)
def no_repo_and_nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts with the bundled versions, and asks for them itself."""
    monkeypatch.setenv("FER_HUB_REPO", "")
    monkeypatch.setenv("FER_ALLOW_ANY_REPO", "")
    forget_versions()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    """The app after its first run, offline and with an empty Hub cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return new_app()


@pytest.fixture(scope="module")
def pipeline() -> FERPipeline:
    """The bundled detector and version."""
    return FERPipeline(load_detector("blazeface"), EmotionClassifier(load_version()))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of four versions in place of the bundled one."""
    folder = write_versions(tmp_path / "models")
    monkeypatch.setattr(sidebar, "MODELS", folder)
    return folder


@pytest.fixture
def published(
    hub: HubServer, writer: HfApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The four versions in a repo that the app is set to, v1.0.0 in production: commits by name."""
    commits = publish_versions(writer, tmp_path / "published")
    set_repo(monkeypatch, hub, REPO)
    return commits
