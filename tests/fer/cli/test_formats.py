"""A table, JSON lines and CSV tell the same, whatever a file is called."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

from PIL import Image

from tests.support.commands import (
    predict,
    run,
    save_blank,
)


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
