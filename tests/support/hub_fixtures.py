"""Fixtures around a Hub for tests; a test module asks for them with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants

from demo.hub_server.proxy import TcpProxy
from demo.hub_server.server import HubServer


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """An empty Hub, and a client without Xet that has a cache and a login of its own."""
    home = tmp_path / "hf-home"
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    with HubServer(tmp_path / "hub") as server:
        yield server


@pytest.fixture
def proxy(hub: HubServer) -> Iterator[TcpProxy]:
    """A way to the Hub on which connections can be cut."""
    with TcpProxy(hub.url) as proxy:
        yield proxy


@pytest.fixture
def writer(hub: HubServer) -> HfApi:
    """The client with the token that may write."""
    return HfApi(endpoint=hub.url, token=hub.write_token)


@pytest.fixture
def reader(hub: HubServer) -> HfApi:
    """The client with the token that may only read."""
    return HfApi(endpoint=hub.url, token=hub.read_token)
