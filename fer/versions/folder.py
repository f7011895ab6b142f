"""A version is a folder: `config.json`, the graph it describes, and what was measured of it.

`write_config` seals a folder with the sha256 of every other file; `read_version` believes nothing
before it has checked it. No file of a version holds code, and none is unpickled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fer.errors import ModelError
from fer.preprocessing import ONE_VIEW, WHOLE_PICTURE, CropGeometry, Views
from fer.versions.config import (
    SCHEMA,
    UNCERTAIN_BELOW,
    Config,
    FileRecord,
    decode_config,
    record_of,
)
from fer.versions.files import read_limited
from fer.versions.report import Report, read_report
from fer.versions.typed_json import wrong_field

CONFIG = "config.json"
GRAPH = "model.tflite"
METRICS = "metrics.json"
PREDICTIONS = "predictions.npz"
WEIGHTS = "model.safetensors"
CARD = "README.md"
MAX_BYTES = {
    CONFIG: 32 << 10,
    GRAPH: 64 << 20,
    METRICS: 256 << 10,
    PREDICTIONS: 4 << 20,
    WEIGHTS: 256 << 20,
    CARD: 1 << 20,
}

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = _PACKAGE / "models"
BUNDLED = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "models"
"""The versions that come with the program: in an installed package, or beside it in a checkout."""


@dataclass(frozen=True)
class ModelVersion:
    """A checked version folder, frozen: the description of a network and where its files are.

    Attributes:
        folder: Where the version's files are.
        name: The version's own name, one line of text.
        architecture: The name of the network's architecture.
        parameters: How many weights the network has.
        labels: The expressions that it knows, in the order of its scores.
        input_shape: Height, width and channels of the graph's input; one channel, grey.
        input_range: The values that black and white become.
        output: What the graph returns before the temperature, "probabilities" or "logits".
        temperature: What logits are divided by (Guo et al. 2017, section 4.2).
        crops: By a detector's name, how a crop lies over the boxes that it finds.
        lineage: How the version came about: command, commit, data, seed, library versions.
        files: By name, the digest and size of every other file of the folder.
        uncertain_below: An answer whose score is lower is to be called uncertain.
        views: The views of a face whose scores are averaged.

    Example:
        >>> from fer import load_version
        >>> load_version().labels
        ('happy', 'sad', 'neutral', 'surprised')
    """

    folder: Path
    name: str
    architecture: str
    parameters: int
    labels: tuple[str, ...]
    input_shape: tuple[int, int, int]
    input_range: tuple[float, float]
    output: str
    temperature: float
    crops: Mapping[str, CropGeometry]
    lineage: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, FileRecord] = field(repr=False)
    uncertain_below: float = UNCERTAIN_BELOW
    views: Views = ONE_VIEW

    @property
    def bundled(self) -> bool:
        """Whether the version came with the program, so that its graph needs no trial."""
        return self.folder.resolve().parent == BUNDLED

    @property
    def sha256(self) -> str:
        """Digest of the inference graph."""
        return self.files[GRAPH].sha256

    def geometry(self, detector: str) -> CropGeometry:
        """How a crop lies over the boxes of a detector, as the version was made.

        Args:
            detector: The detector's name; "none" takes the picture as it is.

        Raises:
            ModelError: The version was made without this detector.
        """
        if detector == "none":
            return WHOLE_PICTURE
        if detector not in self.crops:
            raise ModelError(
                f"version {self.name} has no crop geometry for the detector {detector!r}; it has"
                f" {', '.join(self.crops) or 'none'}. Choose another, or give FERPipeline a"
                " geometry."
            )
        return self.crops[detector]

    def views_with(self, detector: str) -> Views:
        """The views of a face that this detector finds.

        Without a detector there is one scale: nothing lies beyond the picture's edges.
        """
        return replace(self.views, scales=ONE_VIEW.scales) if detector == "none" else self.views

    def read(self, name: str) -> bytes:
        """The content of one file, checked against the manifest at the moment of use.

        Args:
            name: The file's name, such as "metrics.json".

        Raises:
            ModelError: The version has no such file, or it is missing, too large or changed.
        """
        if name not in self.files:
            raise ModelError(
                f"{self.folder}: the version has no {name}; it lists {', '.join(self.files)}."
            )
        content = read_limited(self.folder / name, MAX_BYTES[name])
        if record_of(content) != self.files[name]:
            raise ModelError(
                f"{self.folder / name} is corrupt: it does not match the sha256 in {CONFIG}. Fetch"
                " the version again."
            )
        return content

    def report(self) -> Report | None:
        """What `training.evaluate` measured, None if nothing. Raises ModelError as `read` does."""
        if METRICS not in self.files:
            return None
        return read_report(self.read(METRICS), self.folder / METRICS, self.labels)


def read_version(folder: str | os.PathLike[str]) -> ModelVersion:
    """Check a version folder and return it.

    Files other than the graph may be missing, since they may be fetched later. The weights, which
    inference never needs, are not read: `ModelVersion.read` checks them at use.

    Args:
        folder: A version folder, such as `models/flagship`.

    Returns:
        The version; every file that is there agrees with the manifest.

    Raises:
        ModelError: A file is missing or wrong; the message names it, what was received and what
            was expected.

    Example:
        >>> from fer import load_version, read_version
        >>> read_version(load_version().folder).name
        'flagship'
    """
    version = read_config(Path(folder))
    for name in version.files:
        if _is_checked_now(version.folder / name):
            version.read(name)
    return version


def _is_checked_now(path: Path) -> bool:
    return path.name == GRAPH or (path.name != WEIGHTS and path.exists())


def read_config(folder: Path) -> ModelVersion:
    """The version that `config.json` describes; its other files are checked at use."""
    path = folder / CONFIG
    config = decode_config(read_limited(path, MAX_BYTES[CONFIG]), path)
    if fault := _wrong_files(config.files):
        raise wrong_field(path, fault, "seal the folder again with training.evaluate")
    return _version(folder, config)


def write_config(folder: Path, config: Mapping[str, Any]) -> ModelVersion:
    """Seal a folder: write `config.json` with the digest of every known file, and read it back.

    The old `config.json` stays until the new one is whole.
    """
    document = {"schema": SCHEMA, **config, "files": _manifest(folder)}
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    _replace(folder / CONFIG, text + "\n")
    return read_version(folder)


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _manifest(folder: Path) -> dict[str, Any]:
    """What every known file in the folder holds now."""
    paths = [folder / name for name in MAX_BYTES if name != CONFIG]
    return {path.name: asdict(record_of(path.read_bytes())) for path in paths if path.exists()}


def _wrong_files(files: Mapping[str, FileRecord]) -> str:
    """What is wrong with the names in a manifest; empty if nothing is."""
    allowed = [name for name in MAX_BYTES if name != CONFIG]
    if not set(files) <= set(allowed):
        return f"files may name only {', '.join(allowed)}, received {', '.join(files)!r:.200}"
    if GRAPH not in files:
        return f"files must name {GRAPH}, received {', '.join(files)!r:.200}"
    return ""


def _version(folder: Path, config: Config) -> ModelVersion:
    geometries = {detector: stored.geometry() for detector, stored in config.crops.items()}
    return ModelVersion(
        folder=folder,
        name=config.name,
        architecture=config.architecture,
        parameters=config.parameters,
        labels=config.labels,
        input_shape=config.input.shape,
        input_range=config.input.range,
        output=config.output,
        temperature=config.temperature,
        crops=MappingProxyType(geometries),
        lineage=MappingProxyType(dict(config.lineage)),
        files=MappingProxyType(dict(config.files)),
        uncertain_below=config.uncertain_below,
        views=config.views.views(),
    )
