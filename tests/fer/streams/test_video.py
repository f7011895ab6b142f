"""Videos of other programs, cameras, and files that are damaged or no video at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from fer.errors import VideoError
from fer.streams import video
from fer.streams.video import Camera, VideoFile, open_video, to_rgb
from tests.support.videos import picture, read, times_of, write

ROOT = Path(__file__).resolve().parents[3]
Image = NDArray[np.uint8]
REGULAR = [i / 25 for i in range(60)]


def encode(
    path: Path,
    pictures: Sequence[Image],
    form: str | None = None,
    codec: str = "libx264",
    turn: int = 0,
) -> Path:
    """A file as other programs write it, 25 frames a second."""
    with av.open(path, "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if turn:
            stream.set_display_rotation(turn)
        for index, image in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        for index in range(20):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 48_000, 1024 * index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


# Files of other programs


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts", "a.avi", "a.flv"])
def test_containers(tmp_path, name):
    frames = read(encode(tmp_path / name, [picture(i) for i in range(12)]))
    assert len(frames) == 12
    assert frames[-1].seconds == pytest.approx(11 / 25, abs=0.05)
    for index, frame in enumerate(frames):
        assert np.abs(frame.image.astype(int) - picture(index)).mean() < 60


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".ts"])
def test_times_never_run_backwards(tmp_path, suffix):
    """An AVI file knows the order of decoding alone, which is another one."""
    back = times_of(encode(tmp_path / f"a{suffix}", [picture(i) for i in range(30)]))
    assert all(before <= after for before, after in pairwise(back))


def test_frames_without_times_get_those_of_the_frame_rate(tmp_path):
    back = times_of(encode(tmp_path / "a.h264", [picture(i) for i in range(10)], "h264"))
    assert back == pytest.approx([i / 25 for i in range(10)])


def test_recordings_joined_end_to_end_go_on_in_time(tmp_path):
    """As `cat one.ts two.ts` joins them: the times of the second start anew."""
    part = encode(tmp_path / "part.ts", [picture(i) for i in range(25)]).read_bytes()
    (tmp_path / "joined.ts").write_bytes(part + part)
    back = times_of(tmp_path / "joined.ts")
    assert len(back) == 50
    assert all(before <= after for before, after in pairwise(back))
    assert back[-1] == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("turn", "corner"),
    [
        (0, "left top"),
        (90, "left bottom"),
        (180, "right bottom"),
        (270, "right top"),
        (-90, "right top"),
    ],
)
def test_a_turned_picture_is_set_upright(tmp_path, turn, corner):
    """The stored left top corner is red.

    Turned by 90 degrees against the clock, it lies at the left bottom.
    """
    image = np.zeros((48, 96, 3), np.uint8)
    image[:16, :16] = (255, 0, 0)
    frames = read(encode(tmp_path / "a.mp4", [image] * 3, turn=turn))
    upright = frames[-1].image
    assert upright.shape == ((48, 96, 3) if turn in (0, 180) else (96, 48, 3))
    assert upright.flags.c_contiguous
    corners = {
        "left top": (4, 4),
        "right top": (4, -4),
        "left bottom": (-4, 4),
        "right bottom": (-4, -4),
    }
    assert [name for name, (y, x) in corners.items() if upright[y, x, 0] > 128] == [corner]


def test_a_sound_track_beside_the_picture_is_passed_over(tmp_path):
    with av.open(tmp_path / "a.mp4", "w") as container:
        sound, stream = (
            container.add_stream("aac", rate=48_000),
            container.add_stream("libx264", rate=25),
        )
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        silence = av.AudioFrame.from_ndarray(
            np.zeros((2, 1024), np.float32), format="fltp", layout="stereo"
        )
        silence.sample_rate = 48_000
        for index in range(5):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24").reformat(
                format="yuv420p"
            )
            frame.pts, silence.pts = index, 1024 * index
            container.mux(stream.encode(frame))
            container.mux(sound.encode(silence))
        container.mux(stream.encode(None))
        container.mux(sound.encode(None))
    assert len(read(tmp_path / "a.mp4")) == 5


def test_the_total_is_what_the_file_promises(tmp_path):
    for name, total in (("a.mp4", 60), ("a.mkv", None)):
        source = VideoFile(write(tmp_path / name, REGULAR))
        assert source.total == total
        source.close()


@pytest.mark.parametrize("form", ["gray", "yuv444p", "rgba", "bgr24", "yuv420p10le", "nv12"])
def test_any_pixel_format_becomes_rgb(form):
    frame = av.VideoFrame.from_ndarray(
        np.full((48, 64, 3), 130, np.uint8), format="rgb24"
    ).reformat(format=form)
    image = to_rgb(frame)
    assert (image.shape, image.dtype) == ((48, 64, 3), np.uint8)
    assert np.abs(image.astype(int) - 130).max() <= 6


@pytest.mark.parametrize(
    "name", ["with space.mp4", "笑顔 😀.mp4", "%d.mp4", "a:b.mp4", "-dash.mp4", "caf\udce9.mp4"]
)
def test_names(tmp_path, name):
    assert len(read(write(tmp_path / name, REGULAR))) == 60


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_title_that_is_no_utf_8_is_no_reason_to_refuse_the_pictures(tmp_path, suffix):
    """As cameras write it who know Latin-1 alone."""
    path = tmp_path / f"a{suffix}"
    with av.open(path, "w") as container:
        container.metadata["title"] = "holidays"
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture(0), format="rgb24").reformat(format="yuv420p")
        frame.pts = 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    content = path.read_bytes()
    assert b"holidays" in content
    path.write_bytes(content.replace(b"holidays", b"f\xeate \xe0 l\xe0"))
    assert len(read(path)) == 1


# What is no video


UNUSABLE = {
    "empty": b"",
    "text": b"hello\n" * 100,
    "zeros": bytes(5000),
    "half a header": b"\0\0\0\x20ftypisom\0\0\x02\0",
}


@pytest.mark.parametrize("content", UNUSABLE.values(), ids=UNUSABLE.keys())
@pytest.mark.parametrize("suffix", [".mp4", ""])
def test_a_file_that_is_no_video_is_told(tmp_path, content, suffix):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    with pytest.raises(
        VideoError,
        match=r"file.*: not a video \(.+\); a video that FFmpeg reads is expected, such as MP4",
    ):
        VideoFile(path)


@pytest.mark.parametrize("lines", [1, 100, 5000])
def test_a_text_is_no_video_by_its_name_either(tmp_path, lines):
    """FFmpeg draws files called .txt as a terminal would."""
    (tmp_path / "notes.txt").write_text("hello\n" * lines)
    with pytest.raises(VideoError, match="not a video"):
        VideoFile(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4"])
def test_sound_alone_is_told(tmp_path, name):
    with pytest.raises(
        VideoError, match="there is no picture in it, only other streams; a video that FFmpeg reads"
    ):
        VideoFile(write_sound(tmp_path / name))


@pytest.mark.parametrize(
    "source",
    [
        "nothing.mp4",
        "folder",
        "",
        "-1",
        "1.5",
        "²",
        "http://127.0.0.1:9/a.mp4",
        "a\0b",
        "long" * 1000,
    ],
)
def test_what_is_no_file_is_told(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(VideoError, match="name a video file, or a camera by its number"):
        open_video(source)


@pytest.mark.parametrize("number", ["97", "99999999999999999999"])
def test_a_camera_that_is_not_there_is_told(number):
    with pytest.raises(VideoError, match=rf"camera {number} cannot be opened; is it connected"):
        open_video(number)


# Damaged ones


@pytest.mark.parametrize("share", [0.02, 0.5, 0.8])
def test_an_mp4_cut_before_its_index_is_told(tmp_path, share):
    path = write(tmp_path / "a.mp4", REGULAR)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(VideoError, match="not a video"):
        VideoFile(path)


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_of_a_file_cut_short_what_is_there_is_read(tmp_path, suffix, share):
    path = write(tmp_path / f"a{suffix}", REGULAR)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    source = VideoFile(path)
    assert 60 * share - 15 <= len(list(source)) < 60
    if suffix == ".mkv" and share < 0.8:  # a header promises to half a second; a broadcast has none
        assert "are missing at the end" in source.damage
    source.close()


def test_corrupt_packets_are_counted_and_the_rest_is_read(tmp_path):
    path = write(tmp_path / "a.mp4", REGULAR, 96, 128)
    content = bytearray(path.read_bytes())
    middle, length = len(content) // 2, len(content) // 10
    content[middle : middle + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(content)
    source = VideoFile(path)
    frames = list(source)
    source.close()
    assert source.damaged > 0
    assert 30 <= len(frames) < 60
    assert frames[-1].seconds == pytest.approx(59 / 25, abs=0.05)


def test_a_packet_of_a_stream_that_was_never_announced_ends_nothing(tmp_path):
    """One packet of 188 bytes names another stream.

    As a single flipped bit of a broadcast makes it do.
    """
    path = write(tmp_path / "a.ts", [i / 25 for i in range(250)])
    content = bytearray(path.read_bytes())
    starts = [
        i
        for i in range(0, len(content), 188)
        if content[i + 1] & 0x5F == 0x41 and content[i + 2] == 0
    ]
    packet = starts[len(starts) // 2]
    content[packet + 2] = 0xF0
    path.write_bytes(content)
    assert len(read(path)) >= 240


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
@pytest.mark.parametrize("seed", range(3))
def test_random_damage_gives_frames_or_a_plain_reason(tmp_path, suffix, seed):
    rng = np.random.default_rng(seed)
    path = encode(tmp_path / f"a{suffix}", [picture(index) for index in range(60)])
    whole = path.read_bytes()
    for _ in range(6):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), rng.integers(1, 40)):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        with suppress(VideoError):
            assert all(before <= after for before, after in pairwise(times_of(path)))


def damage_of(path: Path) -> str:
    source = VideoFile(path)
    assert list(source)
    damage = source.damage
    source.close()
    return damage


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts", ".avi", ".flv"])
def test_a_whole_file_has_no_damage(tmp_path, suffix):
    assert damage_of(encode(tmp_path / f"a{suffix}", [picture(index) for index in range(60)])) == ""


def test_what_the_header_promises_and_the_file_lacks_is_told(tmp_path):
    path = write(tmp_path / "a.mkv", REGULAR)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert re.fullmatch(r"1\.\d s of 2\.4 s are missing at the end", damage_of(path))


def test_a_longer_sound_track_is_no_missing_picture(tmp_path):
    with av.open(tmp_path / "a.mkv", "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.height, pictures.width, pictures.pix_fmt = 48, 64, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        for index in range(120):
            if index < 25:
                frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24").reformat(
                    format="yuv420p"
                )
                frame.pts = index
                container.mux(pictures.encode(frame))
            silence = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            silence.sample_rate, silence.pts = 48_000, 1024 * index
            container.mux(sound.encode(silence))
        container.mux(pictures.encode(None))
        container.mux(sound.encode(None))
    assert damage_of(tmp_path / "a.mkv") == ""


def test_flipped_bits_are_told(tmp_path):
    path = write(tmp_path / "a.mp4", REGULAR, 96, 128)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(content.index(b"mdat") + 2000, len(content) - 4000, 40):
        content[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    assert re.search(r"\d+ damaged frames", damage_of(path))


def test_a_recording_that_is_cut_behind_its_index_is_told(tmp_path):
    """Its header promises all the frames; the packet at the cut is half there."""
    path = tmp_path / "a.mp4"
    with av.open(path, "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        for index in range(60):
            frame = av.VideoFrame.from_ndarray(picture(index, 96, 128), format="rgb24").reformat(
                format="yuv420p"
            )
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    path.write_bytes(content[: int(0.97 * len(content))])
    assert "damaged packets" in damage_of(path)
    path.write_bytes(content[: len(content) // 2])
    assert "s of 2.4 s are missing at the end" in damage_of(path)


# Cameras


class Capture:
    """A camera of OpenCV with three blue pictures, then unplugged."""

    def __init__(self, _: int) -> None:
        self.left, self.released = 3, False

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def read(self) -> tuple[bool, Image | None]:
        self.left -= 1
        return (
            (True, np.full((4, 6, 3), (200, 0, 0), np.uint8)) if self.left >= 0 else (False, None)
        )

    def release(self) -> None:
        self.released = True


def test_a_camera_gives_rgb_with_rising_times_until_it_is_unplugged(monkeypatch):
    monkeypatch.setattr(video.cv2, "VideoCapture", Capture)
    camera = open_video("0")
    assert isinstance(camera, Camera)
    frames = list(camera)
    assert [frame.image[0, 0].tolist() for frame in frames] == [[0, 0, 200]] * 3
    assert all(0 <= before.seconds <= after.seconds < 10 for before, after in pairwise(frames))
    assert (camera.total, camera.damage) == (None, "")
    camera.close()
    assert camera._capture.released
