"""`predictions.npz`: read as it was written, and what is refused of a file from elsewhere."""

import io
import zipfile

import numpy as np
import pytest

from fer import ModelError
from fer.versions.predictions import Predictions

ROWS = 6
STORED = {
    "probes": np.full((3, 2), 0.5),
    "fer2013/scores": np.full((ROWS, 2), 0.5, np.float32),
    "fer2013/targets/fer2013": np.array([0, 1, 0, 1, -1, 0], np.int8),
    "fer2013/targets/ferplus": np.array([0, 0, 1, 1, 1, -1], np.int8),
    "fer2013/sha256": np.array("a" * 64),
    "mine/scores": np.full((ROWS, 2), 0.5, np.float32),
    "mine/targets/mine": np.array([0, 1, 0, 1, -1, 0], np.int8),
    "mine/sha256": np.array("c" * 64),
    "mine/found": np.array([1, 1, 1, 1, 1, 0], bool),
    "mine/people": np.array([0, 0, 1, 1, 2, 3], np.int32),
}


def packed(**changes):
    """The stored file with other arrays of FER2013, or without those that are None."""
    changed = {
        name if name == "probes" else f"fer2013/{name}": value for name, value in changes.items()
    }
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        **{name: value for name, value in {**STORED, **changed}.items() if value is not None},
    )
    return buffer.getvalue()


def test_predictions_are_read_by_test_set_and_written_alike():
    found = Predictions.read(packed(), 2)
    fer2013, mine = found.test_sets["fer2013"], found.test_sets["mine"]
    assert {name: targets.tolist() for name, targets in fer2013.targets.items()} == {
        "fer2013": [0, 1, 0, 1, -1, 0],
        "ferplus": [0, 0, 1, 1, 1, -1],
    }
    assert (fer2013.sha256, fer2013.found, fer2013.people) == ("a" * 64, None, None)
    assert fer2013.answers is fer2013.scores
    assert mine.answers.tolist() == [[0.5, 0.5, 0]] * 5 + [[0, 0, 1]]
    assert mine.people.tolist() == [0, 0, 1, 1, 2, 3]
    with np.load(io.BytesIO(found.to_bytes())) as written:
        assert set(written) == set(STORED)
        assert all(np.array_equal(written[name], values) for name, values in STORED.items())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be used"),
        (b"PK\x03\x04 but no archive", "BadZipFile"),
        (packed()[:200], "BadZipFile"),
        (packed(scores=None), "KeyError: 'fer2013/scores"),
        (packed(sha256=None), "KeyError: 'fer2013/sha256"),
        (packed(probes=None), "KeyError: 'probes"),
        (packed(scores=np.full((ROWS, 3), 1 / 3)), r"expected floats \(n, 2\)"),
        (packed(scores=np.ones((ROWS, 2), int)), r"expected floats \(n, 2\)"),
        (packed(scores=np.full((ROWS, 2), np.nan)), "scores are no probabilities"),
        (packed(scores=np.full((ROWS, 2), [1.5, -0.5])), "scores are no probabilities"),
        (packed(scores=np.full((ROWS, 2), [0.2, 0.2])), "scores are no probabilities"),
        (
            packed(probes=np.full((3, 3), 1 / 3)),
            r"probes are float64 \(3, 3\), expected floats \(n, 2\)",
        ),
        (packed(probes=np.full((3, 2), np.nan)), "probes are no probabilities"),
        (
            packed(**{"targets/fer2013": np.full(ROWS, 2)}),
            "fer2013/targets/fer2013 must hold, for each example, -1 to 1",
        ),
        (packed(**{"targets/fer2013": np.full(ROWS, 0.5)}), "targets/fer2013 must hold"),
        (packed(**{"targets/ferplus": np.zeros(ROWS + 1, int)}), "targets/ferplus must hold"),
        (
            packed(**{"targets/ferplus": np.full(ROWS, -1)}),
            "targets/ferplus leaves every example out",
        ),
        (packed(found=np.ones(ROWS, int)), r"found is int64 \(6,\), expected one value an example"),
        (
            packed(people=np.zeros(ROWS + 1, int)),
            r"people is int64 \(7,\), expected one value an example",
        ),
        (packed(sha256=np.array([{}], object)), "allow_pickle"),
        (Predictions({}, STORED["probes"]).to_bytes(), "no test set"),
    ],
)
def test_predictions_that_cannot_be_used(content, message):
    with pytest.raises(ModelError, match=message):
        Predictions.read(content, 2)


def test_predictions_that_unpack_to_too_much():
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("scores.npy", "w") as file,
    ):
        for _ in range(9):
            file.write(bytes(1 << 20))
    with pytest.raises(ModelError, match="over 8,388,608 bytes unpacked"):
        Predictions.read(buffer.getvalue(), 2)


def test_an_array_that_claims_to_be_huge_is_refused():
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f8", "fortran_order": False, "shape": (1 << 44, 2)}
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("scores.npy", buffer.getvalue())
    with pytest.raises(ModelError, match="cannot be used"):
        Predictions.read(content.getvalue(), 2)


def test_predictions_are_compared_on_the_same_examples_alone():
    first = np.eye(2)[[0, 1, 0, 1, 0, 1]].astype(np.float32)
    one, two = (
        Predictions.read(packed(scores=first), 2),
        Predictions.read(packed(scores=1 - first), 2),
    )
    found = one.compare(two, "fer2013", "fer2013")
    assert (found.n, found.only_a, found.only_b, found.people) == (5, 4, 1, None)
    assert one.compare(two, "mine", "mine").people == 3
    with pytest.raises(
        ModelError,
        match=(
            r"the test sets fer2013 differ \(aaaaaaaaaaaa and bbbbbbbbbbbb\), so there are no pairs"
        ),
    ):
        one.compare(Predictions.read(packed(sha256=np.array("b" * 64)), 2), "fer2013", "fer2013")
    with pytest.raises(
        ModelError, match="not both versions were measured on the test set 'natural'"
    ):
        one.compare(two, "natural", "natural")
    for labelling, changes in (
        ("ferplus", {"targets/ferplus": np.zeros(ROWS, int)}),
        ("clean", {}),
    ):
        with pytest.raises(
            ModelError, match=f"no labels '{labelling}' on which both versions agree"
        ):
            one.compare(Predictions.read(packed(**changes), 2), "fer2013", labelling)
