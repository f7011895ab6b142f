"""FER2013 as one .npz file, packed or not, and every mistake in one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.factories.fer2013 import (
    DATA,
    assert_equal,
    refused,
    write_npz,
)
from training.data.fer2013_files import load
from training.data.fer2013_npz import pack


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
