"""Make a version folder of a finished run: the LiteRT graph, the weights, the sealed config.json.

    python -m training.export --run runs/flagship --output models/flagship

Takes about 20 seconds. The averaged weights of the last epoch are taken, and of their two label sets the blend
that the recipe names, or --blend. The graph must agree with Keras to 1e-4 in probability, or nothing is written.
`training.evaluate` then measures the version and fits its temperature.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from fer import LABELS, DataError, EmotionClassifier, FERError, ModelError, ModelVersion
from fer.artifact import CONFIG, GRAPH, WEIGHTS, read_version, write_config
from fer.preprocessing import GEOMETRIES, normalize
from training.architectures import serve, trainable
from training.callbacks import finished, read_average

TOLERANCE = 1e-4
INPUT_RANGE = (0.0, 1.0)


def main(run: Path, output: Path, blend: float | None = None) -> ModelVersion:
    """Export the last epoch of `run` as the version folder `output`; an existing version is replaced whole.

    `blend` are the parts of FER+ in the logits, if not those of the recipe; the lineage then tells it.
    """
    lineage = _lineage(run)
    if output.exists() and not (output / CONFIG).is_file():
        raise DataError(f"{output} is there and is no version folder; it is left alone, choose another --output.")
    recipe = lineage["config"]["recipe"]
    if blend is not None:
        recipe["labels"]["blend"] = blend
    trained = trainable(recipe["architecture"])
    trained.set_weights(read_average(finished(run)[-1])[0])
    model = serve(trained, recipe["labels"]["blend"])
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        folder = Path(scratch) / output.name
        folder.mkdir()
        model.export(folder / GRAPH, format="litert", verbose=False)
        save_file({variable.path: np.asarray(variable) for variable in model.weights}, folder / WEIGHTS)
        version = write_config(folder, _config(output.name, model, lineage))
        _check_parity(model, EmotionClassifier(version))
        if output.exists():
            shutil.rmtree(output)
        folder.rename(output)
    return read_version(output)


def _lineage(run: Path) -> dict[str, Any]:
    try:
        lineage: dict[str, Any] = json.loads((run / "train.json").read_text())
    except OSError as error:
        raise DataError(f"{run}: holds no train.json; finish the run with training.train first.") from error
    return lineage


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


def _check_parity(model: keras.Model, classifier: EmotionClassifier) -> None:
    """Compare the graph with Keras on smooth and on noisy faces-sized pictures, in one batch and one by one."""
    crops = _probes(classifier.version.input_shape)
    expected = np.asarray(model(normalize(crops, classifier.version.input_range), training=False))
    single = np.concatenate([classifier.predict(crop[None]) for crop in crops])
    difference = max(float(np.abs(classifier.predict(crops) - expected).max()), float(np.abs(single - expected).max()))
    if not difference <= TOLERANCE:
        raise ModelError(f"the LiteRT graph differs from Keras by {difference:.2g} in probability, over {TOLERANCE}.")


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
    options = parser.parse_args()
    try:
        version = main(**vars(options))
    except FERError as error:
        sys.exit(f"error: {error}")
    print(f"{options.output}: {version.parameters:,} parameters, graph sha256 {version.sha256[:12]}")
