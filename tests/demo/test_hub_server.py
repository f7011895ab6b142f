"""The Hub for tests answers and fails as the real client expects it of the real Hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from demo.hub_server import Answer, Corrupt, Cut, Delay, Hang, HubServer, LoseAnswer, Truncate

ROOT = Path(__file__).resolve().parents[2]
REPO = "tester/faces"
GRAPH, CONFIG, CARD = (
    bytes(range(256)) * 40,
    b'{"schema": 1}',
    b"---\nlicense: mit\ntags: [faces]\n---\n# Faces\n",
)
FILES = {
    "model.tflite": GRAPH,
    "config.json": CONFIG,
    "README.md": CARD,
    "plots/deep/loss.txt": b"0.5",
}

pytest_plugins = ["tests.support.hub_fixtures"]


def push(api, files=FILES, **options):
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    return api.create_commit(REPO, operations, commit_message="a push", **options).oid


@pytest.fixture
def api(writer):
    """The client that may write, and a repository with one version, v1.0.0."""
    writer.create_repo(REPO)
    writer.create_tag(REPO, tag="v1.0.0", revision=push(writer))
    return writer


@pytest.fixture
def sha(api):
    """The commit of the version."""
    return api.model_info(REPO, revision="v1.0.0").sha


@pytest.fixture
def cached(api):
    """The version's graph, downloaded by its tag."""
    return Path(api.hf_hub_download(REPO, "model.tflite", revision="v1.0.0"))


def titles(api):
    return [commit.title for commit in api.list_repo_commits(REPO)]


# What it answers


@pytest.mark.parametrize(
    ("token", "user", "role"),
    [
        ("hf_write", "tester", "write"),
        ("hf_read", "tester", "read"),
        ("hf_stranger", "stranger", "write"),
    ],
)
def test_whoami(hub, token, user, role):
    account = HfApi(endpoint=hub.url, token=token).whoami()
    assert (account["name"], account["auth"]["accessToken"]["role"]) == (user, role)


def test_creating_a_repo_twice(writer):
    first = writer.create_repo(REPO)
    assert (first.repo_id, first.endpoint) == (REPO, writer.endpoint)
    assert writer.create_repo(REPO, exist_ok=True) == first
    with pytest.raises(HfHubHTTPError, match="409"):
        writer.create_repo(REPO)
    writer.delete_repo(REPO)
    assert not writer.repo_exists(REPO)


def test_a_new_repo_has_a_first_commit(writer):
    writer.create_repo(REPO)
    assert titles(writer) == ["initial commit"]
    assert writer.list_repo_files(REPO) == [".gitattributes"]


def test_a_push_arrives_whole(hub, api):
    folder = Path(api.snapshot_download(REPO, revision="v1.0.0"))
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    assert hub.count("PUT", "^/lfs/") == 1
    assert hub.count("POST", f"^/api/models/{REPO}/commit/main$") == 1
    assert hub.count("GET", "/resolve/") == len(FILES) + 1
    assert api.verify_repo_checksums(REPO, revision="v1.0.0").mismatches == []


def test_a_push_of_what_is_there_makes_no_commit(hub, api, sha):
    hub.forget_requests()
    assert push(api) == sha
    assert hub.count("PUT|POST", "/lfs/[0-9a-f]|/commit/") == 0
    assert titles(api) == ["a push", "initial commit"]


def test_large_content_is_uploaded_once(hub, api):
    push(api, {"copy.tflite": GRAPH})
    assert hub.count("PUT", "^/lfs/") == 1


def test_the_server_itself_makes_no_commit_without_a_change(hub, sha):
    lines = [{"key": "header", "value": {"summary": "again"}}]
    lines += [
        {
            "key": "file",
            "value": {
                "path": "config.json",
                "content": "eyJzY2hlbWEiOiAxfQ==",
                "encoding": "base64",
            },
        }
    ]
    assert post(hub, "commit/main", lines).json()["commitOid"] == sha


def post(hub, path, lines):
    content = "\n".join(map(json.dumps, lines))
    headers = {"Authorization": f"Bearer {hub.write_token}"}
    return httpx2.post(f"{hub.url}/api/models/{REPO}/{path}", content=content, headers=headers)


@pytest.mark.parametrize("length", [40, 7])
def test_compare_and_swap(api, sha, length):
    new = push(api, {"config.json": b"{}"}, parent_commit=sha[:length])
    with pytest.raises(HfHubHTTPError, match="412"):
        push(api, {"config.json": b"[]"}, parent_commit=sha[:length])
    assert api.model_info(REPO).sha == new != sha


def at_once(works):
    """The results of works that start at the same moment, an error in place of a result."""
    barrier = threading.Barrier(len(works))

    def run(work):
        barrier.wait()
        try:
            return work()
        except HfHubHTTPError as error:
            return error.response.status_code

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.parametrize("guarded", [True, False])
def test_eight_pushes_at_once(api, sha, guarded):
    options = {"parent_commit": sha} if guarded else {}
    files = [{f"{i}.txt": b"mine", "config.json": b"%d" % i} for i in range(8)]
    results = at_once([lambda mine=mine: push(api, mine, **options) for mine in files])
    oids = [result for result in results if result != 412]
    assert len(oids) == len(set(oids)) == (1 if guarded else 8)
    history = [commit.commit_id for commit in api.list_repo_commits(REPO)]
    assert sorted(history[:-2]) == sorted(oids)
    assert len(api.list_repo_files(REPO)) == 5 + len(oids)


def test_eight_tags_at_once(api):
    results = at_once([lambda: api.create_tag(REPO, tag="v2.0.0")] * 8)
    assert sorted(map(str, results)) == ["409"] * 7 + ["None"]


@pytest.mark.parametrize("revision", [None, "main", "v1.0.0", "sha"])
def test_info_by_every_kind_of_revision(api, sha, revision):
    info = api.model_info(
        REPO, revision=sha if revision == "sha" else revision, files_metadata=True
    )
    assert (info.id, info.sha, info.private, info.tags) == (REPO, sha, False, ["faces"])
    assert info.card_data.license == "mit"
    files = {file.rfilename: file for file in info.siblings}
    assert files["model.tflite"].lfs.size == files["model.tflite"].size == len(GRAPH)
    assert (files["config.json"].lfs, files["config.json"].size) == (None, len(CONFIG))
    assert info.last_modified > info.created_at


def test_info_without_metadata_lists_names(api):
    assert {file.rfilename: file.size for file in api.model_info(REPO).siblings} == dict.fromkeys(
        [".gitattributes", *FILES]
    )


@pytest.mark.parametrize(
    "revision", ["v9.9.9", "f" * 40, "refs/heads/v1.0.0", "a b", "v1.0.0/../main"]
)
def test_a_revision_that_is_not_there(api, revision):
    with pytest.raises(RevisionNotFoundError):
        api.model_info(REPO, revision=revision)
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(REPO, "config.json", revision=revision)


def test_refs_and_tags(api, sha):
    new = push(api, {"config.json": b"{}"})
    api.create_tag(REPO, tag="v1.0.0", revision=new, exist_ok=True)
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag(REPO, tag="v1.0.0", revision=new)
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(REPO, tag="v2.0.0", revision="f" * 40)
    refs = api.list_repo_refs(REPO)
    assert [(branch.name, branch.target_commit) for branch in refs.branches] == [("main", new)]
    assert [(tag.name, tag.ref, tag.target_commit) for tag in refs.tags] == [
        ("v1.0.0", "refs/tags/v1.0.0", sha)
    ]
    api.delete_tag(REPO, tag="v1.0.0")
    assert api.list_repo_refs(REPO).tags == []
    with pytest.raises(RevisionNotFoundError):
        api.delete_tag(REPO, tag="v1.0.0")


def test_the_history_comes_in_pages(hub, api, sha):
    for i in range(60):
        push(api, {"config.json": b"%d" % i})
    assert titles(api) == ["a push"] * 61 + ["initial commit"]
    assert hub.count("GET", "/commits/main$") == 2
    first = api.list_repo_commits(REPO, revision="v1.0.0")[0]
    assert (first.commit_id, first.authors, first.created_at.tzinfo is not None) == (
        sha,
        ["tester"],
        True,
    )


@pytest.mark.parametrize(
    ("folder", "recursive", "paths"),
    [
        (None, False, ["plots", ".gitattributes", "README.md", "config.json", "model.tflite"]),
        ("plots", False, ["plots/deep"]),
        ("plots", True, ["plots/deep", "plots/deep/loss.txt"]),
        ("plots/deep", True, ["plots/deep/loss.txt"]),
    ],
)
def test_tree(api, folder, recursive, paths):
    assert [entry.path for entry in api.list_repo_tree(REPO, folder, recursive=recursive)] == paths


def test_a_folder_that_is_not_there(api):
    with pytest.raises(RemoteEntryNotFoundError):
        list(api.list_repo_tree(REPO, "nowhere"))


@pytest.mark.parametrize("path", ["model.tflite", "config.json"])
def test_head_of_a_file(api, sha, path):
    response = httpx2.head(f"{api.endpoint}/{REPO}/resolve/v1.0.0/{path}")
    info = next(file for file in api.list_repo_tree(REPO) if file.path == path)
    etag = f'"{info.lfs.sha256 if info.lfs else info.blob_id}"'
    expected = {"X-Repo-Commit": sha, "ETag": etag, "Content-Length": str(len(FILES[path]))}
    if info.lfs:
        expected |= {"X-Linked-Etag": etag, "X-Linked-Size": str(len(FILES[path]))}
    headers = (*expected, "X-Linked-Etag", "X-Xet-Hash")
    assert {
        name: response.headers[name] for name in headers if name in response.headers
    } == expected


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        (None, 200, GRAPH),
        ("bytes=0-", 206, GRAPH),
        ("bytes=5-9", 206, GRAPH[5:10]),
        (f"bytes={len(GRAPH) - 1}-", 206, GRAPH[-1:]),
        ("bytes=10-999999", 206, GRAPH[10:]),
        (f"bytes={len(GRAPH)}-", 416, None),
        ("bytes=9-5", 416, None),
        ("bytes=a-b", 200, GRAPH),
    ],
)
def test_ranges(hub, sha, asked, status, content):
    url = f"{hub.url}/{REPO}/resolve/{sha}/model.tflite"
    response = httpx2.get(url, headers={"Range": asked} if asked else {})
    assert response.status_code == status
    assert content is None or response.content == content
    assert ("Content-Range" in response.headers) == (status != 200)


def test_deleting_files(api):
    operations = [CommitOperationDelete("plots/"), CommitOperationDelete("config.json")]
    api.create_commit(REPO, operations, commit_message="less")
    assert api.list_repo_files(REPO) == [".gitattributes", "README.md", "model.tflite"]
    with pytest.raises(RemoteEntryNotFoundError):
        api.delete_file("config.json", REPO)
    with pytest.raises(RemoteEntryNotFoundError):
        api.hf_hub_download(REPO, "config.json")


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (
            {"key": "file", "value": {"path": "../config.json", "content": ""}},
            "below the repository's root",
        ),
        (
            {"key": "file", "value": {"path": "/etc/passwd", "content": ""}},
            "below the repository's root",
        ),
        (
            {"key": "file", "value": {"path": "a/.git/config", "content": ""}},
            "below the repository's root",
        ),
        ({"key": "lfsFile", "value": {"path": "a", "oid": "f" * 64, "size": 3}}, "never uploaded"),
        ({"key": "copy", "value": {"path": "a"}}, "received the operation 'copy'"),
        ({"key": "header"}, "not lines of JSON"),
    ],
)
def test_commits_that_are_refused(hub, api, sha, operation, message):
    response = post(hub, "commit/main", [{"key": "header", "value": {"summary": "no"}}, operation])
    assert (response.status_code, message in response.json()["error"]) == (400, True)
    assert api.model_info(REPO).sha == sha


@pytest.mark.parametrize("revision", ["v1.0.0", "sha"])
def test_only_main_takes_commits(api, sha, revision):
    with pytest.raises(HfHubHTTPError, match="expected one to main"):
        push(api, {"config.json": b"{}"}, revision=sha if revision == "sha" else revision)


def test_uploaded_content_must_have_its_sha256(hub):
    response = httpx2.put(f"{hub.url}/lfs/{'f' * 64}/3", content=b"abc")
    assert (response.status_code, "expected 3 of ffff" in response.json()["error"]) == (400, True)


def test_a_card_is_checked_before_anything_is_sent(api):
    with pytest.raises(ValueError, match="Invalid metadata"):
        push(api, {"README.md": b"---\ntags: [faces\n---\n"})
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        push(api, {"README.md": b"# no head"})


@pytest.mark.parametrize(
    "path", ["/", "/api/datasets/a/b", "/api/models", f"/{REPO}/raw/main/config.json"]
)
def test_whatever_it_does_not_know_is_404_in_json(hub, path):
    response = httpx2.get(hub.url + path)
    assert (response.status_code, response.json()) == (
        404,
        {"error": f"this Hub for tests has no GET {path}"},
    )


def test_repositories_outlive_the_server(hub, api, sha):
    hub.stop()
    with HubServer(hub.store.repos.parent) as later:
        other = HfApi(endpoint=later.url)
        assert other.model_info(REPO, revision="v1.0.0").sha == sha
        assert Path(other.hf_hub_download(REPO, "model.tflite")).read_bytes() == GRAPH
    hub.start()
    assert api.model_info(REPO).sha == sha


# Who may do what


@pytest.mark.parametrize("token", ["hf_stranger", False])
def test_a_private_repo_looks_missing(hub, api, reader, token):
    other = HfApi(endpoint=hub.url, token=token)
    api.update_repo_settings(REPO, private=True)
    assert reader.model_info(REPO).private
    for ask in (other.model_info, other.list_repo_refs, other.auth_check):
        with pytest.raises(RepositoryNotFoundError):
            ask(REPO)
    with pytest.raises(RepositoryNotFoundError):
        other.hf_hub_download(REPO, "config.json")


@pytest.mark.parametrize("token", ["hf_stranger", False])
def test_a_missing_repo(hub, token):
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.url, token=token).model_info("tester/nothing")


@pytest.mark.parametrize(("token", "status"), [("hf_stranger", 403), (False, 401)])
def test_a_gated_repo_shows_names_and_no_content(hub, api, reader, token, status):
    other = HfApi(endpoint=hub.url, token=token)
    api.update_repo_settings(REPO, gated="manual")
    assert other.model_info(REPO, revision="v1.0.0").gated == "manual"
    with pytest.raises(GatedRepoError, match=f"{status} Client Error"):
        other.hf_hub_download(REPO, "config.json")
    with pytest.raises(GatedRepoError):
        other.auth_check(REPO)
    assert Path(reader.hf_hub_download(REPO, "config.json")).read_bytes() == CONFIG


def test_access_to_a_gated_repo_can_be_granted(hub, api):
    api.update_repo_settings(REPO, gated="manual")
    api.grant_access(REPO, "stranger")
    HfApi(endpoint=hub.url, token="hf_stranger").hf_hub_download(REPO, "config.json")


@pytest.mark.parametrize(
    ("token", "status"), [("hf_read", 403), ("hf_stranger", 403), (False, 401)]
)
@pytest.mark.parametrize(
    "act",
    [
        lambda api: api.create_repo("tester/other"),
        lambda api: push(api, {"config.json": b"{}"}),
        lambda api: api.create_tag(REPO, tag="v2.0.0"),
        lambda api: api.delete_tag(REPO, tag="v1.0.0"),
        lambda api: api.update_repo_settings(REPO, private=True),
        lambda api: api.delete_repo(REPO),
        lambda api: api.auth_check(REPO, write=True),
    ],
    ids=[
        "create_repo",
        "commit",
        "create_tag",
        "delete_tag",
        "settings",
        "delete_repo",
        "auth_check",
    ],
)
def test_who_may_not_write(hub, api, sha, token, status, act):
    with pytest.raises(HfHubHTTPError) as refusal:
        act(HfApi(endpoint=hub.url, token=token))
    assert refusal.value.response.status_code == status
    assert (api.model_info(REPO, revision="v1.0.0").sha, api.model_info(REPO).private) == (
        sha,
        False,
    )


def test_a_revoked_token(hub, api, reader):
    assert reader.model_info(REPO).sha == api.model_info(REPO).sha
    hub.revoke(hub.read_token)
    for ask in (reader.whoami, lambda: reader.model_info(REPO)):
        with pytest.raises(HfHubHTTPError) as refusal:
            ask()
        assert refusal.value.response.status_code == 401
        assert not isinstance(refusal.value, RepositoryNotFoundError)


# How the client fails


def test_server_down_and_the_version_cached(hub, api, sha, cached):
    hub.stop()
    for revision in ("v1.0.0", sha):
        assert Path(api.hf_hub_download(REPO, "model.tflite", revision=revision)) == cached
    for ask in (api.whoami, lambda: api.model_info(REPO), lambda: api.list_repo_refs(REPO)):
        with pytest.raises(httpx2.ConnectError):
            ask()
    hub.start()
    assert api.model_info(REPO).sha == sha


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, ""),
        (401, "RepoNotFound"),
        (403, "GatedRepo"),
        (404, "RepoNotFound"),
        (500, ""),
        (503, ""),
    ],
)
def test_a_cached_tag_hides_every_error(hub, api, cached, status, code):
    hub.fault(Answer(status, headers={"X-Error-Code": code}), "/resolve/")
    assert Path(api.hf_hub_download(REPO, "model.tflite", revision="v1.0.0")) == cached


def test_a_cached_tag_hides_a_revoked_token(hub, reader, cached):
    hub.revoke(hub.read_token)
    assert Path(reader.hf_hub_download(REPO, "model.tflite", revision="v1.0.0")) == cached


def test_a_deleted_tag_is_missed_in_spite_of_the_cache(api, cached):
    assert cached.exists()
    api.delete_tag(REPO, tag="v1.0.0")
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(REPO, "model.tflite", revision="v1.0.0")


@pytest.mark.parametrize("status", [500, 503])
def test_a_download_with_a_server_error_is_not_tried_again(hub, api, status):
    fault = hub.fault(Answer(status), "/resolve/", method="GET")
    with pytest.raises(HfHubHTTPError, match=str(status)):
        api.hf_hub_download(REPO, "model.tflite")
    assert fault.matches == 1


def test_an_upload_with_a_server_error_is_tried_again(hub, writer):
    writer.create_repo(REPO)
    hub.fault(Answer(503), "^/lfs/", times=1)
    push(writer)
    assert hub.count("PUT", "^/lfs/") == 2


def test_a_body_cut_short_is_fetched_again(hub, api):
    fault = hub.fault(Truncate(), "model.tflite", method="GET", times=1)
    assert Path(api.hf_hub_download(REPO, "model.tflite")).read_bytes() == GRAPH
    assert fault.matches == 2


def test_a_body_always_cut_short_is_given_up(hub, api):
    hub.fault(Truncate(keep=100), "model.tflite", method="GET")
    with pytest.raises(httpx2.RemoteProtocolError):
        api.hf_hub_download(REPO, "model.tflite")


def test_a_corrupt_body_is_accepted(hub, api):
    hub.fault(Corrupt(), "model.tflite", method="GET", times=1)
    path = Path(api.hf_hub_download(REPO, "model.tflite"))
    wrong = path.read_bytes()
    assert (len(wrong), sum(a != b for a, b in zip(wrong, GRAPH, strict=True))) == (len(GRAPH), 1)
    assert [found["path"] for found in api.verify_repo_checksums(REPO).mismatches] == [
        "model.tflite"
    ]
    assert (
        Path(api.hf_hub_download(REPO, "model.tflite", force_download=True)).read_bytes() == GRAPH
    )


def test_a_commit_whose_answer_is_lost_can_be_repeated(hub, api, sha):
    hub.fault(LoseAnswer(), "/commit/", times=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        push(api, {"config.json": b"{}"}, parent_commit=sha)
    new = api.model_info(REPO).sha
    assert push(api, {"config.json": b"{}"}, parent_commit=sha) == new != sha


def test_a_hanging_server(hub, api, sha):
    fault = hub.fault(Hang(), f"^/api/models/{REPO}$")
    with pytest.raises(httpx2.ReadTimeout):
        api.model_info(REPO, timeout=0.2)
    assert fault.reached.is_set()
    hub.clear_faults()
    assert api.model_info(REPO).sha == sha


@pytest.mark.parametrize("handled", [False, True])
def test_what_hangs_takes_effect_or_not(hub, api, handled):
    hub.fault(Hang(handled), "/tag/")
    url, headers = (
        f"{hub.url}/api/models/{REPO}/tag/main",
        {"Authorization": f"Bearer {hub.write_token}"},
    )
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(url, json={"tag": "v2.0.0"}, headers=headers, timeout=0.2)
    hub.clear_faults()
    assert ("v2.0.0" in [tag.name for tag in api.list_repo_refs(REPO).tags]) == handled


def test_what_hangs_goes_on_when_it_may(hub, api):
    fault = hub.fault(Hang(), "/tag/")
    with ThreadPoolExecutor(1) as pool:
        tagging = pool.submit(api.create_tag, REPO, tag="v2.0.0")
        assert fault.reached.wait(60)
        assert len(api.list_repo_refs(REPO).tags) == 1
        hub.clear_faults()
        tagging.result(60)
    assert len(api.list_repo_refs(REPO).tags) == 2


def test_delays_add_up(hub, api):
    hub.fault(Delay(0.05))
    hub.fault(Delay(0.1), "/refs$")
    hub.fault(Answer(503), "/refs$")
    start = time.monotonic()
    with pytest.raises(HfHubHTTPError, match="503"):
        api.list_repo_refs(REPO)
    assert time.monotonic() - start >= 0.15


def test_a_rule_acts_as_often_as_it_should(hub):
    hub.fault(Answer(418), "^/api", method="GET", after=1, times=2)
    statuses = [httpx2.get(f"{hub.url}/api/whoami-v2").status_code for _ in range(4)]
    assert statuses == [401, 418, 418, 401]
    assert httpx2.post(f"{hub.url}/api/nothing").status_code == 404


def test_rules_are_for_those_that_know_them(hub, proxy):
    with pytest.raises(TypeError, match=r"received Cut\(.*\), expected one of Answer, Delay"):
        hub.fault(Cut("answer"))
    with pytest.raises(TypeError, match=r"received Hang\(.*\), expected one of Cut"):
        proxy.fault(Hang())


# Connections that break


@pytest.fixture
def through_proxy(proxy, hub):
    return HfApi(endpoint=proxy.url, token=hub.write_token)


def test_the_proxy_passes_everything_on(hub, through_proxy):
    through_proxy.create_repo(REPO)
    push(through_proxy)
    assert Path(through_proxy.hf_hub_download(REPO, "model.tflite")).read_bytes() == GRAPH
    assert hub.count("PUT", "^/lfs/") == 1


@pytest.mark.parametrize(
    "cut", [Cut("request"), Cut("request", 50), Cut("answer"), Cut("answer", 50)]
)
@pytest.mark.parametrize(
    ("reset", "error"), [(True, httpx2.ReadError), (False, httpx2.RemoteProtocolError)]
)
def test_a_cut_connection_is_an_error_in_spite_of_the_cache(
    proxy, through_proxy, cached, cut, reset, error
):
    assert cached.exists()
    proxy.fault(Cut(cut.side, cut.after_bytes, reset), "/resolve/", method="HEAD")
    with pytest.raises(error):
        through_proxy.hf_hub_download(REPO, "model.tflite", revision="v1.0.0")
    proxy.fault(Cut(cut.side, cut.after_bytes, reset), "/refs$")
    with pytest.raises(error):
        through_proxy.list_repo_refs(REPO)


@pytest.mark.parametrize("side", ["request", "answer"])
@pytest.mark.parametrize("reset", [True, False])
def test_a_commit_cut_off_took_effect_if_only_the_answer_was_lost(
    api, proxy, through_proxy, sha, side, reset
):
    fault = proxy.fault(Cut(side, 300 if side == "request" else 0, reset), "/commit/", times=1)
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        push(through_proxy, {"config.json": b"{}"}, parent_commit=sha)
    assert fault.reached.is_set()
    assert (api.model_info(REPO).sha == sha) == (side == "request")
    push(through_proxy, {"config.json": b"{}"}, parent_commit=sha)
    assert len(titles(api)) == 3


def test_an_upload_cut_off_is_tried_again(proxy, through_proxy):
    through_proxy.create_repo(REPO)
    proxy.fault(Cut("request", 5000), "^/lfs/", times=1)
    push(through_proxy)
    assert Path(through_proxy.hf_hub_download(REPO, "model.tflite")).read_bytes() == GRAPH


@pytest.mark.usefixtures("api")
def test_a_download_reset_is_not_tried_again_but_one_half_closed_is(proxy, through_proxy):
    proxy.fault(Cut("answer", 5000), "/resolve/", method="GET", times=1)
    with pytest.raises(httpx2.ReadError):
        through_proxy.hf_hub_download(REPO, "model.tflite")
    proxy.clear_faults()
    proxy.fault(Cut("answer", 5000, reset=False), "/resolve/", method="GET", times=1)
    assert Path(through_proxy.hf_hub_download(REPO, "model.tflite")).read_bytes() == GRAPH


def test_the_proxy_without_a_server(hub, through_proxy):
    hub.stop()
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        through_proxy.whoami()
    hub.start()
    assert through_proxy.whoami()["name"] == "tester"


# In programs of their own

CLIENT = """
import huggingface_hub, pathlib
api = huggingface_hub.HfApi()
api.create_repo("tester/faces")
api.upload_file(path_or_fileobj=b"graph", path_in_repo="model.tflite", repo_id="tester/faces")
print(pathlib.Path(huggingface_hub.hf_hub_download("tester/faces", "model.tflite")).read_text())
"""


def test_client_in_a_program_of_its_own(hub, tmp_path):
    environment = {**os.environ, **hub.environment(tmp_path / "home", hub.write_token)}
    client = subprocess.run(
        [sys.executable, "-c", CLIENT], env=environment, capture_output=True, text=True, check=True
    )
    assert client.stdout.splitlines() == ["graph"]
    assert hub.count("PUT", "^/lfs/") == 1
    assert (tmp_path / "home" / "hub").is_dir()


def test_server_as_a_program(tmp_path):
    command = [sys.executable, "-m", "demo.hub_server", "--folder", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().strip()
            assert HfApi(endpoint=url, token="hf_read").whoami()["name"] == "tester"
        finally:
            server.terminate()
