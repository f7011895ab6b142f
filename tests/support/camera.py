"""Drive the page Live: a camera made of a file, START and STOP, and what the picture shows.

The file's frames carry a blue strip along their left edge. What the app has processed is mirrored,
so there the strip lies on the right: that tells a processed frame from one that only passed
through.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray
from playwright.sync_api import FrameLocator, Locator, Page

from fer import load_image
from fer.streams.video import VideoFile

SIZE = (640, 480)
RATE = 30
TIMEOUT = 30_000
STRIP, BLUE = 16, (20, 40, 220)

_STRIP_AT = """
const stripAt = (video, column) => {
    const context = new OffscreenCanvas(64, 48).getContext("2d");
    context.drawImage(video, 0, 0, 64, 48);
    const [red, green, blue] = context.getImageData(column, 24, 1, 1).data;
    return blue > 100 && blue > 2 * red && blue > 2 * green;
};
"""
_UNTIL = f"""
const until = (seen, failure) => new Promise((resolve, reject) => {{
    const begun = performance.now();
    const look = () => {{
        const passed = performance.now() - begun;
        if (seen()) return resolve(passed / 1e3);
        if (passed > {TIMEOUT}) return reject(new Error(failure));
        setTimeout(look, 10);
    }};
    look();
}});
"""
_SHOW_STRIP = f"""
(video, column) => {{
    {_STRIP_AT} {_UNTIL}
    const shown = () => video.videoWidth > 2 && stripAt(video, column);
    return until(shown, `no frame with the strip at ${{column}} of 64`);
}}
"""
_DARKEN = f"""
video => {{
    {_STRIP_AT} {_UNTIL}
    window.camera.getVideoTracks()[0].enabled = false;
    return until(() => !stripAt(video, 0) && !stripAt(video, 63), "the picture stays");
}}
"""


def portrait_frames(portrait: Path, seconds: float = 3.0) -> Iterator[NDArray[np.uint8]]:
    """A camera that wanders over a portrait: RGB frames that loop."""
    image = load_image(portrait)
    width = 0.8 * image.shape[1]
    height = width * SIZE[1] / SIZE[0]
    scale = SIZE[0] / width
    for angle in np.linspace(0, 2 * np.pi, round(seconds * RATE), endpoint=False):
        x = (image.shape[1] - width) / 2 * (1 + 0.9 * np.sin(angle))
        y = (image.shape[0] - height) / 4 * (1 + 0.9 * np.sin(2 * angle)) * 0.5
        move = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
        yield cv2.warpAffine(image, move, SIZE, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


def video_frames(path: Path, seconds: float | None = None) -> Iterator[NDArray[np.uint8]]:
    """The frames of a video in the camera's size."""
    for frame in VideoFile(path):
        if seconds is not None and frame.seconds > seconds:
            return
        yield cv2.resize(frame.image, SIZE).astype(np.uint8)


def write_camera(path: Path, frames: Iterable[NDArray[np.uint8]], *, strip: bool = True) -> Path:
    """A y4m file for Chromium's fake camera, which plays it in a loop."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            marked = frame.copy()
            marked[:, : STRIP * strip] = BLUE
            file.write(b"FRAME\n" + cv2.cvtColor(marked, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path


def camera_flags(path: Path) -> list[str]:
    return [f"--use-file-for-fake-video-capture={path}"]


def open_live(page: Page, url: str) -> FrameLocator:
    """The page, ready for START; returns the frame that holds the camera's controls."""
    page.goto(url)
    page.get_by_role("link", name="Live").click(timeout=TIMEOUT)
    return ready(page)


def ready(page: Page) -> FrameLocator:
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="START").wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(500)
    return frame


def press_start(frame: FrameLocator) -> None:
    frame.get_by_role("button", name="START").click()


def start(frame: FrameLocator) -> float:
    """Press START and wait for the first processed frame; returns the seconds this took."""
    begun = time.perf_counter()
    press_start(frame)
    frame.locator("video").evaluate(_SHOW_STRIP, 63, timeout=TIMEOUT)  # mirrored by the server
    return time.perf_counter() - begun


def filmed(video: Locator) -> None:
    """Wait until the page's own video shows what the camera sees.

    Before, a photo taken from it would be black.
    """
    video.evaluate(_SHOW_STRIP, 0, timeout=TIMEOUT)


def mirrored(frame: FrameLocator) -> bool:
    """Whether the picture is a mirror's.

    The strip, left in the camera's frames, lies on the right.
    """
    left, right = frame.locator("video").evaluate(
        f"video => {{ {_STRIP_AT} return [stripAt(video, 0), stripAt(video, 63)]; }}"
    )
    assert left != right, "the strip must lie on one side"
    return bool(right)


def darken(frame: FrameLocator) -> float:
    """Let the camera, which the page keeps as `window.camera`, see black.

    Seconds until the screen shows it.
    """
    return float(frame.locator("video").evaluate(_DARKEN))


def stop(frame: FrameLocator) -> None:
    frame.get_by_role("button", name="STOP").click()
    frame.get_by_role("button", name="START").wait_for(timeout=TIMEOUT)


def displayed(frame: FrameLocator) -> tuple[int, float]:
    """Frames that the video element has shown, and the browser's clock in seconds."""
    frames, milliseconds = frame.locator("video").evaluate(
        "video => [video.getVideoPlaybackQuality().totalVideoFrames, performance.now()]"
    )
    return frames, milliseconds / 1e3


def server_process(url: str) -> psutil.Process:
    """The process that serves the app at this address."""
    port = url.rpartition(":")[2]
    return next(
        process
        for process in psutil.process_iter(["cmdline"])
        if f"--server.port={port}" in (process.info["cmdline"] or [])
    )
