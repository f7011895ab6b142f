"""`aliases.json`: what is written is read back, and what nobody wrote that way is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fer import Aliases, Move, RegistryError, Target
from fer.registry.aliases import SCHEMA, VERSION

ONE, TWO = Target("v1.0.0", "1" * 40), Target("v1.1.0", "2" * 40)
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
FIRST = Move("production", ONE, None, "the first", "ann", NOW)
SECOND = Move(
    "production",
    TWO,
    ONE,
    "more «sad» faces\nfound",
    "bob",
    NOW,
    forced=True,
    gate={"recall": [0.5, None]},
)
OTHER = Move("challenger", TWO, None, "to be tried", "ann", NOW)
BOTH = Aliases((FIRST, OTHER, SECOND))


def document(**changes: Any) -> bytes:
    return json.dumps(json.loads(BOTH.to_bytes()) | changes).encode()


def entry(index: int = 0, **changes: Any) -> bytes:
    """The file with one entry of its history changed."""
    history = json.loads(BOTH.to_bytes())["history"]
    history[index] |= changes
    return document(history=history)


def test_no_moves():
    assert Aliases().targets == {}
    assert json.loads(Aliases().to_bytes()) == {"schema": SCHEMA, "aliases": {}, "history": []}
    assert Aliases.parse(Aliases().to_bytes()) == Aliases()


def test_round_trip():
    assert Aliases.parse(BOTH.to_bytes()) == BOTH
    assert BOTH.targets == {"production": TWO, "challenger": TWO}
    assert Aliases.parse(BOTH.to_bytes()).to_bytes() == BOTH.to_bytes()


def test_the_file_as_others_read_it():
    written = json.loads(BOTH.to_bytes())
    assert written["aliases"]["production"] == {"version": "v1.1.0", "commit": "2" * 40}
    assert written["history"][2] == {
        "alias": "production",
        "version": "v1.1.0",
        "commit": "2" * 40,
        "from": {"version": "v1.0.0", "commit": "1" * 40},
        "reason": "more «sad» faces\nfound",
        "actor": "bob",
        "time": "2026-11-23T12:30:00+00:00",
        "forced": True,
        "gate": {"recall": [0.5, None]},
    }


def test_a_move_is_added_at_the_end():
    assert Aliases((FIRST,)).moved(SECOND).targets == {"production": TWO}
    assert Aliases((FIRST,)).moved(SECOND).history == (FIRST, SECOND)
    for wrong in (FIRST, replace(SECOND, former=TWO)):
        with pytest.raises(
            ValueError, match="entry 2 of the history does not begin where production was"
        ):
            Aliases((FIRST,)).moved(wrong)


@pytest.mark.parametrize("name", ["v1.0.0", "v0.0.0", "v10.20.30", "v999999999.0.0"])
def test_names_of_versions(name):
    assert Target(name, "a" * 40).version == name
    assert VERSION.fullmatch(name)


OTHER_NAMES = (
    "",
    "1.0.0",
    "v1.0",
    "v1.0.0.0",
    "v01.0.0",
    "v1.0.0-rc1",
    "V1.0.0",
    "v1.0.0\n",
    " v1.0.0",
    "v1.0.x",
    "v¹.0.0",
    "v1.0.1000000000",
    "../v1.0.0",
    "latest",
)


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names_are_no_versions(name):
    with pytest.raises(ValueError, match=r"a version is called vX\.Y\.Z, received"):
        Target(name, "a" * 40)


@pytest.mark.parametrize(
    "commit", ["", "a" * 39, "a" * 41, "A" * 40, "g" * 40, "a" * 40 + "\n", "main"]
)
def test_other_words_are_no_commits(commit):
    with pytest.raises(ValueError, match="a commit is 40 hexadecimal digits, received"):
        Target("v1.0.0", commit)


@pytest.mark.parametrize(
    "alias", ["", "latest", "v1.0.0", "Production", "a b", "-a", "a" * 33, "ä", "a/b", "b\n"]
)
def test_other_words_are_no_aliases(alias):
    with pytest.raises(
        ValueError,
        match="an alias is up to 32 small letters and hyphens and not 'latest', received",
    ):
        replace(FIRST, alias=alias)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"schema": 1, "schema": 1}', "doubled key 'schema'"),
        (b"[]", "holds a list, expected a JSON object"),
        (b"{}", "schema None, but this program reads 1"),
        (b'{"schema": 1}', "missing required field `aliases`"),
        (document(schema=2), r"schema 2, but this program reads 1; update the program"),
        (document(schema="1"), r"schema '1', but this program reads 1"),
        (document(history=None), r"Expected `array`, got `null` at \$\.history, received None"),
        (document(history=[3]), r"Expected `object`, got `int` at \$\.history\[0\], received 3"),
        (document(history=[]), "the aliases are not where the history leads"),
        (document(aliases={}), "the aliases are not where the history leads"),
        (document(aliases=None), r"Expected `object`, got `null` at \$\.aliases, received None"),
        (
            document(aliases={"production": {"version": "v9.9.9", "commit": "2" * 40}}),
            "not where the history leads",
        ),
        (entry(version="v1"), r"a version is called vX\.Y\.Z, received 'v1'"),
        (entry(commit="2" * 12), "a commit is 40 hexadecimal digits, received '222222222222'"),
        (
            entry(commit=None),
            r"Expected `str`, got `null` at \$\.history\[0\]\.commit, received None",
        ),
        (entry(alias="latest"), "and not 'latest', received 'latest'"),
        (entry(2, **{"from": None}), "entry 3 of the history does not begin where production was"),
        (
            entry(2, **{"from": "v1.0.0"}),
            r"Expected `object \| null`, got `str` at \$\.history\[2\]\.from, received 'v1\.0\.0'",
        ),
        (
            entry(time="yesterday"),
            r"Invalid RFC3339 encoded datetime at \$\.history\[0\]\.time, received 'yesterday'",
        ),
        (entry(time="2026-11-23T12:30:00"), "a time needs its zone"),
        (entry(time=3), r"Expected `datetime`, got `int` at \$\.history\[0\]\.time, received 3"),
        (entry(forced=1), r"Expected `bool`, got `int` at \$\.history\[0\]\.forced, received 1"),
        (entry(gate=[]), r"Expected `object \| null`, got `array` at \$\.history\[0\]\.gate"),
        (entry(reason=None), r"Expected `str`, got `null` at \$\.history\[0\]\.reason"),
        (
            entry(actor=["ann"]),
            r"Expected `str`, got `array` at \$\.history\[0\]\.actor, received \['ann'\]",
        ),
    ],
)
def test_broken_files_are_refused_with_the_reason(content, reason):
    with pytest.raises(
        RegistryError,
        match=rf"^aliases\.json is broken \(.*{reason}.*\); restore an earlier commit of it",
    ):
        Aliases.parse(content)
