"""The cache of the files of visitors' repos: beside the client's own, and of bounded size.

The versions that were used longest ago make room for new ones.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from huggingface_hub import CachedRepoInfo, CachedRevisionInfo, constants, scan_cache_dir

LIMIT = 1 << 30
"""Bytes on the disk; until it is looked at again, an eighth more may come."""
_ABANDONED = 600.0  # seconds since the last byte of a download that never ended


class VisitorsCache:
    """A cache folder of the Hub's client that is kept below `LIMIT`; safe between threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._unchecked = LIMIT  # what an earlier process left is looked at first

    def add(self, size: int) -> None:
        """Note that a file may have come, and make room once that is due."""
        with self._lock:
            self._unchecked += size
            if self._unchecked > LIMIT // 8:
                self._unchecked = 0
                with suppress(OSError):  # what cannot be deleted now is tried again next time
                    self._make_room()

    def _make_room(self) -> None:
        self._delete_abandoned()
        cached = scan_cache_dir(self.folder)
        excess = cached.size_on_disk - LIMIT
        if excess <= 0:
            return
        oldest = _oldest_first(cached.repos)

        def freed(count: int) -> int:
            """Bytes that the oldest ones free; versions share files, so sizes do not add up."""
            return cached.delete_revisions(*oldest[:count]).expected_freed_size

        count = bisect_left(range(len(oldest)), excess, key=freed)
        cached.delete_revisions(*oldest[:count]).execute()

    def _delete_abandoned(self) -> None:
        for path in self.folder.glob("*/blobs/*.incomplete"):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink(missing_ok=True)


def visitors_cache() -> VisitorsCache:
    """The one beside the client's own cache."""
    return _cache_in(Path(constants.HF_HUB_CACHE).with_name("fer-visitors"))


@cache
def _cache_in(folder: Path) -> VisitorsCache:
    """One object a folder, so that all registries count together."""
    return VisitorsCache(folder)


def _oldest_first(repos: Iterable[CachedRepoInfo]) -> list[str]:
    """The commits in a cache, those first that were used longest ago."""
    revisions = [revision for repo in repos for revision in repo.revisions]
    return [revision.commit_hash for revision in sorted(revisions, key=_last_use)]


def _last_use(revision: CachedRevisionInfo) -> float:
    return max((file.blob_last_accessed for file in revision.files), default=0.0)
