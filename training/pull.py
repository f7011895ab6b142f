"""Bring a version back from the Hub as a folder, with the weights from which training can go on.

    python -m training.pull --repo USER/REPO v1.2.0 --output models/v1.2.0

Takes the time to fetch 11 MB. Every file is checked against the version's manifest; the folder
appears whole or not at all. `training.train --initial models/v1.2.0` goes on with the training from
its weights.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from fer import DataError, ModelError, ModelVersion, read_version
from fer.cli.application import run_script
from fer.registry.deadline import Deadline
from fer.registry.hub import HubRegistry
from fer.registry.hub_repo import HubRepo
from fer.versions.folder import CONFIG, WEIGHTS, read_config
from training.command import writing_to

if TYPE_CHECKING:
    import keras

SECONDS = 1800.0  # for one file, as long as bytes come
_NUMBERED = re.compile(r"(.*?)(?:_(\d+))?")


def main(
    repo: str, version: str, output: Path, *, token: str | None = None, endpoint: str | None = None
) -> ModelVersion:
    """Fetch a version, or what an alias names, into a folder that is new or holds it already."""
    ref = HubRegistry(repo, token=token, endpoint=endpoint).resolve(version)
    hub = HubRepo(repo, token=token, endpoint=endpoint)
    config = hub.obtain(ref.commit, CONFIG, Deadline())
    if output.exists():
        return _same(output, config.read_bytes())
    with writing_to(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
            folder = Path(scratch) / output.name
            folder.mkdir()
            shutil.copyfile(config, folder / CONFIG)
            _fetch_files(hub, ref.commit, folder)
            _check(folder)
            folder.rename(output)
    return read_version(output)


def restored(architecture: str, folder: Path) -> keras.Model:
    """The network of a version with its weights, or with the served labels alone if these are kept.

    Raises ModelError.
    """
    from training.architectures import served, trainable

    version = read_version(folder)
    if as_trained(version):
        model = trainable(architecture)
    else:
        model = served(architecture, shape=version.input_shape, classes=len(version.labels))
    load_weights(model, folder)
    return model


def as_trained(version: ModelVersion) -> bool:
    """Whether a version keeps all outputs of its training, not the served labels alone."""
    return any(path.startswith("logits/") for path in _read_weights(version))


def load_weights(model: keras.Model, folder: Path) -> None:
    """Give a network of the version's architecture its weights, variable by variable.

    Raises ModelError.

    Keras numbers layers without a name through the whole process (conv2d, conv2d_1, ...), so a
    network that is not the first of its process has other numbers than the file: they are matched
    by their order.
    """
    tensors = _read_weights(read_version(folder))
    stored = _by_order(tensors)
    wanted = _by_order(variable.path for variable in model.weights)
    shapes = {variable.path: tuple(variable.shape) for variable in model.weights}

    def agrees(path: str) -> bool:
        both = path in stored and path in wanted
        return both and tensors[stored[path]].shape == shapes[wanted[path]]

    wrong = [path for path in sorted(stored.keys() | wanted.keys()) if not agrees(path)]
    if wrong:
        raise ModelError(
            f"{folder / WEIGHTS} is not of the network {model.name}: {', '.join(wrong[:5])} do not"
            " agree; build the architecture that config.json names."
        )
    values = {wanted[path]: tensors[stored[path]] for path in stored}
    for variable in model.weights:
        variable.assign(np.asarray(values[variable.path]))


def _fetch_files(hub: HubRepo, commit: str, folder: Path) -> None:
    """Bring the files that the folder's manifest names."""
    for name, record in read_config(folder).files.items():
        path = hub.obtain(commit, name, Deadline(SECONDS), record=record)
        shutil.copyfile(path, folder / name)


def _read_weights(version: ModelVersion) -> dict[str, NDArray[np.floating]]:
    from safetensors import SafetensorError  # comes with Keras, which the app does without
    from safetensors.numpy import load

    try:
        return load(version.read(WEIGHTS))
    except SafetensorError as error:
        raise ModelError(
            f"{version.folder / WEIGHTS} cannot be read ({error}); fetch the version again."
        ) from error


def _by_order(paths: Iterable[str]) -> dict[str, str]:
    """Paths of variables by names in which a place stands for the numbers of the layers.

    The place is that among the paths which differ in these numbers alone.
    """
    alike: dict[str, list[tuple[list[int], str]]] = {}
    for path in paths:
        kind, numbers = _split(path)
        alike.setdefault(kind, []).append((numbers, path))
    return {
        f"{kind} #{place}": path
        for kind, numbered in alike.items()
        for place, (_, path) in enumerate(sorted(numbered))
    }


def _split(path: str) -> tuple[str, list[int]]:
    """The path without the numbers of its layers, and these."""
    parts = [part for name in path.split("/") if (part := _NUMBERED.fullmatch(name))]
    return "/".join(part[1] for part in parts), [int(part[2] or 0) for part in parts]


def _same(output: Path, config: bytes) -> ModelVersion:
    """The folder that is there already, if it is this version and whole."""
    if not (output / CONFIG).is_file() or (output / CONFIG).read_bytes() != config:
        raise DataError(
            f"{output} is there and holds something else; it is left alone, choose another"
            " --output."
        )
    return _check(output)


def _check(folder: Path) -> ModelVersion:
    """The version in a folder, every file of it checked."""
    version = read_version(folder)
    for name in version.files:
        version.read(name)
    return version


def command(
    version: Annotated[str, typer.Argument(help="a version, v1.2.0, or an alias")],
    *,
    repo: Annotated[str, typer.Option(help="USER/REPO on the Hub")],
    output: Annotated[Path, typer.Option(help="version folder to make")],
) -> None:
    """Fetch a version and say what it is."""
    pulled = main(repo, version, output)
    print(f"{pulled.folder}: {pulled.name}, {pulled.parameters:,} parameters, every file checked")


if __name__ == "__main__":
    run_script(command, __doc__)
