"""The page Photos in Chromium: uploads, results, downloads, keyboard and narrow screens."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app_pages.photos.sources import SAMPLES
from fer import load_image, load_version
from tests.browser.conftest import fits
from tests.support.camera import server_process

TIMEOUT = 30_000
COLLINS, HOPPER = SAMPLES / "eileen-collins.jpg", SAMPLES / "grace-hopper.jpg"


@pytest.fixture
def photos(page: Page, app_url: str) -> Page:
    """The empty page, ready for a click."""
    page.set_default_timeout(TIMEOUT)
    page.goto(app_url)
    expect(page.get_by_role("button", name="Try two sample photos")).to_be_visible(timeout=TIMEOUT)
    return page


def upload(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").set_input_files(files)


def expect_text(page: Page, text: str) -> None:
    expect(page.get_by_text(text, exact=False).first).to_be_visible(timeout=TIMEOUT)


def download(page: Page, label: str) -> Path:
    with page.expect_download(timeout=TIMEOUT) as event:
        page.get_by_role("button", name=label).click()
    return event.value.path()


def chart(page: Page) -> Locator:
    return page.get_by_role("figure").first


def test_photo_shows_its_expression(photos: Page) -> None:
    upload(photos, COLLINS)
    expect_text(photos, "1 photo, 1 face")
    expect(chart(photos)).to_have_accessible_name(re.compile(r"Scores: \w+ 0\.\d\d, \w+ "))
    for label in load_version().labels:
        expect(chart(photos)).to_contain_text(label)
    expect(photos.get_by_alt_text("Face 1 as the model saw it")).to_be_visible()
    expect(photos.get_by_alt_text("eileen-collins.jpg: 1 ")).to_be_visible()


def test_batch_with_a_bad_file_and_its_downloads(photos: Page, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no image")
    upload(photos, COLLINS, bad, HOPPER)
    expect_text(photos, "3 photos, 2 faces, 1 failed")
    expect_text(photos, "bad.jpg: not an image (received 8 bytes")
    rows = list(csv.DictReader(download(photos, "CSV").read_text().splitlines()))
    assert [(row["file"], row["face"], bool(row["error"])) for row in rows] == [
        ("eileen-collins.jpg", "1", False),
        ("bad.jpg", "", True),
        ("grace-hopper.jpg", "1", False),
    ]
    lines = [json.loads(line) for line in download(photos, "JSON").read_text().splitlines()]
    assert [line["label"] for line in lines] == [row["label"] or None for row in rows]
    with zipfile.ZipFile(download(photos, "Annotated ZIP")) as archive:
        assert archive.namelist() == ["eileen-collins.jpg", "grace-hopper.jpg"]
        assert load_image(archive.read("grace-hopper.jpg")).shape == load_image(HOPPER).shape


def test_folder_is_searched(photos: Page, tmp_path: Path) -> None:
    (tmp_path / "album" / "inner").mkdir(parents=True)
    (tmp_path / "album" / "a.jpg").write_bytes(COLLINS.read_bytes())
    (tmp_path / "album" / "inner" / "b.jpg").write_bytes(HOPPER.read_bytes())
    (tmp_path / "album" / "notes.txt").write_text("no photo")
    photos.get_by_role("radio", name="Folder").click()
    expect(photos.locator("input[webkitdirectory]")).to_be_attached()
    expect(photos.locator("input[type=file]")).to_have_count(1)  # the other one is gone
    upload(photos, tmp_path / "album")
    expect_text(photos, "2 photos, 2 faces")


def test_keyboard_alone_reaches_everything(photos: Page) -> None:
    def tab_to(locator: Locator) -> None:
        for _ in range(40):
            if locator.evaluate("element => element === document.activeElement"):
                return
            photos.keyboard.press("Tab")
        pytest.fail(f"Tab does not reach {locator}")

    tab_to(photos.get_by_role("button", name="Try two sample photos"))
    photos.keyboard.press("Enter")
    expect(photos.get_by_role("heading", name="eileen-collins.jpg")).to_be_visible(timeout=TIMEOUT)
    tab_to(photos.get_by_role("button", name="Next photo"))
    photos.keyboard.press("Enter")
    expect(photos.get_by_role("heading", name="grace-hopper.jpg")).to_be_visible(timeout=TIMEOUT)
    tab_to(photos.get_by_role("button", name="Remove"))
    photos.keyboard.press("Enter")
    expect_text(photos, "1 photo, 1 face")


def test_camera_takes_a_photo_only_when_asked(photos: Page) -> None:
    photos.get_by_role("radio", name="Camera").click()
    expect_text(photos, "not stored")
    expect(photos.locator("video")).to_have_count(0)
    photos.get_by_role("button", name="Switch the camera on").click()
    photos.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    photos.get_by_role("button", name="Take Photo").click()
    expect_text(photos, "1 photo")
    expect(photos.locator("video")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_screens_stack(photos: Page, scheme: str, tmp_path: Path) -> None:
    photos.emulate_media(color_scheme=scheme)
    photos.set_viewport_size({"width": 420, "height": 800})
    assert fits(photos)
    bad = tmp_path / f"{'long-name-' * 12}.jpg"
    bad.write_bytes(b"no image")
    upload(photos, COLLINS, bad)
    expect(chart(photos)).to_be_visible(timeout=TIMEOUT)
    assert fits(photos)
    width = chart(photos).bounding_box()["width"]
    assert width > 300, "the chart has a row of its own"
    photos.get_by_role("button", name="Next photo").click()
    expect(photos.get_by_role("alert")).to_be_visible(timeout=TIMEOUT)
    assert fits(photos)


def test_real_photos(photos: Page, shared: Path) -> None:
    expected = json.loads((shared / "data/photos/counts.json").read_text())
    upload(photos, *(shared / "data/photos" / name for name in expected))
    expect_text(photos, f"{len(expected)} photos, ")
    rows = list(csv.DictReader(download(photos, "CSV").read_text().splitlines()))
    found = {
        name: sum(row["file"] == name and row["face"] != "" for row in rows) for name in expected
    }
    wrong = {
        name: (found[name], count)
        for name, count in expected.items()
        if abs(found[name] - count) > 1
    }
    assert not wrong


def test_server_stays_light(photos: Page, app_url: str) -> None:
    upload(photos, COLLINS)
    expect_text(photos, "1 photo, 1 face")
    server = server_process(app_url)
    paths = [mapping.path for mapping in server.memory_maps()]
    assert any("ai_edge_litert" in path for path in paths)
    assert not [path for path in paths if "/tensorflow/" in path or "/keras/" in path]
