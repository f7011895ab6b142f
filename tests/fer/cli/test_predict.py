"""`fer predict` on real photos, and stopped anywhere: it keeps what it found."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import random
import signal
import subprocess
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.factories.versions import ROOT
from tests.support.commands import (
    COMMAND,
    PORTRAITS,
    RESULTS_SUFFIXES,
    predict,
    run,
)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Minutes of work: 4,000 portraits, a second face in some, and nobody in others."""
    folder = tmp_path_factory.mktemp("many")
    Image.fromarray(np.full((800, 800, 3), 90, np.uint8)).save(folder / "blank", "PNG")
    with Image.open(PORTRAITS[0]) as first, Image.open(PORTRAITS[1]) as second:
        pair = Image.new("RGB", (first.width + second.width, max(first.height, second.height)))
        pair.paste(first, (0, 0))
        pair.paste(second, (first.width, 0))
        pair.save(folder / "pair", "JPEG")
    sources = [*PORTRAITS, folder / "pair", folder / "blank"]
    for number in range(4000):
        (folder / f"{number:04}.jpg").symlink_to(sources[number % len(sources)])
    return folder


def test_one_photo_without_a_face(blank, capsys):
    status, out, err = predict(capsys, blank / "blank.png")
    assert status == 0
    assert out.splitlines()[1:] == [f"{blank / 'blank.png'}        no face"]
    assert err.splitlines()[-1] == "1 photos, 0 faces, 0 failed"


@pytest.mark.parametrize(("form", "suffix"), [("table", "txt"), ("json", "jsonl"), ("csv", "csv")])
def test_output_holds_the_results_and_the_annotated_photos(mixed, tmp_path, capsys, form, suffix):
    output = tmp_path / "new" / "results"
    status, out, _ = predict(capsys, mixed, "--format", form, "--output", output)
    assert status == 1
    assert (output / f"results.{suffix}").read_text(encoding="utf-8") == out
    pictures = {path.relative_to(output / "annotated"): path for path in output.rglob("*.jpg")}
    assert set(pictures) == {Path("blank.png.jpg"), Path("deep/er/face.JPG.jpg")}
    with (
        Image.open(pictures[Path("deep/er/face.JPG.jpg")]) as annotated,
        Image.open(mixed / "deep/er/face.JPG") as face,
    ):
        assert annotated.size == face.size
        difference = np.abs(
            np.asarray(annotated.convert("RGB"), int) - np.asarray(face.convert("RGB"), int)
        )
    # the box and its caption
    assert 10 < np.count_nonzero(difference.max(axis=2) > 60) < difference.size / 6


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing", "/dev/null/below"])
def test_an_output_that_cannot_be_written_is_an_error(blank, capsys, place):
    (blank.parent / "file").write_text("in the way")
    status, out, err = predict(capsys, blank, "--output", blank.parent / place)
    assert (status, out) == (2, "")
    assert "cannot be written (" in err
    assert err.rstrip().endswith("choose another --output.")
    assert "Traceback" not in err


def test_no_images_are_written_where_none_are_wanted(few, tmp_path, capsys):
    status, _, err = predict(capsys, few, "--output", tmp_path / "out", "--no-images")
    assert (status, err.splitlines()[-1]) == (1, "5 photos, 3 faces, 1 failed")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["results.txt"]


def test_a_progress_bar_shows_on_a_terminal(blank):
    """On standard error alone, and not where that is a pipe."""
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, 100))
    command = [*COMMAND, "predict", str(blank)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=writer) as process:
        os.close(writer)
        shown, out = read_terminal(reader), process.stdout.read()
    assert process.returncode == 0
    assert b"1/1 [" in shown
    assert b"1/1 [" not in out
    assert "1/1 [" not in run("predict", blank).stderr


def read_terminal(reader: int) -> bytes:
    """Everything until nobody holds the other end, which Linux tells by an error."""
    shown = []
    with os.fdopen(reader, "rb", buffering=0) as terminal, contextlib.suppress(OSError):
        while chunk := terminal.read(4096):
            shown.append(chunk)
    return b"".join(shown)


def start(
    folder: Path, output: Path, *arguments: str, limit: str = "unlimited"
) -> subprocess.Popen[str]:
    """Run `predict` in a process of its own; `limit` is the size of its largest file in KiB."""
    limited = ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "-"]
    return subprocess.Popen(
        [*limited, *COMMAND, "predict", str(folder), "--output", str(output), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def names_in(part: Path) -> list[str]:
    """The files that whole lines of results tell of, each once."""
    text = part.read_text(encoding="utf-8")
    assert text.endswith("\n")
    if part.name.startswith("results.jsonl"):
        files = [json.loads(line)["file"] for line in text.splitlines()]
    else:
        files = [row["file"] for row in csv.DictReader(io.StringIO(text))]
    return list(dict.fromkeys(files))


def wait_for_rows(part: Path, size: int) -> None:
    end = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > size):
        assert time.monotonic() < end, "nothing was written"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "form"),
    [
        (signal.SIGINT, "csv"),
        (signal.SIGINT, "table"),
        (signal.SIGTERM, "json"),
        (signal.SIGKILL, "csv"),
        (signal.SIGKILL, "json"),
    ],
)
def test_a_stopped_batch_keeps_its_rows(many, tmp_path, number, form):
    output = tmp_path / "out"
    part = output / f"results.{RESULTS_SUFFIXES[form]}.part"
    process = start(many, output, "--format", form)
    wait_for_rows(part, 2000)
    time.sleep(random.Random(form).uniform(0, 0.3))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    assert part.read_text(encoding="utf-8").endswith("\n")
    copies = sorted(path.name for path in (output / "annotated").glob("*.jpg"))
    for name in copies:
        with Image.open(output / "annotated" / name) as copy:
            copy.load()
    if form != "table":
        rows = [Path(file).name for file in names_in(part)]
        assert rows == [f"{index:04}.jpg" for index in range(len(rows))]
        lost = {f"{name}.jpg" for name in rows}.symmetric_difference(copies)
        assert len(lost) <= (2 * os.cpu_count() if number == signal.SIGKILL else 0)
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert out == part.read_text(encoding="utf-8")
        count = len(copies)
        how = "a table cannot be resumed" if form == "table" else "go on with --resume"
        assert err.splitlines()[-1] == f"{count:,} of 4,000 photos are in {part}; {how}"


def test_without_an_output_the_rows_are_out_before_the_end(many):
    """And a signal ends the batch, not the rows."""
    process = subprocess.Popen(
        [*COMMAND, "predict", str(many), "--format", "json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = [process.stdout.readline() for _ in range(5)]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    rows = [json.loads(line) for line in [*first, *out.splitlines()]]
    assert process.returncode == 130
    count = len({row["file"] for row in rows})
    assert err == f"{count:,} of 4,000 photos were classified\n"


def test_a_full_disk_ends_the_batch_with_a_sentence_and_whole_rows(many, tmp_path):
    """A limit on the size of files stands for the disk: the results reach it, the copies do not."""
    part = tmp_path / "results.csv.part"
    process = start(many, tmp_path, "--format", "csv", "--no-images", limit="5")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert 4000 < part.stat().st_size <= 5120
    told = err.splitlines()
    assert (
        told[-1]
        == f"error: {tmp_path / 'results.csv'} cannot be written (File too large); choose another"
        " --output."
    )
    assert told[-2] == f"{len(names_in(part)):,} of 4,000 photos are in {part}; go on with --resume"


def test_a_full_disk_for_the_copies_is_their_error_and_leaves_no_cut_one(few, tmp_path):
    process = start(few, tmp_path / "out", "--format", "json", limit="20")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["face"] for record in records] == [1, 1, None, None, 1]
    assert all(record["error"] for record in records)
    assert list((tmp_path / "out" / "annotated").iterdir()) == []
