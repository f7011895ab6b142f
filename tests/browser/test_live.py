"""The page Live in Chromium: a fake camera over real WebRTC, from START to the closed tab."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from app_pages.photos.sources import SAMPLES
from demo.serve import serve
from fer import load_version
from fer.registry.base import DEFAULT
from fer.versions.folder import BUNDLED
from tests.browser.conftest import ROOT
from tests.support.camera import (
    TIMEOUT,
    camera_flags,
    darken,
    displayed,
    filmed,
    mirrored,
    open_live,
    portrait_frames,
    press_start,
    ready,
    server_process,
    start,
    stop,
    video_frames,
    write_camera,
)

RELAY_ONLY = """
const Connection = window.RTCPeerConnection;
window.RTCPeerConnection = function (configuration) {
    return new Connection({...configuration, iceTransportPolicy: "relay"});
};
window.RTCPeerConnection.prototype = Connection.prototype;
"""
"""A browser behind a firewall: without a TURN server it never finds a route to the app."""


KEEP_CAMERA = """
const devices = navigator.mediaDevices, ask = devices && devices.getUserMedia.bind(devices);
if (devices) devices.getUserMedia = async wanted => window.camera = await ask(wanted);
"""
"""The page's own picture from the camera stays within reach of `darken`."""


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A talking face where the development material is at hand, else a portrait moved about."""
    video = ROOT.parent / "shared" / "data" / "video" / "fer_woman2.mp4"
    frames = (
        video_frames(video, seconds=4)
        if video.is_file()
        else portrait_frames(SAMPLES / "eileen-collins.jpg")
    )
    return write_camera(tmp_path_factory.mktemp("camera") / "face.y4m", frames)


@pytest.fixture(scope="module")
def empty_room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = (frame // 8 + 90 for frame in portrait_frames(SAMPLES / "eileen-collins.jpg", 0.5))
    flat = (
        frame.mean(axis=(0, 1), keepdims=True).astype("uint8").repeat(480, 0).repeat(640, 1)
        for frame in frames
    )
    return write_camera(tmp_path_factory.mktemp("camera") / "room.y4m", flat)


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser], camera: Path) -> Browser:
    """A Chromium whose camera sees a face."""
    return launch(*camera_flags(camera))


@pytest.fixture(scope="module")
def two_versions_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app over a folder with two sound versions and a broken one."""
    folder = tmp_path_factory.mktemp("versions")
    for name in (DEFAULT, "other", "broken"):
        shutil.copytree(BUNDLED / DEFAULT, folder / "models" / name)
    config = folder / "models" / "other" / "config.json"
    config.write_text(config.read_text().replace(f'"name": "{DEFAULT}"', '"name": "other"'))
    (folder / "models" / "broken" / "model.tflite").write_bytes(b"no graph")
    (folder / "sitecustomize.py").write_text(
        "import fer.versions.folder, pathlib\nfer.versions.folder.BUNDLED ="
        f" pathlib.Path({str(folder / 'models')!r})\n"
    )
    with serve(
        ROOT / "app.py",
        folder,
        {"HF_HUB_OFFLINE": "1", "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
    ) as url:
        yield url


def text(page: Page) -> str:
    return page.get_by_test_id("stMain").inner_text()


def expect_label(page: Page) -> None:
    words = re.compile("|".join(load_version().labels))
    expect(page.locator(".fer-main b")).to_have_text(words, timeout=TIMEOUT)


def choose(page: Page, widget: str, option: str) -> None:
    page.get_by_test_id("stSelectbox").filter(has_text=widget).get_by_role("combobox").click()
    page.get_by_role("option", name=option).click()


def fps_over(page: Page, frame: FrameLocator, seconds: float) -> float:
    """Displayed frames a second; no second may pass without a frame."""
    first, begun = displayed(frame)
    before, now = first, begun
    while now - begun < seconds:
        page.wait_for_timeout(1000)
        frames, now = displayed(frame)
        assert frames > before, f"the picture stood still after {now - begun:.0f} s"
        before = frames
    return (before - first) / (now - begun)


def test_start_stop_and_start_again(page: Page, app_url: str) -> None:
    frame = open_live(page, app_url)
    expect(page.get_by_text("not what anybody feels")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    start(frame)
    expect_label(page)
    expect(page.get_by_alt_text("What the model saw")).to_be_visible()
    expect(page.get_by_test_id("stMain")).to_contain_text(
        re.compile(r"[1-9]\d*\s*processed fps"), timeout=TIMEOUT
    )
    stop(frame)
    expect(page.get_by_text("stopped")).to_be_visible(timeout=TIMEOUT)
    start(frame)
    expect_label(page)


def tab_to(page: Page, button: Locator) -> None:
    """Press Tab until the button has the keyboard."""
    button.wait_for(timeout=TIMEOUT)
    for _ in range(40):
        if button.evaluate("button => document.hasFocus() && document.activeElement === button"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the button cannot be reached with Tab")


def test_by_keyboard_alone(page: Page, app_url: str) -> None:
    frame = open_live(page, app_url)
    tab_to(page, frame.get_by_role("button", name="START"))
    page.keyboard.press("Enter")
    expect_label(page)
    tab_to(page, frame.get_by_role("button", name="STOP"))
    page.keyboard.press("Space")
    expect(page.get_by_text("stopped")).to_be_visible(timeout=TIMEOUT)


def test_leave_and_return(page: Page, app_url: str) -> None:
    start(open_live(page, app_url))
    for pause in (3000, 300):  # the old connection gone, and still there
        page.get_by_role("link", name="Photos").click()
        expect(page.get_by_role("heading", name="Photos")).to_be_visible(timeout=TIMEOUT)
        page.wait_for_timeout(pause)
        page.get_by_role("link", name="Live").click()
        start(ready(page))
        expect_label(page)


def test_mirror_and_smoothing_change_at_once(page: Page, app_url: str) -> None:
    frame = open_live(page, app_url)
    start(frame)
    assert mirrored(frame)
    page.get_by_text("Mirror", exact=True).click()
    page.wait_for_timeout(1500)
    assert not mirrored(frame)
    page.get_by_role("slider", name="Smoothing").press("Home")
    fps_over(page, frame, 3)


def test_versions_change_without_a_stall(page: Page, two_versions_url: str) -> None:
    frame = open_live(page, two_versions_url)
    start(frame)
    page.get_by_text("Record", exact=True).click()
    watch = """video => { window.gap = 0; let last = performance.now(); const look = () => {
        const now = performance.now(); window.gap = Math.max(window.gap, now - last); last = now;
        video.requestVideoFrameCallback(look); }; video.requestVideoFrameCallback(look); }"""
    page.wait_for_timeout(2000)
    frame.locator("video").evaluate(watch)
    choose(page, "Version", "other")
    page.wait_for_timeout(3000)
    choose(page, "Version", "broken")
    expect(page.get_by_text("cannot be used")).to_be_visible(timeout=TIMEOUT)
    page.wait_for_timeout(1000)
    gap = frame.locator("video").evaluate("() => window.gap")
    expect_label(page)
    page.get_by_text("Record", exact=True).click()
    with page.expect_download() as event:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(event.value.path().read_text().splitlines()))
    assert list(dict.fromkeys(row["model"] for row in rows)) == [DEFAULT, "other"]
    assert len({row["track"] for row in rows}) == 1, "the face keeps its number"
    assert gap < 1000, f"{gap:.0f} ms without a new picture"


def test_record_is_downloaded(page: Page, app_url: str) -> None:
    start(open_live(page, app_url))
    page.get_by_text("Record", exact=True).click()
    page.wait_for_timeout(2500)
    page.get_by_text("Record", exact=True).click()
    with page.expect_download() as event:
        page.get_by_role("button", name="JSON").click()
    rows = [json.loads(line) for line in event.value.path().read_text().splitlines()]
    assert len(rows) > 10
    assert {row["sha256"] for row in rows} == {load_version().sha256}
    assert sorted(row["seconds"] for row in rows) == [row["seconds"] for row in rows]
    assert "recorded" in text(page)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("button", name="JSON")).to_have_count(0)


def test_two_visitors_see_their_own_faces(
    page: Page, app_url: str, launch: Callable[..., Browser], empty_room: Path
) -> None:
    other = launch(*camera_flags(empty_room)).new_page()
    start(open_live(page, app_url))
    start(open_live(other, app_url))
    expect_label(page)
    expect(other.get_by_text("no face")).to_be_visible(timeout=TIMEOUT)
    for _ in range(10):
        expect_label(page)
        assert "no face" in text(other)
        other.wait_for_timeout(300)
    start_of_line = page.locator(".fer-main small").inner_text()
    assert start_of_line.startswith("face 1"), "numbers are counted for each visitor"
    other.close()  # it would go on filming beside the tests that measure


def test_a_minute_without_a_stall(page: Page, app_url: str) -> None:
    frame = open_live(page, app_url)
    server = server_process(app_url)
    start(frame)
    page.wait_for_timeout(5000)
    before = least(lambda: server.memory_info().rss, seconds=10)
    assert fps_over(page, frame, 60) > 10
    assert least(lambda: server.memory_info().rss, seconds=10) - before < 20e6


def test_a_slow_server_shows_the_present(page: Page, app_url: str) -> None:
    """A starved server drops the frames that it cannot encode; queued they would come too late."""
    page.add_init_script(KEEP_CAMERA)
    frame = open_live(page, app_url)
    start(frame)
    with starved(server_process(app_url)):
        page.wait_for_timeout(20_000)
    assert darken(frame) < 1.5


@contextmanager
def starved(process: psutil.Process) -> Iterator[None]:
    """The process runs a quarter of the time."""
    over = threading.Event()

    def interrupt() -> None:
        while not over.wait(0.02):
            process.suspend()
            time.sleep(0.06)
            process.resume()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_closed_tabs_leave_nothing_behind(page: Page, app_url: str) -> None:
    """With every visitor no thread is left behind; the server's own pools grow now and then."""
    server = server_process(app_url)
    left: list[int] = []
    while len(left) < 2 or (left[-1] > left[-2] and len(left) < 5):
        tab = page.context.new_page()
        start(open_live(tab, app_url))
        streaming = server.num_threads()
        tab.close()
        left.append(least(server.num_threads, seconds=5))
        assert left[-1] < streaming
    assert left[-1] <= left[-2], f"threads after each visitor: {left}"


def least(measure: Callable[[], int], seconds: float) -> int:
    """The smallest of many measurements: what comes and goes is left out."""
    deadline = time.monotonic() + seconds
    smallest = measure()
    while time.monotonic() < deadline:
        time.sleep(0.2)
        smallest = min(smallest, measure())
    return smallest


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--use-fake-ui-for-media-stream", "NotAllowedError"),
        ("--use-fake-device-for-media-stream", "NotFoundError"),
    ],
    ids=["refused", "missing"],
)
def test_no_camera(app_url: str, launch: Callable[..., Browser], flag: str, words: str) -> None:
    page = launch(without=flag).new_page()
    frame = open_live(page, app_url)
    press_start(frame)
    expect(frame.get_by_text(words)).to_be_visible(timeout=TIMEOUT)
    page.get_by_text("The camera does not start?").click()
    expect(page.get_by_text("allow the camera at the symbol in the address bar")).to_be_visible(
        timeout=TIMEOUT
    )


def test_no_route_to_the_server(page: Page, app_url: str) -> None:
    page.add_init_script(RELAY_ONLY)
    frame = open_live(page, app_url)
    press_start(frame)
    expect(page.get_by_text("a TURN server is needed")).to_be_visible(timeout=TIMEOUT)
    # a click would miss where the late warning above moves the page
    page.locator("summary").press("Enter")
    page.get_by_role("switch", name="Take a single photo instead").press("Space")
    filmed(page.get_by_test_id("stCameraInput").locator("video"))
    page.get_by_role("button", name="Take Photo").press("Enter")
    expect(page.get_by_alt_text(re.compile("0\\.[0-9]"))).to_be_visible(timeout=TIMEOUT)


def test_narrow_screen(page: Page, app_url: str) -> None:
    page.set_viewport_size({"width": 420, "height": 900})
    frame = open_live_narrow(page, app_url)
    start(frame)
    expect_label(page)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= 420")


def open_live_narrow(page: Page, url: str) -> FrameLocator:
    """The navigation is folded away on a phone."""
    page.goto(url)
    page.get_by_test_id("stExpandSidebarButton").click(timeout=TIMEOUT)
    page.get_by_role("link", name="Live").click()
    page.get_by_test_id("stSidebarCollapseButton").click()
    return ready(page)
