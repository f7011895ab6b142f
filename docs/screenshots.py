"""Take the README's pictures of the app anew, from a fresh start with the bundled samples.

    python -m docs.screenshots

Takes about a minute and writes docs/photos.png, docs/live.png and docs/compare.png. Needs what
requirements/dev.txt lists, and Chromium. The live one shows a bundled portrait, moved about in
front of a fake camera.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from app_pages.photos.sources import SAMPLES
from demo.serve import serve
from fer.cli.application import run_script
from fer.registry.base import DEFAULT
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.support.camera import camera_flags, open_live, portrait_frames, press_start, write_camera
from tests.support.find_chromium import find_chromium

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = 60_000  # milliseconds


def main() -> None:
    """Run the app, take a picture of each page."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        camera = folder / "camera.y4m"
        portrait = portrait_frames(SAMPLES / "eileen-collins.jpg", seconds=6)
        write_camera(camera, portrait, strip=False)
        with serve(ROOT / "app.py", folder, {"HF_HUB_OFFLINE": "1"}) as url:
            flags = [*CHROMIUM_FLAGS, *camera_flags(camera)]
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
            for take, height in ((photos, 960), (live, 860), (compare, 1100)):
                size: ViewportSize = {"width": 1280, "height": height}
                page = browser.new_page(viewport=size, color_scheme="light")
                page.set_default_timeout(TIMEOUT)
                take(page, url)
                page.screenshot(path=ROOT / "docs" / f"{take.__name__}.png")
            browser.close()


def photos(page: Page, url: str) -> None:
    """The page Photos with the samples on it."""
    page.goto(url)
    page.get_by_role("button", name="Try two sample photos").click()
    page.get_by_role("figure").first.locator(".main-svg").first.wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(2000)  # the chart and the table fade in


def live(page: Page, url: str) -> None:
    """The page Live after half a minute."""
    press_start(open_live(page, url))
    page.mouse.move(0, 0)
    page.wait_for_timeout(30_000)


def compare(page: Page, url: str) -> None:
    """The page Compare on the first bundled version and the one in use, its first charts drawn."""
    page.goto(url)
    page.get_by_role("link", name="Compare").click()
    page.locator(".fer-verdict").wait_for()
    page.get_by_role("button", name="Clear all").click()
    for name in (DEFAULT, "seed-cnn"):
        page.get_by_role("combobox", name="Versions to compare").fill(name)
        page.get_by_role("option", name=name, exact=True).click()
    page.keyboard.press("Escape")
    page.locator(".fer-verdict").wait_for()
    page.get_by_role("figure").first.locator(".main-svg").first.wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(3000)


if __name__ == "__main__":
    run_script(main, __doc__)
