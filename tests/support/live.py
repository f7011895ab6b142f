"""Drive the page Live: a camera made of a file, START and STOP, and what the picture shows.

The file's frames carry a blue strip along their left edge. What the app has processed is mirrored, so there the
strip lies on the right: that tells a processed frame from one that only passed through.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray
from playwright.sync_api import FrameLocator, Page

from fer import load_image
from fer.video import VideoFile

SIZE = (640, 480)
RATE = 30
PATIENCE = 30_000
STRIP, BLUE = 16, (20, 40, 220)

_STRIP_AT = """
const stripAt = (video, column) => {
    const context = new OffscreenCanvas(64, 48).getContext("2d");
    context.drawImage(video, 0, 0, 64, 48);
    const [red, green, blue] = context.getImageData(column, 24, 1, 1).data;
    return blue > 100 && blue > 2 * red && blue > 2 * green;
};
"""
_PROCESSED = f"""
video => new Promise((resolve, reject) => {{
    {_STRIP_AT}
    const begun = performance.now();
    const look = () => {{
        if (video.videoWidth > 2 && stripAt(video, 63)) return resolve();
        if (performance.now() - begun > {PATIENCE}) return reject(new Error("no processed frame"));
        setTimeout(look, 10);
    }};
    look();
}})
"""


def portrait_frames(portrait: Path, seconds: float = 3.0) -> Iterator[NDArray[np.uint8]]:
    """A portrait moved about in front of grey: RGB frames that loop."""
    width, height = SIZE
    image = load_image(portrait)
    scale = 0.75 * height / image.shape[0]
    image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    frames = round(seconds * RATE)
    for angle in np.linspace(0, 2 * np.pi, frames, endpoint=False):
        x, y = (width - image.shape[1]) / 2 + 60 * np.sin(angle), (height - image.shape[0]) / 2 + 30 * np.sin(2 * angle)
        move = np.array([[1, 0, x], [0, 1, y]])
        yield cv2.warpAffine(image, move, SIZE, borderValue=(110, 110, 110)).astype(np.uint8)


def video_frames(path: Path, seconds: float | None = None) -> Iterator[NDArray[np.uint8]]:
    """The frames of a video in the camera's size."""
    for frame in VideoFile(path):
        if seconds is not None and frame.seconds > seconds:
            return
        yield cv2.resize(frame.image, SIZE).astype(np.uint8)


def write_camera(path: Path, frames: Iterable[NDArray[np.uint8]]) -> Path:
    """A y4m file for Chromium's fake camera, which plays it in a loop."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            marked = frame.copy()
            marked[:, :STRIP] = BLUE
            file.write(b"FRAME\n" + cv2.cvtColor(marked, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path


def camera_flags(path: Path) -> list[str]:
    return [f"--use-file-for-fake-video-capture={path}"]


def open_live(page: Page, url: str) -> FrameLocator:
    """The page, ready for START; returns the frame that holds the camera's controls."""
    page.goto(url)
    page.get_by_role("link", name="Live").click(timeout=PATIENCE)
    return ready(page)


def ready(page: Page) -> FrameLocator:
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="START").wait_for(timeout=PATIENCE)
    page.wait_for_timeout(500)
    return frame


def start(frame: FrameLocator) -> float:
    """Press START and wait for the first processed frame; returns the seconds this took."""
    begun = time.perf_counter()
    frame.get_by_role("button", name="START").click()
    frame.locator("video").evaluate(_PROCESSED, timeout=PATIENCE)
    return time.perf_counter() - begun


def mirrored(frame: FrameLocator) -> bool:
    """Whether the picture is a mirror's: the strip, left in the camera's frames, lies on the right."""
    left, right = frame.locator("video").evaluate(
        f"video => {{ {_STRIP_AT} return [stripAt(video, 0), stripAt(video, 63)]; }}"
    )
    assert left != right, "the strip must lie on one side"
    return bool(right)


def stop(frame: FrameLocator) -> None:
    frame.get_by_role("button", name="STOP").click()
    frame.get_by_role("button", name="START").wait_for(timeout=PATIENCE)


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
