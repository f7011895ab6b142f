"""Every form of FER2013 loads the same.

And every mistake in one is a DataError that names file and row.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer import DataError
from fer.versions.labels import LABEL_SETS
from tests.factories.fer2013 import arrays, write_csv, write_folder, write_npz, write_votes
from training.data.fer2013 import (
    FER2013,
    LABELLINGS,
    SPLITS,
    VOTES,
    ferplus_labels,
    load,
)
from training.data.pack import pack

DATA = arrays()


def assert_equal(one: FER2013, other: FER2013, *, votes: bool = True) -> None:
    assert np.array_equal(one.images, other.images)
    assert np.array_equal(one.classes, other.classes)
    assert np.array_equal(one.splits, other.splits)
    if votes:
        assert np.array_equal(one.votes, other.votes)


def contents(data: FER2013) -> list[tuple[int, int, bytes]]:
    """What a data set holds, whatever the order of its rows."""
    rows = zip(data.splits.tolist(), data.classes.tolist(), data.images, strict=True)
    return sorted((split, label, image.tobytes()) for split, label, image in rows)


@pytest.fixture
def npz(tmp_path: Path) -> FER2013:
    return load(write_npz(tmp_path / "reference.npz", DATA))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "fer2013.csv", DATA)


def edit(path: Path, line: int, old: str, new: str) -> Path:
    """Replace a text in one line of a file; the header is line 1."""
    lines = path.read_text(encoding="utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def refused(path: Path, start: Path | str) -> str:
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(str(start)), caught.value
    return str(caught.value)


# The forms


def test_the_npz_form(npz):
    for name, array in (
        ("images", npz.images),
        ("label", npz.classes),
        ("usage", npz.splits),
        ("ferplus_votes", npz.votes),
    ):
        assert np.array_equal(array, DATA[name])
        assert array.dtype == np.uint8


def test_the_npz_form_without_votes(tmp_path):
    data = {name: array for name, array in DATA.items() if name != "ferplus_votes"}
    assert load(write_npz(tmp_path / "fer2013.npz", data)).votes is None


@pytest.mark.parametrize("name", ["fer2013.npz", "fer2013.csv", "icml_face_data.csv"])
def test_a_folder_stands_for_the_file_in_it(tmp_path, name, npz):
    (write_npz if name.endswith("npz") else write_csv)(tmp_path / name, DATA)
    assert_equal(load(str(tmp_path)), npz, votes=False)


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


def test_the_folder_form(tmp_path, npz):
    data = load(write_folder(tmp_path / "images", DATA))
    assert contents(data) == contents(npz)
    assert data.votes is None


@pytest.mark.parametrize(
    ("folders", "prefixes"),
    [
        (("train", "validation", "privatetest"), ("a", "b", "c")),
        (("Training", "PublicTest", "PrivateTest"), ("a", "b", "c")),
        (("training", "val", "PRIVATETEST"), ("a", "b", "c")),
        (("train", "val", "test"), ("a", "b", "c")),
        (("all", "all", "all"), SPLITS),
    ],
)
@pytest.mark.parametrize(
    "aliases", [{}, {"happy": "happiness", "sad": "Sadness", "surprise": "surprised"}]
)
def test_other_names_of_folders(tmp_path, npz, folders, prefixes, aliases):
    original = write_folder(tmp_path / "original", DATA)
    for path in original.rglob("*.png"):
        split, number = path.stem.split("_")
        index = SPLITS.index(split)
        folder = (
            tmp_path / "renamed" / folders[index] / aliases.get(path.parent.name, path.parent.name)
        )
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / f"{prefixes[index]}_{number}.png")
    assert contents(load(tmp_path / "renamed")) == contents(npz)


def test_a_folder_with_both_forms_is_read_as_the_table(table, npz):
    write_folder(table.parent, arrays(seed=1))
    assert_equal(load(table.parent), npz, votes=False)


# Splits and labels


@pytest.mark.parametrize(("name", "n"), [("Training", 40), ("PublicTest", 8), ("PrivateTest", 12)])
def test_a_split_holds_the_rows_of_the_four_labels(npz, name, n):
    split = npz.split(name)
    rows = (DATA["usage"] == SPLITS.index(name)) & np.isin(DATA["label"], (3, 4, 5, 6))
    assert len(split.images) == rows.sum() == n
    assert np.array_equal(split.images, DATA["images"][rows])
    assert np.array_equal(split.fer2013, np.array([-1, -1, -1, 0, 1, 3, 2])[DATA["label"][rows]])
    assert not split.duplicate.any()


def test_duplicates_are_those_of_training():
    data = {name: array.copy() for name, array in DATA.items()}
    private, public = np.flatnonzero(data["usage"] == 2), np.flatnonzero(data["usage"] == 1)
    data["images"][private[3]] = data["images"][0]
    data["images"][private[4]] = data["images"][public[4]]
    loaded = FER2013(data["images"], data["label"], data["usage"], data["ferplus_votes"])
    split = loaded.split("PrivateTest")
    assert np.flatnonzero(split.duplicate).tolist() == [0]
    assert split.labels("fer2013-dedup").tolist() == [-1, *split.fer2013[1:].tolist()]
    assert not loaded.split("Training").duplicate.any()


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], 2),
        ([0, 6, 4, 0, 0, 0, 0, 0, 0, 0], 0),
        ([0, 0, 6, 0, 0, 0, 0, 0, 4, 0], 3),
        ([0, 0, 0, 7, 0, 0, 0, 0, 0, 3], 1),
        ([0, 5, 5, 0, 0, 0, 0, 0, 0, 0], -1),
        ([0, 5, 0, 0, 0, 0, 0, 0, 5, 0], -1),
        ([0, 0, 0, 0, 8, 0, 0, 0, 0, 2], -1),
        ([0, 0, 0, 0, 0, 0, 0, 9, 0, 1], -1),
        ([0, 0, 0, 0, 0, 0, 0, 0, 10, 0], -1),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], -1),
    ],
)
def test_ferplus_labels_need_a_majority_of_one_emotion(votes, label):
    assert ferplus_labels(np.array([votes], np.uint8)).tolist() == [label]


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], "neutral"),
        ([0, 0, 0, 0, 0, 0, 0, 9, 0, 1], "contemptuous"),
        ([0, 0, 0, 0, 5, 1, 1, 1, 1, 1], "angry"),  # five of the five that are left
        ([0, 0, 0, 0, 0, 5, 4, 1, 0, 0], "disgusted"),
        ([0, 0, 0, 0, 0, 4, 4, 1, 1, 0], None),
        ([0, 0, 0, 0, 0, 0, 5, 0, 5, 0], None),
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], None),
        ([0, 0, 0, 0, 0, 0, 3, 0, 7, 0], None),
        ([0, 0, 0, 0, 0, 0, 3, 0, 0, 7], None),
    ],
)
def test_eight_labels_follow_the_published_majority_rule(votes, label):
    eight = LABEL_SETS["eight"]
    [index] = ferplus_labels(np.array([votes], np.uint8), eight)
    assert (eight[index] if index >= 0 else None) == label


def test_the_rows_under_the_published_rule_are_as_many_as_others_found(shared):
    private = load(shared / "data" / "fer2013").split("PrivateTest", LABEL_SETS["eight"])
    assert (private.ferplus >= 0).sum() == 3153


def test_a_split_of_seven_labels_keeps_every_class():
    data = FER2013(DATA["images"], DATA["label"], DATA["usage"], DATA["ferplus_votes"])
    split = data.split("PrivateTest", LABEL_SETS["seven"])
    classes = DATA["label"][DATA["usage"] == 2]
    of_seven = {
        0: "angry",
        1: "disgusted",
        2: "afraid",
        3: "happy",
        4: "sad",
        5: "surprised",
        6: "neutral",
    }
    assert [LABEL_SETS["seven"][i] for i in split.fer2013] == [of_seven[i] for i in classes]


def test_a_row_counts_where_either_labelling_names_it():
    data = {name: array.copy() for name, array in DATA.items()}
    angry = np.flatnonzero((data["usage"] == 2) & (data["label"] == 0))[0]
    data["ferplus_votes"][angry] = [0, 9, 0, 0, 1, 0, 0, 0, 0, 0]
    split = FER2013(data["images"], data["label"], data["usage"], data["ferplus_votes"]).split(
        "PrivateTest"
    )
    assert len(split.images) == 13
    row = np.flatnonzero(split.fer2013 == -1)
    assert (split.ferplus[row].tolist(), split.favourite[row].tolist()) == ([0], [9])


def test_without_votes_no_row_has_a_ferplus_label(table):
    split = load(table).split("PublicTest")
    assert (set(split.ferplus.tolist()), set(split.favourite.tolist())) == ({-1}, {0})


def test_an_unknown_labelling_is_refused(npz):
    assert [len(npz.split("PublicTest").labels(name)) for name in LABELLINGS] == [8, 8, 8]
    with pytest.raises(
        ValueError, match="unknown labelling 'other'; there are fer2013, fer2013-dedup, ferplus"
    ):
        npz.split("PublicTest").labels("other")


def test_a_split_without_the_four_labels_is_refused():
    data = arrays((7, 7, 3))
    with pytest.raises(
        DataError, match="the data holds no PrivateTest image of happy, sad, neutral, surprised"
    ):
        FER2013(data["images"], data["label"], data["usage"], None).split("PrivateTest")


def test_the_digest_follows_pixels_and_labels(npz, tmp_path):
    digest = npz.split("PrivateTest").sha256
    assert digest == load(write_npz(tmp_path / "again.npz", DATA)).split("PrivateTest").sha256
    for name, change in (("images", 1), ("label", 3)):
        data = {key: array.copy() for key, array in DATA.items()}
        data[name][-1] ^= change
        assert load(write_npz(tmp_path / "other.npz", data)).split("PrivateTest").sha256 != digest


# Mistakes


def test_nothing_there(tmp_path):
    assert "does not exist; expected fer2013.npz, fer2013.csv or a folder" in refused(
        tmp_path / "no", tmp_path / "no"
    )
    assert "holds neither fer2013.npz, fer2013.csv, icml_face_data.csv nor train/" in refused(
        tmp_path, tmp_path
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("data.txt", ".txt"), ("data", "nameless"), ("data.zip", ".zip")]
)
def test_another_file_is_refused(tmp_path, name, kind):
    (tmp_path / name).write_text("data")
    assert f"received a {kind} file, expected .npz, .csv or a folder" in refused(
        tmp_path / name, tmp_path / name
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an archive",
        b"PK\x03\x04 cut short",
        b"\x93NUMPY\x01\x00",
        None,
        "npy",
        "pickle",
        "cut",
        "bits",
    ],
)
def test_an_npz_file_that_is_none_is_refused(tmp_path, content):
    path = write_npz(tmp_path / "fer2013.npz", DATA)
    whole = path.read_bytes()
    if content == "npy":
        with path.open("wb") as file:
            np.save(file, DATA["images"])
    elif content == "pickle":
        np.savez(
            path, images=np.array([{}, []], dtype=object), label=DATA["label"], usage=DATA["usage"]
        )
    elif content == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif content == "bits":
        path.write_bytes(whole[:2000] + bytes(100) + whole[2100:])
    else:
        path.write_bytes(content or b"PK\x05\x06" + bytes(18))
    message = refused(path, path)
    assert (
        "not a readable .npz archive" in message
        or "misses the arrays images, label, usage; it holds ." in message
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": None}, "misses the arrays label; it holds ferplus_votes, images, usage"),
        (
            {"images": DATA["images"][:-1]},
            "images is uint8 (104, 48, 48), expected uint8 (105, 48, 48)",
        ),
        (
            {"images": DATA["images"][:, :-1]},
            "images is uint8 (105, 47, 48), expected uint8 (105, 48, 48)",
        ),
        ({"images": DATA["images"][..., None]}, "images is uint8 (105, 48, 48, 1), expected"),
        ({"images": DATA["images"] / 255}, "images is float64 (105, 48, 48), expected uint8"),
        ({"images": np.uint8(0)}, "images is uint8 (), expected uint8 (105, 48, 48)"),
        ({"label": DATA["label"].astype(np.int64)}, "label is int64 (105,), expected uint8 (105,)"),
        ({"label": np.uint8(0)}, "images is uint8 (105, 48, 48), expected uint8 (1, 48, 48)"),
        ({"usage": DATA["usage"][:, None]}, "usage is uint8 (105, 1), expected uint8 (105,)"),
        (
            {"ferplus_votes": DATA["ferplus_votes"][:, :8]},
            "ferplus_votes is uint8 (105, 8), expected uint8 (105, 10)",
        ),
        (
            {"label": np.where(np.arange(105) == 7, 9, DATA["label"]).astype(np.uint8)},
            ", row 7: label is 9, expected 0 to 6",
        ),
        (
            {"usage": np.where(np.arange(105) == 8, 3, DATA["usage"]).astype(np.uint8)},
            ", row 8: usage is 3, expected 0 to 2",
        ),
        (
            {"usage": DATA["usage"] // 2},
            "the split PrivateTest is missing; Training, PublicTest, PrivateTest are all",
        ),
        ({"usage": np.zeros(105, np.uint8)}, "the split PublicTest, PrivateTest is missing"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, change, reason):
    data = {name: array for name, array in (DATA | change).items() if array is not None}
    path = write_npz(tmp_path / "fer2013.npz", data)
    assert reason in refused(path, path)


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


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n cut"])
def test_a_broken_image_is_refused_by_name(tmp_path, content):
    path = write_folder(tmp_path / "images", DATA) / "train" / "happy" / "Training_00003.png"
    path.write_bytes(content)
    assert "not a readable image" in refused(tmp_path / "images", path)


@pytest.mark.parametrize("size", [(48, 47), (96, 96), (1, 1)])
def test_an_image_of_another_size_is_refused_by_name(tmp_path, size):
    path = write_folder(tmp_path / "images", DATA) / "train" / "happy" / "Training_00003.png"
    Image.new("L", size).save(path)
    assert f"{size[0]} x {size[1]} pixels, expected 48 x 48" in refused(tmp_path / "images", path)


def test_an_unknown_class_folder_is_refused_by_name(tmp_path):
    root = write_folder(tmp_path / "images", DATA)
    (root / "train" / "happy").rename(root / "train" / "joy")
    assert "unknown class folder 'joy', expected angry, disgust" in refused(
        root, root / "train" / "joy"
    )


def test_an_image_of_no_split_is_refused_by_name(tmp_path):
    root = write_folder(tmp_path / "images", DATA)
    path = next((root / "test").rglob("PrivateTest_*.png"))
    strange = root / "found" / path.parent.name / "photo.png"
    strange.parent.mkdir(parents=True)
    path.rename(strange)
    assert (
        "cannot tell its split; expected a folder train, training, val, validation, p"
        in refused(root, strange)
    )


# The real data


def test_the_protocol_s_counts(shared):
    data = load(shared / "data" / "fer2013")
    assert len(data.images) == 35_887
    splits = {name: data.split(name) for name in SPLITS}
    assert [int((split.fer2013 >= 0).sum()) for split in splits.values()] == [20_181, 2_570, 2_515]
    counts = {name: int((splits["PrivateTest"].labels(name) >= 0).sum()) for name in LABELLINGS}
    assert counts == {"fer2013": 2_515, "fer2013-dedup": 2_327, "ferplus": 2_444}
    public = splits["PublicTest"]
    assert int((public.duplicate & (public.fer2013 >= 0)).sum()) == 189


def test_the_three_real_forms_load_the_same(shared, tmp_path):
    script = shared / "data" / "fer2013" / "to_real_forms.py"
    subprocess.run([sys.executable, script, tmp_path, "--limit", "300"], check=True, timeout=100)
    whole = load(shared / "data" / "fer2013" / "fer2013.npz")
    rows = np.concatenate([np.flatnonzero(whole.splits == split)[:300] for split in range(3)])
    expected = FER2013(
        whole.images[rows], whole.classes[rows], whole.splits[rows], whole.votes[rows]
    )
    assert_equal(load(tmp_path), expected)
    for path in tmp_path.glob("*.csv"):
        path.unlink()
    assert contents(load(tmp_path)) == contents(expected)


# Packed


@pytest.mark.parametrize("votes", [True, False])
def test_packed_data_loads_the_same(npz, tmp_path, votes):
    whole = npz if votes else replace(npz, votes=None)
    pack(whole, tmp_path / "packed.npz")
    packed = load(tmp_path / "packed.npz")
    assert_equal(packed, whole, votes=votes)
    assert (packed.votes is None) != votes


@pytest.mark.parametrize("png", [np.zeros(9, np.uint8), np.zeros(0, np.uint8), np.zeros(9)])
def test_a_broken_packed_file_is_refused(npz, tmp_path, png):
    np.savez(tmp_path / "packed.npz", png=png, label=npz.classes, usage=npz.splits)
    assert "png is no picture of 9600 x 48 pixels" in refused(
        tmp_path / "packed.npz", tmp_path / "packed.npz"
    )
