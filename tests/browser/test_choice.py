"""The version that a page names is in use, wherever aliases move; a model card loads nothing."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest
from huggingface_hub import HfApi, constants
from playwright.sync_api import Locator, Page, expect

from app_pages.photos.sources import SAMPLES
from demo.hub_server import HubServer
from demo.serve import serve
from fer import Aliases, Target
from fer.versions.folder import CARD
from tests.app_pages.compare.test_model_card import OTHERS, SPECIFICATION, URL
from tests.browser.test_compare import open_section
from tests.factories.compared import publish, publish_versions, seal
from tests.factories.measured import write_measured
from tests.factories.published import REPO, move, set_aliases

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 60_000
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


class Spy(BaseHTTPRequestHandler):
    """A host that notes who looks."""

    visits: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.visits.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


class Studio(NamedTuple):
    """The app on a repo of four versions: v1.0.0 is in production, v1.3.0 is broken."""

    url: str
    writer: HfApi
    commits: dict[str, str]

    def promote(self, *names: str) -> None:
        """Let production move from version to version, and end at the last one."""
        targets = [Target(name, self.commits[name]) for name in names]
        moves = [
            move("production", target.version, target.commit, former)
            for target, former in zip(targets, [None, *targets], strict=False)
        ]
        set_aliases(self.writer, Aliases(tuple(moves)).to_bytes())


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with HubServer(tmp_path / "hub") as hub, pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        writer = HfApi(endpoint=hub.url, token=hub.write_token)
        commits = publish_versions(writer, tmp_path / "versions")
        variables = hub.environment(tmp_path / "home", hub.read_token) | {"FER_HUB_REPO": REPO}
        with serve(ROOT / "app.py", tmp_path, variables) as url:
            yield Studio(url, writer, commits)


def open_photos(page: Page, studio: Studio) -> None:
    page.set_default_timeout(TIMEOUT)
    page.goto(studio.url)
    page.locator("input[type=file]").set_input_files(sorted(SAMPLES.glob("*.jpg")))
    expect(page.get_by_text("2 photos, 2 faces")).to_be_visible(timeout=TIMEOUT)


def open_compare(page: Page, studio: Studio) -> None:
    page.set_default_timeout(TIMEOUT)
    page.goto(studio.url)
    page.get_by_role("link", name="Compare").click()
    expect(page.locator(".fer-verdict")).to_be_visible(timeout=TIMEOUT)


def refresh(page: Page) -> None:
    page.get_by_role("button", name="Refresh").click()


def named(page: Page) -> Locator:
    """The choice in the sidebar, as it is written there."""
    return page.locator(".st-key-version input")


def settled(page: Page) -> None:
    """Wait until the page's script has ended: until then it shows some of what it showed before."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")


def expect_used(page: Page, name: str, accuracy: str) -> None:
    """The sidebar, the summary below it and the downloaded results all speak of one version."""
    expect(named(page)).to_have_value(name)
    expect(page.get_by_test_id("stSidebar").get_by_test_id("stMetricValue")).to_have_text(accuracy)
    settled(page)
    expect(page.get_by_text("2 photos, 2 faces")).to_be_visible()
    with page.expect_download() as event:
        page.get_by_role("button", name="CSV").click()
    rows = csv.DictReader(event.value.path().read_text().splitlines())
    assert {row["model"] for row in rows} == {name}


def test_photos_stay_with_the_version_that_is_named(studio: Studio, page: Page) -> None:
    open_photos(page, studio)
    expect_used(page, "v1.0.0", "70.0 %")
    studio.promote("v1.0.0", "v1.1.0")
    refresh(page)
    expect(page.get_by_text("production is now v1.1.0; you stay on v1.0.0.")).to_be_visible()
    expect_used(page, "v1.0.0", "70.0 %")
    page.get_by_role("button", name="Next photo").click()
    expect(page.get_by_role("heading", name="grace-hopper.jpg")).to_be_visible()
    expect_used(page, "v1.0.0", "70.0 %")
    expect(page.get_by_test_id("stSidebar").get_by_text("production", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Switch to v1.1.0 (production)").click()
    expect(page.get_by_test_id("stSidebar").get_by_text("production", exact=True)).to_be_visible()
    expect_used(page, "v1.1.0", "80.0 %")
    studio.writer.delete_tag(REPO, tag="v1.1.0")
    studio.promote("v1.0.0")
    refresh(page)
    expect(page.get_by_text("v1.1.0 is no longer offered; in use now: v1.0.0.")).to_be_visible()
    expect_used(page, "v1.0.0", "70.0 %")


def test_compare_stays_with_the_versions_that_are_named(studio: Studio, page: Page) -> None:
    open_compare(page, studio)
    chips = page.get_by_test_id("stMultiSelect").locator("[data-tag]")
    verdict = page.locator(".fer-verdict")
    expect(chips).to_have_text(["v1.0.0", "v1.2.0"])
    expect(verdict).to_contain_text("v1.0.0 and v1.2.0 cannot be compared")
    studio.promote("v1.0.0", "v1.1.0")
    refresh(page)
    expect(page.get_by_text("production is now v1.1.0; you stay on v1.0.0.")).to_be_visible()
    for section in ("Confusion", "Calibration"):
        open_section(page, section)
        expect(chips).to_have_text(["v1.0.0", "v1.2.0"])
        expect(verdict).to_contain_text("v1.0.0 and v1.2.0 cannot be compared")
        expect(page.get_by_role("figure", name="v1.0.0").first).to_be_visible()
        expect(page.get_by_role("figure", name="v1.1.0")).to_have_count(0)
    studio.writer.delete_tag(REPO, tag="v1.2.0")
    refresh(page)
    expect(page.get_by_text("v1.2.0 is no longer offered; in use now: v1.0.0.")).to_be_visible()
    expect(chips).to_have_text(["v1.0.0"])
    expect(
        page.get_by_text("Choose two versions to see whether one is really better.")
    ).to_be_visible()


def test_a_card_loads_no_picture(studio: Studio, page: Page, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Spy) as spy:
        threading.Thread(
            target=spy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        folder = write_measured(tmp_path / "v0.9.0", 0.6)
        cards = [card for card, _ in (*SPECIFICATION, *OTHERS) if "thumbnail" not in card]
        text = "\n\n".join(f"{card}\n\nend {number}" for number, card in enumerate(cards))
        (folder / CARD).write_text(
            "---\nlicense: mit\n---\n"
            + text.replace(URL, f"http://127.0.0.1:{spy.server_port}/x.png")
        )
        seal(folder)
        publish(studio.writer, folder)
        open_compare(page, studio)
        open_section(page, "Card and history")
        page.get_by_role("combobox", name="Model card of").click()
        page.get_by_role("option", name="v0.9.0").click()
        expect(page.get_by_text(f"end {len(cards) - 1}", exact=True)).to_be_visible()
        page.wait_for_timeout(500)
        spy.shutdown()
    assert Spy.visits == []
