"""Versions made to harm the server.

It refuses them with a sentence, in time and in little memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import streamlit as st

from app_pages.shared.catalogue import Memory
from fer import EmotionClassifier, FERError, ModelError
from fer.versions.folder import GRAPH, METRICS, write_config
from fer.versions.sandbox import CPU_SECONDS, SECONDS, Trials
from tests.factories.hostile_graphs import HOSTILE, mutations
from tests.factories.published import EVERY_FILE, REPO, TEST_SETS, version_files
from tests.factories.versions import tiny_config, tiny_graph, weights, write_tiny

ROOT = Path(__file__).parents[3]
PORTRAIT = ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"
CROPS = {"blazeface": {"scale": 1.0, "shift": [0.0, 0.0], "level": False}}
MUCH = 200 << 20  # bytes
REASONS = {
    "crash": "TRANSPOSE reads a tensor that is not known before it",
    "name": "it is not a LiteRT graph .'utf-8' codec can't decode",
    "custom": "it uses the operator CUSTOM, which no network of this kind needs",
    "open side": (
        r"the tensor t0 has a dynamic shape \[-1, -1, 6, 1\]; only the first side may be open"
    ),
    "endless": "it holds 3 subgraphs, expected one",
    "light": "it uses the operator CAST, which no network of this kind needs",
    "wide": "it cannot run a batch of 1 in 256 MB|it is broken, or needs more than 256 MB",
    "slow": f"it needs more than {CPU_SECONDS} s of computing|it could not be tried within",
}

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.published_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


def resident() -> int:
    return int(psutil.Process().memory_info().rss)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_graph_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    version = write_tiny(tmp_path, HOSTILE[name]())
    began, before = time.monotonic(), resident()
    with pytest.raises(
        ModelError, match=rf"^version tiny: model\.tflite is refused: ({REASONS[name]})"
    ):
        EmotionClassifier(version)
    assert time.monotonic() - began < SECONDS + 1
    assert resident() - before < MUCH


def test_a_graph_is_tried_once() -> None:
    trials, graph = Trials(), tiny_graph(weights())
    for _ in range(2):
        began = time.monotonic()
        trials.require(graph)
    assert time.monotonic() - began < 0.05
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(ModelError, match="3 subgraphs"):
            trials.require(HOSTILE["endless"]())
    assert time.monotonic() - began < 0.05


def test_a_known_graph_does_not_wait_for_another_trial() -> None:
    trials, graph = Trials(), tiny_graph(weights())
    trials.require(graph)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(trials.require, tiny_graph(weights(seed=1)))
        while not trials._lock.locked() and not other.done():
            time.sleep(0.001)
        began = time.monotonic()
        trials.require(graph)
        assert time.monotonic() - began < 0.1
        assert not other.done()


def test_changed_graphs_end_in_a_sentence_or_run(tmp_path: Path) -> None:
    """A few of those that `benchmarks.hostile` makes.

    A crash of LiteRT would end this process, too.
    """
    refused = 0
    for graph in mutations(tiny_graph(weights(), softmax=True), 8, seed=5):
        version = write_tiny(tmp_path, graph, output="probabilities")
        try:
            EmotionClassifier(version)
        except ModelError:
            refused += 1
    assert refused > 3


def test_only_versions_that_are_not_bundled_start_a_process(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny")
    code = """
import sys
from pathlib import Path
started = []

def watch(event, arguments):
    if event == "subprocess.Popen":
        started.append(arguments[1])

sys.addaudithook(watch)
from fer import EmotionClassifier, load_version, read_version
EmotionClassifier(load_version())
print(len(started))
EmotionClassifier(read_version(Path(sys.argv[1])))
print(len(started))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "tiny")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "1"]


def test_the_trial_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python runs `sitecustomize` at its start: here, one that notes what the process was given."""
    seen = tmp_path / "seen.json"
    script = f"import json, os\nopen({str(seen)!r}, 'w').write(json.dumps(dict(os.environ)))\n"
    (tmp_path / "sitecustomize.py").write_text(script)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("HF_TOKEN", "CLOUDFLARE_TURN_KEY_API_TOKEN", "FER_ICE_SERVERS"):
        monkeypatch.setenv(name, "SECRET")
    Trials().require(tiny_graph(weights()))
    assert "SECRET" not in seen.read_text()
    allowed = {
        "HOME",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "PYTHONHOME",
        "OPENBLAS_NUM_THREADS",
        "LC_CTYPE",
    }
    assert set(json.loads(seen.read_text())) <= allowed


# The ways in: the command line and the pages


def changed(folder: Path, name: str, content: bytes) -> dict[str, bytes | None]:
    """The files of a sealed version, one of them with another content."""
    version_files(folder, crops=CROPS)
    (folder / name).write_bytes(content)
    with suppress(ModelError):  # it reads back what it has sealed
        write_config(folder, tiny_config(crops=CROPS))
    return {name: (folder / name).read_bytes() for name in EVERY_FILE}


@pytest.mark.parametrize("name", ["crash", "endless", "light"])
def test_the_command_line_survives(hub, publish, tmp_path, name) -> None:
    publish("v6.6.6", changed(tmp_path / "hostile", GRAPH, HOSTILE[name]()))
    environment = {**os.environ, **hub.environment(tmp_path / "home", hub.read_token)}
    command = [sys.executable, "-m", "fer", "predict", str(PORTRAIT), "--repo", REPO]
    run = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert "error: version v6.6.6: model.tflite is refused: " in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("name", ["crash", "light"])
def test_the_pages_survive(visit, publish, tmp_path, name) -> None:
    st.cache_resource.clear()
    publish("v1.0.0")
    publish("v6.6.6", changed(tmp_path / "hostile", GRAPH, HOSTILE[name]()))
    registry = visit(token=False)
    before = resident()
    catalogue = Memory(registry, visitors=True).catalogue()
    found = catalogue.classifiers(catalogue.entries)
    assert isinstance(found["v6.6.6"], FERError)
    assert isinstance(found["v1.0.0"], EmotionClassifier)
    assert resident() - before < MUCH


def test_large_metrics_are_neither_read_nor_kept(visit, publish, tmp_path) -> None:
    """Empty objects, which take 24 times their place on the disk."""

    def bomb(kilobytes: int) -> bytes:
        return json.dumps({"test_sets": TEST_SETS, "more": [{}] * (kilobytes << 8)}).encode()

    publish("v1.0.0", changed(tmp_path / "too large", METRICS, bomb(300)))
    for number in range(1, 12):
        publish(f"v1.{number}.0", changed(tmp_path / f"{number}", METRICS, bomb(250)))
    registry = visit(token=False)
    before = resident()
    catalogue = Memory(registry, visitors=True).catalogue()
    entries = {entry.name: entry.problem for entry in catalogue.entries}
    assert "metrics.json: config.json promises more than the 262,144 bytes" in entries["v1.0.0"]
    assert entries["v1.11.0"] == ""
    assert "more than 2 MB of metrics.json together" in entries["v1.1.0"]
    assert resident() - before < MUCH
