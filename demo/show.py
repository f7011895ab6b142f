"""List the versions of a Hub repo, and say whether the first one named is better than the others.

    python -m demo.show tester/faces v1.1.0 v1.0.0

    the list alone:
    python -m demo.show tester/faces

Takes a few seconds and prints a line a version, then a sentence a pair. The page Compare shows the
same, and more of it.
"""

from __future__ import annotations

from typing import Annotated

import typer

from fer import FERError, ModelError, ModelVersion, Registry, VersionRef, open_registry
from fer.cli.application import run_script
from fer.versions.folder import PREDICTIONS
from fer.versions.predictions import Predictions

TEST_SET = "fer2013"


def main(
    repo: Annotated[str, typer.Argument(help="USER/REPO on the Hub")],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="VERSION", help="the first is compared with each of the others"),
    ] = None,
) -> None:
    """Print one line a version, then one a pair."""
    registry = open_registry(repo)
    refs = registry.list().versions
    for ref, version in registry.describe(refs).items():
        print(_line(ref, version))
    if names:
        first, *others = names
        for name in others:
            print(_verdict(registry, first, name))


def _line(ref: VersionRef, version: ModelVersion | FERError) -> str:
    date = f"{ref.date:%Y-%m-%d %H:%M}" if ref.date else "-"
    start = f"{ref.name}  {ref.commit[:12]}  {date}"
    if isinstance(version, FERError):
        return f"{start}  {version}"
    report = version.report()
    assert report, f"{ref.name} was never evaluated"
    known = report.test_sets[TEST_SET]
    accuracy = known.labellings[TEST_SET].accuracy
    measured = f"accuracy {accuracy.value:.3f} on test set {known.sha256[:12]} (n={accuracy.n})"
    return "  ".join([start, measured, *ref.aliases])


def _verdict(registry: Registry, a: str, b: str) -> str:
    try:
        one, other = (_predictions(registry.fetch(registry.resolve(name))) for name in (a, b))
        return one.compare(other, TEST_SET, TEST_SET).sentence(a, b)
    except ModelError as error:
        return f"{a} and {b} cannot be compared: {error}"


def _predictions(version: ModelVersion) -> Predictions:
    return Predictions.read(version.read(PREDICTIONS), len(version.labels))


if __name__ == "__main__":
    run_script(main, __doc__)
