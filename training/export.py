"""Make a version folder of a finished run: the LiteRT graph, the weights, the sealed config.json.

    python -m training.export --run runs/flagship --output models/flagship

    an operating point of it, a version of its own: a quarter of the bytes, and faster
    python -m training.export --run runs/flagship --output models/small --precision int8

    a version that looks at each face twice, at two scales, and at the mirror images too
    python -m training.export --run runs/flagship --output models/views --views 0.9 1.2 --mirror

    a version of the same training that answers the seven expressions of FER2013
    python -m training.export --run runs/flagship --output models/seven --labels seven

    the mean of two runs that began from the same version
    python -m training.export --run runs/ordinary --with runs/ordinary-long --output models/mean

    a version that calls a face sad more readily
    python -m training.export --run runs/flagship --output models/readily --offsets sad=0.5

Takes about 20 seconds. The averaged weights of the last epoch are taken, and of their two label
sets the blend that the recipe names, or --blend; the original labels alone where no image had FER+
votes. A float32 graph must agree with Keras to 1e-4 in probability, or nothing is written. An
earlier export of the same run is replaced, anything else is left alone. `training.evaluate` then
measures the version and fits its temperature.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from fer import DataError, ModelError, ModelVersion
from fer.cli.application import number, one_of, pairs, run_script
from fer.preprocessing import GEOMETRIES, Views
from fer.versions.folder import CONFIG, GRAPH, WEIGHTS, read_config, read_version, write_config
from fer.versions.labels import LABEL_SETS
from training.command import load_keras, writing_to
from training.operating_point import OperatingPoint, served_blend
from training.probes import CONVERTED, parity
from training.trained import Trained, averaged, note_average

if TYPE_CHECKING:
    import keras

INPUT_RANGE = (0.0, 1.0)


def main(
    run: Path, output: Path, point: OperatingPoint | None = None, others: Sequence[Path] = ()
) -> ModelVersion:
    """Export the last epoch of `run` as the version folder `output`.

    Args:
        run: A run, or a version exported from it, as its weights hold all that an export needs.
        output: A new folder, or one that holds an earlier export of the same run.
        point: How the network is served.
        others: Further runs that began from the same version; the mean of all weights is exported.
    """
    point = point or OperatingPoint()
    trained = Trained.read(run)
    runs = trained.runs
    trained.lineage.update(precision=point.precision, offsets=dict(point.offsets))
    if others:
        note_average(trained, others)
    _check_place(output, trained.lineage)
    trained.recipe["labels"]["blend"] = served_blend(trained, point)
    load_keras()
    network = trained.network()
    if others:
        network = averaged(network, runs, others)
    with writing_to(output):
        _write_whole(output, network, trained, point)
    return read_version(output)


def _check_place(output: Path, lineage: dict[str, Any]) -> None:
    """Raise DataError unless `output` is new or holds an earlier export of the same run."""
    if not output.exists():
        return
    if not (output / CONFIG).is_file():
        raise DataError(
            f"{output} is there and is no version folder; it is left alone, choose another"
            " --output."
        )
    there = read_config(output)
    if any(there.lineage.get(name) != lineage[name] for name in ("command", "date")):
        raise DataError(
            f"{output} holds the version {there.name} of another run, begun"
            f" {there.lineage.get('date')} by {there.lineage.get('command')!r}; it is left alone:"
            " choose another --output, or delete it first."
        )


def _write_whole(
    output: Path, network: keras.Model, trained: Trained, point: OperatingPoint
) -> None:
    """Write the version folder beside its place and move it there once it is complete."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        folder = Path(scratch) / output.name
        folder.mkdir()
        _write(folder, network, trained, point)
        if output.exists():
            shutil.rmtree(output)
        folder.rename(output)


def _write(folder: Path, network: keras.Model, trained: Trained, point: OperatingPoint) -> None:
    from safetensors.numpy import save  # comes with Keras, which the app does without

    from training.architectures import serve
    from training.convert import PRECISIONS, convert

    labels = LABEL_SETS[point.labels]
    blend = trained.recipe["labels"]["blend"]
    served = serve(network, blend, labels, trained.side, point.offsets)
    (folder / GRAPH).write_bytes(convert(served, **PRECISIONS[point.precision]))
    tensors = {variable.path: np.asarray(variable) for variable in network.weights}
    (folder / WEIGHTS).write_bytes(save(tensors))  # `save_file` would let nobody else read them
    version = write_config(folder, _config(folder.name, served, trained.lineage, point))
    difference = parity(served, version)
    tolerance = CONVERTED[point.precision]
    if not difference <= tolerance:
        raise ModelError(
            f"the LiteRT graph differs from Keras by {difference:.2g} in probability, over"
            f" {tolerance}."
        )


def _config(
    name: str, model: keras.Model, lineage: dict[str, Any], point: OperatingPoint
) -> dict[str, Any]:
    return {
        "name": name,
        "architecture": lineage["config"]["recipe"]["architecture"],
        "parameters": model.count_params(),
        "labels": list(LABEL_SETS[point.labels]),
        "input": {"shape": list(model.input_shape[1:]), "range": list(INPUT_RANGE)},
        "output": "probabilities",
        "temperature": 1.0,
        "crops": {detector: asdict(geometry) for detector, geometry in GEOMETRIES.items()},
        "views": asdict(point.views),
        "lineage": lineage,
    }


def _offsets(text: str) -> dict[str, float]:
    """The parser of sad=0.5,surprised=0.25."""
    offset = number(-5, 5)
    words = pairs("sad=0.5,surprised=0.25")(text)
    return {label: offset(value) for label, value in words.items()}


def command(  # noqa: PLR0913 - an option each
    run: Annotated[
        Path, typer.Option(help="run folder of training.train, or a version exported from it")
    ],
    output: Annotated[Path, typer.Option(help="version folder; its name is the version's name")],
    *,
    others: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            metavar="RUN",
            help="further runs that began from the same version; the mean of all weights is"
            " exported",
        ),
    ] = None,
    blend: Annotated[
        float | None,
        typer.Option(
            parser=number(0, 1),
            metavar="SHARE",
            help="parts of FER+ in the logits, 0 to 1; default: the recipe's",
        ),
    ] = None,
    precision: Annotated[str, one_of(CONVERTED, help="of the weights")] = "float32",
    scales: Annotated[
        list[float] | None,
        typer.Option(
            "--views",
            parser=number(0.5, 2),
            metavar="SCALE",
            help="average the answers to these views of a face, in sizes of the crop, 0.5 to 2;"
            " default: 1",
        ),
    ] = None,
    labels: Annotated[
        str,
        one_of(
            LABEL_SETS,
            help="what the version answers: the app's four, FER2013's seven or FER+'s eight",
        ),
    ] = "four",
    offsets: Annotated[
        dict[str, float] | None,
        typer.Option(
            parser=_offsets,
            metavar="LABEL=LOGITS,...",
            help="added to the logits, -5 to 5, as chosen on validation data",
        ),
    ] = None,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="and to the mirror image of each view")
    ] = False,
) -> None:
    """Export a run and say what was written."""
    try:
        views = Views(tuple(scales or (1.0,)), mirror)
    except ValueError as error:
        raise DataError(f"{error}; name fewer or others in --views.") from error
    point = OperatingPoint(blend, precision, views, labels, offsets or {})
    version = main(run, output, point, others or ())
    print(
        f"{version.folder}: {version.parameters:,} parameters, graph sha256 {version.sha256[:12]}"
    )


if __name__ == "__main__":
    run_script(command, __doc__)
