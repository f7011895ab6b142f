"""`fer models`: list the versions."""

from __future__ import annotations

from fer.cli.console import StandardOutput, say
from fer.cli.options import RepoOption, list_versions
from fer.errors import FERError
from fer.registry.opening import open_registry
from fer.versions.folder import ModelVersion
from fer.versions.report import Report

SUMMARY = "list the versions"
EXIT_STATUS = (
    "exit status: 0 if every version is sound; 1 if one is broken; 2 if they cannot be listed"
)


def models(repo: RepoOption = None) -> int:
    """Print a line a version, also for a broken one."""
    registry = open_registry(repo)
    listing = list_versions(registry)
    output = StandardOutput()
    if not listing.versions:
        say(f"there is no version in {listing.source}\n")
    broken = False
    for ref, version in registry.describe(listing.versions).items():
        name = " ".join([ref.name, *ref.aliases])
        try:
            description = _describe(version)
        except FERError as error:
            broken = True
            description = f"broken: {error}"
        output.write(f"{name:20} {description}\n")
    return int(broken)


def _describe(version: ModelVersion | FERError) -> str:
    if isinstance(version, FERError):
        raise version
    accuracies = _accuracies(version.report())
    return f"{version.sha256[:12]}  {version.parameters:>9,} parameters  {accuracies}"


def _accuracies(report: Report | None) -> str:
    """The accuracy on each test set, under the first of its labellings."""
    if report is None:
        return "not evaluated"
    accuracies = {name: known.first.accuracy for name, known in report.test_sets.items()}
    return ", ".join(
        f"{name}: accuracy {found.value:.4f} ({found.low:.4f} to {found.high:.4f}, n={found.n})"
        for name, found in accuracies.items()
    )
