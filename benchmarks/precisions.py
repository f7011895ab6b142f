"""Try a version's network in smaller numbers: what float16 and int8 graphs cost in accuracy and save in bytes and time.

    python -m benchmarks.precisions --version models/flagship-fer2013 --data fer2013.npz \
        --output benchmarks/results/precisions.json

Takes about two minutes. `int8` scales every layer's inputs as they come, `int8, calibrated` as
Training faces did. Accuracy is that of PublicTest under `fer2013`, agreement the share of its faces
that get the float32 graph's label. The graphs take turns while they are timed; compare ratios, not
milliseconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from msgspec.structs import asdict
from numpy.typing import NDArray

from benchmarks.networks import medians
from fer import FERError, metrics, read_version
from fer.preprocessing import normalize
from training.architectures import serve
from training.convert import PRECISIONS, convert
from training.data.fer2013_files import load
from training.data.resizing import resized
from training.pull import as_trained, restored

CALIBRATION = 500  # faces
THREADS = 2
REFERENCE = "float32"
Faces = NDArray[np.float32]


def main(folder: Path, data: Path) -> dict[str, Any]:
    """Bytes, time, accuracy and agreement of each graph of the version in `folder`."""
    dataset = load(data)
    public, calibration = (
        dataset.split("PublicTest"),
        dataset.split("Training").images[:CALIBRATION],
    )
    version = read_version(folder)
    side = version.input_shape[0]
    model = restored(version.architecture, folder)
    if as_trained(version):
        model = serve(
            model, version.lineage["config"]["recipe"]["labels"]["blend"], version.labels, side
        )
    examples = normalize(resized(calibration, side))
    graphs = {name: convert(model, **options) for name, options in conversions(examples).items()}
    faces = normalize(resized(public.images, side))
    scores = {name: predict(graph, faces) for name, graph in graphs.items()}
    rows = public.fer2013 >= 0
    times = medians(graphs, THREADS)
    return {
        name: {
            "bytes": len(graph),
            "ratio": round(times[name] / times[REFERENCE], 3),
            "accuracy": asdict(metrics.accuracy(scores[name][rows], public.fer2013[rows])),
            "agreement": float(
                (scores[name].argmax(axis=1) == scores[REFERENCE].argmax(axis=1)).mean()
            ),
            "largest_difference": float(np.abs(scores[name] - scores[REFERENCE]).max()),
        }
        for name, graph in graphs.items()
    }


def conversions(calibration: Faces) -> dict[str, dict[str, Any]]:
    """Settings of TensorFlow's converter by name: those of `training.export`, and others."""

    def examples() -> Iterator[list[Faces]]:
        for face in calibration:
            yield [face[None]]

    int8 = PRECISIONS["int8"]
    return {
        **PRECISIONS,
        "float16": {**int8, "target_spec": {"supported_types": [tf.float16]}},
        "int8, calibrated": {**int8, "representative_dataset": examples},
    }


def predict(graph: bytes, faces: Faces) -> Faces:
    """Probabilities (n, classes), face by face."""
    interpreter = Interpreter(model_content=graph, num_threads=THREADS)
    interpreter.allocate_tensors()
    source, sink = (
        interpreter.get_input_details()[0]["index"],
        interpreter.get_output_details()[0]["index"],
    )
    rows = []
    for face in faces:
        interpreter.set_tensor(source, face[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(sink)[0])
    return np.stack(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="benchmarks.precisions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", type=Path, required=True, help="version folder with its weights"
    )
    parser.add_argument("--data", type=Path, required=True, help="FER2013")
    parser.add_argument("--output", type=Path, help="write the report here as JSON")
    options = parser.parse_args()
    try:
        report = main(options.version, options.data)
    except FERError as error:
        sys.exit(f"error: {error}")
    for name, result in report.items():
        accuracy = result["accuracy"]["value"]
        print("{:16} {bytes:,} bytes, time ratio {ratio}".format(name, **result), end="")
        print(f", accuracy {accuracy:.4f}, agreement {result['agreement']:.4f}")
    if options.output:
        options.output.write_text(
            json.dumps({"version": options.version.name, **report}, indent=2) + "\n"
        )
