"""The choice of source, version and detector."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from streamlit.testing.v1 import AppTest

from app_pages.shared import sidebar
from demo.hub_server import Answer, HubServer
from fer import load_version
from fer.registry.base import DEFAULT
from fer.registry.bundled import BundledRegistry
from tests.factories.compared import publish
from tests.factories.measured import write_measured
from tests.factories.published import REPO
from tests.support.pages import PHOTOS, forget_versions, open_page, press, set_repo, texts

pytest_plugins = ["tests.support.hub_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
BUNDLED_NAMES = [ref.name for ref in BundledRegistry().list().versions]


def test_detector_out_of_reach_leaves_the_page_alive(app: AppTest) -> None:
    press(app, "Try two sample photos")
    app.selectbox(key="detector").select("yunet").run()
    assert not app.exception
    assert "YuNet's weights could not be fetched" in texts(app)
    assert "2 photos waiting" in texts(app)
    app.selectbox(key="detector").select("blazeface").run()
    assert "2 photos, 2 faces" in texts(app)


def test_broken_version_is_marked_and_the_others_work(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = load_version().folder
    for name in (good.name, "cut-short", "unmeasured"):
        shutil.copytree(good, tmp_path / "models" / name)
    graph = tmp_path / "models" / "cut-short" / "model.tflite"
    graph.write_bytes(graph.read_bytes()[:1000])
    config = tmp_path / "models" / "unmeasured" / "config.json"
    content = json.loads(config.read_text())
    del content["files"]["metrics.json"]
    config.write_text(json.dumps(content | {"name": "unmeasured"}))
    monkeypatch.setattr(sidebar, "MODELS", tmp_path / "models")
    app.run()
    assert app.selectbox(key="version").options == ["cut-short", DEFAULT, "unmeasured"]
    press(app, "Try two sample photos")
    before = app.session_state["visit"].results
    app.selectbox(key="version").select("cut-short").run()
    assert "model.tflite is corrupt" in texts(app)
    assert "2 photos waiting" in texts(app)
    app.selectbox(key="version").select("unmeasured").run()
    assert "not measured" in texts(app)
    assert "2 photos, 2 faces" in texts(app)
    assert app.session_state["visit"].results is not before
    assert not app.exception


@pytest.mark.usefixtures("published")
def test_photos_page_offers_the_repo_and_starts_in_production(hub: HubServer) -> None:
    app = open_page(PHOTOS)
    version = app.selectbox(key="version")
    assert version.options == ["v1.3.0", "v1.2.0", "v1.1.0", "v1.0.0"]
    assert version.value == "v1.0.0"
    assert "production" in texts(app)
    assert hub.count("GET", "model.tflite") == 1
    open_page(PHOTOS)
    assert hub.count("GET", "model.tflite") == 1
    app.selectbox(key="source of versions").select("bundled").run()
    assert app.selectbox(key="version").value == DEFAULT
    assert not app.exception


@pytest.mark.usefixtures("published")
def test_unreachable_repo_falls_back_to_the_bundled_versions(hub: HubServer) -> None:
    hub.fault(Answer(503))
    app = open_page()
    assert "Shown instead are the versions that came with this app" in app.warning[0].value.replace(
        "\\", ""
    )
    assert app.dataframe[0].value["Version"].tolist() == BUNDLED_NAMES


@pytest.mark.usefixtures("published")
def test_offline_the_last_list_is_shown_with_a_notice(hub: HubServer) -> None:
    open_page()
    forget_versions()
    hub.fault(Answer(503))
    app = open_page()
    assert "Offline:" in texts(app)
    assert "v1.0.0" in app.dataframe[0].value["Version"].tolist()


@pytest.mark.usefixtures("published")
def test_refresh_shows_what_was_published_meanwhile(writer: HfApi, tmp_path: Path) -> None:
    app = open_page()
    publish(writer, write_measured(tmp_path / "v2.0.0", 0.85))
    app.run()
    assert "v2.0.0" not in app.dataframe[0].value["Version"].tolist()
    press(app, "Refresh")
    assert app.dataframe[0].value["Version"].tolist()[0] == "v2.0.0"


@pytest.mark.parametrize("repo", ["no repo", "tester/absent", "../../etc"])
def test_wrong_repos_are_named(hub: HubServer, monkeypatch: pytest.MonkeyPatch, repo: str) -> None:
    set_repo(monkeypatch, hub, repo)
    app = open_page()
    assert "came with this app" in texts(app)
    assert repo in texts(app)


def test_visitors_name_a_repo_only_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "source of versions" not in [box.key for box in open_page(PHOTOS).selectbox]
    monkeypatch.setenv("FER_ALLOW_ANY_REPO", "1")
    app = open_page(PHOTOS)
    assert app.selectbox(key="source of versions").proto.accept_new_options


@pytest.mark.usefixtures("published")
def test_the_server_s_token_opens_nothing_for_visitors(
    hub: HubServer, writer: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_ALLOW_ANY_REPO", "1")
    writer.update_repo_settings(REPO, private=True)
    app = open_page()
    assert "v1.2.0" in app.dataframe[0].value["Version"].tolist()
    forget_versions()
    set_repo(monkeypatch, hub, "tester/other")
    app = open_page(source=REPO)
    assert "no token was sent" in texts(app)
    assert app.dataframe[0].value["Version"].tolist() == BUNDLED_NAMES
