"""Accounts, repositories and tags."""

from __future__ import annotations

import re

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.hub_server import shapes
from demo.hub_server.access import Access
from demo.hub_server.commits import start_history
from demo.hub_server.requests import authorization, fields, repo_id, revision
from demo.hub_server.store import REPO_ID, HubError, Repo

TAG = re.compile(r"\w[\w.-]*", re.ASCII)


class Admin:
    """Routes around repositories, whose contents come by `Uploads`."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.store = access.store

    async def whoami(self, request: Request) -> Response:
        account = self.access.login(authorization(request))
        token = {"displayName": f"{account.role} token", "role": account.role}
        auth = {"type": "access_token", "accessToken": token}
        return JSONResponse({"type": "user", "name": account.user, "orgs": [], "auth": auth})

    async def validate_yaml(self, request: Request) -> Response:
        """Whether a model card's head can be read; the fields in it are not checked."""
        try:
            found = shapes.front_matter((await fields(request))["content"])
        except (yaml.YAMLError, ValueError) as error:
            return JSONResponse({"errors": [{"message": str(error)}], "warnings": []}, 400)
        empty = [] if found else [{"message": "empty or missing yaml metadata in repo card"}]
        return JSONResponse({"errors": [], "warnings": empty})

    async def create_repo(self, request: Request) -> Response:
        asked = await fields(request)
        account = self.access.login(authorization(request))
        repo = Repo(f"{asked['organization'] or account.user}/{asked['name']}")
        self.access.check_write(account, repo.owner)
        if asked.get("type", "model") != "model" or not REPO_ID.fullmatch(repo.id):
            raise HubError(
                400,
                f"received {asked}, expected a model with a name of letters, digits, '.', '_'"
                " and '-'",
            )
        repo.private = asked.get("visibility") == "private"
        url = f"{request.base_url}{repo.id}"
        with self.store.lock:
            if self.store.get(repo.id):
                return JSONResponse(
                    {"error": "You already created this model repo", "url": url}, 409
                )
            start_history(repo, self.store, account.user)
            self.store.put(repo)
        return JSONResponse({"url": url, "name": repo.id})

    async def delete_repo(self, request: Request) -> Response:
        asked = await fields(request)
        account = self.access.login(authorization(request))
        name = f"{asked['organization'] or account.user}/{asked['name']}"
        self.access.write(name, authorization(request))
        self.store.delete(name)
        return JSONResponse({"deleted": name})

    async def change_settings(self, request: Request) -> Response:
        self.access.write(repo_id(request), authorization(request))
        asked = await fields(request)
        with self.store.change(repo_id(request)) as repo:
            repo.gated = asked.get("gated", repo.gated)
            repo.private = (
                asked["visibility"] == "private" if "visibility" in asked else repo.private
            )
        return JSONResponse({"gated": repo.gated, "private": repo.private})

    async def grant_access(self, request: Request) -> Response:
        """Let one more user read a gated repository."""
        self.access.write(repo_id(request), authorization(request))
        user = (await fields(request))["user"]
        with self.store.change(repo_id(request)) as repo:
            repo.granted.append(user)
        return JSONResponse({"granted": user})

    async def check_read(self, request: Request) -> Response:
        self.access.read_files(repo_id(request), authorization(request))
        return JSONResponse({"allowed": True})

    async def check_write(self, request: Request) -> Response:
        self.access.write(repo_id(request), authorization(request))
        return JSONResponse({"allowed": True})

    async def create_tag(self, request: Request) -> Response:
        self.access.write(repo_id(request), authorization(request))
        tag = (await fields(request))["tag"]
        if not TAG.fullmatch(tag):
            raise HubError(
                400, f"received the tag {tag!r}, expected letters, digits, '.', '_' and '-'"
            )
        with self.store.change(repo_id(request)) as repo:
            if tag in repo.tags:
                raise HubError(409, f"Tag reference exists already: {tag}")
            repo.tags[tag] = repo.find(revision(request)).id
        return JSONResponse({"tag": tag, "targetCommit": repo.tags[tag]})

    async def delete_tag(self, request: Request) -> Response:
        self.access.write(repo_id(request), authorization(request))
        with self.store.change(repo_id(request)) as repo:
            if repo.tags.pop(revision(request), None) is None:
                raise HubError(404, f"there is no tag {revision(request)!r}", "RevisionNotFound")
        return JSONResponse({"deleted": revision(request)})
