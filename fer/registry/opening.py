"""Choose the registry: that of a Hub repo, or the bundled one."""

from __future__ import annotations

import os
from typing import Literal

from fer.registry.base import Registry
from fer.registry.bundled import BundledRegistry
from fer.registry.hub import HubRegistry

REPO_VARIABLE = "FER_HUB_REPO"


def open_registry(
    repo: str | None = None, *, token: str | Literal[False] | None = None
) -> Registry:
    """The registry of a Hub repo, or else the bundled one.

    Args:
        repo: The repo as USER/NAME; by default the environment variable FER_HUB_REPO names it.
        token: What the repo is read with. None means the client's own token, from HF_TOKEN or
            `hf auth login`; False means none at all.

    Returns:
        The bundled registry where neither `repo` nor the variable names a repo.

    Raises:
        RegistryError: The name cannot be a repo's, or the token cannot be sent.

    Example:
        >>> from fer import open_registry
        >>> open_registry().list().default().name
        'flagship'
    """
    name = repo or os.environ.get(REPO_VARIABLE)
    return HubRegistry(name, token=token) if name else BundledRegistry()
