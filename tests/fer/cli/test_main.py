"""The command line, in this process and in its own, with real photos of known content."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fer
from fer.cli import main as command_line
from fer.cli.main import main
from fer.registry import bundled
from fer.registry.base import DEFAULT
from fer.versions.folder import BUNDLED, CONFIG, METRICS, write_config
from tests.factories.versions import ROOT, SEED, tiny_config, write_tiny

COMMAND = [sys.executable, "-m", "fer"]


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """A folder with one photo without a face."""
    folder = tmp_path / "photos"
    folder.mkdir()
    save_blank(folder / "blank.png")
    return folder


@pytest.fixture
def mixed(shared: Path, blank: Path) -> Path:
    """A folder with a face, no face, a broken file and one that is no photo, in subfolders too."""
    (blank / "deep" / "er").mkdir(parents=True)
    shutil.copy(
        shared / "data" / "photos" / "pyfeat_single_face.jpg", blank / "deep" / "er" / "face.JPG"
    )
    (blank / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a photo")
    (blank / "notes.txt").write_text("not scanned")
    (blank / "folder.jpg").mkdir()
    return blank


def save_blank(path: Path, side: int = 64) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, side, 3), 90, np.uint8)).save(path, "PNG")


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        **options,
    )  # type: ignore[call-overload]


def predict(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run `predict` in this process: exit status, standard output, standard error."""
    status = main(["predict", *map(str, arguments)])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("content", [None, "notes.txt"])
def test_a_folder_without_photos_is_an_error(tmp_path, capsys, content):
    if content:
        (tmp_path / content).write_text("no photo")
    status, out, err = predict(capsys, tmp_path)
    assert (status, out) == (2, "")
    assert f"error: no photo in {tmp_path}; a folder must hold .avif, .bmp" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["predict"], "the following arguments are required: PHOTO|FOLDER"),
        (["guess", "a.jpg"], "invalid choice: 'guess'"),
        (["predict", "a.jpg", "--detector", "haar"], "argument --detector: invalid choice: 'haar'"),
        (["predict", "a.jpg", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
    ],
)
def test_a_command_that_is_none_exits_with_2(capsys, arguments, reason):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nothing", "seed-cnn ", ""])
def test_an_unknown_version_is_an_error(blank, capsys, name):
    status, out, err = predict(capsys, blank, "--model", name)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: there is no version {name!r} in {BUNDLED}; there is ")


def test_one_photo_without_a_face(blank, capsys):
    status, out, err = predict(capsys, blank / "blank.png")
    assert status == 0
    assert out.splitlines()[1:] == [f"{blank / 'blank.png'}        no face"]
    assert err.splitlines()[-1] == "1 photos, 0 faces, 0 failed"


def test_a_missing_photo_fails_alone(blank, capsys):
    status, out, err = predict(
        capsys, blank / "nothing.jpg", blank / "blank.png", "--format", "json"
    )
    assert status == 1
    assert [bool(json.loads(line)["error"]) for line in out.splitlines()] == [True, False]
    assert f"{blank / 'nothing.jpg'}: expected a picture file, but this path does not exist" in err


def test_a_named_file_is_taken_whatever_its_suffix(blank, capsys):
    shutil.copy(blank / "blank.png", blank / "photo.of.me")
    assert predict(capsys, blank / "photo.of.me")[0] == 0


def test_good_bad_and_empty_photos_of_a_folder(mixed, capsys):
    status, out, err = predict(capsys, mixed, "--format", "json")
    records = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [Path(record["file"]).name for record in records] == [
        "blank.png",
        "broken.jpg",
        "face.JPG",
    ]
    none, broken, face = records
    assert (none["face"], none["error"]) == (None, None)
    assert (broken["face"], broken["error"].startswith(f"{mixed / 'broken.jpg'}: ")) == (None, True)
    assert (face["face"], face["detector"], face["model"], face["error"]) == (
        1,
        "blazeface",
        DEFAULT,
        None,
    )
    assert sum(face["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert face["label"] == max(face["scores"], key=face["scores"].get)
    assert err.splitlines()[-2].startswith(f"{mixed / 'broken.jpg'}: ")
    assert err.count("broken.jpg") == 1
    assert err.splitlines()[-1] == "3 photos, 1 faces, 1 failed"


def test_without_a_detector_each_picture_is_a_face(blank, capsys):
    status, out, _ = predict(capsys, blank / "blank.png", "--detector", "none", "--format", "json")
    face = json.loads(out)
    assert status == 0
    assert (face["face"], face["detector"], face["box"][:2]) == (1, "none", [0, 0])


def test_the_forms_tell_the_same(mixed, capsys):
    lines = predict(capsys, mixed, "--format", "json")[1].splitlines()
    face = json.loads(lines[-1])
    table = list(csv.DictReader(io.StringIO(predict(capsys, mixed, "--format", "csv")[1])))
    text = predict(capsys, mixed)[1].splitlines()
    assert (table[-1]["file"], table[-1]["label"], float(table[-1]["score"])) == (
        face["file"],
        face["label"],
        face["score"],
    )
    assert [float(table[-1][corner]) for corner in ("x1", "y1", "x2", "y2")] == face["box"]
    assert len(text) == len(table) + 1 == 4
    assert text[1].split()[1:] == ["no", "face"]
    assert text[2].split()[1:] == ["failed"]
    label = face["label"] + "?" * face["uncertain"]
    assert text[3].split()[:4] == [face["file"], "1", label, f"{face['score']:.2f}"]


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


def test_equal_names_do_not_overwrite_each_other(tmp_path, capsys):
    for number, folder in enumerate(("a", "b", "c"), start=1):
        save_blank(tmp_path / folder / "x.png", 32 * number)
    save_blank(tmp_path / "c" / "X.PNG", 200)
    output = tmp_path / "out"
    arguments = [tmp_path / "a", tmp_path / "b", tmp_path / "c" / "x.png", tmp_path / "c" / "X.PNG"]
    assert predict(capsys, *arguments, "--output", output)[0] == 0
    sides = {}
    for path in output.rglob("*.jpg"):
        with Image.open(path) as image:
            sides[path.relative_to(output / "annotated").as_posix()] = image.width
    assert sides == {"x.png.jpg": 32, "x.png-2.jpg": 64, "x.png-3.jpg": 96, "X.PNG-4.jpg": 200}


@pytest.mark.parametrize("place", [".", "results", "deep/results"])
def test_a_second_run_does_not_take_its_own_pictures_for_photos(blank, capsys, place):
    for _ in range(2):
        status, out, _ = predict(capsys, blank, "--format", "json", "--output", blank / place)
        assert (status, len(out.splitlines())) == (0, 1)


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing", "/dev/null/below"])
def test_an_output_that_cannot_be_written_is_an_error(blank, capsys, place):
    (blank.parent / "file").write_text("in the way")
    status, out, err = predict(capsys, blank, "--output", blank.parent / place)
    assert (status, out) == (2, "")
    assert "cannot be written (" in err
    assert err.rstrip().endswith("choose another --output.")
    assert "Traceback" not in err


def test_odd_file_names_break_neither_table_nor_encoding(tmp_path):
    """A line break, a terminal's escape code, a smile, and bytes that are no UTF-8.

    On a terminal that knows ASCII.
    """
    names = [
        b"line\nbreak.png",
        b"red \x1b[31m.png",
        "smile 😀.png".encode(),
        b"latin \xe9.png",
        b"=1+1.png",
    ]
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:  # noqa: PTH118, PTH123
            Image.new("RGB", (32, 32)).save(file, "PNG")
    for form, rows in (("table", 6), ("json", 5), ("csv", 7)):
        output = tmp_path / "out"
        result = run(
            "predict",
            tmp_path,
            "--format",
            form,
            "--output",
            output,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )
        assert result.returncode == 0, result.stderr
        assert len(result.stdout.splitlines()) == rows
        assert form == "csv" or "\x1b" not in result.stdout
        assert len(list(os.scandir(output / "annotated"))) == 5
        shutil.rmtree(output)


def test_a_picture_longer_than_a_jpeg_fails_alone(tmp_path, capsys):
    Image.new("RGB", (66_000, 8)).save(tmp_path / "long.png")
    save_blank(tmp_path / "short.png")
    assert predict(capsys, tmp_path)[0] == 0
    status, _, err = predict(capsys, tmp_path, "--output", tmp_path / "out")
    assert status == 1
    assert f"{tmp_path / 'long.png'}: longer than the 65,500 pixels of a JPEG" in err


# Names


def test_a_name_that_is_no_utf_8_reads_the_same_in_every_form(tmp_path, capsys):
    """As JSON that strict parsers take: without half a surrogate pair."""
    photo = Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin \xe9.png"))
    save_blank(photo)
    broken = Path(os.fsdecode(os.fsencode(tmp_path) + b"/broken \xe9.png"))
    broken.write_bytes(b"broken")
    name = f"{tmp_path}/latin \\xe9.png"
    assert predict(capsys, photo)[1].splitlines()[1] == f"{name}        no face"
    assert (
        next(csv.DictReader(io.StringIO(predict(capsys, photo, "--format", "csv")[1])))["file"]
        == name
    )
    for path in (photo, broken):
        (line,) = predict(capsys, path, "--format", "json")[1].splitlines()
        assert "\\ud" not in line
        assert "\\\\xe9" in line
    assert json.loads(predict(capsys, photo, "--format", "json")[1])["file"] == name


@pytest.mark.parametrize("separator", [b"\n", b"\0"])
def test_names_from_standard_input(blank, separator):
    save_blank(blank / "b\nc.png" if separator == b"\0" else blank / "b c.png")
    names = [os.fsencode(path) for path in sorted(blank.iterdir())]
    done = subprocess.run(
        [*COMMAND, "predict", "-", "--format", "json"],
        input=separator.join([*names, b""]),
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == [
        os.fsdecode(name) for name in names
    ]
    assert done.returncode == 0


def test_no_name_from_standard_input_is_an_error():
    result = run("predict", "-", input="\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: standard input holds no name; file names are expected")


@pytest.mark.parametrize("form", [str(SEED), f"{SEED}/", os.path.relpath(SEED)])
def test_a_version_s_folder_serves_as_the_model(blank, capsys, form):
    status, out, _ = predict(capsys, blank, "--format", "json", "--model", form)
    assert (status, json.loads(out)["model"]) == (0, "seed-cnn")


def test_a_folder_that_is_no_version_is_an_error(blank, capsys):
    status, out, err = predict(capsys, blank, "--model", f"{blank}/")
    assert (status, out) == (2, "")
    assert f"error: {blank}/config.json cannot be read" in err


# The list of versions


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of `models/`."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr(command_line, "open_registry", lambda _: bundled.BundledRegistry(folder))
    return folder


def test_no_versions_are_no_lines(models, capsys):
    assert main(["models"]) == 0
    assert capsys.readouterr() == ("", f"there is no version in {models}\n")


def test_versions_and_what_is_wrong_with_them(models, capsys):
    shutil.copytree(SEED, models / "seed-cnn")
    write_tiny(models / "tiny")
    write_tiny(models / "truncated")
    (models / "truncated" / CONFIG).write_text("{")
    write_tiny(models / "swapped")
    (models / "swapped" / "model.tflite").write_bytes(b"other")
    write_tiny(models / "liar")
    (models / "liar" / METRICS).write_text('{"test_sets": {"fer2013": {"accuracy": 1}}}')
    write_config(models / "liar", tiny_config())
    assert main(["models"]) == 1
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    accuracy = json.loads((SEED / METRICS).read_text())["test_sets"]["fer2013"]["labellings"][
        "fer2013"
    ]["accuracy"]
    assert list(lines) == ["seed-cnn", "liar", "swapped", "tiny", "truncated"]
    assert (
        "fer2013: accuracy {value:.4f} ({low:.4f} to {high:.4f}, n=2515)".format(**accuracy)
        in (lines["seed-cnn"])
    )
    assert lines["tiny"].endswith("144 parameters  not evaluated")
    assert lines["truncated"].startswith("broken: ")
    assert "config.json: not valid JSON" in lines["truncated"]
    assert "model.tflite is corrupt" in lines["swapped"]
    assert "metrics.json: a field is missing or wrong" in lines["liar"]


# In a process of its own


def test_the_command_runs_from_any_folder(blank):
    result = subprocess.run(
        [*COMMAND, "predict", "blank.png"],
        cwd=blank,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == 0
    assert result.stdout.splitlines()[1].split() == ["blank.png", "no", "face"]
    assert "photo/s" not in result.stderr


def test_the_models_command_runs():
    result = run("models")
    assert (result.returncode, result.stdout.split()[0]) == (0, DEFAULT)


@pytest.mark.parametrize("command", ["predict", "models"])
def test_a_reader_that_closes_early_is_no_error(blank, command):
    """As `| head -1` does; this one closes before the first line.

    So that no pipe is large enough to hide it.
    """
    (blank / "broken.jpg").write_bytes(b"broken")
    process = subprocess.Popen(
        [*COMMAND, command, *([str(blank)] if command == "predict" else [])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    with process.stderr:
        err = process.stderr.read()
    assert process.wait(timeout=60) == 0
    assert "Traceback" not in err
    assert "BrokenPipeError" not in err
    if command == "predict":
        assert err == "1 of 2 photos were classified\n"


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


# Closed and full


@pytest.mark.parametrize(
    ("redirection", "status", "last"),
    [
        (
            ">&-",
            2,
            (
                "error: standard output is closed, and nothing else was asked for; open it, or use"
                " an option."
            ),
        ),
        (
            ">/dev/full",
            2,
            (
                "error: standard output cannot be written (No space left on device); choose another"
                " place."
            ),
        ),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        (">&- --output {out}", 0, "1 photos, 0 faces, 0 failed"),
        (">&- 2>&- <&- --output {out}", 0, ""),
        ("| true", 0, "1 of 1 photos were classified"),
    ],
)
def test_standard_streams_that_are_closed_or_full(blank, tmp_path, redirection, status, last):
    """And no file is opened in the place of a closed one."""
    command = f"set -o pipefail; {sys.executable} -m fer predict {blank} --format csv {redirection}"
    done = subprocess.run(
        ["bash", "-c", command.format(out=tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode == status
    if "true" not in redirection:  # which may be gone before the first row, or after the last
        assert [*done.stderr.splitlines(), ""][-1 if not last else -2] == last
    if "{out}" in redirection:
        assert len((tmp_path / "out" / "results.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize("command", ["models", "predict", "watch"])
def test_nothing_but_the_results_is_told(blank, command):
    """LiteRT's own lines are not."""
    arguments = {"models": [], "predict": [blank], "watch": [blank / "blank.png"]}[command]
    result = run(command, *arguments)
    assert result.returncode == 0
    assert "INFO" not in result.stderr


@pytest.mark.parametrize("command", ["predict", "watch", "models"])
def test_help_tells_the_exit_status(capsys, command):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "exit status: 0 if " in " ".join(capsys.readouterr().out.split())


def test_the_version_of_the_program(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"fer {fer.__version__}\n"


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
