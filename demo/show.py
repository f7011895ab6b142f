"""List the versions of a Hub repo, and say whether the first one named is better than the others.

    python -m demo.show tester/faces v1.1.0 v1.0.0

Takes a few seconds. The page Compare shows the same, and more of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fer import FERError, ModelError, ModelVersion, Registry, VersionRef, open_registry
from fer.versions.folder import PREDICTIONS
from fer.versions.predictions import Predictions

TEST_SET = "fer2013"


def main(repo: str, names: Sequence[str]) -> None:
    """Print one line a version, then one a pair."""
    registry = open_registry(repo)
    refs = registry.list().versions
    for ref, described in registry.describe(refs).items():
        print(_line(ref, described))
    for name in names[1:]:
        print(_verdict(registry, names[0], name))


def _line(ref: VersionRef, described: ModelVersion | FERError) -> str:
    start = f"{ref.name}  {ref.commit[:12]}  {f'{ref.date:%Y-%m-%d %H:%M}' if ref.date else '-'}"
    if isinstance(described, FERError):
        return f"{start}  {described}"
    report = described.report()
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
    parser = argparse.ArgumentParser(
        prog="demo.show", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repo", help="USER/REPO on the Hub")
    parser.add_argument(
        "names", nargs="*", metavar="VERSION", help="the first is compared with each of the others"
    )
    try:
        main(**vars(parser.parse_args()))
    except FERError as error:
        sys.exit(f"error: {error}")
