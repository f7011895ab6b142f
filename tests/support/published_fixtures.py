"""Fixtures around a repo with tiny versions; a test module asks for them with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from demo.hub_server import HubServer
from fer import Aliases, HubRegistry
from tests.factories.published import EVERY_FILE, REPO, move, set_aliases, version_files


@pytest.fixture
def repo(writer: HfApi) -> str:
    """An empty repo."""
    return str(writer.create_repo(REPO).repo_id)


@pytest.fixture
def visit(hub: HubServer, repo: str) -> Iterator[Callable[..., HubRegistry]]:
    """Open the registry as after a restart: nothing is remembered, the cache lies on disk."""
    visits: list[HubRegistry] = []

    def visit(repo: str = repo, **options: Any) -> HubRegistry:
        visits.append(
            HubRegistry(repo, **{"token": hub.read_token, "endpoint": hub.url, **options})
        )
        return visits[-1]

    yield visit
    hub.clear_faults()
    for registry in visits:
        registry._calls._pool.shutdown(cancel_futures=True)


@pytest.fixture
def registry(visit: Callable[..., HubRegistry]) -> HubRegistry:
    return visit()


@pytest.fixture
def publish(writer: HfApi, repo: str, tmp_path: Path) -> Callable[..., str]:
    """Commit a version with every file and tag it; `files` replace its own, None takes one away."""

    def publish(tag: str, files: dict[str, bytes | None] | None = None, **changes: Any) -> str:
        content = {**version_files(tmp_path / tag, **changes), **(files or {})}
        operations = [
            CommitOperationAdd(path, data) for path, data in content.items() if data is not None
        ]
        operations += [
            CommitOperationDelete(path)
            for path in writer.list_repo_files(repo)
            if path in EVERY_FILE and content.get(path) is None
        ]
        commit = writer.create_commit(repo, operations, commit_message=tag).oid
        writer.create_tag(repo, tag=tag, revision=commit)
        return str(commit)

    return publish


@pytest.fixture
def production(publish: Callable[..., str], writer: HfApi) -> str:
    """The commit of a version with an alias."""
    commit = publish("v1.0.0")
    set_aliases(writer, Aliases((move("production", "v1.0.0", commit),)).to_bytes())
    return commit
