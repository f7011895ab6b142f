"""Fixtures that run the app in its own process and look at it with Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from demo.serve import serve
from tests.support.find_chromium import find_chromium

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, so that `pytest -m "not browser"` leaves it out."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of an installed Chromium."""
    path = find_chromium()
    if path is None:
        pytest.skip(
            "needs Chromium: `make test` installs it, or name one with CHROMIUM=/path/to/chromium"
        )
    return path


@pytest.fixture(scope="session")
def launch(chromium: str) -> Iterator[Callable[..., Browser]]:
    """Start a headless Chromium with a fake camera and more flags; all are closed at the end."""
    with sync_playwright() as playwright:
        browsers = []

        def start(*flags: str, without: str = "") -> Browser:
            args = [flag for flag in (*CHROMIUM_FLAGS, *flags) if flag != without]
            browsers.append(playwright.chromium.launch(executable_path=chromium, args=args))
            return browsers[-1]

        yield start
        for browser in browsers:
            browser.close()


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Browser:
    """One headless Chromium for all tests, with a fake camera that it grants without asking."""
    return launch()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, running offline in its own process with an empty Hub cache."""
    folder = tmp_path_factory.mktemp("app")
    with serve(ROOT / "app.py", folder, {"HF_HUB_OFFLINE": "1"}) as url:
        yield url


@pytest.fixture
def browser_errors() -> list[str]:
    """What went wrong in `page`: errors in the console or in a script, and displayed exceptions.

    A test that wants one clears it.
    """
    return []


@pytest.fixture
def page(browser: Browser, browser_errors: list[str]) -> Iterator[Page]:
    """A fresh tab with cookies of its own; the test fails if something went wrong in it."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.on(
            "console",
            lambda m: (
                browser_errors.append(f"{m.text} {m.location}") if m.type == "error" else None
            ),
        )
        page.on("pageerror", lambda error: browser_errors.append(str(error)))
        yield page
        browser_errors += page.get_by_test_id("stException").all_inner_texts()
    assert not browser_errors, "\n".join(browser_errors)


def fits(page: Page) -> bool:
    """Whether nothing scrolls sideways, neither the document nor the page in it."""
    return bool(
        page.evaluate(
            "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
            ".every(element => element.scrollWidth <= element.clientWidth)"
        )
    )
