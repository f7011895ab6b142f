"""The cache of visitors' repos."""

from __future__ import annotations

import os
from pathlib import Path

from fer.registry import hub_cache
from fer.versions.folder import PREDICTIONS, write_config
from tests.factories.published import EVERY_FILE, version_files
from tests.factories.versions import tiny_config

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]


def large_version(folder: Path) -> dict[str, bytes | None]:
    """The files of a sealed version whose predictions take a megabyte."""
    version_files(folder)
    (folder / PREDICTIONS).write_bytes(os.urandom(1 << 20))
    write_config(folder, tiny_config())
    return {name: (folder / name).read_bytes() for name in EVERY_FILE}


def test_visitors_repos_have_a_cache_of_their_own_of_bounded_size(
    visit, publish, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(hub_cache, "LIMIT", 3 << 20)
    hub_cache._cache_in.cache_clear()
    registry = visit(token=False)
    for number in range(5):
        publish(f"v1.{number}.0", large_version(tmp_path / f"{number}"))
        registry.refresh()
        version = registry.fetch(registry.resolve("latest"))
    own, visitors = tmp_path / "hf-home" / "hub", tmp_path / "hf-home" / "fer-visitors"
    assert version.folder.is_relative_to(visitors)
    assert version.read(PREDICTIONS)
    assert not own.exists()
    size = sum(
        path.stat().st_size
        for path in visitors.rglob("*")
        if path.is_file() and not path.is_symlink()
    )
    assert 1 << 20 < size < 4 << 20
    # made room once, fetched again
    assert registry.fetch(registry.resolve("v1.0.0")).read(PREDICTIONS)
