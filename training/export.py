"""Make a version folder of a finished run: the LiteRT graph, the weights, the sealed config.json.

    python -m training.export --run runs/flagship --output models/flagship

    an operating point of it, a version of its own: a quarter of the bytes, and faster
    python -m training.export --run runs/flagship --output models/flagship-int8 --precision int8

Takes about 20 seconds. The averaged weights of the last epoch are taken, and of their two label sets the blend
that the recipe names, or --blend. A float32 graph must agree with Keras to 1e-4 in probability, or nothing is written.
`training.evaluate` then measures the version and fits its temperature.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from safetensors.numpy import save_file

from fer import LABELS, DataError, EmotionClassifier, FERError, ModelError, ModelVersion
from fer.artifact import CONFIG, GRAPH, WEIGHTS, read_version, write_config
from fer.preprocessing import GEOMETRIES, normalize
from training.architectures import serve
from training.runs import read_lineage, read_network

PRECISIONS: dict[str, dict[str, Any]] = {"float32": {}, "int8": {"optimizations": [tf.lite.Optimize.DEFAULT]}}
TOLERANCE = {"float32": 1e-4, "int8": 0.1}  # in probability; coarse for int8, whose loss `training.evaluate` measures
INPUT_RANGE = (0.0, 1.0)


def main(run: Path, output: Path, blend: float | None = None, precision: str = "float32") -> ModelVersion:
    """Export the last epoch of `run` as the version folder `output`; an existing version is replaced whole.

    `blend` are the parts of FER+ in the logits, if not those of the recipe; the lineage then tells it. `precision` is
    that of the graph's weights; model.safetensors keeps float32, from which training can go on.
    """
    lineage = read_lineage(run) | {"precision": precision}
    if output.exists() and not (output / CONFIG).is_file():
        raise DataError(f"{output} is there and is no version folder; it is left alone, choose another --output.")
    recipe = lineage["config"]["recipe"]
    if blend is not None:
        recipe["labels"]["blend"] = blend
    model = serve(read_network(run), recipe["labels"]["blend"])
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        folder = Path(scratch) / output.name
        folder.mkdir()
        (folder / GRAPH).write_bytes(convert(model, **PRECISIONS[precision]))
        save_file({variable.path: np.asarray(variable) for variable in model.weights}, folder / WEIGHTS)
        version = write_config(folder, _config(output.name, model, lineage))
        _check_parity(model, EmotionClassifier(version), TOLERANCE[precision])
        if output.exists():
            shutil.rmtree(output)
        folder.rename(output)
    return read_version(output)


def convert(model: keras.Model, **options: object) -> bytes:
    """The LiteRT graph of a network; `options` are attributes of TensorFlow's converter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / GRAPH
        model.export(path, format="litert", verbose=False, **options)
        return path.read_bytes()


def _config(name: str, model: keras.Model, lineage: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "architecture": lineage["config"]["recipe"]["architecture"],
        "parameters": model.count_params(),
        "labels": list(LABELS),
        "input": {"shape": list(model.input_shape[1:]), "range": list(INPUT_RANGE)},
        "output": "probabilities",
        "temperature": 1.0,
        "crops": {detector: asdict(geometry) for detector, geometry in GEOMETRIES.items()},
        "lineage": lineage,
    }


def _check_parity(model: keras.Model, classifier: EmotionClassifier, tolerance: float) -> None:
    """Compare the graph with Keras on smooth and on noisy faces-sized pictures, in one batch and one by one."""
    crops = _probes(classifier.version.input_shape)
    expected = np.asarray(model(normalize(crops, classifier.version.input_range), training=False))
    single = np.concatenate([classifier.predict(crop[None]) for crop in crops])
    difference = max(float(np.abs(classifier.predict(crops) - expected).max()), float(np.abs(single - expected).max()))
    if not difference <= tolerance:
        raise ModelError(f"the LiteRT graph differs from Keras by {difference:.2g} in probability, over {tolerance}.")


def _probes(shape: tuple[int, int, int], n: int = 64) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (n, *shape[:2]))
    ramps = np.linspace(0, 255, shape[1]) * rng.uniform(0.2, 1.0, (n, 1, 1)) * np.ones((1, shape[0], 1))
    return np.concatenate([noise, ramps]).astype(np.uint8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="training.export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder of training.train")
    parser.add_argument("--output", type=Path, required=True, help="version folder; its name is the version's name")
    parser.add_argument("--blend", type=float, help="parts of FER+ in the logits, 0 to 1; default: the recipe's")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="of the weights; default: float32")
    options = parser.parse_args()
    try:
        version = main(**vars(options))
    except FERError as error:
        sys.exit(f"error: {error}")
    print(f"{options.output}: {version.parameters:,} parameters, graph sha256 {version.sha256[:12]}")
