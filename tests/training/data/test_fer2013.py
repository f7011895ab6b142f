"""The splits of FER2013, and its labels under each labelling."""

from __future__ import annotations

import numpy as np
import pytest

from fer import DataError
from fer.versions.labels import LABEL_SETS
from tests.factories.fer2013 import (
    DATA,
    arrays,
    write_npz,
)
from training.data.fer2013 import FER2013, LABELLINGS, SPLITS, majority_vote
from training.data.fer2013_files import load


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
    assert split.targets("fer2013-dedup").tolist() == [-1, *split.fer2013[1:].tolist()]
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
    assert majority_vote(np.array([votes], np.uint8)).tolist() == [label]


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
    [index] = majority_vote(np.array([votes], np.uint8), eight)
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
    assert (split.ferplus[row].tolist(), split.agreement[row].tolist()) == ([0], [9])


def test_without_votes_no_row_has_a_ferplus_label(table):
    split = load(table).split("PublicTest")
    assert (set(split.ferplus.tolist()), set(split.agreement.tolist())) == ({-1}, {0})


def test_an_unknown_labelling_is_refused(npz):
    assert [len(npz.split("PublicTest").targets(name)) for name in LABELLINGS] == [8, 8, 8]
    with pytest.raises(
        ValueError, match="unknown labelling 'other'; there are fer2013, fer2013-dedup, ferplus"
    ):
        npz.split("PublicTest").targets("other")


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


def test_the_protocol_s_counts(shared):
    data = load(shared / "data" / "fer2013")
    assert len(data.images) == 35_887
    splits = {name: data.split(name) for name in SPLITS}
    assert [int((split.fer2013 >= 0).sum()) for split in splits.values()] == [20_181, 2_570, 2_515]
    counts = {name: int((splits["PrivateTest"].targets(name) >= 0).sum()) for name in LABELLINGS}
    assert counts == {"fer2013": 2_515, "fer2013-dedup": 2_327, "ferplus": 2_444}
    public = splits["PublicTest"]
    assert int((public.duplicate & (public.fer2013 >= 0)).sum()) == 189
