"""The page Compare in Chromium, on a repo of four versions, one of them broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants
from playwright.sync_api import Page, expect

from app_pages.photos.sources import SAMPLES
from demo.hub_server import HubServer
from demo.serve import serve
from tests.browser.conftest import fits
from tests.factories.compared import publish_versions
from tests.factories.published import REPO

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 60_000
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


@pytest.fixture(scope="module")
def repo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, set to a repo with four versions."""
    folder = tmp_path_factory.mktemp("compare")
    with HubServer(folder / "hub") as hub, pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        publish_versions(HfApi(endpoint=hub.url, token=hub.write_token), folder / "versions")
        variables = hub.environment(folder / "home", hub.read_token) | {"FER_HUB_REPO": REPO}
        with serve(ROOT / "app.py", folder, variables) as url:
            yield url


@pytest.fixture
def compare(page: Page, repo_url: str) -> Page:
    """The page after its first charts stand."""
    page.set_default_timeout(TIMEOUT)
    page.goto(repo_url)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("figure").first.locator(".main-svg").first).to_be_visible(
        timeout=TIMEOUT
    )
    return page


def choose(page: Page, *names: str) -> None:
    """Compare these versions and no others."""
    page.get_by_role("button", name="Clear all").click()
    for name in names:
        page.get_by_role("combobox", name="Versions to compare").fill(name)
        page.get_by_role("option", name=name).click()
    page.keyboard.press("Escape")


def open_section(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).click()


def test_a_broken_version_hides_no_other(compare: Page) -> None:
    expect(compare.get_by_test_id("stDataFrame")).to_be_visible()
    expect(compare.get_by_text("One version cannot be used; the others can.")).to_be_visible()
    expect(compare.get_by_text("metrics.json is corrupt")).to_be_visible()
    expect(compare.get_by_role("figure").first).to_have_accessible_name(re.compile("v1.0.0 0.700"))


def test_the_sentence_stands_above_the_charts(compare: Page) -> None:
    expect(compare.get_by_text("the test sets fer2013 differ")).to_be_visible()
    choose(compare, "v1.1.0", "v1.0.0")
    sentence = compare.get_by_text("v1.1.0 is better: +10.0 points")
    expect(sentence).to_be_visible()
    assert sentence.bounding_box()["y"] < compare.get_by_role("figure").first.bounding_box()["y"]


def test_scripts_and_pictures_in_a_card_are_left_out(compare: Page) -> None:
    dialogs: list[str] = []
    compare.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    choose(compare, "v1.1.0", "v1.0.0")
    open_section(compare, "Card and history")
    expect(compare.get_by_text("a picture of a spy")).to_be_visible()
    expect(compare.locator("img[src*=spy]")).to_have_count(0)
    assert not dialogs


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_screens_stack(compare: Page, scheme: str) -> None:
    compare.emulate_media(color_scheme=scheme)
    compare.set_viewport_size({"width": 420, "height": 800})
    expect(compare.get_by_test_id("stDataFrame")).to_be_hidden()
    expect(compare.locator(".fer-versions")).to_contain_text(
        "FER2013 0.800 (0.776 to 0.822) of 1,200"
    )
    for name in ("Overview", "Confusion", "Calibration", "Card and history"):
        open_section(compare, name)
        expect(
            compare.get_by_text("Model card of" if name == "Card and history" else "v1.2.0").first
        ).to_be_visible()
        assert fits(compare), name


def test_photos_side_by_side(compare: Page) -> None:
    open_section(compare, "On your photos")
    compare.locator("input[type=file]").set_input_files(sorted(SAMPLES.glob("*.jpg")))
    expect(compare.get_by_text("Both versions give the same expression to")).to_be_visible(
        timeout=TIMEOUT
    )
    expect(compare.locator(".fer-gallery figure")).to_have_count(2)
    expect(compare.get_by_alt_text("What v1.0.0 saw").first).to_be_visible()
