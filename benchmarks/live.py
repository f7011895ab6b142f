"""Measure the page Live in Chromium: cold starts, frame rates, several visitors, long runs.

    python -m benchmarks.live --video talking.mp4

    a tiny run, about a minute:
    python -m benchmarks.live --starts 3 --seconds 5 --minutes 0.2 --cycles 2

Takes about 25 minutes and writes benchmarks/results/live.json. Without --video a bundled portrait
is moved about. Server and browsers share the machine, so every figure contains Chromium's own work.
Needs what requirements/dev.txt lists, and Chromium.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from playwright.sync_api import Browser, FrameLocator, Page, sync_playwright

from app_pages.photos.sources import SAMPLES
from demo.serve import serve
from fer.cli.application import run_script
from fer.registry.base import DEFAULT
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.support.camera import (
    camera_flags,
    displayed,
    open_live,
    portrait_frames,
    server_process,
    start,
    stop,
    video_frames,
    write_camera,
)
from tests.support.find_chromium import find_chromium
from training.command import write_report

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "live.json"
SETTLE = 5_000  # milliseconds from START until rates are steady


def main(
    *,
    video: Annotated[
        Path | None, typer.Option(help="a video of a face for the fake camera")
    ] = None,
    starts: Annotated[int, typer.Option(min=1, help="cold starts")] = 30,
    seconds: Annotated[float, typer.Option(min=1, help="of each rate")] = 30.0,
    minutes: Annotated[float, typer.Option(min=0, help="of the long run")] = 10.0,
    cycles: Annotated[int, typer.Option(min=0, help="starts and stops after it")] = 20,
) -> None:
    """Measure all, and write and print the report."""
    frames = video_frames(video) if video else portrait_frames(SAMPLES / "eileen-collins.jpg")
    with tempfile.TemporaryDirectory() as folder:
        camera = write_camera(Path(folder) / "camera.y4m", frames)
        with chromium(camera) as browser:
            with served(Path(folder)) as url:
                results = {
                    "camera": video.name if video else "a bundled portrait, moved about",
                    "version": DEFAULT,
                    "cores": os.cpu_count(),
                    "cold_starts": cold_starts(browser, url, starts),
                    "one_visitor": rates(browser, url, 1, seconds),
                    "three_visitors": rates(browser, url, 3, seconds),
                }
            with served(Path(folder)) as url:  # no memory of earlier visitors
                results["long_run"] = long_run(browser, url, minutes, cycles)
    write_report(RESULTS, results)
    print(json.dumps(results, indent=2))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The app, offline, with Streamlit's own time-outs."""
    with serve(ROOT / "app.py", folder, {"HF_HUB_OFFLINE": "1"}) as url:
        yield url


@contextmanager
def chromium(camera: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = [*CHROMIUM_FLAGS, *camera_flags(camera)]
        yield playwright.chromium.launch(executable_path=find_chromium(), args=flags)


def cold_starts(browser: Browser, url: str, count: int) -> dict[str, Any]:
    """Seconds from START to the first processed frame, in a fresh browser profile, at first try."""
    seconds = []
    for _ in range(count):
        with browser.new_context() as context:
            try:
                seconds.append(start(open_live(context.new_page(), url)))
            except Exception as error:  # noqa: BLE001 - a start may fail in whatever way
                print(f"a start failed: {error}")
        time.sleep(1.0)
    return {
        "tried": count,
        "succeeded": len(seconds),
        "median_s": round(float(np.median(seconds)), 2),
        "p95_s": round(float(np.quantile(seconds, 0.95)), 2),
    }


def rates(browser: Browser, url: str, visitors: int, seconds: float) -> list[dict[str, float]]:
    """Frames a second that each visitor's page reports, and that its video element displays."""
    contexts = [
        browser.new_context(viewport={"width": 1280, "height": 900}) for _ in range(visitors)
    ]
    pages = [context.new_page() for context in contexts]
    frames = [open_live(page, url) for page in pages]
    for frame in frames:
        start(frame)
    pages[0].wait_for_timeout(SETTLE)
    first = [displayed(frame) for frame in frames]
    processed = _watch(pages, seconds)
    last = [displayed(frame) for frame in frames]
    results = [
        _rates_of(page, reported, displayed_rate(before, after))
        for page, reported, before, after in zip(pages, processed, first, last, strict=True)
    ]
    for context in contexts:
        context.close()
    return results


def displayed_rate(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Frames a second between two readings of (frames displayed, seconds)."""
    return (after[0] - before[0]) / (after[1] - before[1])


def _rates_of(page: Page, reported: list[float], displayed_fps: float) -> dict[str, float]:
    return {
        "processed_fps": round(float(np.mean(reported)), 1),
        "lowest_processed_fps": min(reported),
        "displayed_fps": round(displayed_fps, 1),
        "median_ms": _read(page, "ms"),
        "p95_ms": _read(page, "ms", 1),
    }


def long_run(browser: Browser, url: str, minutes: float, cycles: int) -> dict[str, Any]:
    """The server's memory and threads over a long stream, then over many starts and stops."""
    server = server_process(url)
    with browser.new_context() as context:
        page = context.new_page()
        frame = open_live(page, url)
        start(frame)
        stop(frame)
        page.wait_for_timeout(SETTLE)
        threads_before = server.num_threads()
        start(frame)
        # caches and pools fill in the first minute
        page.wait_for_timeout(60_000 * min(1.0, minutes / 10))
        before = _megabytes(server)
        stalls = _stream(page, frame, minutes * 60)
        streamed = _megabytes(server)
        stop(frame)
        _start_and_stop(page, frame, cycles)
        page.wait_for_timeout(SETTLE)
        after = _megabytes(server)
        threads_left = server.num_threads() - threads_before
    return {
        "minutes": minutes,
        "seconds_without_a_frame": stalls,
        "growth_streaming_mb": round(streamed - before, 1),
        "cycles": cycles,
        "growth_in_all_mb": round(after - before, 1),
        "resident_mb": round(after, 1),
        "threads_left": threads_left,
    }


def _start_and_stop(page: Page, frame: FrameLocator, cycles: int) -> None:
    for _ in range(cycles):
        start(frame)
        page.wait_for_timeout(1000)
        stop(frame)


def _watch(pages: list[Page], seconds: float) -> list[list[float]]:
    reported: list[list[float]] = [[] for _ in pages]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pages[0].wait_for_timeout(1000)
        for values, page in zip(reported, pages, strict=True):
            values.append(_read(page, "processed fps"))
    return reported


def _stream(page: Page, frame: FrameLocator, seconds: float) -> int:
    """Let it run; how many seconds brought no new picture."""
    stalls = 0
    end = time.monotonic() + seconds
    before = displayed(frame)[0]
    while time.monotonic() < end:
        page.wait_for_timeout(1000)
        now = displayed(frame)[0]
        stalls += now == before
        before = now
    return stalls


def _read(page: Page, unit: str, index: int = 0) -> float:
    """A number of the readout, by the words behind it."""
    readout = page.locator(".fer-legend").last.inner_text()
    return float(re.findall(rf"([\d.]+)\s*{unit}", readout)[index])


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


if __name__ == "__main__":
    run_script(main, __doc__)
