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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save

from fer import DataError, ModelError, ModelVersion
from fer.preprocessing import GEOMETRIES, ONE_VIEW, Views
from fer.versions.folder import CONFIG, GRAPH, WEIGHTS, read_config, read_version, write_config
from fer.versions.labels import LABEL_SETS
from training.command import command_line, finish, load_keras, number, pairs, writing_to
from training.probes import CONVERTED, parity
from training.pull import as_trained, restored
from training.runs import read_lineage, read_network

if TYPE_CHECKING:
    import keras

INPUT_RANGE = (0.0, 1.0)


@dataclass(frozen=True)
class OperatingPoint:
    """How a trained network is served.

    `blend` are the parts of FER+ in the logits, if not those of the recipe. `precision` is that of
    the graph's weights; model.safetensors keeps float32, from which training can go on. `views` of
    a face are averaged. `labels`, a key of `LABEL_SETS`, are what the version answers; the weights
    that are kept hold the outputs of all of them. `offsets`, by label, are added to the logits, as
    what is rare among the examples is otherwise answered more rarely still (Menon et al. 2021,
    section 4).
    """

    blend: float | None = None
    precision: str = "float32"
    views: Views = ONE_VIEW
    labels: str = "four"
    offsets: Mapping[str, float] = field(default_factory=dict)


def main(
    run: Path, output: Path, point: OperatingPoint | None = None, others: Sequence[Path] = ()
) -> ModelVersion:
    """Export the last epoch of `run` as the version folder `output`; an earlier export of it is replaced whole.

    `run` may also be a version that was exported from it, as its weights hold all that an export
    needs. With `others`, runs that began from the same version, the mean of all weights is exported
    (Wortsman et al. 2022, "Model soups"). The lineage tells the blend, the precision, the offsets
    and the other runs.
    """
    point = point or OperatingPoint()
    labels = LABEL_SETS[point.labels]
    if unknown := sorted(set(point.offsets) - set(labels)):
        raise DataError(
            f"received an offset of {', '.join(unknown)}, expected one of {', '.join(labels)}."
        )
    lineage = _lineage(run) | {"precision": point.precision, "offsets": dict(point.offsets)}
    if others:
        lineage["averaged_with"] = [_relative(run, lineage, other) for other in others]
    _check_place(output, lineage)
    recipe = lineage["config"]["recipe"]
    recipe["labels"]["blend"] = _blend(run, lineage, point)
    load_keras()
    from training.architectures import serve
    from training.convert import PRECISIONS, convert

    trained = restored(recipe["architecture"], run) if _is_version(run) else read_network(run)
    if others:
        weights = [network.get_weights() for network in (trained, *map(read_network, others))]
        trained.set_weights([np.mean(values, axis=0) for values in zip(*weights, strict=True)])
    side = recipe["fall"]["side"]
    model = serve(trained, recipe["labels"]["blend"], labels, side, point.offsets)
    with writing_to(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
            folder = Path(scratch) / output.name
            folder.mkdir()
            (folder / GRAPH).write_bytes(convert(model, **PRECISIONS[point.precision]))
            tensors = {variable.path: np.asarray(variable) for variable in trained.weights}
            # `save_file` would let nobody else read them
            (folder / WEIGHTS).write_bytes(save(tensors))
            version = write_config(folder, _config(output.name, model, lineage, point))
            _check_parity(model, version, CONVERTED[point.precision])
            if output.exists():
                shutil.rmtree(output)
            folder.rename(output)
    return read_version(output)


def _lineage(folder: Path) -> dict[str, Any]:
    """The lineage of a run, or of a version that keeps the weights of all outputs."""
    if not _is_version(folder):
        return read_lineage(folder)
    version = read_version(folder)
    if not as_trained(version):
        raise DataError(
            f"{folder} keeps the weights of the labels that it serves alone; name the run it was"
            " made of."
        )
    return dict(version.lineage)


def _relative(run: Path, lineage: dict[str, Any], other: Path) -> dict[str, Any]:
    """What the lineage tells of another run whose weights are averaged with those of this one."""
    of_other = read_lineage(other)
    begun, wanted = of_other["config"]["initial"], lineage["config"]["initial"]
    if wanted is None or begun != wanted:
        raise DataError(
            f"{run} began from {wanted or 'chance'} and {other} from {begun or 'chance'}; only runs"
            " with the same --initial may be averaged."
        )
    told = {
        name: of_other[name] for name in ("command", "date", "git_commit", "git_dirty", "epochs")
    }
    return {**told, "seed": of_other["config"]["seed"], "recipe": of_other["config"]["recipe"]}


def _is_version(folder: Path) -> bool:
    return (folder / GRAPH).exists()


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


def _blend(run: Path, lineage: dict[str, Any], point: OperatingPoint) -> float:
    """The parts of FER+ in the logits; none where nobody voted, as those outputs then learnt nothing.

    FER+ alone knows the eight labels.
    """
    wanted = point.blend
    if point.labels == "eight":
        if not lineage["voted"]:
            raise DataError(
                f"{run} saw no FER+ votes, which alone know eight labels; export seven or four."
            )
        if wanted not in (None, 1.0):
            raise DataError(
                f"received a blend of {wanted:g} of eight labels, which FER+ alone knows; leave"
                " --blend away."
            )
        return 1.0
    if lineage["voted"]:
        return float(lineage["config"]["recipe"]["labels"]["blend"]) if wanted is None else wanted
    if wanted:
        raise DataError(
            f"{run} saw no FER+ votes, so its outputs for them learnt nothing, and received a blend"
            f" of {wanted:g}; leave --blend away."
        )
    return 0.0


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


def _check_parity(model: keras.Model, version: ModelVersion, tolerance: float) -> None:
    difference = parity(model, version)
    if not difference <= tolerance:
        raise ModelError(
            f"the LiteRT graph differs from Keras by {difference:.2g} in probability, over"
            f" {tolerance}."
        )


def _offsets(text: str) -> dict[str, float]:
    """An argparse type: sad=0.5,surprised=0.25."""
    return {
        label: number(-5, 5)(value)
        for label, value in pairs("sad=0.5,surprised=0.25")(text).items()
    }


def _tell(
    run: Path,
    output: Path,
    others: list[Path],
    scales: list[float],
    mirror: bool,
    **choices: Any,  # noqa: ANN401
) -> None:
    try:
        views = Views(tuple(scales), mirror)
    except ValueError as error:
        raise DataError(f"{error}; name fewer or others in --views.") from error
    version = main(run, output, OperatingPoint(views=views, **choices), others)
    print(
        f"{version.folder}: {version.parameters:,} parameters, graph sha256 {version.sha256[:12]}"
    )


if __name__ == "__main__":
    options = command_line("training.export", __doc__)
    options.add_argument(
        "--run",
        type=Path,
        required=True,
        help="run folder of training.train, or a version exported from it",
    )
    options.add_argument(
        "--with",
        dest="others",
        metavar="RUN",
        type=Path,
        nargs="+",
        default=[],
        help="further runs that began from the same version; the mean of all weights is exported",
    )
    options.add_argument(
        "--output", type=Path, required=True, help="version folder; its name is the version's name"
    )
    options.add_argument(
        "--blend",
        type=number(0, 1),
        help="parts of FER+ in the logits, 0 to 1; default: the recipe's",
    )
    options.add_argument(
        "--precision", choices=CONVERTED, default="float32", help="of the weights; default: float32"
    )
    options.add_argument(
        "--views",
        dest="scales",
        metavar="SCALE",
        type=number(0.5, 2),
        nargs="+",
        default=[1.0],
        help=(
            "average the answers to these views of a face, in sizes of the crop, 0.5 to 2;"
            " default: 1"
        ),
    )
    options.add_argument(
        "--labels",
        choices=LABEL_SETS,
        default="four",
        help=(
            "what the version answers: the app's four, FER2013's seven or FER+'s eight; default:"
            " four"
        ),
    )
    options.add_argument(
        "--offsets",
        type=_offsets,
        default={},
        metavar="LABEL=LOGITS,...",
        help="added to the logits, -5 to 5, as chosen on validation data",
    )
    options.add_argument(
        "--mirror", action="store_true", help="and to the mirror image of each view"
    )
    finish(partial(_tell, **vars(options.parse_args())))
