"""`python -m fer watch` on videos made for it, on real ones, and stopped in the middle."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer import (
    load_image,
)
from fer.cli.main import main
from fer.records import track_columns
from fer.registry.base import DEFAULT
from fer.streams import video
from fer.streams.video import Camera, Frame, VideoFile
from fer.streams.video_writer import VideoWriter
from fer.versions.labels import LABELS

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "fer", "watch"]
BLANK = np.full((240, 320, 3), 110, np.uint8)
SPAN = re.compile(r" *(\d+\.\d\d) +(\d+\.\d\d) s  track (\d+) +(\w+) +(0\.\d\d|1\.00)")
SUMMARY = re.compile(
    r"(\d+) frames in (\d+\.\d) s of video, (\d+) tracks, \d+\.\d ms a frame \(95 % within \d+\.\d"
    r" ms\)"
    r", label changes a minute (\d+\.\d) \(raw (\d+\.\d)\)"
)
Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def face() -> list[Image]:
    """Twenty frames of a portrait that moves to the right."""
    portrait = load_image(ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg")
    small = cv2.resize(portrait, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    frames = []
    for k in range(20):
        frame = BLANK.copy()
        frame[20 : 20 + len(small), 30 + 4 * k : 30 + 4 * k + small.shape[1]] = small
        frames.append(frame)
    return frames


def write(path: Path, images: list[Image], times: list[float] | None = None) -> Path:
    with VideoWriter(path) as writer:
        for index, image in enumerate(images):
            writer.write(image, times[index] if times else index / 10)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, face: list[Image]) -> Path:
    """Nobody for five frames, a face for twenty, nobody for five, at 10 frames a second."""
    return write(tmp_path_factory.mktemp("clip") / "clip.mp4", [BLANK] * 5 + face + [BLANK] * 5)


def watch(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run `watch` in this process: exit status, standard output, standard error."""
    status = main(["watch", *map(str, arguments)])
    return status, *capsys.readouterr()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def frames_of(path: Path) -> list[Frame]:
    source = VideoFile(path)
    frames = list(source)
    source.close()
    return frames


class Source(VideoFile):
    """Frames from a list; a signal in it is sent in its place."""

    def __init__(self, *items: Frame | signal.Signals) -> None:
        self.items, self.closed = items, False

    total = None
    damage = ""

    def __iter__(self) -> Iterator[Frame]:
        for item in self.items:
            if isinstance(item, Frame):
                yield item
            else:
                signal.raise_signal(item)

    def close(self) -> None:
        self.closed = True


class FakeCamera(Camera):
    """The same as a camera."""

    def __init__(self, *items: Frame | signal.Signals) -> None:
        self.items, self.closed = items, False

    __iter__ = Source.__iter__

    def close(self) -> None:
        self.closed = True


def timed(images: list[Image], step: float = 0.1) -> list[Frame]:
    return [Frame(image, step * index) for index, image in enumerate(images)]


# The command


def test_a_video_without_a_face(tmp_path, capsys):
    path = write(tmp_path / "blank.mp4", [BLANK] * 10)
    status, out, err = watch(
        capsys, path, "--csv", tmp_path / "t.csv", "--output", tmp_path / "o.mp4"
    )
    assert (status, out) == (0, "")
    assert SUMMARY.fullmatch(err.splitlines()[-1]).group(1, 2, 3, 4, 5) == (
        "10",
        "0.9",
        "0",
        "0.0",
        "0.0",
    )
    assert (tmp_path / "t.csv").read_text() == ",".join(track_columns(LABELS)) + "\n"
    assert len(frames_of(tmp_path / "o.mp4")) == 10


def test_a_video_with_a_face(clip, tmp_path, capsys):
    table, output = tmp_path / "deep" / "t.csv", tmp_path / "er" / "o.mp4"
    status, out, err = watch(capsys, clip, "--csv", table, "--output", output)
    assert status == 0
    spans = [SPAN.fullmatch(line).groups() for line in out.splitlines()]
    assert spans[0][0] == "0.50"
    assert spans[-1][1] == "2.40"
    assert {span[2] for span in spans} == {"1"}
    assert SUMMARY.fullmatch(err.splitlines()[-1]).group(1, 2, 3) == ("30", "2.9", "1")
    rows = rows_of(table)
    assert list(rows[0]) == track_columns(LABELS)
    assert [float(row["seconds"]) for row in rows] == pytest.approx(
        [0.5 + k / 10 for k in range(20)]
    )
    for row in rows:
        assert (row["time"], row["track"], row["model"], row["detector"]) == (
            "",
            "1",
            DEFAULT,
            "blazeface",
        )
        assert sum(float(row[f"score_{label}"]) for label in LABELS) == pytest.approx(1, abs=1e-3)
        assert float(row["score"]) == float(row[f"score_{row['label']}"])
        assert row["raw_label"] == max(LABELS, key=lambda label: float(row[f"raw_score_{label}"]))
    assert float(rows[-1]["x1"]) - float(rows[0]["x1"]) == pytest.approx(76, abs=8)
    annotated, plain = frames_of(output), frames_of(clip)
    assert [frame.seconds for frame in annotated] == pytest.approx(
        [frame.seconds for frame in plain], abs=1e-4
    )
    changed = [
        np.abs(a.image.astype(int) - b.image).max() > 60
        for a, b in zip(annotated, plain, strict=True)
    ]
    assert changed[:5] == [False] * 5
    assert changed[5:25] == [True] * 20
    assert changed[29] is np.False_


def test_without_smoothing_every_frame_speaks_for_itself(clip, tmp_path, capsys):
    table = tmp_path / "t.csv"
    assert watch(capsys, clip, "--csv", table, "--smoothing", "0")[0] == 0
    for row in rows_of(table):
        assert row["label"] == row["raw_label"]
        assert [row[f"score_{label}"] for label in LABELS] == [
            row[f"raw_score_{label}"] for label in LABELS
        ]


def test_an_earlier_table_and_video_give_way(tmp_path, capsys):
    path = write(tmp_path / "blank.mp4", [BLANK] * 2)
    for name in ("t.csv", "o.mp4"):
        (tmp_path / name).write_bytes(b"x" * 100_000)
    assert watch(capsys, path, "--csv", tmp_path / "t.csv", "--output", tmp_path / "o.mp4")[0] == 0
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 1
    assert len(frames_of(tmp_path / "o.mp4")) == 2


@pytest.mark.parametrize("count", [1, 2])
def test_a_photo_is_a_video_of_one_frame_and_one_frame_is_a_video(tmp_path, capsys, count):
    path = tmp_path / "photo.jpg" if count == 1 else tmp_path / "one.mp4"
    if count == 1:
        cv2.imwrite(str(path), BLANK)
    else:
        write(path, [BLANK])
    status, _, err = watch(capsys, path)
    assert status == 0
    assert err.splitlines()[-1].startswith("1 frames in 0.0 s of video, 0 tracks, ")


def test_frames_at_one_time_hold_the_faces_that_they_show(monkeypatch, tmp_path, capsys, face):
    """The clock stands still while the face goes.

    It is still drawn, but no frame has it any more.
    """
    frames = [Frame(image, 0.0) for image in [*face[:3], BLANK, BLANK]]
    monkeypatch.setattr(video, "open_video", lambda _: Source(*frames, Frame(BLANK, 1.0)))
    assert watch(capsys, "a.mp4", "--csv", tmp_path / "t.csv")[0] == 0
    assert len(rows_of(tmp_path / "t.csv")) == 3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Missing argument 'VIDEO|CAMERA'"),
        (["a.mp4", "b.mp4"], "unexpected extra argument(s) (b.mp4)"),
        (
            ["a.mp4", "--smoothing", "-1"],
            "Invalid value for '--smoothing': received -1, expected a number from 0 to 60",
        ),
        (["a.mp4", "--smoothing", "61"], "received 61, expected a number from 0 to 60"),
        (["a.mp4", "--smoothing", "nan"], "received nan, expected a number from 0 to 60"),
        (["a.mp4", "--smoothing", "inf"], "received inf, expected a number from 0 to 60"),
        (["a.mp4", "--smoothing", "much"], "Invalid value for '--smoothing': "),
        (["a.mp4", "--detector", "haar"], "Invalid value for '--detector': 'haar' is not one of"),
    ],
)
def test_wrong_options_exit_with_2(capsys, arguments, reason):
    assert main(["watch", *arguments]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing.mp4"], "nothing.mp4 is no file; name a video file, or a camera by its number."),
        (["."], "is no file; name a video file"),
        (["97"], "camera 97 cannot be opened"),
        (["text.mp4"], "text.mp4: not a video"),
        (["{clip}", "--model", "nothing"], "there is no version 'nothing'"),
        (
            ["{clip}", "--csv", "folder"],
            "folder cannot be written (Is a directory); choose another --csv.",
        ),
        (["{clip}", "--csv", "text.mp4/t.csv"], "t.csv cannot be written ("),
        (["{clip}", "--csv", "/proc/nothing/t.csv"], "choose another --csv."),
        (["{clip}", "--output", "out.xyz"], "out.xyz cannot be written"),
        (["{clip}", "--output", "out.gif", "--csv", "t.csv"], "out.gif cannot be written (.mp4, "),
        (
            ["{clip}", "--output", "out.avi"],
            "hold the frames with their times); choose another name, such as out.mp4.",
        ),
        (["{clip}", "--model", "./folder"], "config.json cannot be read"),
        (["{clip}", "--output", "o.mp4", "--csv", "folder"], "choose another --csv."),
    ],
)
def test_what_cannot_be_done_is_an_error(clip, tmp_path, monkeypatch, capsys, arguments, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "folder").mkdir()
    status, out, err = watch(capsys, *(argument.format(clip=clip) for argument in arguments))
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith("error: ")
    assert reason in err
    assert not list(tmp_path.glob("*o*.part*"))
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize("option", ["--csv", "--output"])
@pytest.mark.parametrize("how", ["the same", "another way"])
def test_the_video_that_is_watched_is_not_written_over(tmp_path, monkeypatch, capsys, option, how):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "a.mp4", [BLANK] * 5)
    before = path.read_bytes()
    status, _, err = watch(capsys, path, option, path if how == "the same" else "./a.mp4")
    assert path.read_bytes() == before
    assert status == 2
    assert option in err


def test_damage_is_told(monkeypatch, capsys):
    source = Source(*timed([BLANK] * 3))
    source.damage = "4 damaged packets"
    monkeypatch.setattr(video, "open_video", lambda _: source)
    status, _, err = watch(capsys, "a.mp4")
    assert status == 1
    assert err.splitlines()[-1].startswith("3 frames in 0.2 s of video, ")
    assert err.splitlines()[-1].endswith(", 4 damaged packets")
    assert source.closed


def test_a_video_of_no_frame_is_an_error(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(video, "open_video", lambda _: Source())
    status, out, err = watch(
        capsys, "a.mp4", "--output", tmp_path / "o.mp4", "--csv", tmp_path / "t.csv"
    )
    assert (status, out) == (2, "")
    assert err == "error: a.mp4: no frame could be read; the video is empty or damaged.\n"
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


# Stopped in the middle


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (Source, signal.SIGINT),
        (Source, signal.SIGTERM),
        (FakeCamera, signal.SIGINT),
        (FakeCamera, signal.SIGTERM),
    ],
)
def test_a_signal_leaves_a_whole_table_and_a_whole_video(
    monkeypatch, tmp_path, capsys, face, kind, number
):
    """It is how a camera's stream ends, and an interruption for a file."""
    source = kind(*timed(face[:7]), number, *timed(face[:12])[7:])
    monkeypatch.setattr(video, "open_video", lambda _: source)
    status, out, err = watch(
        capsys, "0", "--output", tmp_path / "o.mp4", "--csv", tmp_path / "t.csv"
    )
    assert status == (0 if kind is FakeCamera else 128 + number)
    assert source.closed
    assert SPAN.fullmatch(out.splitlines()[0])
    assert err.splitlines()[-1].startswith("8 frames in 0.7 s of video, 1 tracks, ")
    assert len(frames_of(tmp_path / "o.mp4")) == 8
    assert (tmp_path / "t.csv").read_text().endswith("\n")
    rows = rows_of(tmp_path / "t.csv")
    assert len(rows) == 8
    assert sorted(file.name for file in tmp_path.iterdir()) == ["o.mp4", "t.csv"]
    for row in rows:
        assert bool(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}\+00:00", row["time"])) == (
            kind is FakeCamera
        )


@pytest.mark.parametrize("kind", [Source, FakeCamera])
def test_ctrl_c_before_the_first_frame_blames_no_video(monkeypatch, capsys, kind):
    monkeypatch.setattr(video, "open_video", lambda _: kind(signal.SIGINT))
    status, out, err = watch(capsys, "0")
    assert out == ""
    assert "damaged" not in err
    assert status == (0 if kind is FakeCamera else 130)


def test_ctrl_c_in_a_process_of_its_own(tmp_path, face):
    path = write(tmp_path / "long.mp4", [image for _ in range(30) for image in face])
    process = subprocess.Popen(
        [
            *COMMAND,
            str(path),
            "--csv",
            str(tmp_path / "t.csv"),
            "--output",
            str(tmp_path / "o.mp4"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while (
        not (tmp_path / "o.part.mp4").exists() and process.poll() is None and time.monotonic() < end
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert SPAN.fullmatch(out.splitlines()[0])
    count = int(SUMMARY.fullmatch(err.splitlines()[-1]).group(1))
    assert 0 < count < 600
    assert abs(len(frames_of(tmp_path / "o.mp4")) - count) <= 1
    rows = rows_of(tmp_path / "t.csv")
    assert abs(len(rows) - count) <= 1
    assert None not in rows[-1].values()
    assert not (tmp_path / "o.part.mp4").exists()


@pytest.mark.parametrize("limit", [0, 3])
def test_a_full_disk_ends_the_table_with_a_sentence(clip, tmp_path, limit):
    """A limit on the size of files stands for the disk.

    Rows that were written stay, and no empty file does.
    """
    table = tmp_path / "t.csv"
    result = subprocess.run(
        [
            "bash",
            "-c",
            f'ulimit -f {limit}; exec "$@"',
            "-",
            *COMMAND,
            str(clip),
            "--csv",
            str(table),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 2
    assert (
        result.stderr.splitlines()[-1]
        == f"error: {table} cannot be written (File too large); choose another --csv."
    )
    assert "Traceback" not in result.stderr
    if limit:
        assert 0 < len(rows_of(tmp_path / "t.csv.part")) < 20
        assert (tmp_path / "t.csv.part").read_text().endswith("\n")
    assert len(list(tmp_path.iterdir())) == bool(limit)


def test_a_table_goes_into_a_pipe_too(clip, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        assert main(["watch", str(clip), "--csv", str(pipe)]) == 0
        assert len(reader.stdout.readlines()) == 21


def test_a_video_that_is_cut_is_watched_as_far_as_it_goes(tmp_path, capsys, face):
    path = write(tmp_path / "a.mkv", face * 4)
    path.write_bytes(path.read_bytes()[: int(0.8 * path.stat().st_size)])
    status, out, err = watch(capsys, path, "--csv", tmp_path / "t.csv")
    assert (status, bool(out)) == (1, True), err
    assert err.splitlines()[-1].endswith(" s of 7.9 s are missing at the end")
    assert rows_of(tmp_path / "t.csv")
