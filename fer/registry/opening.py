"""Choose the registry: that of a Hub repo, or the bundled one."""

from __future__ import annotations

import os
from typing import Literal

from fer.registry.base import Registry
from fer.registry.bundled import BundledRegistry

REPO_VARIABLE = "FER_HUB_REPO"


def open_registry(
    repo: str | None = None, *, token: str | Literal[False] | None = None
) -> Registry:
    """The registry of a Hub repo, USER/NAME (by default the variable FER_HUB_REPO), or else the bundled one.

    The repo is read with `token`, or with the client's own if that is None, or with none at all if
    it is False.
    """
    if name := repo or os.environ.get(REPO_VARIABLE):
        from fer.registry.hub import HubRegistry

        return HubRegistry(name, token=token)
    return BundledRegistry()
