"""Photos are found in folders, named as files or on standard input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from PIL import Image

from tests.factories.versions import ROOT
from tests.support.commands import (
    COMMAND,
    predict,
    run,
    save_blank,
)


@pytest.mark.parametrize("content", [None, "notes.txt"])
def test_a_folder_without_photos_is_an_error(tmp_path, capsys, content):
    if content:
        (tmp_path / content).write_text("no photo")
    status, out, err = predict(capsys, tmp_path)
    assert (status, out) == (2, "")
    assert f"error: no photo in {tmp_path}; a folder must hold .avif, .bmp" in err


def test_a_named_file_is_taken_whatever_its_suffix(blank, capsys):
    shutil.copy(blank / "blank.png", blank / "photo.of.me")
    assert predict(capsys, blank / "photo.of.me")[0] == 0


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
