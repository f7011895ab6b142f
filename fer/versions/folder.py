"""A version is a folder: `config.json`, the graph it describes, and what was measured of it.

`write_config` seals a folder with the sha256 of every other file; `read_version` believes nothing
before it has checked it. No file of a version holds code, and none is unpickled.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from fer.errors import ModelError
from fer.intervals import Estimate
from fer.preprocessing import ONE_VIEW, WHOLE_PICTURE, CropGeometry, Views

T = TypeVar("T")

SCHEMA = 1
CONFIG, GRAPH, METRICS, PREDICTIONS, WEIGHTS, CARD = (
    "config.json",
    "model.tflite",
    "metrics.json",
    "predictions.npz",
    "model.safetensors",
    "README.md",
)
MAX_BYTES = {
    CONFIG: 32 << 10,
    GRAPH: 64 << 20,
    METRICS: 256 << 10,
    PREDICTIONS: 4 << 20,
    WEIGHTS: 256 << 20,
    CARD: 1 << 20,
}
TEST_SET_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
OUTPUTS = ("probabilities", "logits")
ESTIMATES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "expected_calibration_error")
UNCERTAIN_BELOW = 0.5
"""Where it was never measured.

Under it the other expressions together are likelier than the one that is named.
"""

FIELD_ERRORS = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


@dataclass(frozen=True)
class FileRecord:
    """What the manifest promises of one file."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class ModelVersion:
    """A checked version folder.

    `input_shape` is (height, width, channels) and `input_range` the values that black and white
    become. `output` says what the graph returns before the temperature; `crops` maps a detector's
    name to its geometry. An answer less probable than `uncertain_below` is to be shown as
    uncertain. `views` of a face are averaged.
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
    def sha256(self) -> str:
        """Digest of the inference graph."""
        return self.files[GRAPH].sha256

    def geometry(self, detector: str) -> CropGeometry:
        """The crop geometry for a detector; ModelError where the version was made without it.

        Without a detector, `"none"`, every version takes the whole picture.
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

        Without one, nothing lies beyond the picture's edges.
        """
        return replace(self.views, scales=ONE_VIEW.scales) if detector == "none" else self.views

    def read(self, name: str) -> bytes:
        """The content of one file, checked against the manifest at the moment of use."""
        if name not in self.files:
            raise ModelError(
                f"{self.folder}: the version has no {name}; it lists {', '.join(self.files)}."
            )
        content = read_limited(self.folder / name, MAX_BYTES[name])
        record = self.files[name]
        if len(content) != record.bytes or hashlib.sha256(content).hexdigest() != record.sha256:
            raise ModelError(
                f"{self.folder / name} is corrupt: it does not match the sha256 in {CONFIG}. Fetch"
                " the version again."
            )
        return content

    def metrics(self) -> dict[str, Any] | None:
        """What `training.evaluate` measured, or None for a version that was never evaluated."""
        if METRICS not in self.files:
            return None
        path = self.folder / METRICS
        metrics = parse_json(self.read(METRICS), path)
        try:
            _check_metrics(metrics, self.labels)
        except FIELD_ERRORS as error:
            raise ModelError(
                f"{path}: a field is missing or wrong ({type(error).__name__}: {error})."
            ) from error
        return metrics


def read_version(folder: str | os.PathLike[str]) -> ModelVersion:
    """Check a version folder and return it.

    Raises ModelError naming the file, what is wrong and what was expected.

    The weights, which inference never needs, may be missing or unreadable: `ModelVersion.read`
    checks them at use.
    """
    version = read_config(Path(folder))
    for name in version.files:
        if name == GRAPH or (name != WEIGHTS and (version.folder / name).exists()):
            version.read(name)
    return version


def read_config(folder: Path) -> ModelVersion:
    """The version that `config.json` describes, its other files unchecked.

    `ModelVersion.read` checks each at use.
    """
    path = folder / CONFIG
    config = parse_json(read_limited(path, MAX_BYTES[CONFIG]), path)
    schema = config.get("schema")
    if type(schema) is int and schema > SCHEMA:
        raise ModelError(
            f"{path}: schema {schema!r}, but this program reads {SCHEMA}. Update the program."
        )
    if schema != SCHEMA:
        raise ModelError(
            f"{path}: its schema is {schema!r:.100}, expected {SCHEMA}, so this is no version"
            " folder; training.export makes one of a run."
        )
    try:
        return _from_config(folder, config)
    except FIELD_ERRORS as error:
        raise ModelError(
            f"{path}: a field is missing or wrong ({type(error).__name__}: {error})."
        ) from error


def write_config(folder: Path, config: Mapping[str, Any]) -> ModelVersion:
    """Seal a folder: write `config.json` with the digest of every known file beside it, and read it back.

    The old `config.json` stays until the new one is whole.
    """
    files = {}
    for name in MAX_BYTES:
        if name != CONFIG and (folder / name).exists():
            content = (folder / name).read_bytes()
            files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    text = json.dumps(
        {"schema": SCHEMA, **config, "files": files}, indent=2, ensure_ascii=False, allow_nan=False
    )
    new = folder / f"{CONFIG}.new"
    new.write_text(text + "\n", encoding="utf-8")
    new.replace(folder / CONFIG)
    return read_version(folder)


def _from_config(folder: Path, config: Mapping[str, Any]) -> ModelVersion:
    shape, (low, high) = typed(dict, config["input"], "input")["shape"], config["input"]["range"]
    height, width, channels = (typed(int, side, "input shape") for side in shape)
    files = typed(dict, config["files"], "files").items()
    version = ModelVersion(
        folder=folder,
        name=typed(str, config["name"], "name"),
        architecture=typed(str, config["architecture"], "architecture"),
        parameters=typed(int, config["parameters"], "parameters"),
        labels=tuple(
            typed(str, label, "each label") for label in typed(list, config["labels"], "labels")
        ),
        input_shape=(height, width, channels),
        input_range=(typed(float, low, "input range"), typed(float, high, "input range")),
        output=typed(str, config["output"], "output"),
        temperature=typed(float, config["temperature"], "temperature"),
        crops=MappingProxyType(
            {name: _geometry(c) for name, c in typed(dict, config["crops"], "crops").items()}
        ),
        lineage=MappingProxyType(typed(dict, config["lineage"], "lineage")),
        files=MappingProxyType({name: _file_record(f) for name, f in files}),
        uncertain_below=typed(
            float, config.get("uncertain_below", UNCERTAIN_BELOW), "uncertain_below"
        ),
        views=_views(config["views"]) if "views" in config else ONE_VIEW,
    )
    _check(version)
    return version


def _geometry(crop: Mapping[str, Any]) -> CropGeometry:
    dx, dy = (typed(float, s, "shift") for s in crop["shift"])
    return CropGeometry(
        typed(float, crop["scale"], "scale"), (dx, dy), typed(bool, crop["level"], "level")
    )


def _views(views: Mapping[str, Any]) -> Views:
    scales = tuple(
        typed(float, scale, "each scale") for scale in typed(list, views["scales"], "scales")
    )
    return Views(scales, typed(bool, views["mirror"], "mirror"))


def _file_record(record: Mapping[str, Any]) -> FileRecord:
    return FileRecord(typed(str, record["sha256"], "sha256"), typed(int, record["bytes"], "bytes"))


def typed(kind: type[T], value: object, what: str) -> T:
    """The value, if JSON gave it as this kind.

    A whole number may stand for a float, but true is no number.
    """
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or value in (math.inf, -math.inf):
        raise TypeError(f"{what} must be {kind.__name__}, received {value!r:.100}")
    return value


def _check(version: ModelVersion) -> None:
    height, width, channels = version.input_shape
    rules = {
        "name must not be empty and must be printable": (
            bool(version.name) and version.name.isprintable()
        ),
        "labels must be two or more different words": (
            len(set(version.labels)) == len(version.labels) >= 2
            and all(label and label.isprintable() for label in version.labels)
        ),
        "parameters must lie in 0 to 1e12": 0 <= version.parameters <= 10**12,
        "input shape must be height, width up to 1024 and 1 channel": (
            channels == 1 and 0 < height <= 1024 >= width > 0
        ),
        "input range must rise": version.input_range[0] < version.input_range[1],
        f"output must be one of {', '.join(OUTPUTS)}": version.output in OUTPUTS,
        "temperature must lie in (0, 100]": 0 < version.temperature <= 100,
        "uncertain_below must lie in [0, 1]": 0 <= version.uncertain_below <= 1,
        f"files must name {GRAPH}": GRAPH in version.files,
        f"files may name only {', '.join(list(MAX_BYTES)[1:])}": (
            set(version.files) <= set(MAX_BYTES) - {CONFIG}
        ),
    }
    broken = [rule for rule, holds in rules.items() if not holds]
    if broken:
        raise ValueError("; ".join(broken))


def _check_metrics(metrics: Mapping[str, Any], labels: Sequence[str]) -> None:
    """What pages and the command line read of `metrics.json` must be there, in the right shape."""
    test_sets = typed(dict, metrics["test_sets"], "test_sets")
    if not test_sets:
        raise ValueError("there is no test set in it")
    for test_set, measured in test_sets.items():
        _check_test_set(test_set, measured, labels)


def _check_test_set(test_set: str, measured: Mapping[str, Any], labels: Sequence[str]) -> None:
    """A set may ask for all the labels that the version knows, or for some of them."""
    for name in (test_set, *typed(dict, measured["labellings"], "labellings")):
        if not TEST_SET_NAME.fullmatch(name):
            raise ValueError(f"{name!r:.100} is no name for a test set or for labels")
    asked = typed(list, measured["labels"], "labels")
    if len(asked) < 2 or asked != [label for label in labels if label in asked]:
        raise ValueError(
            f"{test_set} asks for {asked!r:.100}, the version knows {', '.join(labels)}"
        )
    for name in ("title", "sha256", "split"):
        typed(str, measured[name], name)
    if measured["people"] is not None:
        typed(int, measured["people"], "people")
    if measured["found"] is not None:
        _check_estimate(measured["found"])
    if not measured["labellings"]:
        raise ValueError("a test set without labels")
    for labelling in measured["labellings"].values():
        _check_labelling(
            labelling, len(asked), columns=len(asked) + (measured["found"] is not None)
        )


def _check_labelling(measured: Mapping[str, Any], classes: int, columns: int) -> None:
    """Of faces that had to be found, the confusion matrix has one more column.

    For those that were not.
    """
    typed(int, measured["n"], "n")
    for estimate in (*(measured[name] for name in ESTIMATES), *measured["recall"].values()):
        _check_estimate(estimate)
    matrix = np.array(measured["confusion_matrix"])
    if matrix.shape != (classes, columns) or matrix.dtype.kind != "i":
        raise ValueError(f"confusion_matrix must be {classes} x {columns} whole numbers")


def _check_estimate(estimate: Mapping[str, Any]) -> None:
    for name, value in asdict(Estimate(**estimate)).items():
        typed(int if name == "n" else float, value, name)


def read_limited(path: Path, limit: int) -> bytes:
    """The content of a file in a version folder.

    Raises ModelError if it is none, or larger than `limit` bytes.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is not a file; a version folder needs it as one.")
        if status.st_size > limit:
            raise ModelError(f"{path}: {status.st_size:,} bytes, at most {limit:,} are accepted.")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); a version folder needs it."
        ) from error


def parse_json(content: bytes, path: Path | str) -> dict[str, Any]:
    """A JSON object without the doubled keys, NaN and Infinity that Python would let pass."""
    try:
        value = json.loads(content, object_pairs_hook=_distinct, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not valid JSON ({error}).") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: holds a {type(value).__name__}, expected a JSON object.")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError(f"doubled key {max(keys, key=keys.count)!r}")
    return dict(pairs)


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")
