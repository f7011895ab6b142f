"""The way of files to the Hub: what goes to LFS, its objects, and the commit that names them."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.hub_server import commits
from demo.hub_server.access import Access
from demo.hub_server.requests import at, authorization, fields, repo_id, revision
from demo.hub_server.store import MAIN, HubError, Repo


class Uploads:
    """Routes that bring files."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.store = access.store

    async def preupload(self, request: Request) -> Response:
        """Tell for each file whether it goes to LFS, and what is there already, to be skipped."""
        repo = self._writable(request)
        asked = (await fields(request))["files"]
        return JSONResponse(
            {"files": [_upload_mode(repo, file["path"], file["size"]) for file in asked]}
        )

    async def batch(self, request: Request) -> Response:
        """Tell where to send the contents that are not here yet."""
        self.access.write(repo_id(request), authorization(request))
        objects = (await fields(request))["objects"]
        answers = [
            self._action(str(request.base_url), wanted["oid"], wanted["size"]) for wanted in objects
        ]
        return JSONResponse({"transfer": "basic", "objects": answers})

    async def put(self, request: Request) -> Response:
        """Take a content without a token, as a signed address of the real Hub's storage does."""
        content = await request.body()
        oid = at(request, "oid")
        size = request.path_params["size"]
        received = hashlib.sha256(content).hexdigest()
        if received != oid or len(content) != size:
            raise HubError(
                400, f"received {len(content)} bytes of sha256 {received}, expected {size} of {oid}"
            )
        self.store.write(content)
        return Response(headers={"ETag": f'"{oid}"'})

    async def commit(self, request: Request) -> Response:
        account = self.access.write(repo_id(request), authorization(request))
        lines = await request.body()
        with self.store.change(repo_id(request)) as repo:
            _require_branch(repo, revision(request))
            head = commits.commit(repo, self.store, lines, account.user)
        url = f"{request.base_url}{repo.id}/commit/{head.id}"
        return JSONResponse({"success": True, "commitOid": head.id, "commitUrl": url})

    def _writable(self, request: Request) -> Repo:
        self.access.write(repo_id(request), authorization(request))
        repo = self.access.see(repo_id(request), authorization(request))
        _require_branch(repo, revision(request))
        return repo

    def _action(self, base_url: str, oid: str, size: int) -> dict[str, Any]:
        if self.store.has(oid, size):
            return {"oid": oid, "size": size}
        return {
            "oid": oid,
            "size": size,
            "actions": {"upload": {"href": f"{base_url}lfs/{oid}/{size}", "header": {}}},
        }


def _upload_mode(repo: Repo, path: str, size: int) -> dict[str, Any]:
    mode = "lfs" if commits.goes_to_lfs(path, size) else "regular"
    known = repo.head.files.get(path)
    oid = {"oid": known.etag} if known else {}
    return {"path": path, "uploadMode": mode, "shouldIgnore": False, **oid}


def _require_branch(repo: Repo, name: str) -> None:
    """Only `main` takes commits; a tag or a sha does not move."""
    if name != MAIN:
        repo.find(name)
        raise HubError(
            400, f"received a commit to {name}, expected one to {MAIN}: nothing else can take it"
        )
