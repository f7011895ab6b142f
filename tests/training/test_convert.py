"""From Keras to LiteRT; exports compare the answers of both."""

from __future__ import annotations

import tempfile

import pytest

from fer import DataError
from training.command import load_keras


@pytest.fixture(scope="module")
def network():
    load_keras()
    from training.architectures import served

    return served("slim")


def test_int8_weights_take_a_quarter_of_the_bytes(network):
    from training.convert import PRECISIONS, convert

    float32, int8 = (convert(network, **PRECISIONS[name]) for name in ("float32", "int8"))
    assert float32[4:8] == int8[4:8] == b"TFL3"
    assert len(int8) < 0.35 * len(float32)


def test_a_place_that_cannot_be_written_is_named(network, tmp_path, monkeypatch):
    import tensorflow as tf

    from training.convert import convert

    def full(*_: object, **__: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "no space")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(type(network), "export", full)
    with pytest.raises(DataError, match=rf"made in {tmp_path}/.* \(no space\); make room"):
        convert(network)
