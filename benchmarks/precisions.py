r"""Measure what float16 and int8 graphs of a version cost in accuracy and save in bytes and time.

    python -m benchmarks.precisions --version models/flagship-fer2013 --data fer2013.npz \
        --output benchmarks/results/precisions.json

    a tiny run, half a minute:
    python -m benchmarks.precisions --version models/flagship-fer2013 --data fer2013.npz --faces 100

Takes about two minutes and prints a line a graph. `int8` scales every layer's inputs as they come,
`int8, calibrated` as Training faces did. Accuracy is that of PublicTest under `fer2013`, agreement
the share of its faces that get the float32 graph's label. The graphs take turns while they are
timed; compare ratios, not milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf
import typer
from ai_edge_litert.interpreter import Interpreter
from msgspec.structs import asdict
from numpy.typing import NDArray

from benchmarks.networks import medians
from benchmarks.options import FER2013Option, OutputOption
from fer import ModelVersion, metrics, read_version
from fer.cli.application import run_script
from fer.preprocessing import normalize
from training.architectures import serve
from training.command import write_report
from training.convert import PRECISIONS, convert
from training.data.fer2013_files import load
from training.data.resizing import resized
from training.pull import as_trained, restored

CALIBRATION = 500  # faces
THREADS = 2
REFERENCE = "float32"
Faces = NDArray[np.float32]


def measure(version: ModelVersion, data: Path, limit: int | None) -> dict[str, Any]:
    """Bytes, time, accuracy and agreement of each graph of a version."""
    dataset = load(data)
    side = version.input_shape[0]
    calibration_images = dataset.split("Training").images[:CALIBRATION]
    options = conversions(normalize(resized(calibration_images, side)))
    model = served_model(version)
    graphs = {name: convert(model, **chosen) for name, chosen in options.items()}
    public = dataset.split("PublicTest")
    faces = normalize(resized(public.images[:limit], side))
    scores = {name: predict(graph, faces) for name, graph in graphs.items()}
    times = medians(graphs, THREADS)
    return {
        name: {
            "bytes": len(graph),
            "ratio": round(times[name] / times[REFERENCE], 3),
            **compare(scores[name], scores[REFERENCE], public.fer2013[:limit]),
        }
        for name, graph in graphs.items()
    }


def served_model(version: ModelVersion) -> keras.Model:
    """The version's network with the outputs that it is served with."""
    model = restored(version.architecture, version.folder)
    if not as_trained(version):
        return model
    blend = version.lineage["config"]["recipe"]["labels"]["blend"]
    return serve(model, blend, version.labels, version.input_shape[0])


def compare(scores: Faces, reference: Faces, targets: NDArray[np.int8]) -> dict[str, Any]:
    """The accuracy of some scores, and how far they are from those of the reference."""
    known = targets >= 0
    same_label = scores.argmax(axis=1) == reference.argmax(axis=1)
    return {
        "accuracy": asdict(metrics.accuracy(scores[known], targets[known])),
        "agreement": float(same_label.mean()),
        "largest_difference": float(np.abs(scores - reference).max()),
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
    source = interpreter.get_input_details()[0]["index"]
    sink = interpreter.get_output_details()[0]["index"]
    rows = []
    for face in faces:
        interpreter.set_tensor(source, face[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(sink)[0])
    return np.stack(rows)


def main(
    *,
    version: Annotated[Path, typer.Option(help="version folder with its weights")],
    data: FER2013Option,
    faces: Annotated[int | None, typer.Option(min=1, help="measure so many faces only")] = None,
    output: OutputOption = None,
) -> None:
    """Try every graph, print a line of each and write the report."""
    report = measure(read_version(version), data, faces)
    for name, result in report.items():
        accuracy = result["accuracy"]["value"]
        print("{:16} {bytes:,} bytes, time ratio {ratio}".format(name, **result), end="")
        print(f", accuracy {accuracy:.4f}, agreement {result['agreement']:.4f}")
    if output:
        write_report(output, {"version": version.name, **report})


if __name__ == "__main__":
    run_script(main, __doc__)
