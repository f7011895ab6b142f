"""Fixtures that run the app in its own process and look at it with Chromium."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.find_chromium import find_chromium

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
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
        pytest.skip("needs Chromium: `make test` installs it, or name one with CHROMIUM=/path/to/chromium")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One headless Chromium for all tests, with a fake camera that is granted without a question."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, running offline in its own process with an empty Hub cache."""
    folder = tmp_path_factory.mktemp("app")
    with serve(ROOT / "app.py", folder, {"HF_HUB_OFFLINE": "1"}) as url:
        yield url


@pytest.fixture
def browser_errors() -> list[str]:
    """What went wrong in `page`: console errors, script errors, exceptions shown; a test that wants one clears it."""
    return []


@pytest.fixture
def page(browser: Browser, browser_errors: list[str]) -> Iterator[Page]:
    """A fresh tab with cookies of its own; the test fails if something went wrong in it."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.on("console", lambda m: browser_errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: browser_errors.append(str(error)))
        yield page
        browser_errors += page.get_by_test_id("stException").all_inner_texts()
    assert not browser_errors, "\n".join(browser_errors)


@contextmanager
def serve(script: Path, folder: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Run a Streamlit script on a free port and yield its address; `folder` takes its log and Hub cache."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
    environment = {**os.environ, "HF_HOME": str(folder / "huggingface"), **variables}
    log = folder / "streamlit.log"
    with log.open("wb") as output:
        process = psutil.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(process, f"http://127.0.0.1:{port}/_stcore/health", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        _kill_with_children(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_healthy(process: psutil.Popen, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the app did not start within {START_SECONDS:.0f} s; its log:\n{log.read_text()}")


def _kill_with_children(process: psutil.Popen) -> None:
    family = [process, *process.children(recursive=True)] if process.is_running() else [process]
    for member in family:
        if member.is_running():
            member.kill()
    psutil.wait_procs(family, timeout=10)
