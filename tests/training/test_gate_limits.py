"""The limits of the gate are those that docs/registry.md tells."""

from __future__ import annotations

import re
from dataclasses import asdict

from tests.factories.versions import ROOT
from training.gate_limits import BESIDE, LIMITS, Costs, Limits


def test_the_documented_thresholds_are_those_of_the_gate():
    text = (ROOT / "docs" / "registry.md").read_text(encoding="utf-8")
    documented = re.findall(
        r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", text, re.MULTILINE
    )
    limits = [asdict(known) for known in (LIMITS["natural"], LIMITS["fer2013"], Limits())]
    assert documented == [(name, *(str(known[name]) for known in limits)) for name in limits[0]]
    costs = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| [^|]+ \|$", text, re.MULTILINE)
    assert costs == [(name, str(value)) for name, value in asdict(Costs()).items()]
    assert (
        f"above −{100 * BESIDE['accuracy_loss']:.0f} points and recall fall by at most"
        f" {BESIDE['recall_loss']}" in text
    )
