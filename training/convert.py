"""From Keras to LiteRT."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from fer import DataError
from fer.versions.folder import GRAPH

PRECISIONS: dict[str, dict[str, Any]] = {
    "float32": {},
    "int8": {"optimizations": [tf.lite.Optimize.DEFAULT]},
}
"""Attributes of TensorFlow's converter for the precision of the weights."""


def convert(model: keras.Model, **options: object) -> bytes:
    """The LiteRT graph of a network; `options` are attributes of TensorFlow's converter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / GRAPH
        try:
            model.export(path, format="litert", verbose=False, **options)
        except tf.errors.OpError as error:
            raise DataError(
                f"the graph cannot be made in {folder} ({error.message}); make room there, or name"
                " another folder in TMPDIR."
            ) from error
        return path.read_bytes()
