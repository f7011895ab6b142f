"""FER2013 as csv, the votes of FER+, and every mistake in them, named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories.fer2013 import (
    DATA,
    arrays,
    assert_equal,
    refused,
    write_csv,
    write_votes,
)
from training.data.fer2013 import VOTES
from training.data.fer2013_files import load


@pytest.mark.parametrize(
    "header", [("emotion", "pixels", "Usage"), ("emotion", " Usage", " pixels")]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_csv_form(tmp_path, npz, header, newline, bom):
    path = write_csv(tmp_path / "icml_face_data.csv", DATA, header)
    content = path.read_bytes().replace(b"\r\n", newline.encode())
    path.write_bytes(bom + content)
    data = load(path)
    assert_equal(data, npz, votes=False)
    assert data.votes is None


def test_the_csv_form_takes_blanks_around_its_values(table, npz):
    table.write_text(table.read_text().replace(",", ", ").replace("Training", "Training "))
    assert_equal(load(table), npz, votes=False)


@pytest.mark.parametrize("name", ["fer2013.csv", "icml_face_data.csv"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_votes_are_joined_by_row_order(tmp_path, npz, name, newline):
    path = write_csv(tmp_path / name, DATA)
    votes = write_votes(tmp_path / "fer2013new.csv", DATA)
    votes.write_bytes(votes.read_bytes().replace(b"\r\n", newline))
    assert_equal(load(path), npz)


def edit(path: Path, line: int, old: str, new: str) -> Path:
    """Replace a text in one line of a file; the header is line 1."""
    lines = path.read_text(encoding="utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "misses the columns emotion, pixels, Usage; received an empty file"),
        ("emotion,pixels", "misses the columns Usage; received emotion, pixels"),
        ("Emotion,pixels,Usage", "misses the columns emotion; received Emotion, pixels, Usage"),
        (
            "emotion;pixels;Usage",
            "misses the columns emotion, pixels, Usage; received emotion;pixels;Usage",
        ),
    ],
)
def test_wrong_columns_are_refused(tmp_path, header, reason):
    path = tmp_path / "fer2013.csv"
    path.write_text(header)
    assert reason in refused(path, path)


def test_a_csv_file_without_rows_is_refused(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv", arrays((0, 0, 0)))
    assert "the split Training, PublicTest, PrivateTest is missing" in refused(path, path)


PIXEL = str(DATA["images"][1].ravel()[0])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (f",{PIXEL} ", ",", "2303 pixels, expected 2304 (48 x 48)"),
        (f",{PIXEL} ", f",{PIXEL} 0 ", "2305 pixels, expected 2304 (48 x 48)"),
        (f",{PIXEL} ", ",256 ", "pixels span"),
        (f",{PIXEL} ", ",-1 ", "pixels span -1 to"),
        (f",{PIXEL} ", ",12.5 ", "pixels are not whole numbers"),
        (f",{PIXEL} ", ",nan ", "pixels are not whole numbers"),
        (f",{PIXEL} ", ",99999999999999999999 ", "pixels are not whole numbers"),
        (f",{PIXEL} ", ",x ", "pixels are not whole numbers (invalid literal"),
        ("1,", "7,", "emotion is '7', expected one of 0, 1, 2, 3, 4, 5, 6"),
        ("1,", "-1,", "emotion is '-1', expected one of 0, 1"),
        ("1,", "happy,", "emotion is 'happy', expected one of 0, 1"),
        ("1,", ",", "emotion is '', expected one of 0, 1"),
        (
            ",Training",
            ",Test",
            "Usage is 'Test', expected one of Training, PublicTest, PrivateTest",
        ),
        (",Training", "", "Usage is None, expected one of Training, PublicTest, PrivateTest"),
        (",Training", ",training", "Usage is 'training', expected one of Training"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_line(table, old, new, reason):
    edit(table, 3, old, new)
    assert reason in refused(table, f"{table}, line 3: ")


def test_a_cut_line_is_refused_with_its_number(table):
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:50], lines[50][:1000]]))
    assert "pixels, expected 2304 (48 x 48)" in refused(table, f"{table}, line 51: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", "'utf-8' codec can't decode"),
        (b"9" * 200_000, "field larger than field limit"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_with_its_line(table, content, reason):
    table.write_bytes(table.read_bytes() + content)
    message = refused(table, f"{table}, after line ")
    assert "not a csv file in UTF-8" in message
    assert reason in message


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Training,", "Testing,", "Usage is 'Testing', expected one of Training"),
        (
            "Training,",
            "PublicTest,",
            "does not match row 2 of fer2013.csv; take both from one release",
        ),
        (",0,", ",11,", "is '11', expected one of 0, 1, 2"),
        (",0,", ",-1,", "is '-1', expected one of 0, 1, 2"),
        (",0,", ",300,", "is '300', expected one of 0, 1, 2"),
        (",0,", ",1.5,", "is '1.5', expected one of 0, 1, 2"),
        (",0,", ",,", "is '', expected one of 0, 1, 2"),
    ],
)
def test_a_wrong_vote_is_refused_with_its_line(tmp_path, table, old, new, reason):
    votes = edit(write_votes(tmp_path / "fer2013new.csv", DATA), 3, old, new)
    assert reason in refused(table, f"{votes}, line 3: ")


def test_votes_of_another_length_are_refused(tmp_path, table):
    votes = write_votes(tmp_path / "fer2013new.csv", DATA)
    lines = votes.read_text().splitlines()
    votes.write_text("\n".join(lines[:-1]))
    assert "104 rows, but fer2013.csv has 105; they join by row order" in refused(table, votes)
    votes.write_text("\n".join([*lines, lines[-1]]))
    assert "does not match row 106 of fer2013.csv" in refused(table, f"{votes}, line 107: ")


def test_votes_without_their_columns_are_refused(tmp_path, table):
    votes = tmp_path / "fer2013new.csv"
    votes.write_text("Usage,Image name\n")
    assert f"misses the columns {', '.join(VOTES)}; received Usage, Image name" in refused(
        table, votes
    )
