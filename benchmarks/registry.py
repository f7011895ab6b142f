"""Measure how fast versions of a Hub repo are listed, fetched and compared, on a small Hub here.

    python -m benchmarks.registry

    a tiny run, half a minute:
    python -m benchmarks.registry --versions 3 --repeats 1

Takes about three minutes and writes benchmarks/results/registry.json. The Hub adds 50 ms to every
request; Hub, app and browser share the machine. Needs what requirements/dev.txt lists, and
Chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from huggingface_hub import HfApi, constants
from playwright.sync_api import Browser, Page, sync_playwright

from demo.hub_server import Delay, HubServer
from demo.serve import serve
from fer import HubRegistry
from fer.cli.application import run_script
from fer.registry.base import DEFAULT
from fer.versions.folder import BUNDLED
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.factories.compared import publish, seal
from tests.factories.published import REPO
from tests.support.find_chromium import find_chromium
from training.command import write_report

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "registry.json"
DELAY = 0.05
SESSIONS = 8
DEADLINE = 60_000  # milliseconds
IDLE = 3_000  # milliseconds in which the browser ends what it draws


def main(
    *,
    versions: Annotated[int, typer.Option(min=2, help="in the repo")] = 20,
    repeats: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    """Measure all, and write and print the report."""
    constants.HF_HUB_DISABLE_XET = True
    with (
        tempfile.TemporaryDirectory() as name,
        HubServer(Path(name) / "hub") as hub,
        chromium() as browser,
    ):
        folder = Path(name)
        fill(HfApi(endpoint=hub.url, token=hub.write_token), folder / "versions", versions)
        hub.fault(Delay(DELAY))
        results: dict[str, Any] = {
            "versions": versions,
            "delay_seconds": DELAY,
            "cores": os.cpu_count(),
            "registry": summary([listed(hub, folder / f"list {n}") for n in range(repeats)]),
            "compare": summary(
                [opened(hub, folder / f"open {n}", browser) for n in range(repeats)]
            ),
            "switch": switched(hub, folder / "switch", browser, repeats),
            "downloads": downloads(hub, folder / "downloads"),
        }
    write_report(RESULTS, results)
    print(json.dumps(results, indent=2))


def fill(writer: HfApi, folder: Path, versions: int) -> None:
    """Publish copies of the default version, which differ in their date."""
    writer.create_repo(REPO)
    for number in range(versions):
        copy = shutil.copytree(BUNDLED / DEFAULT, folder / f"v1.{number}.0")
        config = json.loads((copy / "config.json").read_text())
        config |= {"name": copy.name, "temperature": config["temperature"] * (1 + number / 1000)}
        (copy / "config.json").write_text(json.dumps(config))
        seal(copy)
        publish(writer, copy)


def listed(hub: HubServer, home: Path) -> dict[str, float]:
    """Seconds to describe all versions: with an empty cache, and by a later process's registry."""
    constants.HF_HUB_CACHE = str(home)
    return {name: seconds(described, hub) for name in ("cold", "warm")}


def described(hub: HubServer) -> None:
    registry = HubRegistry(REPO, token=hub.read_token, endpoint=hub.url)
    registry.describe(registry.list().versions)


def opened(hub: HubServer, folder: Path, browser: Browser) -> dict[str, float]:
    """Seconds until the page Compare tells its verdict on two versions.

    `cold`: a new server, nothing in the cache, from the address on. `restarted`: the same with what
    is in the cache. `warm`: a click in the open app, on versions that the server knows. What the
    frontend itself takes to load is in the first two, and alone in `frontend`: the page Live before
    its start.
    """
    folder.mkdir()
    variables = hub.environment(folder / "home", hub.read_token) | {"FER_HUB_REPO": REPO}
    results: dict[str, float] = {}
    for name in ("cold", "restarted", "frontend"):
        with serve(ROOT / "app.py", folder, variables) as url, browser.new_context() as context:
            page = context.new_page()
            if name == "frontend":
                results[name] = seconds(look, page, f"{url}/live", "iframe")
                continue
            results[name] = seconds(look, page, f"{url}/compare", ".fer-verdict")
            page.get_by_role("link", name="Photos").click()
            page.get_by_role("button", name="Try two sample photos").wait_for()
            page.wait_for_timeout(IDLE)
            results["warm"] = seconds(click, page)
    return results


def look(page: Page, url: str, selector: str) -> None:
    page.goto(url)
    page.locator(selector).first.wait_for(timeout=DEADLINE)


def click(page: Page) -> None:
    page.get_by_role("link", name="Compare").click()
    page.locator(".fer-verdict").first.wait_for(timeout=DEADLINE)


def switched(hub: HubServer, folder: Path, browser: Browser, repeats: int) -> dict[str, float]:
    """Seconds from the choice of another version, used before, to its answers on Photos."""
    folder.mkdir()
    variables = hub.environment(folder / "home", hub.read_token) | {"FER_HUB_REPO": REPO}
    with serve(ROOT / "app.py", folder, variables) as url, browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        page.get_by_role("button", name="Try two sample photos").click(timeout=DEADLINE)
        names = ["v1.0.0", "v1.1.0"]
        for name in names:
            choose(page, name)
        return spread([choose(page, names[n % 2]) for n in range(2 * repeats)])


def choose(page: Page, name: str) -> float:
    """Choose a version and wait until the page's script has run to its end."""
    page.get_by_test_id("stSelectbox").filter(has_text="Version").last.get_by_role(
        "combobox"
    ).click()
    option = page.get_by_role("option", name=name, exact=True)
    option.wait_for()
    begun = time.perf_counter()
    option.click()
    page.locator("[data-test-script-state=running]").wait_for(timeout=DEADLINE)
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=DEADLINE)
    return time.perf_counter() - begun


def downloads(hub: HubServer, home: Path) -> dict[str, int]:
    """How often each file is fetched when many sessions ask for one version at once."""
    constants.HF_HUB_CACHE = str(home)
    registry = HubRegistry(REPO, token=hub.read_token, endpoint=hub.url)
    ref = registry.resolve("v1.0.0")
    hub.forget_requests()
    with ThreadPoolExecutor(SESSIONS) as pool:
        versions = list(pool.map(registry.fetch, [ref] * SESSIONS))
    files = ("config.json", "model.tflite", "metrics.json", "predictions.npz")
    return {
        "sessions": len(versions),
        **{name: hub.count("GET", f"/resolve/.*{name}$") for name in files},
    }


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)


def seconds(work: Callable[..., object], *arguments: object) -> float:
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun


def summary(runs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: spread([run[name] for run in runs]) for name in runs[0]}


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "low": round(min(values), 3),
        "high": round(max(values), 3),
        "n": len(values),
    }


if __name__ == "__main__":
    run_script(main, __doc__)
