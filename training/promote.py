"""Let an alias stand for another version if the gate finds it no worse, and record why.

    python -m training.promote --repo USER/REPO --alias production v1.2.0 --reason "finds more sad"

    back to the version before, without a gate:
    python -m training.promote --repo USER/REPO --alias production --rollback

Takes a few seconds and prints the gate's table. `--force` passes a gate that refused, and is
recorded too. An alias is an entry of `aliases.json` on the repo's `main`; the app follows it within
a minute.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

import typer
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import HfHubHTTPError

from fer import FERError, ModelError
from fer.cli.application import run_script
from fer.errors import DownloadError, RegistryError
from fer.registry.aliases import ALIASES, Aliases, Move, Target
from fer.registry.base import VersionRef
from fer.registry.deadline import Deadline
from fer.registry.hub import HubRegistry
from fer.registry.hub_repo import HubRepo
from training.command import printable
from training.gate import run_gate
from training.gate_checks import Check, table
from training.hub_writes import (
    ATTEMPTS,
    MOVED,
    busy,
    has_status,
    head,
    require_writer,
    tree,
    writing,
)


@dataclass(frozen=True)
class PromoteConfig:
    """Which alias moves where, and why; without a version, back to where it was before."""

    repo: str
    alias: str
    version: str | None = None
    reason: str = ""
    force: bool = False


def main(
    config: PromoteConfig, *, token: str | None = None, endpoint: str | None = None
) -> Move | None:
    """Move the alias and return what was recorded; None if it stands there already."""
    if config.version and not config.reason.strip():
        raise RegistryError("a promotion needs a --reason, in a few words.")
    repo = HubRepo(config.repo, token=token, endpoint=endpoint)
    registry = HubRegistry(config.repo, token=token, endpoint=endpoint)
    actor = require_writer(repo)
    _, aliases = read_aliases(repo)
    if config.version:
        ref = registry.resolve(config.version)
    else:
        ref = _before(registry, config.alias, aliases)
    move = _move(config, Target(ref.name, ref.commit), aliases, actor)
    if move.target == move.former:
        print(f"{move.alias} is {ref.name} already: nothing to do.")
        return None
    if config.version:
        move = _with_gate(move, registry, force=config.force)
    record(repo, move)
    print(f"{_path(move)}, by {actor}{' by force' if move.forced else ''}: {move.reason}")
    return move


def read_aliases(repo: HubRepo) -> tuple[str, Aliases]:
    """The head of `main` and the aliases it holds. Raises RegistryError if they are broken."""
    with repo.asking():
        commit = head(repo)
        known = ALIASES in tree(repo, commit)
    if not known:
        return commit, Aliases()
    return commit, Aliases.parse(repo.obtain(commit, ALIASES, Deadline()).read_bytes())


def record(repo: HubRepo, move: Move) -> None:
    """Add the move to the history, unless the alias was moved by somebody else meanwhile.

    Whatever else changes in the repo does not matter: the change is made again upon it.
    """
    for _ in range(ATTEMPTS):
        parent, aliases = read_aliases(repo)
        _require_unmoved(aliases, move)
        try:
            if _commit(repo, aliases.moved(move), parent, _path(move)):
                return
        except DownloadError as error:
            if _is_recorded(repo, move):
                return
            where = f"{repo.api.endpoint}/{repo.name}/blob/main/{ALIASES}"
            raise DownloadError(
                f"{error} Whether {move.alias} has moved is not known: look at {where} first."
            ) from error
    raise busy(repo)


def _commit(repo: HubRepo, aliases: Aliases, parent: str, message: str) -> bool:
    """Whether the aliases could be written: False if the head moved meanwhile."""
    operation = CommitOperationAdd(ALIASES, aliases.to_bytes())
    with writing(repo):
        try:
            repo.api.create_commit(
                repo.name, [operation], commit_message=message, parent_commit=parent
            )
        except HfHubHTTPError as error:
            if has_status(error, MOVED):
                return False
            raise
    return True


def _is_recorded(repo: HubRepo, move: Move) -> bool:
    """Whether a move was written although its answer was lost."""
    with suppress(FERError):
        _, aliases = read_aliases(repo)
        return move in aliases.history
    return False


def _require_unmoved(aliases: Aliases, move: Move) -> None:
    if aliases.targets.get(move.alias) == move.former:
        return
    moves = [
        printable(f"{known.actor} moved {_path(known)} ({known.reason})")
        for known in aliases.history
        if known.alias == move.alias
    ]
    raise RegistryError(
        f"meanwhile {moves[-1] if moves else f'the history of {move.alias} was deleted'};"
        f" {move.target.version} was judged against another version, so nothing was changed: look,"
        " and run the command again."
    )


def _move(config: PromoteConfig, target: Target, aliases: Aliases, actor: str) -> Move:
    former, reason = aliases.targets.get(config.alias), config.reason.strip() or "rollback"
    try:
        return Move(config.alias, target, former, reason, actor, datetime.now(UTC))
    except ValueError as error:
        raise RegistryError(f"--alias {config.alias!r:.100} cannot be used: {error}.") from error


def _before(registry: HubRegistry, alias: str, aliases: Aliases) -> VersionRef:
    """Where the alias was before its last promotion.

    A rollback undoes one and is none, so that a second goes on.
    """
    stack: list[Target] = []
    for move in aliases.history:
        if move.alias == alias and move.gate is None and stack[-2:-1] == [move.target]:
            stack.pop()
        elif move.alias == alias:
            stack.append(move.target)
    if len(stack) < 2:
        why = f"is back at {stack[0].version}, its first version" if stack else "was never promoted"
        raise RegistryError(f"{alias} {why}, so there is nothing to go back to; promote a version.")
    ref = registry.resolve(stack[-2].version)
    if ref.commit != stack[-2].commit:
        raise RegistryError(
            f"{ref.name} is not the commit that {alias} was; promote a version instead."
        )
    return ref


def _with_gate(move: Move, registry: HubRegistry, *, force: bool) -> Move:
    """The move with what the gate found. Raises RegistryError if it refuses and is not forced."""
    checks = _checks(move, registry)
    print(table(checks))
    failed = [check.name for check in checks if not check.passed]
    if failed and not force:
        raise RegistryError(
            f"the gate refuses {move.target.version} for {move.alias}: {', '.join(failed)}. Improve"
            " the version, or take it all the same with --force and a --reason that says why."
        )
    gate = {"passed": not failed, "checks": [asdict(check) for check in checks]}
    return replace(move, gate=gate, forced=bool(failed))


def _checks(move: Move, registry: HubRegistry) -> list[Check]:
    new = registry.fetch(VersionRef(move.target.version, move.target.commit))
    if move.former is None:
        return run_gate(new, None)
    try:
        return run_gate(new, registry.fetch(VersionRef(move.former.version, move.former.commit)))
    # nothing could ever replace a version in use that is broken or was deleted
    except ModelError as error:
        return [Check("version in use", "-", "-", str(error), passed=False), *run_gate(new, None)]


def _path(move: Move) -> str:
    return (
        f"{move.alias}: {move.former.version if move.former else 'nothing'} ->"
        f" {move.target.version}"
    )


def command(
    version: Annotated[
        str | None, typer.Argument(help="a version, v1.2.0, or another alias")
    ] = None,
    *,
    repo: Annotated[str, typer.Option(help="USER/REPO on the Hub")],
    alias: Annotated[str, typer.Option(help="the name that moves, e.g. production")],
    reason: Annotated[str, typer.Option(help="kept in the history")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="move it although the gate refuses")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="back to the version before, without a gate")
    ] = False,
) -> None:
    """Move an alias to a version, or back."""
    if rollback == bool(version):
        raise typer.BadParameter("name a version, or --rollback")
    main(PromoteConfig(repo, alias, version, reason, force))


if __name__ == "__main__":
    run_script(command, __doc__)
