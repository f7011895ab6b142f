"""The options that several commands have, and the pipeline that they choose."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from fer.classifier import EmotionClassifier
from fer.cli.application import one_of
from fer.cli.console import say, without_chatter
from fer.detection.loading import DETECTORS, load_detector
from fer.pipeline import FERPipeline
from fer.registry.base import Listing, Registry
from fer.registry.opening import REPO_VARIABLE, open_registry
from fer.versions.folder import ModelVersion, read_version

ModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|PATH",
        help=(
            "version, alias or sha, default the one in production; or a version's folder, written"
            " with a slash"
        ),
    ),
]
DetectorOption = Annotated[str, one_of(DETECTORS, help="none where each picture is a face already")]
RepoOption = Annotated[
    str | None,
    typer.Option(metavar="USER/NAME", help=f"a repo on the Hub, default ${REPO_VARIABLE} or none"),
]


def load_pipeline(
    model: str | None, detector: str, repo: str | None, *, threads: int = 2
) -> FERPipeline:
    """The version and the detector that were asked for, joined. Raises FERError."""
    version = _find_version(model, repo)
    with without_chatter():
        return FERPipeline(
            load_detector(detector, threads=threads),
            EmotionClassifier(version, threads=threads),
        )


def list_versions(registry: Registry) -> Listing:
    """The versions of a registry; what the user should know of them goes to standard error."""
    listing = registry.list()
    if listing.notice:
        say(f"{listing.notice}\n")
    return listing


def _find_version(model: str | None, repo: str | None) -> ModelVersion:
    if model and os.sep in model:
        return read_version(model)
    registry = open_registry(repo)
    listing = list_versions(registry)
    ref = listing.default() if model is None else listing.resolve(model)
    return registry.fetch(ref)
