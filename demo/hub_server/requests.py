"""What a request asks for."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from demo.hub_server.store import MAIN, HubError


def at(request: Request, name: str, default: str = "") -> str:
    """A part of the path, decoded; `default` where the route has no such part."""
    return unquote(request.path_params.get(name, default))


def repo_id(request: Request) -> str:
    return f"{at(request, 'owner')}/{at(request, 'name')}"


def revision(request: Request) -> str:
    return at(request, "revision", MAIN)


def authorization(request: Request) -> str | None:
    return request.headers.get("Authorization")


async def fields(request: Request) -> dict[str, Any]:
    """The body, which must be a JSON object."""
    try:
        value = json.loads(await request.body())
    except ValueError as error:
        raise HubError(400, f"received a body that is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise HubError(400, f"received a JSON {type(value).__name__}, expected an object")
    return value
