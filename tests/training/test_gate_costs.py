"""What a version costs beside the one in use."""

from __future__ import annotations

import pytest

from fer import read_version
from tests.factories.measured import write_measured
from tests.support.gate import checks
from training import gate_costs
from training.gate_limits import Costs


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A version that gets 0.80 right; tests only read it."""
    return read_version(write_measured(tmp_path_factory.mktemp("gate") / "good", 0.80, seed=1))


def test_costs_have_a_budget_and_beyond_it_may_grow_by_half(monkeypatch, good):
    monkeypatch.setattr(gate_costs, "latencies", lambda versions: [29.0, 20.0][: len(versions)])
    assert not checks(good)["latency, one face"].passed
    assert checks(good, good)["latency, one face"].passed
    assert checks(good, good)["latency, one face"].required == "at most 30 ms"
    assert not checks(good, good, Costs(growth=1.4))["latency, one face"].passed
    assert not checks(good, None, Costs(megabytes=0.001))["size of the graph"].passed
    assert checks(good, good, Costs(megabytes=0.001))["size of the graph"].passed


def test_latencies_are_measured_in_turn(good):
    times = gate_costs.latencies([good, good])
    assert len(times) == 2
    assert all(0 < milliseconds < 100 for milliseconds in times)
