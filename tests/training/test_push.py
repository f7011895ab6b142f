"""Pushing and pulling versions, through the real client and a Hub for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from demo.hub_server import Answer, Hang, LoseAnswer
from fer import DownloadError, FERError, RegistryError
from fer.registry.aliases import ALIASES
from fer.registry.hub_repo import HubRepo
from fer.versions.folder import CARD, CONFIG, GRAPH, PREDICTIONS, WEIGHTS
from tests.factories.measured import write_measured
from tests.factories.versions import ROOT, copy_seed
from tests.support.at_once import results_of
from tests.support.deadlines import shorten_deadlines
from tests.support.push_fixtures import REPO
from training import push
from training.evaluate import write_card
from training.hub_writes import require_writer
from training.push import PushConfig

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.push_fixtures"]


def stored(api, revision):
    """The files of a revision by name, as the Hub holds them."""
    names = api.list_repo_files(REPO, revision=revision)
    return {
        name: Path(api.hf_hub_download(REPO, name, revision=revision)).read_bytes()
        for name in names
    }


def tags(api):
    return {tag.name: tag.target_commit for tag in api.list_repo_refs(REPO).tags}


def assert_complete(api, folder, version="v1.0.0"):
    """The version's tag names a commit that holds the folder's files and no other."""
    files = {
        name: content for name, content in stored(api, version).items() if name not in push.KEPT
    }
    assert files == {path.name: path.read_bytes() for path in folder.iterdir()}


# A push


def test_a_push_is_one_commit_and_a_tag_on_it(hub, send, writer, measured, capsys):
    commit = send()
    assert tags(writer) == {"v1.0.0": commit}
    assert [entry.title for entry in writer.list_repo_commits(REPO)] == [
        "Version v1.0.0",
        "initial commit",
    ]
    assert_complete(writer, measured)
    assert writer.model_info(REPO).private is False
    out = capsys.readouterr().out
    for path in measured.iterdir():
        assert f"{path.name:18} {path.stat().st_size:>12,} bytes" in out
    assert f"to {hub.url}/{REPO} as v1.0.0, by tester: a new public repo\n" in out
    assert out.endswith(f"{hub.url}/{REPO}/tree/v1.0.0 is commit {commit}\n")


def test_the_bundled_version_can_be_pushed(send, writer, tmp_path):
    seed = copy_seed(tmp_path)
    write_card(seed)
    send(seed)
    assert_complete(writer, seed)


def test_a_dry_run_sends_nothing(hub, send, writer, capsys):
    assert send(dry_run=True) is None
    assert hub.count("POST|PUT|DELETE", "") == 0
    assert not writer.repo_exists(REPO)
    assert "a new public repo" in capsys.readouterr().out
    send()
    hub.forget_requests()
    send(dry_run=True)
    send(dry_run=True, version="v1.1.0")
    assert hub.count("POST|PUT|DELETE", "") == 0
    out = capsys.readouterr().out
    assert "v1.0.0, by tester: there already, with the same content" in out
    assert "v1.1.0, by tester: a new version in a public repo" in out


def test_the_same_push_again_changes_nothing(hub, send):
    commit = send()
    hub.forget_requests()
    assert send() == commit
    assert hub.count("POST|PUT|DELETE", "") == 0


def test_a_version_never_moves(hub, send, writer, measured, other):
    commit = send()
    hub.forget_requests()
    with pytest.raises(RegistryError, match="choose a new number") as caught:
        send(other)
    ids = [push._blob_id((folder / CONFIG).read_bytes()) for folder in (measured, other)]
    assert all(sha in str(caught.value) for sha in (commit, *ids))
    assert f"{CARD}, {CONFIG}, {WEIGHTS}, {GRAPH}, {PREDICTIONS} differ" in str(caught.value)
    assert hub.count("POST|PUT|DELETE", "") == 0
    assert tags(writer) == {"v1.0.0": commit}


def test_versions_follow_one_another(send, writer, measured, other):
    first = send()
    second = send(other, "v1.1.0")
    assert tags(writer) == {"v1.0.0": first, "v1.1.0": second}
    assert_complete(writer, measured)
    assert_complete(writer, other, "v1.1.0")


def test_two_versions_may_hold_the_same(send, writer, other):
    first = send()
    assert send(version="v1.0.1") == first
    send(other, "v1.1.0")
    third = send(version="v1.2.0")
    assert third not in (first, tags(writer)["v1.1.0"])
    assert stored(writer, "v1.2.0") == stored(writer, "v1.0.0")


def test_a_push_keeps_the_aliases_and_deletes_what_is_left_over(send, writer, other):
    send()
    aliases = CommitOperationAdd(ALIASES, b"{}")
    left = CommitOperationAdd(GRAPH, b"left over")
    writer.create_commit(REPO, [aliases], commit_message="aliases")
    # the head holds it, beside the aliases
    assert send(version="v1.0.1") == writer.model_info(REPO).sha
    writer.create_commit(REPO, [left], commit_message="by hand")
    send(other, "v1.1.0")
    assert_complete(writer, other, "v1.1.0")
    assert stored(writer, "v1.1.0")[ALIASES] == b"{}"


def test_a_repo_of_something_else_is_left_alone(hub, send, writer):
    writer.create_repo(REPO)
    writer.create_commit(
        REPO, [CommitOperationAdd("thesis.pdf", b"three years")], commit_message="mine"
    )
    hub.forget_requests()
    for dry_run in (True, False):
        with pytest.raises(
            RegistryError, match=r"no part of a version: thesis\.pdf; choose another repo"
        ):
            send(dry_run=dry_run)
    assert hub.count("POST|PUT|DELETE", "") == 0


def test_private_repos(send, writer):
    send(private=True)
    assert writer.model_info(REPO).private is True
    send(version="v1.0.1", private=True)
    writer.update_repo_settings(REPO, private=False)
    with pytest.raises(RegistryError, match="is public already, and --private is for a new repo"):
        send(version="v1.0.2", private=True)


# Who may


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (None, "no token for .*; run `hf auth login`, or set HF_TOKEN"),
        ("hf_read", "the token of tester may only read; set HF_TOKEN"),
        ("hf_wrong", r"refuses the token \(401\)"),
    ],
)
def test_a_token_that_may_not_write_is_told_first(hub, send, token, message):
    with pytest.raises(RegistryError, match=message):
        send(token=token)
    assert hub.count("POST|PUT|DELETE", "") == 0


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_stranger_may_not_write(hub, send, writer, dry_run):
    with pytest.raises(
        RegistryError,
        match=f"the token may not write to {REPO}: it is of stranger, who is not tester",
    ):
        send(token=hub.stranger_token, dry_run=dry_run)
    assert not hub.count("POST|PUT|DELETE", "")
    assert not writer.repo_exists(REPO)


@pytest.mark.parametrize(
    ("role", "writes"), [("admin", True), ("write", True), ("read", False), (None, True)]
)
def test_a_member_of_an_organisation_may_write_there(hub, writer, role, writes):
    orgs = [{"name": "other"}, {"name": "tester"} | ({"roleInOrg": role} if role else {})]
    token = {"displayName": "laptop", "role": "write"}
    body = {
        "type": "user",
        "name": "member",
        "orgs": orgs,
        "auth": {"type": "access_token", "accessToken": token},
    }
    hub.fault(Answer(200, json.dumps(body).encode()), "whoami")
    if writes:
        assert (
            require_writer(HubRepo(REPO, token=writer.token, endpoint=writer.endpoint)) == "member"
        )
    else:
        with pytest.raises(RegistryError, match="it is of member, who is not tester"):
            require_writer(HubRepo(REPO, token=writer.token, endpoint=writer.endpoint))


def test_a_repo_that_forbids_it(hub, send):
    hub.fault(Answer(403), "repos/create")
    with pytest.raises(
        RegistryError, match=f"the token may not write to {REPO}; set HF_TOKEN to one that may"
    ):
        send()


@pytest.mark.parametrize(
    ("permissions", "writes"),
    [([], False), (["repo.content.read"], False), (["repo.content.read", "repo.write"], True)],
)
def test_fine_grained_tokens(hub, writer, permissions, writes):
    scoped = [{"entity": {"type": "user", "name": "tester"}, "permissions": permissions}]
    token = {"displayName": "fine", "role": "fineGrained", "fineGrained": {"scoped": scoped}}
    body = {
        "type": "user",
        "name": "tester",
        "auth": {"type": "access_token", "accessToken": token},
    }
    hub.fault(Answer(200, json.dumps(body).encode()), "whoami")
    if writes:
        assert (
            require_writer(HubRepo(REPO, token=writer.token, endpoint=writer.endpoint)) == "tester"
        )
    else:
        with pytest.raises(RegistryError, match="may only read"):
            require_writer(HubRepo(REPO, token=writer.token, endpoint=writer.endpoint))


# Interrupted


@pytest.fixture
def no_pauses(monkeypatch):
    """The client tries again at once."""
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))


@pytest.mark.parametrize("action", [Answer(500), LoseAnswer()], ids=["refused", "lost"])
@pytest.mark.usefixtures("no_pauses")
def test_a_push_that_failed_at_any_request_can_be_repeated(hub, send, writer, measured, action):
    """The fault strikes at the first request, at the second, and so on.

    Until a push gets through.
    """
    failures = []
    for step in range(60):
        fault = hub.fault(action, after=step, times=1)
        try:
            send()
        except DownloadError as error:
            failures.append(str(error))
        hub.clear_faults()
        assert send() == tags(writer)["v1.0.0"]
        assert_complete(writer, measured)
        assert len(writer.list_repo_commits(REPO)) == 2
        if not fault.reached.is_set():
            break
        writer.delete_repo(REPO)
    assert step > 10
    # create, validate-yaml, commit, tag
    assert sum("run the command again" in failure for failure in failures) >= 4


@pytest.mark.parametrize("handled", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["whoami", "repos/create", "preupload", "commit/", "tag/"])
@pytest.mark.usefixtures("no_pauses")
def test_a_push_to_a_hub_that_falls_silent_ends_and_can_be_repeated(
    hub, send, writer, measured, step, handled
):
    hub.fault(Hang(handled), step)
    with pytest.MonkeyPatch.context() as patch:
        shorten_deadlines(patch)
        with pytest.raises(DownloadError, match="did not answer within"):
            send()
    hub.clear_faults()
    send()
    assert_complete(writer, measured)
    assert len(writer.list_repo_commits(REPO)) == 2


PUSH = ("-m", "training.push", "--repo", REPO, "--version", "v1.0.0")
KILLED = """
import sys
from pathlib import Path
from training import push

# the folder is whole, and small
push.read_complete = lambda folder: {path.name: path.read_bytes() for path in folder.iterdir()}
push.main(push.PushConfig(Path(sys.argv[1]), sys.argv[2], "v1.0.0"))
"""


@pytest.mark.parametrize("action", [Hang(), Hang(handled=True)], ids=["before", "after"])
@pytest.mark.parametrize("step", ["^/lfs/", "/commit/", "/tag/"])
def test_a_killed_push_can_be_repeated(hub, writer, measured, tmp_path, step, action):
    fault = hub.fault(action, step)
    environment = hub.environment(tmp_path / "home", hub.write_token)
    command = [sys.executable, "-c", KILLED, measured, REPO]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    assert fault.reached.wait(30)
    process.kill()
    process.wait()
    hub.clear_faults()
    push.main(PushConfig(measured, REPO, "v1.0.0"), token=hub.write_token, endpoint=hub.url)
    assert_complete(writer, measured)
    assert len(writer.list_repo_commits(REPO)) == 2


def test_the_command_tells_an_error_in_one_line(hub, tmp_path):
    folder = copy_seed(tmp_path)
    write_card(folder)
    hub.fault(Answer(503), "/commit/")
    environment = hub.environment(tmp_path / "home", hub.write_token)
    command = [sys.executable, *PUSH, folder]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert not {"INFO", "WARNING"} & {line.partition(":")[0] for line in result.stderr.splitlines()}
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert result.stderr.splitlines()[-1].endswith(
        "run the command again: it completes what is missing."
    )
    assert "Traceback" not in result.stderr


def test_a_hub_that_is_down(send, hub):
    hub.stop()
    with pytest.raises(DownloadError, match="cannot be reached"):
        send()
    hub.start()


def test_a_commit_that_is_not_what_was_sent_is_not_tagged(send, writer, monkeypatch):
    create = HfApi.create_commit

    def forgetful(self, repo_id, operations, **options):
        return create(
            self, repo_id, [o for o in operations if o.path_in_repo != WEIGHTS], **options
        )

    monkeypatch.setattr(HfApi, "create_commit", forgetful)
    with pytest.raises(
        RegistryError, match=r"lacks or spoils model\.safetensors; it was not tagged"
    ):
        send()
    assert tags(writer) == {}


# At once


def test_the_same_push_twice_at_once(send, writer, measured):
    for version in ("v1.0.0", "v1.1.0", "v1.2.0"):
        first, second = results_of(*[lambda version=version: send(version=version)] * 2)
        assert first == second == tags(writer)[version]
        assert_complete(writer, measured, version)


def test_two_contents_for_one_version_at_once(send, writer, measured, other):
    for version in ("v1.0.0", "v1.1.0", "v1.2.0"):
        found = results_of(
            *(lambda f=folder, v=version: send(f, v) for folder in (measured, other))
        )
        (lost,) = (result for result in found if isinstance(result, FERError))
        (won,) = (result for result in found if isinstance(result, str))
        assert isinstance(lost, RegistryError)
        assert f"has another {version}, commit {won}" in str(lost)
        assert tags(writer)[version] == won
        assert_complete(writer, measured if found[0] == won else other, version)


def test_two_versions_at_once(send, writer, measured, other):
    first, second = results_of(send, lambda: send(other, "v1.1.0"))
    assert tags(writer) == {"v1.0.0": first, "v1.1.0": second}
    assert_complete(writer, measured)
    assert_complete(writer, other, "v1.1.0")


def test_a_tag_set_by_someone_else_in_the_last_moment(hub, send, writer, other):
    fault = hub.fault(Hang(), "/tag/", times=1)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(send)
        assert fault.reached.wait(10)
        won = send(other)
        hub.clear_faults()
        with pytest.raises(RegistryError, match=f"has another v1.0.0, commit {won}"):
            late.result()
    assert tags(writer) == {"v1.0.0": won}


def test_a_repo_that_never_rests(hub, send):
    send(version="v0.1.0", folder=write_measured(Path(hub.store.repos).parent / "first", seed=2))
    hub.fault(Answer(412), "/commit/")
    with pytest.raises(
        DownloadError, match="was changed by others 8 times meanwhile; run the command again"
    ):
        send()


@pytest.mark.parametrize("version", ["1.0.0", "v1.0", "v1.0.0-rc1", "main", "v01.0.0", ""])
def test_versions_have_three_numbers(hub, send, version):
    with pytest.raises(RegistryError, match=r"a version is called vX\.Y\.Z, received"):
        send(version=version)
    assert not hub.requests


@pytest.mark.parametrize("repo", ["faces", "a/b/c", "../faces", ""])
def test_repos_are_called_user_and_name(hub, measured, repo):
    with pytest.raises(RegistryError, match="a Hub repo is called USER/NAME"):
        push.main(PushConfig(measured, repo, "v1.0.0"), token=hub.write_token, endpoint=hub.url)
    assert not hub.requests
