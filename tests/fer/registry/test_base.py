"""A listing tells names apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fer import (
    Aliases,
    Listing,
    RegistryError,
    VersionRef,
)
from fer.registry.base import DEFAULT


def listing(*names: str, **options: Any) -> Listing:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    refs = (
        VersionRef(name, f"{n:040x}", start + timedelta(n)) for n, name in enumerate(names, start=1)
    )
    return Listing("somewhere", tuple(refs), **options)


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("a", DEFAULT), DEFAULT), (("b", "a"), "b"), (("v2.0.0", "v1.0.0"), "v2.0.0")],
)
def test_the_default_of_a_listing(names, expected):
    assert listing(*names).default().name == expected


def test_production_goes_before_the_default():
    refs = (VersionRef(DEFAULT, "a"), VersionRef("b", "b", aliases=("challenger", "production")))
    assert Listing("somewhere", refs).default().name == "b"


def test_an_alias_without_its_version_is_an_error_of_the_registry():
    document = {
        "schema": 1,
        "aliases": {"production": {"version": "v9.0.0", "commit": "9" * 40}},
        "history": [
            {
                "alias": "production",
                "version": "v9.0.0",
                "commit": "9" * 40,
                "from": None,
                "reason": "r",
                "actor": "a",
                "time": "2026-01-01T00:00:00+00:00",
                "forced": False,
                "gate": None,
            }
        ],
    }
    aliases = Aliases.parse(json.dumps(document).encode())
    with pytest.raises(
        RegistryError, match=r"^somewhere: production is v9\.0\.0 at 999999999999, but that versio"
    ):
        listing("v1.0.0", aliases=aliases).resolve("production")
