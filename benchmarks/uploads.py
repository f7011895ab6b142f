"""Measure what the server's memory holds of uploads after Clear, and after the page is closed.

    python -m benchmarks.uploads

    a tiny run, about two minutes:
    python -m benchmarks.uploads --rounds 3 --closed 0

Takes about fifteen minutes, most of them waiting, and writes benchmarks/results/uploads.json. The
time-outs are those of the app. Linux alone shows the memory of another process. Needs what
requirements/dev.txt lists, and Chromium.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from app_pages.photos.sources import SAMPLES
from benchmarks.live import served
from fer.cli.application import run_script
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.support.camera import server_process
from tests.support.find_chromium import find_chromium
from tests.support.memory import occurrences
from training.command import write_report

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "uploads.json"
DEADLINE = 120_000  # milliseconds
CLEARED_SECONDS = 60
FILES = 27
MEGABYTES = 10  # of each file
ROUND_MILLISECONDS = 16_000  # the app returns memory every 15 s
LARGE = (9248, 6936)  # a phone's 64 megapixels
VISITORS = 4


def main(
    *,
    rounds: Annotated[int, typer.Option(min=0, help="of photos uploaded and cleared")] = 20,
    closed: Annotated[int, typer.Option(min=0, help="seconds to look at a closed page")] = 180,
) -> None:
    """Measure all, and write and print the report."""
    chromium = find_chromium()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        with served(folder) as url:
            results = {
                "cores": os.cpu_count(),
                "marked_photo": marked_photo(browser, url, folder, closed),
                "growth": growth(browser, url, folder, rounds),
                "large_pictures": large_pictures(browser, url, folder),
            }
        browser.close()
    write_report(RESULTS, results)
    print(json.dumps(results, indent=2))


def marked_photo(browser: Browser, url: str, folder: Path, closed_seconds: int) -> dict[str, Any]:
    """Seconds until a photo's mark is gone from the server's memory; null is never."""
    server = server_process(url)
    photo = folder / "marked.jpg"
    with browser.new_context() as context:
        page = visit(context.new_page(), url)
        mark = write_photo(photo)
        add(page, [photo])
        held = occurrences(server.pid, mark)
        clear(page)
        cleared = seconds_until_gone(server.pid, mark, CLEARED_SECONDS)
        mark = write_photo(photo)
        add(page, [photo])
    return {
        "copies_held": held,
        "seconds_after_clear": cleared,
        "seconds_after_closing_the_page": seconds_until_gone(server.pid, mark, closed_seconds),
    }


def growth(browser: Browser, url: str, folder: Path, rounds: int) -> dict[str, Any]:
    """Megabytes that the server takes, after each round of many photos uploaded and cleared."""
    server = server_process(url)
    resident = []
    with browser.new_context() as context:
        page = visit(context.new_page(), url)
        photos = [folder / f"{n}.jpg" for n in range(FILES)]
        for _ in range(rounds):
            for photo in photos:
                write_photo(photo, MEGABYTES)
            add(page, photos)
            clear(page)
            page.wait_for_timeout(ROUND_MILLISECONDS)
            resident.append(megabytes(server))
    return {"uploaded_mb": FILES * MEGABYTES, "resident_mb": resident}


def large_pictures(browser: Browser, url: str, folder: Path) -> dict[str, Any]:
    """The most megabytes that the server takes while one visitor, then several, add a picture."""
    server = server_process(url)
    picture = folder / "large.jpg"
    Image.open(SAMPLES / "eileen-collins.jpg").resize(LARGE).save(picture)
    return {
        "megapixels": round(LARGE[0] * LARGE[1] / 1e6),
        "resident_before_mb": megabytes(server),
        "peak_mb": {count: peak(browser, url, server, picture, count) for count in (1, VISITORS)},
    }


def peak(browser: Browser, url: str, server: psutil.Process, picture: Path, visitors: int) -> float:
    """The most that the server takes while this many visitors add the picture at once."""
    done = threading.Event()
    seen = [0.0]

    def look() -> None:
        while not done.wait(0.02):
            seen[0] = max(seen[0], megabytes(server))

    with browser.new_context() as context:
        pages = [visit(context.new_page(), url) for _ in range(visitors)]
        watcher = threading.Thread(target=look)
        watcher.start()
        for page in pages:
            page.locator("input[type=file]").set_input_files(picture)
        for page in pages:
            page.get_by_text("1 photo, ").wait_for(timeout=DEADLINE)
        done.set()
        watcher.join()
        for page in pages:
            clear(page)
    return seen[0]


def visit(page: Page, url: str) -> Page:
    """The page Photos, empty."""
    page.goto(url)
    page.get_by_text("No photos yet").wait_for(timeout=DEADLINE)
    return page


def write_photo(path: Path, size: float = 0) -> bytes:
    """A portrait filled up to a size in megabytes; the mark in its comment is returned."""
    comment = secrets.token_bytes(2000)
    Image.open(SAMPLES / "grace-hopper.jpg").save(path, comment=comment, quality=95)
    with path.open("ab") as file:
        file.write(secrets.token_bytes(max(0, round(size * 1e6) - path.stat().st_size)))
    return comment[1000:1032]


def add(page: Page, photos: list[Path]) -> None:
    """Upload photos and wait until they are classified."""
    page.locator("input[type=file]").set_input_files(photos)
    page.get_by_text(f"{len(photos)} photo{'s' * (len(photos) > 1)}, ").wait_for(timeout=DEADLINE)


def clear(page: Page) -> None:
    """Press Clear and wait until the page is empty."""
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("No photos yet").wait_for(timeout=DEADLINE)


def seconds_until_gone(server: int, mark: bytes, limit: int) -> float | None:
    """Seconds until the server's memory holds the mark no more, or None."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) <= limit:
        if not occurrences(server, mark):
            return round(passed, 1)
        time.sleep(2)
    return None


def megabytes(process: psutil.Process) -> float:
    """What a process takes of the machine's memory."""
    return round(float(process.memory_info().rss) / 1e6, 1)


if __name__ == "__main__":
    run_script(main, __doc__)
