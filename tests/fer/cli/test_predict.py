"""A batch of photos that is stopped anywhere keeps what it found, and goes on where it ended."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.cli import predict as batch_module
from fer.cli.files import GrowingFile
from fer.cli.interruption import Interruption
from fer.cli.main import main
from fer.cli.predict import Photo, classified

ROOT = Path(__file__).resolve().parents[3]
PORTRAITS = sorted((ROOT / "app_pages" / "photos" / "samples").glob("*.jpg"))
COMMAND = [sys.executable, "-m", "fer", "predict"]
SUFFIXES = {"json": "jsonl", "csv": "csv", "table": "txt"}
# as long as a name can be but three bytes: none is left for the copy's `.jpg`
LONG = "long" * 62 + ".png"


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


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A face, two faces in one name's two lines.

    A broken file and one whose copy cannot have its name.
    """
    folder = tmp_path / "few"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(PORTRAITS[0].read_bytes())
    (folder / "b\nc, d.jpg").write_bytes(PORTRAITS[1].read_bytes())
    (folder / "broken.jpg").write_bytes(b"broken")
    Image.new("RGB", (32, 32)).save(folder / LONG)
    (folder / "z.jpg").write_bytes(PORTRAITS[0].read_bytes())
    return folder


def predict(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run `predict` in this process: exit status, standard output, standard error."""
    status = main(["predict", *map(str, arguments)])
    return status, *capsys.readouterr()


def names_in(part: Path) -> list[str]:
    """The files that whole lines of results tell of, each once."""
    text = part.read_text(encoding="utf-8")
    assert text.endswith("\n")
    if part.name.startswith("results.jsonl"):
        files = [json.loads(line)["file"] for line in text.splitlines()]
    else:
        files = [row["file"] for row in csv.DictReader(io.StringIO(text))]
    return list(dict.fromkeys(files))


# One photo's trouble


@pytest.mark.parametrize("form", SUFFIXES)
def test_a_copy_that_cannot_be_written_is_the_error_of_its_photo(few, tmp_path, capsys, form):
    output = tmp_path / "out"
    status, out, err = predict(capsys, few, "--format", form, "--output", output)
    assert status == 1
    assert (output / f"results.{SUFFIXES[form]}").read_text(encoding="utf-8") == out
    assert f"{LONG}.jpg cannot be written (File name too long)" in err
    assert err.splitlines()[-1] == "5 photos, 3 faces, 2 failed"
    copies = {path.name for path in (output / "annotated").iterdir()}
    assert copies == {"a.jpg.jpg", "b\nc, d.jpg.jpg", "z.jpg.jpg"}


def test_the_faces_of_a_photo_stay_where_its_copy_cannot_be_written(few, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "annotated").write_text("in the way")
    status, out, _ = predict(
        capsys, few / "a.jpg", "--format", "json", "--output", tmp_path / "out"
    )
    record = json.loads(out)
    assert (status, record["face"], record["label"]) == (1, 1, "happy")
    assert "a.jpg.jpg cannot be written (" in record["error"]


def test_no_images_are_written_where_none_are_wanted(few, tmp_path, capsys):
    status, _, err = predict(capsys, few, "--output", tmp_path / "out", "--no-images")
    assert (status, err.splitlines()[-1]) == (1, "5 photos, 3 faces, 1 failed")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["results.txt"]


def test_a_name_that_no_file_can_have_fails_alone(few, capsys):
    status, out, _ = predict(capsys, "long" * 2000, few / "a.jpg", "--format", "json")
    assert status == 1
    assert [bool(json.loads(line)["error"]) for line in out.splitlines()] == [True, False]


# In order and bounded


def test_rows_come_in_order_and_few_photos_are_taken_up_ahead():
    """Whichever photo takes longest.

    A photo is begun only while the oldest without rows is near.
    """
    taken = []
    delays = random.Random(0)

    def work(photo: Photo) -> list[dict[str, int]]:
        time.sleep(delays.choice((0, 0, 0, 0.02)))
        return [{"number": photo.number}]

    def photos():
        for number in range(100):
            taken.append(number)
            yield Photo(number, Path("a"), Path("a"))

    limit = batch_module._AHEAD * os.cpu_count()
    for number, records in enumerate(classified(photos(), work, Interruption())):
        assert records == [{"number": number}]
        assert len(taken) - number <= limit
    assert number == 99


# Stopped


def start(
    folder: Path, output: Path, *arguments: str, limit: str = "unlimited"
) -> subprocess.Popen[str]:
    """Run `predict` in a process of its own; `limit` is the size of its largest file in KiB."""
    limited = ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "-"]
    return subprocess.Popen(
        [*limited, *COMMAND, str(folder), "--output", str(output), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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
    part = output / f"results.{SUFFIXES[form]}.part"
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
        [*COMMAND, str(many), "--format", "json"],
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


# Going on


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("keep", [0, 0.3, 0.5, 0.99, 1])
def test_a_resumed_batch_ends_as_if_it_had_never_been_stopped(few, tmp_path, capsys, form, keep):
    """Wherever the rows were cut, in the middle of a line or of a character too."""
    arguments = [few, few / "a.jpg", few / "a.jpg", "--format", form, "--output", tmp_path / "out"]
    whole = predict(capsys, *arguments)
    results = tmp_path / "out" / f"results.{SUFFIXES[form]}"
    content = results.read_bytes()
    results.unlink()
    part = results.with_name(f"{results.name}.part")
    part.write_bytes(content[: int(keep * len(content))])
    status, out, err = predict(capsys, *arguments, "--resume")
    assert results.read_bytes() == content == out.encode()
    assert (status, err.splitlines()[-1]) == (whole[0], whole[2].splitlines()[-1])
    assert not part.exists()


def test_a_resumed_batch_does_only_what_is_left(few, tmp_path, capsys):
    arguments = [few, "--format", "json", "--output", tmp_path / "out"]
    predict(capsys, *arguments)
    results = tmp_path / "out" / "results.jsonl"
    results.rename(tmp_path / "out" / "results.jsonl.part")
    (few / "a.jpg").write_bytes(b"looked at no more")
    assert predict(capsys, *arguments, "--resume")[1].count("looked at no more") == 0
    assert json.loads(results.read_text().splitlines()[0])["error"] is None


def test_what_a_stopped_run_found_is_not_written_over(few, tmp_path, capsys):
    part = tmp_path / "results.csv.part"
    predict(capsys, few, "--format", "csv", "--output", tmp_path)
    part.write_bytes((tmp_path / "results.csv").read_bytes())
    status, out, err = predict(capsys, few, "--format", "csv", "--output", tmp_path)
    assert (status, out) == (2, "")
    assert (
        err == f"error: {part} holds what a stopped run found; go on with --resume, or remove it.\n"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            ["--model", "seed-cnn"],
            "holds results of other photos, another version or another detector; give the same",
        ),
        (["{few}/z.jpg"], "holds results of other photos"),
        (
            ["--format", "table"],
            "a table cannot be read back exactly; --resume needs --format json or --format csv.",
        ),
    ],
)
def test_another_batch_is_not_gone_on_with(few, tmp_path, capsys, change, reason):
    arguments = ["--format", "csv", "--output", tmp_path]
    predict(capsys, few, *arguments)
    (tmp_path / "results.csv").rename(tmp_path / "results.csv.part")
    change = [argument.format(few=few) for argument in change]
    status, out, err = predict(capsys, *arguments, *change, few, "--resume")
    assert (status, out) == (2, "")
    assert reason in err
    assert (tmp_path / "results.csv.part").exists()


@pytest.mark.parametrize(
    ("form", "content"), [("json", b"no JSON\n"), ("csv", b"a,b\n1,2\n"), ("json", b"\xff\n")]
)
def test_a_part_that_is_none_is_an_error(few, tmp_path, capsys, form, content):
    part = tmp_path / f"results.{SUFFIXES[form]}.part"
    part.write_bytes(content)
    status, _, err = predict(capsys, few, "--format", form, "--output", tmp_path, "--resume")
    assert status == 2
    assert f"{part} cannot be read back (" in err
    assert part.read_bytes() == content


def test_nothing_to_go_on_with_is_an_error_without_an_output(few, capsys):
    status, _, err = predict(capsys, few, "--format", "csv", "--resume")
    assert (status, err) == (
        2,
        "error: --resume goes on with a file of results; say with --output where it is.\n",
    )


# The pieces


def test_a_growing_file_without_rows_leaves_nothing(tmp_path):
    with GrowingFile(tmp_path / "a.csv", "--csv", header="a,b\n"):
        assert (tmp_path / "a.csv.part").read_text() == "a,b\n"
    assert list(tmp_path.iterdir()) == []


def test_a_growing_file_has_its_rows_at_once_and_its_name_at_the_end(tmp_path):
    (tmp_path / "a.csv").write_text("earlier")
    with GrowingFile(tmp_path / "a.csv", "--csv", header="a,b\n") as file:
        file.append("1,2\n")
        assert (tmp_path / "a.csv.part").read_text() == "a,b\n1,2\n"
        assert (tmp_path / "a.csv").read_text() == "earlier"
        file.finish()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "a,b\n1,2\n"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_noted_once(number):
    before = signal.getsignal(number)
    with Interruption() as interruption:
        assert not interruption.noted
        signal.raise_signal(number)
        assert (interruption.noted, interruption.status) == (True, 128 + number)
        assert signal.getsignal(number) is before  # the next one ends the process
    assert signal.getsignal(number) is before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGINT)
        assert not interruption.noted
    finally:
        signal.signal(signal.SIGINT, before)
