"""Whether a version is fit to be published: all files are there and belong together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from yaml import YAMLError

from fer import DataError, EmotionClassifier, ModelError, ModelVersion, metrics, read_version
from fer.cli.console import without_chatter
from fer.versions.folder import CARD, CONFIG, GRAPH, MAX_BYTES, METRICS, PREDICTIONS, WEIGHTS
from fer.versions.labels import LABEL_SETS
from fer.versions.predictions import Predictions, SetScores
from fer.versions.report import Report
from training.command import load_keras
from training.gate_checks import check_probes
from training.model_card import eval_results
from training.probes import CONVERTED, parity, precision

if TYPE_CHECKING:
    import keras


def read_complete(folder: Path) -> dict[str, bytes]:
    """The files of a version that is fit to be published, by name.

    Raises DataError or ModelError where it is not.
    """
    if (folder / "train.json").exists() or (folder / "log.csv").exists():
        raise DataError(
            f"{folder} is a run, not a version; make one of it: "
            f"python -m training.export --run {folder} --output models/{folder.name}"
        )
    version = read_version(folder)
    files = _read_files(version)
    with without_chatter():
        classifier = EmotionClassifier(version)  # loads the graph and runs it
    predictions = Predictions.read(files[PREDICTIONS], len(version.labels))
    report = version.report()
    assert report, f"{METRICS} is one of the files of a complete version"
    _check_metrics(version, report, predictions)
    _check_card(version, report, files[CARD].decode(errors="replace"))
    probes = check_probes(classifier, predictions)
    if not probes.passed:
        raise ModelError(f"{folder}: {probes.name} {probes.new}, expected {probes.required}.")
    check_weights(version)
    return files


def check_weights(version: ModelVersion) -> None:
    """Build the network with the weights of a version: it must be the one the graph was made of."""
    load_keras()
    from training.architectures import BODIES

    if version.architecture not in BODIES:
        raise ModelError(
            f"{version.folder}: its architecture {version.architecture!r} is none of"
            f" {', '.join(BODIES)}, so nothing tells whether weights and graph belong together;"
            " publish it with the program that trained it."
        )
    with without_chatter():
        network = _served_network(version)
        difference = parity(network, version)
    if network.count_params() != version.parameters:
        raise ModelError(
            f"{version.folder / WEIGHTS} holds {network.count_params():,} parameters, not"
            f" {version.parameters:,}."
        )
    limit = CONVERTED[precision(version)]
    if not difference <= limit:
        raise ModelError(
            f"{version.folder / WEIGHTS} is not of this {GRAPH}: with these weights the answers to"
            f" probes differ by {difference:.2g} in probability, expected at most {limit:g}; export"
            " the version again."
        )


def _read_files(version: ModelVersion) -> dict[str, bytes]:
    missing = [name for name in MAX_BYTES if name not in (CONFIG, *version.files)]
    if missing:
        raise ModelError(
            f"{version.folder} lacks {', '.join(missing)}; training.export and then"
            " training.evaluate make a whole version."
        )
    config = (version.folder / CONFIG).read_bytes()
    return {CONFIG: config, **{name: version.read(name) for name in version.files}}


def _served_network(version: ModelVersion) -> keras.Model:
    from training.architectures import LOGITS, serve
    from training.pull import restored

    network = restored(version.architecture, version.folder)
    if network.output_shape[-1] != LOGITS:
        return network
    if version.labels not in LABEL_SETS.values():
        raise ModelError(
            f"{version.folder}: its labels are {', '.join(version.labels)}, which no export of"
            " these weights gives; export it again with --labels four, seven or eight."
        )
    side = version.input_shape[0]
    return serve(network, _blend(version), version.labels, side, _offsets(version))


def _blend(version: ModelVersion) -> float:
    """The parts of FER+ in the logits, as the export noted them."""
    try:
        blend = version.lineage["config"]["recipe"]["labels"]["blend"]
        return msgspec.convert(blend, float)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise ModelError(
            f"{version.folder}: its lineage does not tell the blend of its label sets ({error});"
            " export it again."
        ) from error


def _offsets(version: ModelVersion) -> dict[str, float]:
    """What was added to the logits, as the export noted it."""
    try:
        return msgspec.convert(version.lineage.get("offsets", {}), dict[str, float])
    except msgspec.ValidationError as error:
        raise ModelError(
            f"{version.folder}: its lineage is damaged ({error}); export it again."
        ) from error


def _check_metrics(version: ModelVersion, report: Report, predictions: Predictions) -> None:
    """Metrics and predictions must tell the same; one may come from an earlier evaluation."""
    computed = {
        name: (
            known.sha256,
            {labelling: _accuracy(known, labelling) for labelling in known.targets},
        )
        for name, known in predictions.test_sets.items()
    }
    reported = {
        name: (
            known.sha256,
            {labelling: result.accuracy.value for labelling, result in known.labellings.items()},
        )
        for name, known in report.test_sets.items()
    }
    if reported != computed:
        raise ModelError(
            f"{version.folder}: {METRICS} and {PREDICTIONS} do not belong together; evaluate it"
            " again."
        )


def _accuracy(known: SetScores, labelling: str) -> float:
    targets = known.targets[labelling]
    rows = targets >= 0
    return metrics.accuracy(known.answers[rows], targets[rows]).value


def _check_card(version: ModelVersion, report: Report, card: str) -> None:
    """The model card must tell the results of the report."""
    try:
        data = ModelCard(card).data
    except (ValueError, YAMLError) as error:
        raise ModelError(
            f"{version.folder / CARD}: its head cannot be read ({error}); evaluate it again."
        ) from error
    assert isinstance(data, ModelCardData)
    told = {_told(result) for result in data.eval_results or ()}
    expected = {_told(result) for result in eval_results(report)}
    if data.model_name != version.name or told != expected:
        raise ModelError(
            f"{version.folder / CARD} is not the card of this version; evaluate it again."
        )


def _told(result: EvalResult) -> tuple[str, str, float]:
    return result.dataset_name, result.metric_type, result.metric_value
