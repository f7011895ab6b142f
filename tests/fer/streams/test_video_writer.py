"""Videos that are written: their times, sizes and names, and what cannot be written."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fer.errors import VideoError
from fer.streams.video_writer import VideoWriter
from tests.support.videos import picture, read, times_of, write

ROOT = Path(__file__).resolve().parents[3]
REGULAR = [i / 25 for i in range(60)]


def test_a_writer_that_gets_no_frame_leaves_no_file_and_no_older_one_is_touched(tmp_path):
    (tmp_path / "old.mp4").write_bytes(b"before")
    for name in ("new.mp4", "old.mp4"):
        write(tmp_path / name, [])
    assert [path.name for path in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"before"


TIMES = {
    "one": [0.0],
    "regular": REGULAR,
    "irregular": [0.0, 0.04, 0.1, 0.5, 0.51, 2.0, 2.001, 7.3],
    "an hour's pause": [0.0, 0.1, 3600.0, 3600.1],
    "thirds": [i / 3 for i in range(10)],
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES.keys())
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".MP4"])
def test_frames_keep_their_times(tmp_path, times, suffix):
    path = write(tmp_path / f"out{suffix}", times)
    tick = 0.001 if suffix == ".mkv" else 1e-4
    assert times_of(path) == pytest.approx(times, abs=tick)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("start", [-5.0, 0.2, 5.0])
def test_times_count_from_the_first_frame(tmp_path, start):
    times = times_of(write(tmp_path / "out.mp4", [max(start, 0), max(start, 0) + 0.5]))
    assert times == pytest.approx([0, 0.5], abs=1e-4)


@pytest.mark.parametrize("times", [[0, 0, 0, 0], [0, 1, 1, 1, 0.5, -3, 2], [-3, -2, -1]])
def test_a_frame_that_is_not_later_comes_just_after_the_one_before(tmp_path, times):
    back = times_of(write(tmp_path / "out.mp4", times))
    assert len(back) == len(times)
    assert all(before < after for before, after in pairwise(back))
    assert back[-1] == pytest.approx(max(*times, 0), abs=0.001)


def test_pictures_come_back_as_they_were(tmp_path):
    with VideoWriter(tmp_path / "out.mp4") as writer:
        for value in range(0, 250, 50):
            image = np.zeros((48, 64, 3), np.uint8)
            image[:, :32, 0] = image[:, 32:, 2] = value
            writer.write(image, value / 100)
    for value, frame in zip(range(0, 250, 50), read(tmp_path / "out.mp4"), strict=True):
        assert frame.image.dtype == np.uint8
        assert np.abs(frame.image[24, 8].astype(int) - (value, 0, 0)).max() < 24
        assert np.abs(frame.image[24, 56].astype(int) - (0, 0, value)).max() < 24


@pytest.mark.parametrize(
    ("size", "stored"),
    [
        ((1, 1), (2, 2)),
        ((1, 5), (2, 4)),
        ((3, 2), (2, 2)),
        ((479, 641), (478, 640)),
        ((480, 640), (480, 640)),
    ],
)
def test_odd_sizes_become_even(tmp_path, size, stored):
    frames = read(write(tmp_path / "out.mp4", [0.0, 0.1], *size))
    assert [frame.image.shape for frame in frames] == [(*stored, 3)] * 2


def test_the_first_frame_sets_the_size(tmp_path):
    with VideoWriter(tmp_path / "out.mp4") as writer:
        for time, size in enumerate([(48, 64), (480, 640), (1, 1), (10, 300)]):
            writer.write(np.full((*size, 3), 60 * time, np.uint8), time)
    frames = read(tmp_path / "out.mp4")
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 4
    assert [round(frame.image.mean() / 60) for frame in frames] == [0, 1, 2, 3]


@pytest.mark.parametrize("view", [np.s_[:, ::-1], np.s_[::2, ::2], np.s_[..., ::-1]])
def test_views_can_be_written(tmp_path, view):
    image = picture(0, 96, 128)[view]
    with VideoWriter(tmp_path / "out.mp4") as writer:
        writer.write(image, 0.0)
    (frame,) = read(tmp_path / "out.mp4")
    assert frame.image.shape == image.shape


def test_folders_are_made(tmp_path):
    assert len(read(write(tmp_path / "deep" / "er" / "out.mp4", [0, 1]))) == 2


def test_the_file_appears_under_its_name_when_it_is_whole(tmp_path):
    with VideoWriter(tmp_path / "out.mp4") as writer:
        for index in range(120):
            writer.write(picture(index), index / 25)
        assert not (tmp_path / "out.mp4").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_was_written_before_an_error_is_whole(tmp_path, error):
    def fail() -> None:
        with VideoWriter(tmp_path / "out.mp4") as writer:
            for index in range(7):
                writer.write(picture(index), index / 25)
            raise error

    with pytest.raises(error):
        fail()
    assert len(read(tmp_path / "out.mp4")) == 7
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)], ids=["grey", "float"]
)
def test_a_first_picture_that_is_none_is_told_and_leaves_nothing(tmp_path, image):
    with (
        pytest.raises(ValueError, match=r"ndim|dtype|uint8|shape"),
        VideoWriter(tmp_path / "out.mp4") as writer,
    ):
        writer.write(image, 0.0)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_large_for_h264_is_told_and_leaves_nothing(tmp_path):
    with pytest.raises(VideoError, match=r"out\.mp4"), VideoWriter(tmp_path / "out.mp4") as writer:
        writer.write(np.zeros((2, 20_000, 3), np.uint8), 0.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("out", "cannot be written"),
        ("out.xyz", "cannot be written"),
        ("out.txt", "cannot be written"),
        (".mp4", "cannot be written"),
        ("out.gif", "cannot be written"),
        ("out.webm", "cannot be written"),
        ("out.avi", "cannot be written"),
        ("out.mp3", "cannot be written"),
        ("out.png", "cannot be written"),
        ("file/out.mp4", "cannot be written"),
        ("file/deep/out.mp4", "cannot be written"),
        ("/proc/nothing/out.mp4", "cannot be written"),
        ("/dev/null/out.mp4", "cannot be written"),
        (f"{'long' * 100}.mp4", "cannot be written"),
        ("", "cannot be written"),
    ],
)
def test_a_name_that_cannot_be_written_is_told_with_a_better_one(tmp_path, name, reason):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(VideoError, match=rf"{reason} \(.*\); choose .*out\.mp4"):
        write(tmp_path / name, [0.0, 0.1])
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_the_place_of_the_file_is_told_before_any_work(tmp_path):
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(VideoError, match="cannot be written"):
        VideoWriter(tmp_path / "out.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.skipif(
    not Path("/proc/version").exists(), reason="needs a folder that even root cannot write to"
)
def test_a_folder_that_takes_no_file_is_told():
    with pytest.raises(VideoError, match="cannot be written"):
        write(Path("/proc/out.mp4"), REGULAR)


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from fer.errors import VideoError
from fer.streams.video_writer import VideoWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
rng = np.random.default_rng(0)
try:
    with VideoWriter(Path(sys.argv[1])) as writer:
        for index in range(60):
            writer.write(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8), index / 25)
except VideoError as error:
    print("told", error)
"""


def test_a_full_disk_is_told_and_leaves_no_part(tmp_path):
    """A limit on the size of files stands for the disk."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "out.mp4")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.startswith(f"told {tmp_path / 'out.mp4'} cannot be written"), done.stderr
    assert list(tmp_path.iterdir()) == []
