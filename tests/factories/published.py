"""Tiny versions for a repo on the Hub for tests, and the ways to look at it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi

from demo.hub_server import HubServer
from fer import (
    FERError,
    HubRegistry,
    ModelVersion,
    Move,
    Target,
)
from fer.registry.aliases import ALIASES
from fer.versions.folder import (
    CARD,
    CONFIG,
    GRAPH,
    METRICS,
    PREDICTIONS,
    WEIGHTS,
    write_config,
)
from tests.factories.sealed import LABELLING
from tests.factories.versions import LABELS, tiny_config, tiny_graph, weights

REPO = f"{HubServer.user}/faces"
EVERY_FILE = (CONFIG, GRAPH, METRICS, PREDICTIONS, WEIGHTS, CARD)
MEASURED = LABELLING | {"confusion_matrix": [[4, 0, 0], [0, 3, 0], [0, 0, 3]]}
TEST_SETS = {
    "fer2013": {
        "title": "FER2013",
        "split": "PrivateTest",
        "sha256": "a" * 64,
        "labels": list(LABELS),
        "people": None,
        "found": None,
        "labellings": {"fer2013": MEASURED},
    }
}


def version_files(folder: Path, **changes: Any) -> dict[str, bytes | None]:
    """A sealed version; its weights and predictions are not looked into."""
    folder.mkdir(parents=True)
    (folder / GRAPH).write_bytes(tiny_graph(weights(seed=len(folder.name))))
    (folder / METRICS).write_text(json.dumps({"chosen_on": [folder.name], "test_sets": TEST_SETS}))
    (folder / PREDICTIONS).write_bytes(b"predictions of " + folder.name.encode())
    (folder / WEIGHTS).write_bytes(b"weights")
    (folder / CARD).write_text(f"---\nlicense: apache-2.0\n---\n# {folder.name}")
    write_config(folder, tiny_config(**changes))
    return {name: (folder / name).read_bytes() for name in EVERY_FILE}


def edited(content: bytes | None, **changes: Any) -> bytes:
    """config.json with other fields, not sealed again."""
    return json.dumps(json.loads(content or b"") | changes).encode()


def set_aliases(writer: HfApi, content: bytes) -> None:
    writer.create_commit(REPO, [CommitOperationAdd(ALIASES, content)], commit_message="aliases")


def move(alias: str, version: str, commit: str, former: Target | None = None) -> Move:
    return Move(alias, Target(version, commit), former, "a reason", "tester", datetime.now(UTC))


def fetch(registry: HubRegistry, name: str = "latest") -> ModelVersion:
    return registry.fetch(registry.resolve(name))


def attempt(registry: HubRegistry) -> ModelVersion | FERError:
    try:
        return fetch(registry)
    except FERError as error:
        return error
