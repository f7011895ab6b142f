"""Take the README's picture of the app anew, from a fresh start with the bundled samples.

    python -m docs.screenshots

Takes about 10 seconds and writes docs/photos.png. Needs what requirements-dev.txt lists, and Chromium.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.find_chromium import find_chromium
from tests.support.serve import serve

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60_000


def main() -> None:
    """Run the app, click the samples, take the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(ROOT / "app.py", Path(folder), {"HF_HUB_OFFLINE": "1"}) as url,
        sync_playwright() as playwright,
    ):
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


if __name__ == "__main__":
    main()
