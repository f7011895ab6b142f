"""Pushing and pulling versions, through the real client and a Hub for tests."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from huggingface_hub import CommitOperationAdd, HfApi, ModelCard

from demo.hub_server import Answer, Hang, LoseAnswer
from fer import DataError, DownloadError, FERError, ModelError, RegistryError, read_version
from fer.registry.aliases import ALIASES
from fer.registry.hub_repo import HubRepo
from fer.versions.folder import CARD, CONFIG, GRAPH, METRICS, PREDICTIONS, WEIGHTS, write_config
from fer.versions.predictions import Predictions, SetScores
from tests.factories.measured import one_layer_known, write_measured
from tests.factories.versions import ROOT, copy_seed, write_tiny
from tests.support.at_once import results_of
from tests.support.deadlines import shorten_deadlines
from training import pull, push
from training.completeness import read_complete
from training.evaluate import write_card
from training.hub_writes import require_writer
from training.push import PushConfig

pytest_plugins = ["tests.support.hub_fixtures"]

REPO = "tester/faces"


@pytest.fixture(scope="session", autouse=True)
def one_layer():
    with one_layer_known():
        yield


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """A whole version; tests only read it."""
    return write_measured(tmp_path_factory.mktemp("versions") / "tiny")


@pytest.fixture
def other(tmp_path):
    """Another one."""
    return write_measured(tmp_path / "other", seed=1)


@pytest.fixture
def send(hub, measured):
    """Push a folder, `measured` by default, as the user of the Hub."""

    def send(folder=measured, version="v1.0.0", token=hub.write_token, **options):
        return push.main(
            PushConfig(folder, REPO, version, **options), token=token, endpoint=hub.url
        )

    return send


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


# Folders that are not fit


@pytest.fixture
def broken(measured, tmp_path):
    """A copy to be broken."""
    return shutil.copytree(measured, tmp_path / "tiny")


def reseal(folder):
    """Seal whatever is in the folder now."""
    config = json.loads((folder / CONFIG).read_text())
    write_config(
        folder, {key: value for key, value in config.items() if key not in ("schema", "files")}
    )


def spoil(folder, name, content):
    (folder / name).write_bytes(content)
    reseal(folder)


def remeasure(folder):
    """Predictions of another evaluation beside the metrics of the last one."""
    kept = Predictions.read((folder / PREDICTIONS).read_bytes(), 3)
    scores, labels = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 1])
    other = {"fer2013": SetScores(scores, {"fer2013": labels}, "a" * 64)}
    spoil(folder, PREDICTIONS, Predictions(other, kept.probes).to_bytes())


def exchange(*names):
    """Files of a version with another graph, as a slip of the hand would copy and seal them."""

    def exchanged(folder):
        other = write_measured(folder.parent / "other", seed=1)
        for name in names:
            spoil(folder, name, (other / name).read_bytes())

    return exchanged


def rename_architecture(folder):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "architecture": "cubist"}))


def renamed(folder):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "name": "imposter"}))


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (lambda folder: (folder / CONFIG).unlink(), "config.json cannot be read"),
        (lambda folder: (folder / WEIGHTS).unlink(), "model.safetensors cannot be read"),
        (lambda folder: (folder / GRAPH).write_bytes(b"x"), "model.tflite is corrupt"),
        (lambda folder: spoil(folder, GRAPH, b"x"), "not a LiteRT graph"),
        (lambda folder: spoil(folder, WEIGHTS, b"x"), "model.safetensors cannot be read"),
        (lambda folder: spoil(folder, PREDICTIONS, b"x"), "predictions.npz cannot be used"),
        (lambda folder: spoil(folder, METRICS, b"{}"), "metrics.json: a field is missing"),
        (
            lambda folder: spoil(folder, CARD, b"# A card by hand"),
            "README.md is not the card of this version",
        ),
        (
            lambda folder: spoil(folder, CARD, b"---\n: [\n---\n"),
            "README.md: its head cannot be read",
        ),
        (remeasure, "metrics.json and predictions.npz do not belong together"),
        (renamed, "README.md is not the card of this version"),
        (
            exchange(WEIGHTS),
            (
                r"is not of this model\.tflite: with these weights .* differ by 0\.\d+ in"
                r" probability, ex"
            ),
        ),
        (
            exchange(GRAPH),
            (
                r"answers to probes differ by 0\.\d+, expected within 0\.0001 of those .*evaluate"
                r" again"
            ),
        ),
        (exchange(WEIGHTS, GRAPH), r"answers to probes differ by 0\.\d+"),
        (
            rename_architecture,
            "its architecture 'cubist' is none of seed_cnn, .*publish it with the program that",
        ),
    ],
)
def test_a_version_that_is_not_whole_is_not_sent(hub, send, broken, breaking, message):
    breaking(broken)
    with pytest.raises(ModelError, match=message):
        send(broken)
    assert not hub.requests


def test_a_version_that_was_not_evaluated(send, tmp_path):
    folder = write_tiny(tmp_path / "tiny").folder
    with pytest.raises(
        ModelError,
        match=r"lacks metrics\.json, predictions\.npz, model\.safetensors, README\.md; tra",
    ):
        send(folder)


def test_weights_of_another_size(broken):
    config = json.loads((broken / CONFIG).read_text())
    (broken / CONFIG).write_text(json.dumps({**config, "parameters": 7}))
    with pytest.raises(ModelError, match="holds 147 parameters, not 7"):
        read_complete(broken)


@pytest.mark.parametrize("name", ["train.json", "log.csv"])
def test_a_run_is_no_version(send, tmp_path, name):
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / name).touch()
    with pytest.raises(
        DataError,
        match=r"is a run, not a version.*training\.export --run .*seed --output models/seed",
    ):
        send(tmp_path / "seed")


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


# The card


def test_words_in_a_card_stay_words(tmp_path):
    script = "<script>alert(1)</script>"
    name = f'{script}`[x](javascript:alert(1))|"'
    folder = write_measured(tmp_path / "odd", name=name, labels=[script, "a`b", "[c](d)"])
    lineage = {**read_version(folder).lineage, "command": f"`{script}"}
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "lineage": lineage}))
    write_card(folder)
    card = ModelCard((folder / CARD).read_text())
    assert card.data.model_name == name
    assert f"Command: `'{script}`" in card.text  # between backticks, where Markdown knows no tags
    body = card.text.replace(f"`'{script}`", "")
    assert "&#60;script&#62;alert(1)&#60;/script&#62;&#96;&#91;x&#93;(javascript" in body
    assert not any(sign in body for sign in ("<script", "](", "a`b"))
    read_complete(folder)


def test_a_card_tells_how_a_run_went_on(measured, tmp_path):
    folder = shutil.copytree(measured, tmp_path / "tiny")
    config = json.loads((folder / CONFIG).read_text())
    resume = {
        "command": "train --resume",
        "date": "2026-11-24",
        "git_commit": "abc",
        "git_dirty": True,
    }
    config["lineage"] |= {"git_commit": "def", "git_dirty": True, "resumes": [resume]}
    (folder / CONFIG).write_text(json.dumps(config))
    write_card(folder)
    card = (folder / CARD).read_text()
    assert "commit `def` with uncommitted changes, backend tensorflow, python 3.11.7\n" in card
    assert (
        "\n- Resumed 2026-11-24, commit `abc` with uncommitted changes: `train --resume`\n-"
        " Seed 1, " in card
    )
    assert "Resumed" not in (measured / CARD).read_text()


def test_a_card_needs_measurements(tmp_path):
    folder = write_tiny(tmp_path / "tiny").folder
    with pytest.raises(
        ModelError, match=r"holds no metrics\.json to make a card of; measure it with --data"
    ):
        write_card(folder)


def test_the_head_of_the_card_tells_each_labelling_apart(measured):
    results = ModelCard((measured / CARD).read_text()).data.eval_results
    assert [(r.dataset_config, r.metric_type) for r in results] == [
        (labelling, metric)
        for labelling in ("fer2013", "fer2013-dedup")
        for metric in ("accuracy", "f1")
    ]


def test_the_card_shows_code_that_runs(measured):
    code = (measured / CARD).read_text().split("```python\n")[1].split("```")[0]
    exec(code.split("registry =")[0], {})
    compile(code, CARD, "exec")


# Back again


def test_pulling_brings_the_folder_back(hub, send, measured, other, tmp_path):
    send()
    send(other, "v1.1.0")
    for _ in range(2):  # the second time it is there
        version = pull.main(
            REPO, "v1.0.0", tmp_path / "models" / "back", token=hub.read_token, endpoint=hub.url
        )
        assert version == replace(read_version(measured), folder=version.folder)
    assert {p.name: p.read_bytes() for p in version.folder.iterdir()} == {
        path.name: path.read_bytes() for path in measured.iterdir()
    }
    assert [path.name for path in version.folder.parent.iterdir()] == ["back"]
    with pytest.raises(DataError, match="holds something else; it is left alone"):
        pull.main(REPO, "v1.1.0", version.folder, token=hub.read_token, endpoint=hub.url)


def test_a_pull_that_fails_leaves_nothing(hub, send, tmp_path):
    send()
    hub.fault(Answer(404, headers={"X-Error-Code": "EntryNotFound"}), f"/{WEIGHTS}")
    with pytest.raises(ModelError, match=WEIGHTS):
        pull.main(
            REPO, "v1.0.0", tmp_path / "models" / "back", token=hub.read_token, endpoint=hub.url
        )
    assert list((tmp_path / "models").iterdir()) == []


def test_a_pull_to_a_place_that_cannot_be_written(hub, send, tmp_path):
    send()
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=r"file/back cannot be written \(File exists\); make room and see"
    ):
        pull.main(
            REPO, "v1.0.0", tmp_path / "file" / "back", token=hub.read_token, endpoint=hub.url
        )


class Variable:
    """As much of a Keras variable as `load_weights` asks for."""

    def __init__(self, path, value):
        self.path, self.shape, self.value = path, value.shape, np.zeros_like(value)

    def assign(self, value):
        self.value = value


class Network:
    name = "network"

    def __init__(self, tensors):
        self.weights = [Variable(path, value) for path, value in tensors.items()]


TENSORS = {
    "conv2d/kernel": np.full((3, 3), 1.0),
    "conv2d_1/kernel": np.full((3, 3), 2.0),
    "conv2d_10/kernel": np.full((3, 3), 3.0),
    "conv2d_10/bias": np.full(3, 4.0),
    "block_2/dense/kernel": np.full(2, 5.0),
}


@pytest.fixture
def weighted(tmp_path):
    from safetensors.numpy import save_file

    folder = write_tiny(tmp_path / "weighted").folder
    save_file(TENSORS, folder / WEIGHTS)
    reseal(folder)
    return folder


@pytest.mark.parametrize("first", [0, 11])
def test_weights_are_matched_by_name_whatever_the_numbers(weighted, first):
    renumbered = {
        f"conv2d_{first}/kernel" if first else "conv2d/kernel": "conv2d/kernel",
        f"conv2d_{first + 1}/kernel": "conv2d_1/kernel",
        f"conv2d_{first + 10}/kernel": "conv2d_10/kernel",
        f"conv2d_{first + 10}/bias": "conv2d_10/bias",
        f"block_{first + 2}/dense/kernel": "block_2/dense/kernel",
    }
    network = Network({path: TENSORS[stored] for path, stored in reversed(renumbered.items())})
    pull.load_weights(network, weighted)
    for variable in network.weights:
        assert np.array_equal(variable.value, TENSORS[renumbered[variable.path]])


@pytest.mark.parametrize(
    "change",
    [{"conv2d_1/kernel": None}, {"conv2d_1/kernel": np.ones((5, 5))}, {"extra/kernel": np.ones(2)}],
    ids=["missing", "shape", "more"],
)
def test_weights_of_another_network_are_refused(weighted, change):
    network = Network(
        {path: value for path, value in {**TENSORS, **change}.items() if value is not None}
    )
    with pytest.raises(ModelError, match="is not of the network network"):
        pull.load_weights(network, weighted)
    assert not any(variable.value.any() for variable in network.weights)


KERAS = """
import sys
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file
from training.architectures import served
from training.pull import load_weights
folder = Path(sys.argv[1])
served("seed_cnn")  # takes the first numbers
model = served("seed_cnn")
load_weights(model, folder)
stored = list(load_file(folder / "model.safetensors").values())
assert len(stored) == len(model.weights)
total = sum(float(np.abs(tensor).sum()) for tensor in stored)
assert np.isclose(sum(float(np.abs(w.numpy()).sum()) for w in model.weights), total)
np.save(sys.argv[2], np.asarray(model(np.load(sys.argv[3]), training=False)))
"""


def test_a_pulled_version_is_the_network_that_was_trained(hub, send, tmp_path):
    from fer import EmotionClassifier
    from fer.preprocessing import normalize

    seed = copy_seed(tmp_path)
    write_card(seed)
    send(seed)
    version = pull.main(REPO, "v1.0.0", tmp_path / "back", token=hub.read_token, endpoint=hub.url)
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    np.save(tmp_path / "faces.npy", normalize(faces))
    command = [
        sys.executable,
        "-c",
        KERAS,
        version.folder,
        tmp_path / "out.npy",
        tmp_path / "faces.npy",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    served = EmotionClassifier(replace(version, temperature=1.0)).predict(faces)
    assert np.abs(np.load(tmp_path / "out.npy") - served).max() < 1e-5
