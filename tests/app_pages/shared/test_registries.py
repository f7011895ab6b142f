"""Where the offered versions come from, and what happens where a repo cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi

from app_pages.shared import registries
from demo.hub_server import Answer, HubServer
from tests.factories.compared import publish
from tests.factories.measured import write_measured
from tests.factories.published import REPO
from tests.support.pages import set_repo

pytest_plugins = ["tests.support.hub_fixtures"]

INSTEAD = "Shown instead are the versions that came with this app."
NAMES = ("v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0")


def test_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    assert registries.sources() == ["bundled"]
    monkeypatch.setenv("FER_HUB_REPO", "tester/faces")
    assert registries.sources() == ["tester/faces", "bundled"]


@pytest.mark.parametrize(("value", "allowed"), [("", False), ("0", False), ("1", True)])
def test_any_repo(monkeypatch: pytest.MonkeyPatch, value: str, allowed: bool) -> None:
    monkeypatch.setenv("FER_ALLOW_ANY_REPO", value)
    assert registries.any_repo_allowed() == allowed


def test_the_bundled_versions(models: Path) -> None:
    catalogue = registries.open_catalogue("bundled", models)
    assert (catalogue.source, catalogue.notice) == (str(models), "")
    assert {entry.name for entry in catalogue.entries} == set(NAMES)
    registries.refresh("bundled", models)


@pytest.mark.usefixtures("published")
def test_the_operators_repo_is_remembered_until_it_is_refreshed(
    hub: HubServer, writer: HfApi, models: Path, tmp_path: Path
) -> None:
    catalogue = registries.open_catalogue(REPO, models)
    assert (catalogue.source, catalogue.notice, catalogue.default) == (REPO, "", "v1.0.0")
    assert [move.target.version for move in catalogue.history] == ["v1.1.0", "v1.0.0"]
    publish(writer, write_measured(tmp_path / "v2.0.0", 0.85))
    hub.forget_requests()
    assert len(registries.open_catalogue(REPO, models).entries) == 4
    assert not hub.requests
    registries.refresh(REPO, models)
    assert registries.open_catalogue(REPO, models).entries[0].name == "v2.0.0"


@pytest.mark.parametrize(
    ("repo", "reason"),
    [
        ("no repo", "a Hub repo is called USER/NAME"),
        ("tester/absent", "there is no repo tester/absent"),
    ],
)
def test_a_wrong_repo_is_named_and_the_bundled_versions_take_its_place(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, models: Path, repo: str, reason: str
) -> None:
    set_repo(monkeypatch, hub, repo)
    catalogue = registries.open_catalogue(repo, models)
    assert catalogue.source == str(models)
    assert reason in catalogue.notice
    assert catalogue.notice.endswith(INSTEAD)
    registries.refresh(repo, models)


def test_a_repo_without_versions(
    hub: HubServer, writer: HfApi, monkeypatch: pytest.MonkeyPatch, models: Path
) -> None:
    writer.create_repo(REPO)
    set_repo(monkeypatch, hub, REPO)
    catalogue = registries.open_catalogue(REPO, models)
    assert catalogue.source == str(models)
    assert catalogue.notice.startswith(f"{REPO} holds no version yet; publish one with")


@pytest.mark.usefixtures("published")
def test_a_repo_out_of_reach(hub: HubServer, models: Path) -> None:
    hub.fault(Answer(503))
    catalogue = registries.open_catalogue(REPO, models)
    assert "is in trouble" in catalogue.notice
    assert catalogue.notice.endswith(INSTEAD)


@pytest.mark.usefixtures("published")
def test_a_visitors_repo_is_read_without_the_servers_token(
    hub: HubServer, writer: HfApi, monkeypatch: pytest.MonkeyPatch, models: Path
) -> None:
    writer.update_repo_settings(REPO, private=True)
    assert len(registries.open_catalogue(REPO, models).entries) == 4
    set_repo(monkeypatch, hub, "tester/other")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    catalogue = registries.open_catalogue(REPO, models)
    assert "no token was sent" in catalogue.notice
