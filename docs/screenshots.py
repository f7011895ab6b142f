"""Take the README's picture of the app anew, from a fresh start with the bundled samples.

    python -m docs.screenshots

Takes about 10 seconds and writes docs/photos.png. Needs what requirements-dev.txt lists, and Chromium.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.find_chromium import find_chromium

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60_000


def main() -> None:
    """Run the app, click the samples, take the picture."""
    with app() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 960}, color_scheme="light")
        page.set_default_timeout(PATIENCE)
        open_page(page, url)
        photos(page)
        page.screenshot(path=ROOT / "docs" / "photos.png")
        browser.close()


def photos(page: Page) -> None:
    """The page Photos with the samples on it."""
    page.get_by_role("button", name="Try two sample photos").click()
    page.get_by_role("figure").first.locator(".main-svg").first.wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(2000)  # the chart and the table fade in


def open_page(page: Page, url: str) -> None:
    """Wait until the server answers, then until the page stands."""
    page.goto(url)
    page.get_by_role("heading", name="Photos").wait_for()


@contextmanager
def app() -> Iterator[str]:
    """The address of the app in a process of its own, offline and with an empty Hub cache."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": home}
        process = subprocess.Popen([*command, "--server.address=127.0.0.1"], cwd=ROOT, env=environment)
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"the app does not answer on port {port}")


if __name__ == "__main__":
    main()
