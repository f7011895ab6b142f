"""Measure the page Live in a real Chromium: cold starts, frame rates, several visitors, long runs.

    python -m benchmarks.live --video talking.mp4

    a tiny run, about a minute:
    python -m benchmarks.live --starts 3 --seconds 5 --minutes 0.2 --cycles 2

Takes about 25 minutes and writes benchmarks/results/live.json. Without --video a bundled portrait
is moved about. Server and browsers share the machine, so every figure contains Chromium's own work.
Needs what requirements/dev.txt lists, and Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import Browser, FrameLocator, Page, sync_playwright

from app_pages.photos.sources import SAMPLES
from demo.serve import serve
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

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "live.json"
SETTLE = 5_000  # milliseconds from START until rates are steady


@dataclass(frozen=True)
class Options:
    """How much to measure: cold starts, seconds of each rate, minutes of the long run.

    Start/stop cycles.
    """

    starts: int = 30
    seconds: float = 30.0
    minutes: float = 10.0
    cycles: int = 20


def main(options: Options, video: Path | None) -> dict[str, Any]:
    """Measure all and return what was written."""
    frames = video_frames(video) if video else portrait_frames(SAMPLES / "eileen-collins.jpg")
    with tempfile.TemporaryDirectory() as folder:
        camera = write_camera(Path(folder) / "camera.y4m", frames)
        with chromium(camera) as browser:
            with served(Path(folder)) as url:
                results = {
                    "camera": video.name if video else "a bundled portrait, moved about",
                    "version": DEFAULT,
                    "cores": os.cpu_count(),
                    "cold_starts": cold_starts(browser, url, options.starts),
                    "one_visitor": rates(browser, url, 1, options.seconds),
                    "three_visitors": rates(browser, url, 3, options.seconds),
                }
            with served(Path(folder)) as url:  # no memory of earlier visitors
                results["long_run"] = long_run(browser, url, options)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    return results


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
    """Click on START to the first processed frame, each time in a fresh browser profile.

    No second try.
    """
    seconds = []
    for _ in range(count):
        with browser.new_context() as context:
            try:
                seconds.append(start(open_live(context.new_page(), url)))
            except Exception as error:  # noqa: BLE001 - a start that fails in whatever way is a result
                print(f"a start failed: {error}")
        time.sleep(1.0)
    return {
        "tried": count,
        "succeeded": len(seconds),
        "median_s": round(float(np.median(seconds)), 2),
        "p95_s": round(float(np.quantile(seconds, 0.95)), 2),
    }


def rates(browser: Browser, url: str, visitors: int, seconds: float) -> list[dict[str, float]]:
    """Frames a second that each visitor's page reports as processed and its video element as displayed."""
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
        {
            "processed_fps": round(float(np.mean(reported)), 1),
            "lowest_processed_fps": min(reported),
            "displayed_fps": round((b[0] - a[0]) / (b[1] - a[1]), 1),
            "median_ms": _figure(page, "ms"),
            "p95_ms": _figure(page, "ms", 1),
        }
        for page, reported, a, b in zip(pages, processed, first, last, strict=True)
    ]
    for context in contexts:
        context.close()
    return results


def long_run(browser: Browser, url: str, options: Options) -> dict[str, Any]:
    """Resident memory and threads of the server over a long stream.

    Then over many starts and stops.
    """
    server = server_process(url)
    with browser.new_context() as context:
        page = context.new_page()
        frame = open_live(page, url)
        start(frame)
        stop(frame)
        page.wait_for_timeout(SETTLE)
        threads = server.num_threads()
        start(frame)
        # caches and pools fill in the first minute
        page.wait_for_timeout(60_000 * min(1.0, options.minutes / 10))
        before = _megabytes(server)
        stalls = _stream(page, frame, options.minutes * 60)
        streamed = _megabytes(server)
        stop(frame)
        for _ in range(options.cycles):
            start(frame)
            page.wait_for_timeout(1000)
            stop(frame)
        page.wait_for_timeout(SETTLE)
        after = _megabytes(server)
        left = server.num_threads() - threads
    return {
        "minutes": options.minutes,
        "seconds_without_a_frame": stalls,
        "growth_streaming_mb": round(streamed - before, 1),
        "cycles": options.cycles,
        "growth_in_all_mb": round(after - before, 1),
        "resident_mb": round(after, 1),
        "threads_left": left,
    }


def _watch(pages: list[Page], seconds: float) -> list[list[float]]:
    reported: list[list[float]] = [[] for _ in pages]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pages[0].wait_for_timeout(1000)
        for values, page in zip(reported, pages, strict=True):
            values.append(_figure(page, "processed fps"))
    return reported


def _stream(page: Page, frame: FrameLocator, seconds: float) -> int:
    """Let it run; how many seconds brought no new picture."""
    stalls, end, before = 0, time.monotonic() + seconds, displayed(frame)[0]
    while time.monotonic() < end:
        page.wait_for_timeout(1000)
        shown = displayed(frame)[0]
        stalls, before = stalls + (shown == before), shown
    return stalls


def _figure(page: Page, unit: str, index: int = 0) -> float:
    """A number of the readout, by the words behind it."""
    return float(
        re.findall(rf"([\d.]+)\s*{unit}", page.locator(".fer-legend").last.inner_text())[index]
    )


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="benchmarks.live",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--video", type=Path, help="a video of a face for the fake camera")
    for name, field in Options.__dataclass_fields__.items():
        kind = type(field.default)
        parser.add_argument(
            f"--{name}", type=kind, default=field.default, help="default: %(default)s"
        )
    values = vars(parser.parse_args())
    video = values.pop("video")
    print(json.dumps(main(Options(**values), video), indent=2))
