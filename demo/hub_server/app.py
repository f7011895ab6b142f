"""The routes of the Hub's HTTP interface that the client uses for models.

Paths are matched as they were sent, still percent-encoded, so that a slash inside a revision does
not split it.
"""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.hub_server import shapes
from demo.hub_server.access import Access
from demo.hub_server.admin import Admin
from demo.hub_server.requests import at, authorization, repo_id, revision
from demo.hub_server.store import File, HubError
from demo.hub_server.uploads import Uploads

COMMITS_PER_PAGE = 50
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def build_app(access: Access) -> Starlette:
    """The Hub over one store."""
    reads = Reads(access)
    uploads = Uploads(access)
    admin = Admin(access)
    model = "/api/models/{owner}/{name}"
    repo = "/{owner}/{name}"
    routes = [
        Route("/api/whoami-v2", admin.whoami),
        Route("/api/validate-yaml", admin.validate_yaml, methods=["POST"]),
        Route("/api/repos/create", admin.create_repo, methods=["POST"]),
        Route("/api/repos/delete", admin.delete_repo, methods=["DELETE"]),
        Route(f"{model}/settings", admin.change_settings, methods=["PUT"]),
        Route(f"{model}/user-access-request/grant", admin.grant_access, methods=["POST"]),
        Route(f"{model}/auth-check", admin.check_read),
        Route(f"{model}/auth-check/write", admin.check_write),
        Route(f"{model}/tag/{{revision}}", admin.create_tag, methods=["POST"]),
        Route(f"{model}/tag/{{revision}}", admin.delete_tag, methods=["DELETE"]),
        Route(f"{model}/preupload/{{revision}}", uploads.preupload, methods=["POST"]),
        Route(f"{repo}.git/info/lfs/objects/batch", uploads.batch, methods=["POST"]),
        Route("/lfs/{oid}/{size:int}", uploads.put, methods=["PUT"]),
        Route(f"{model}/commit/{{revision}}", uploads.commit, methods=["POST"]),
        Route(model, reads.info),
        Route(f"{model}/revision/{{revision}}", reads.info),
        Route(f"{model}/refs", reads.refs),
        Route(f"{model}/commits/{{revision}}", reads.commits),
        Route(f"{model}/tree/{{revision}}", reads.tree),
        Route(f"{model}/tree/{{revision}}/{{path:path}}", reads.tree),
        Route(f"{repo}/resolve/{{revision}}/{{path:path}}", reads.resolve),
    ]
    return Starlette(routes=routes, exception_handlers={HubError: _refuse, HTTPException: _unknown})


class Reads:
    """What changes nothing."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def info(self, request: Request) -> Response:
        repo = self.access.see(repo_id(request), authorization(request))
        commit = repo.find(revision(request))
        blobs = request.query_params.get("blobs", "").lower() == "true"
        return JSONResponse(shapes.info(repo, commit, self.access.store, blobs=blobs))

    async def refs(self, request: Request) -> Response:
        return JSONResponse(shapes.refs(self.access.see(repo_id(request), authorization(request))))

    async def commits(self, request: Request) -> Response:
        """One page of the history, with a link to the next."""
        repo = self.access.see(repo_id(request), authorization(request))
        history = shapes.history(repo, repo.find(revision(request)))
        page = int(request.query_params.get("p", "0"))
        start, end = page * COMMITS_PER_PAGE, (page + 1) * COMMITS_PER_PAGE
        link = f'<{request.url.include_query_params(p=page + 1)}>; rel="next"'
        return JSONResponse(
            history[start:end], headers={"Link": link} if end < len(history) else {}
        )

    async def tree(self, request: Request) -> Response:
        commit = self.access.see(repo_id(request), authorization(request)).find(revision(request))
        recursive = request.query_params.get("recursive", "").lower() == "true"
        return JSONResponse(shapes.tree(commit, at(request, "path"), recursive=recursive))

    async def resolve(self, request: Request) -> Response:
        """A file or a range of it; for HEAD, uvicorn leaves the body away and keeps its length."""
        repo = self.access.read_files(repo_id(request), authorization(request))
        commit, path = repo.find(revision(request)), at(request, "path")
        if path not in commit.files:
            raise HubError(
                404,
                f"{path} does not exist on {commit.id}",
                "EntryNotFound",
                {"X-Repo-Commit": commit.id},
            )
        file = commit.files[path]
        headers = {
            "X-Repo-Commit": commit.id,
            "ETag": f'"{file.etag}"',
            "Accept-Ranges": "bytes",
            **_linked(file),
        }
        return _ranged(self.access.store.read(file.sha256), request.headers.get("Range"), headers)


def _linked(file: File) -> dict[str, str]:
    return {"X-Linked-Etag": f'"{file.etag}"', "X-Linked-Size": str(file.size)} if file.lfs else {}


def _ranged(content: bytes, asked: str | None, headers: dict[str, str]) -> Response:
    """The whole content, or the one range that was asked for; 416 if it begins behind the end."""
    match = RANGE.fullmatch(asked or "")
    if not match:
        return Response(content, headers=headers, media_type="application/octet-stream")
    start, end = int(match[1]), min(int(match[2] or len(content)), len(content) - 1)
    if start > end:
        message = f"received {asked} for {len(content)} bytes"
        raise HubError(416, message, headers={"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(
        content[start : end + 1], 206, headers=headers, media_type="application/octet-stream"
    )


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    headers = {
        "X-Error-Message": error.message,
        **({"X-Error-Code": error.code} if error.code else {}),
    }
    return JSONResponse(
        {"error": error.message}, error.status, headers={**headers, **error.headers}
    )


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"this Hub for tests has no {request.method} {request.url.path}"
    return JSONResponse({"error": message}, error.status_code, headers={"X-Error-Message": message})
