"""The gate and the moves of aliases, through the real client and a Hub for tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import CommitOperationAdd

from demo.hub_server import Answer, Delay, Hang, LoseAnswer
from fer import DownloadError, FERError, RegistryError
from fer.registry.aliases import ALIASES, Aliases, Move, Target
from tests.factories.measured import one_layer_known, write_measured
from tests.factories.versions import ROOT
from tests.support.at_once import results_of
from training import gate_costs, promote, push
from training.promote import PromoteConfig
from training.push import PushConfig

pytest_plugins = ["tests.support.hub_fixtures"]

REPO = "tester/faces"
GOOD, BETTER, WORSE, STRANGE = "v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0"


@pytest.fixture(scope="session", autouse=True)
def one_layer():
    with one_layer_known():
        yield


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Versions by the name under which they are pushed; tests only read them."""
    root = tmp_path_factory.mktemp("versions")
    return {
        GOOD: write_measured(root / "good", 0.80, seed=1),
        BETTER: write_measured(root / "better", 0.83, seed=2),
        WORSE: write_measured(root / "worse", 0.76, seed=3),
        STRANGE: write_measured(root / "strange", 0.85, seed=4, test="b"),
    }


@pytest.fixture(scope="session")
def published(folders, tmp_path_factory):
    """The folder of a Hub that holds the versions, to be copied."""
    from huggingface_hub import constants

    from demo.hub_server import HubServer

    root = tmp_path_factory.mktemp("hub") / "hub"
    with pytest.MonkeyPatch.context() as patch, HubServer(root) as hub:
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        for version, folder in folders.items():
            push.main(PushConfig(folder, REPO, version), token=hub.write_token, endpoint=hub.url)
    return root


@pytest.fixture
def commits(hub, published, writer):
    """The Hub now holds the versions; their commits by name."""
    for part in ("repos", "objects"):
        shutil.copytree(published / part, hub.store.repos.parent / part, dirs_exist_ok=True)
    return {tag.name: tag.target_commit for tag in writer.list_repo_refs(REPO).tags}


@pytest.fixture
def move(hub, request, monkeypatch):
    """Promote a version, or without one roll back, as the user of the Hub."""
    request.getfixturevalue("commits")
    monkeypatch.setattr(gate_costs, "ROUNDS", 5)

    def move(
        version=None, *, alias="production", reason="a reason", token=hub.write_token, **options
    ):
        return promote.main(
            PromoteConfig(REPO, alias, version, reason, **options), token=token, endpoint=hub.url
        )

    return move


def aliases(api):
    path = api.hf_hub_download(REPO, ALIASES, revision=api.model_info(REPO).sha)
    return Aliases.parse(Path(path).read_bytes())


def path(api, alias="production"):
    """Where an alias has been, in order."""
    return [entry.target.version for entry in aliases(api).history if entry.alias == alias]


# Moves


def test_the_first_promotion_is_recorded(move, writer, commits, capsys):
    before = datetime.now(UTC)
    moved = move(GOOD, reason="the first one")
    assert aliases(writer).targets == {"production": Target(GOOD, commits[GOOD])}
    assert aliases(writer).history == (moved,)
    assert (moved.former, moved.reason, moved.actor, moved.forced) == (
        None,
        "the first one",
        "tester",
        False,
    )
    assert before <= moved.time <= datetime.now(UTC)
    assert moved.gate["passed"] is True
    assert [check["name"] for check in moved.gate["checks"]] == [
        "answers to probes",
        "fer2013: accuracy",
        "fer2013: recall of happy",
        "fer2013: recall of bored",
        "fer2013: recall of asleep",
        "fer2013: calibration error",
        "latency, one face",
        "size of the graph",
    ]
    out = capsys.readouterr().out
    assert "pass  fer2013: accuracy           0.800 " in out
    assert out.endswith("production: nothing -> v1.0.0, by tester: the first one\n")
    assert writer.list_repo_commits(REPO)[0].title == "production: nothing -> v1.0.0"


def test_a_better_version_takes_over(move, writer, commits, capsys):
    move(GOOD)
    moved = move(BETTER, reason="better")
    assert moved.former == Target(GOOD, commits[GOOD])
    assert path(writer) == [GOOD, BETTER]
    assert (
        "pass  fer2013: accuracy, paired   +3.0 points (2.2 to 4.1)  -" in capsys.readouterr().out
    )


def test_aliases_move_apart(move, writer):
    move(GOOD)
    move(BETTER, alias="challenger")
    moved = move("challenger")  # an alias names the version that it stands for
    assert moved.target.version == BETTER
    assert (
        aliases(writer).targets["challenger"]
        == aliases(writer).targets["production"]
        == moved.target
    )


def test_promoting_what_is_in_use_changes_nothing(hub, move, capsys):
    move(GOOD)
    hub.forget_requests()
    assert move(GOOD) is None
    assert hub.count("POST|PUT|DELETE", "") == 0
    assert "production is v1.0.0 already: nothing to do." in capsys.readouterr().out


def test_a_promotion_leaves_the_versions_alone(move, writer, commits):
    move(GOOD)
    assert {tag.name: tag.target_commit for tag in writer.list_repo_refs(REPO).tags} == commits
    head = set(writer.list_repo_files(REPO))
    assert head == {*writer.list_repo_files(REPO, revision=STRANGE), ALIASES}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": "v9.0.0"}, "there is no version 'v9.0.0'"),
        ({"version": GOOD, "reason": " "}, "a promotion needs a --reason"),
        ({"version": GOOD, "alias": "latest"}, "--alias 'latest' cannot be used"),
        ({"version": GOOD, "alias": "No Alias"}, "--alias 'No Alias' cannot be used"),
        ({"version": GOOD, "token": "hf_read"}, "may only read"),
        ({"version": GOOD, "token": "hf_stranger"}, "the token may not write to tester/faces"),
        ({"version": GOOD, "token": None}, "no token for"),
        ({"version": None}, "production was never promoted, so there is nothing to go back to"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(move, writer, options, message):
    with pytest.raises(FERError, match=message):
        move(**options)
    assert not writer.file_exists(REPO, ALIASES)


def test_broken_aliases_are_not_written_over(move, writer):
    move(GOOD)
    broken = CommitOperationAdd(ALIASES, b'{"schema": 1, "aliases": {}, "history": "none"}')
    sha = writer.create_commit(REPO, [broken], commit_message="by hand").oid
    with pytest.raises(RegistryError, match=r"aliases\.json is broken"):
        move(BETTER)
    assert writer.model_info(REPO).sha == sha


# Back


def test_a_rollback_is_recorded_and_a_second_one_goes_on(move, writer, commits):
    for version in (GOOD, BETTER):
        move(version)
    move(STRANGE, force=True)
    moved = move(reason="")
    assert (moved.target, moved.former) == (
        Target(BETTER, commits[BETTER]),
        Target(STRANGE, commits[STRANGE]),
    )
    assert (moved.reason, moved.gate, moved.forced) == ("rollback", None, False)
    assert move(reason="that one too").target.version == GOOD
    assert path(writer) == [GOOD, BETTER, STRANGE, BETTER, GOOD]
    with pytest.raises(
        RegistryError,
        match=r"production is back at v1\.0\.0, its first version, so there is nothing",
    ):
        move()


def test_a_promotion_back_can_be_rolled_back(move, writer):
    move(GOOD)
    move(BETTER)
    move(GOOD, force=True, reason="cheaper")
    move()
    assert path(writer) == [GOOD, BETTER, GOOD, BETTER]


def test_a_rollback_needs_no_gate(hub, move, monkeypatch):
    move(GOOD)
    move(BETTER)
    hub.forget_requests()
    monkeypatch.setattr(promote, "run_gate", None)
    move()
    assert hub.count("GET", "model.tflite") == 0


def test_no_rollback_to_a_version_that_is_gone_or_moved(move, writer, commits):
    move(GOOD)
    move(BETTER)
    writer.delete_tag(REPO, tag=GOOD)
    with pytest.raises(FERError, match=GOOD):
        move()
    writer.create_tag(REPO, tag=GOOD, revision=commits[WORSE])
    with pytest.raises(RegistryError, match=r"v1\.0\.0 is not the commit that production was"):
        move()
    assert path(writer) == [GOOD, BETTER]


# The gate


def test_a_worse_version_is_refused(move, writer, capsys):
    move(GOOD)
    with pytest.raises(
        RegistryError,
        match=r"the gate refuses v1\.2\.0 for production: fer2013: accuracy, paired\. Improve",
    ):
        move(WORSE)
    assert path(writer) == [GOOD]
    out = capsys.readouterr().out
    assert "FAIL  fer2013: accuracy, paired   -4.0 points (-5.3 to -3.0)" in out
    assert "above -2.0" in out


def test_force_is_recorded(move, writer, capsys):
    move(GOOD)
    moved = move(WORSE, force=True, reason="the old one leaks")
    assert (moved.forced, moved.gate["passed"], moved.reason) == (True, False, "the old one leaks")
    assert [check["name"] for check in moved.gate["checks"] if not check["passed"]] == [
        "fer2013: accuracy, paired"
    ]
    assert aliases(writer).history[-1] == moved
    assert capsys.readouterr().out.endswith(
        "production: v1.0.0 -> v1.2.0, by tester by force: the old one leaks\n"
    )


def test_force_that_was_not_needed_is_not_recorded_as_such(move):
    assert move(GOOD, force=True).forced is False


def test_other_test_examples_are_refused_with_the_reason(move, writer, capsys):
    move(GOOD)
    with pytest.raises(
        RegistryError, match=r"refuses v1\.3\.0 for production: fer2013: accuracy, paired"
    ):
        move(STRANGE)
    assert (
        "the test sets fer2013 differ (bbbbbbbbbbbb and aaaaaaaaaaaa), so there are no pairs"
        in capsys.readouterr().out
    )
    assert path(writer) == [GOOD]


def test_a_version_in_use_that_is_gone_can_be_replaced_by_force(move, writer, capsys):
    move(GOOD)
    writer.delete_tag(REPO, tag=GOOD)
    with pytest.raises(
        RegistryError, match=r"the gate refuses v1\.1\.0 for production: version in use"
    ):
        move(BETTER)
    assert "deleted" in capsys.readouterr().out
    assert move(BETTER, force=True, reason="deleted by mistake").forced


# At once, and cut short


def test_two_promotions_of_one_alias_at_once(hub, move, writer):
    move(GOOD)
    hub.fault(Delay(0.2), "/commit/")  # so that both have read the same aliases
    reasons = {BETTER: "mine\x1b[2J", STRANGE: "no, mine\x1b[2J"}
    found = results_of(
        *(lambda v=version: move(v, reason=reasons[v], force=True) for version in reasons)
    )
    (won,) = (result for result in found if isinstance(result, Move))
    (lost,) = (result for result in found if isinstance(result, FERError))
    assert (
        f"meanwhile tester moved production: v1.0.0 -> {won.target.version}"
        f" ({won.reason[:-4]}\\x1b[2J)" in str(lost)
    )
    assert "nothing was changed: look, and run the command again" in str(lost)
    assert path(writer) == [GOOD, won.target.version]


def test_promotions_of_two_aliases_at_once(hub, move, writer):
    hub.fault(Delay(0.1), "/commit/")
    found = results_of(lambda: move(GOOD), lambda: move(BETTER, alias="challenger"))
    assert all(isinstance(result, Move) for result in found)
    assert len(aliases(writer).history) == 2
    assert {alias: target.version for alias, target in aliases(writer).targets.items()} == {
        "production": GOOD,
        "challenger": BETTER,
    }


def test_a_push_and_a_promotion_at_once(hub, move, writer, tmp_path):
    hub.fault(Delay(0.1), "/commit/")
    new = PushConfig(write_measured(tmp_path / "new", 0.9, seed=9), REPO, "v2.0.0")
    pushed, moved = results_of(
        lambda: push.main(new, token=hub.write_token, endpoint=hub.url), lambda: move(GOOD)
    )
    assert path(writer) == [GOOD] == [moved.target.version]
    assert writer.model_info(REPO, revision="v2.0.0").sha == pushed
    assert {*writer.list_repo_files(REPO, revision="v2.0.0")} - {ALIASES} == {
        *writer.list_repo_files(REPO, revision=GOOD)
    }


@pytest.mark.parametrize("action", [Answer(500), LoseAnswer()], ids=["refused", "lost"])
def test_a_promotion_that_failed_at_any_request_can_be_repeated(
    hub, move, writer, monkeypatch, action
):
    """It is recorded once, also where the answer was lost."""
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))
    for step in range(60):
        fault = hub.fault(action, after=step, times=1)
        try:
            move(GOOD)
        except DownloadError:
            hub.clear_faults()
            move(GOOD)
        hub.clear_faults()
        assert path(writer) == [GOOD]
        if not fault.reached.is_set():
            break
        writer.delete_file(ALIASES, REPO)
    assert step >= 9


@pytest.mark.parametrize("action", [Answer(500), LoseAnswer()], ids=["refused", "lost"])
def test_a_rollback_whose_answer_was_lost_is_found_in_the_history(hub, move, writer, action):
    move(GOOD)
    move(BETTER)
    hub.fault(action, "/commit/", times=1)
    if isinstance(action, LoseAnswer):
        assert move().target.version == GOOD
        assert path(writer) == [GOOD, BETTER, GOOD]
    else:
        with pytest.raises(
            DownloadError,
            match=r"Whether production has moved is not known: look at .*/aliases\.json",
        ):
            move()
        assert path(writer) == [GOOD, BETTER]


def test_a_repo_that_never_rests(hub, move, writer):
    hub.fault(Answer(412), "/commit/")
    with pytest.raises(DownloadError, match="was changed by others 8 times meanwhile"):
        move(GOOD)
    assert not writer.file_exists(REPO, ALIASES)


@pytest.mark.usefixtures("commits")
@pytest.mark.parametrize("handled", [False, True], ids=["before", "after"])
def test_a_killed_promotion_can_be_repeated(hub, writer, tmp_path, handled):
    fault = hub.fault(Hang(handled), "/commit/")
    command = [
        sys.executable,
        "-m",
        "training.promote",
        GOOD,
        "--repo",
        REPO,
        "--alias",
        "production",
        "--reason",
        "x",
    ]
    options = {"cwd": ROOT, "env": hub.environment(tmp_path / "home", hub.write_token)}
    process = subprocess.Popen(
        command, **options, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert fault.reached.wait(30)
    process.kill()
    process.wait()
    hub.clear_faults()
    result = subprocess.run(command, **options, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert path(writer) == [GOOD]


@pytest.mark.usefixtures("commits")
def test_the_command_refuses_in_words(hub, tmp_path):
    options = {
        "cwd": ROOT,
        "env": hub.environment(tmp_path / "home", hub.write_token),
        "text": True,
    }
    command = [sys.executable, "-m", "training.promote", "--repo", REPO, "--alias", "production"]
    for arguments, code, message in (
        (["--rollback"], 1, "error: production was never promoted"),
        ([GOOD, "--rollback"], 2, "error: name a version, or --rollback"),
    ):
        result = subprocess.run([*command, *arguments], **options, capture_output=True, check=False)
        assert (result.returncode, message in result.stderr) == (code, True), result.stderr
        assert "Traceback" not in result.stderr
