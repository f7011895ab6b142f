"""A visitor names a repo of versions made to harm the server; all others are served as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from app_pages.photos.sources import SAMPLES
from demo.hub_server import HubServer
from demo.serve import serve
from fer.versions.folder import GRAPH
from fer.versions.sandbox import SECONDS
from tests.factories.hostile_graphs import HOSTILE
from tests.factories.published import REPO
from tests.fer.versions.test_sandbox import changed

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 60_000
VERSIONS = {"v1.2.0": "crash", "v1.1.0": "endless", "v1.0.0": "light"}  # the newest is shown first
MUCH = 500 << 20  # bytes

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


@pytest.fixture
def studio(hub: HubServer, publish: Callable[..., str], tmp_path: Path) -> Iterator[str]:
    """The app that lets visitors name a repo, one of hostile versions being on the Hub."""
    for tag, name in sorted(VERSIONS.items()):
        publish(tag, changed(tmp_path / "hostile" / tag, GRAPH, HOSTILE[name]()))
    variables = hub.environment(tmp_path / "home", "") | {"FER_ALLOW_ANY_REPO": "1"}
    with serve(ROOT / "app.py", tmp_path, variables) as url:
        yield url


def show_samples(page: Page, url: str) -> None:
    page.set_default_timeout(TIMEOUT)
    page.goto(url)
    page.locator("input[type=file]").set_input_files(sorted(SAMPLES.glob("*.jpg")))
    expect(page.get_by_text("2 photos, 2 faces")).to_be_visible(timeout=TIMEOUT)


def choose(page: Page, label: str, name: str) -> None:
    box = page.get_by_role("combobox", name=label, exact=True)
    box.fill(name)
    box.press("Enter")


def server() -> psutil.Process:
    """The process that runs the app."""
    children = psutil.Process().children()
    return next(child for child in children if str(ROOT / "app.py") in child.cmdline())


def test_the_server_survives_every_version_of_a_hostile_repo(
    page: Page, studio: str, browser: Browser
) -> None:
    show_samples(page, studio)
    process = server()
    before = process.memory_info().rss
    choose(page, "Versions from", REPO)
    for tag in VERSIONS:
        choose(page, "Version", tag)
        refusal = page.get_by_text(f"version {tag}: model.tflite is refused")
        expect(refusal).to_be_visible(timeout=1000 * (SECONDS + 1))
    assert process.is_running()
    assert process.memory_info().rss - before < MUCH
    with browser.new_context() as context:
        show_samples(context.new_page(), studio)
