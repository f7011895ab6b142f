"""Four versions to compare, in a folder or in a repo of the Hub for tests."""

from __future__ import annotations

import json
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from fer import Aliases, Target
from fer.versions.folder import CARD, CONFIG, METRICS, write_config
from tests.factories.measured import write_measured
from tests.factories.published import REPO, move, set_aliases

CROPS = {"blazeface": {"scale": 0.83, "shift": [0.0, 0.02], "level": True}}
SCRIPT = "\n\n<script>alert(1)</script>\n\n!![a picture of a spy](http://spy.example/x.png)\n"


def write_versions(folder: Path) -> Path:
    """Write four versions.

    A good one, a better one with scripts in its card, one measured on another test set and a broken
    one.
    """
    write_measured(folder / "v1.0.0", 0.70, crops=CROPS)
    better = write_measured(folder / "v1.1.0", 0.80, seed=1, crops=CROPS)
    (better / CARD).write_text((better / CARD).read_text() + SCRIPT)
    seal(better)
    write_measured(folder / "v1.2.0", 0.75, seed=2, test="b", crops=CROPS)
    broken = write_measured(folder / "v1.3.0", 0.9, seed=3)
    (broken / METRICS).write_text("{}")
    return folder


def seal(folder: Path) -> None:
    """Make the manifest agree with files that were changed."""
    config = json.loads((folder / CONFIG).read_text())
    write_config(
        folder, {key: value for key, value in config.items() if key not in ("files", "schema")}
    )


def publish_versions(writer: HfApi, folder: Path) -> dict[str, str]:
    """The four versions in a new repo, v1.0.0 in production after v1.1.0; their commits by name."""
    writer.create_repo(REPO)
    commits = {
        version.name: publish(writer, version)
        for version in sorted(write_versions(folder).iterdir())
    }
    first, second = (Target(name, commits[name]) for name in ("v1.1.0", "v1.0.0"))
    history = (move("production", *_pair(first)), move("production", *_pair(second), first))
    set_aliases(writer, Aliases(history).to_bytes())
    return commits


def publish(writer: HfApi, folder: Path) -> str:
    """Commit a version's files, tag them with its name, and return the commit."""
    files = [CommitOperationAdd(path.name, path.read_bytes()) for path in folder.iterdir()]
    commit = str(writer.create_commit(REPO, files, commit_message=folder.name).oid)
    writer.create_tag(REPO, tag=folder.name, revision=commit)
    return commit


def _pair(target: Target) -> tuple[str, str]:
    return target.version, target.commit
