"""Try versions made to harm the server, and random changes of the bundled graphs.

    python -m benchmarks.hostile

    a tiny run, a minute:
    python -m benchmarks.hostile --mutations 20

Takes about ten minutes and writes benchmarks/results/hostile.json: no server is lost, and whatever
is not admitted is refused. Every graph goes through
`EmotionClassifier`, which both share, in a process that stands for the server; a new one takes its
place if it is lost. The graphs made by hand also go through `python -m fer predict`. Needs what
requirements/dev.txt lists.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import psutil
import typer
from huggingface_hub import CommitOperationAdd, HfApi, constants

from demo.hub_server import HubServer
from fer import EmotionClassifier, ModelError, load_version
from fer.cli.application import run_script
from fer.registry.base import DEFAULT
from fer.registry.bundled import BundledRegistry
from fer.versions.folder import CONFIG, GRAPH, read_config, write_config
from tests.factories import hostile_graphs
from tests.factories.hostile_graphs import HOSTILE
from tests.factories.published import REPO
from tests.factories.versions import tiny_config
from training.command import write_report

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "hostile.json"
PORTRAIT = ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"
CROPS = {"blazeface": {"scale": 1.0, "shift": [0.0, 0.0], "level": False}}
SLOW = 10.0  # seconds
LARGE = 500 << 20  # bytes
REPEATS = 5


class Attempt(NamedTuple):
    """What came of loading a version: refused or admitted, seconds, bytes of growth."""

    end: str
    seconds: float
    growth: int


def main(
    *, mutations: Annotated[int, typer.Option(min=1, help="random changes to try")] = 1000
) -> None:
    """Measure all, and write and print the report."""
    constants.HF_HUB_DISABLE_XET = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = {
            "cores": os.cpu_count(),
            "by hand": tried(sealed_by_hand(folder)),
            "mutations": tried(sealed_mutations(folder, mutations)),
            "command line": from_the_command_line(folder / "hub"),
            "trial_seconds": {
                ref.name: trial_seconds(ref.name, folder)
                for ref in BundledRegistry().list().versions
            },
            "bundled_load_seconds": load_seconds(),
        }
    write_report(RESULTS, results)
    print(json.dumps(results, indent=2))


def sealed_by_hand(folder: Path) -> Iterator[Path]:
    """A version of each graph that was made to harm."""
    for name, make in HOSTILE.items():
        yield sealed(folder / name, make(), tiny_config(crops=CROPS))


def sealed_mutations(folder: Path, count: int) -> Iterator[Path]:
    """Changed graphs under the configuration of their origin, sealed anew."""
    names = [ref.name for ref in BundledRegistry().list().versions]
    count_of_each = -(-count // len(names))
    for name in names:
        version = load_version(name)
        config = json.loads((version.folder / CONFIG).read_text())
        plain = {key: value for key, value in config.items() if key not in ("files", "schema")}
        changed = hostile_graphs.mutations(version.read(GRAPH), count_of_each, seed=0)
        for number, graph in enumerate(changed):
            place = sealed(folder / f"{name} {number}", graph, plain)
            yield place
            (place / GRAPH).unlink()


def sealed(folder: Path, graph: bytes, config: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / GRAPH).write_bytes(graph)
    write_config(folder, config)
    return folder


def tried(folders: Iterator[Path]) -> dict[str, Any]:
    """What came of each version in a process that stands for the server."""
    attempts: list[Attempt] = []
    lost = 0
    context = multiprocessing.get_context("spawn")
    server = ProcessPoolExecutor(1, mp_context=context)
    for folder in folders:
        try:
            attempts.append(server.submit(attempt, folder).result())
        except BrokenProcessPool:
            lost += 1
            server = ProcessPoolExecutor(1, mp_context=context)
    server.shutdown()
    ends = [each.end for each in attempts]
    seconds = [each.seconds for each in attempts] or [0.0]
    growth = [each.growth for each in attempts] or [0]
    return {
        "versions": len(attempts) + lost,
        "refused": ends.count("refused"),
        "admitted": ends.count("admitted"),
        "servers_lost": lost,
        "hangs_over_10_s": sum(spent > SLOW for spent in seconds),
        "over_500_mb": sum(grown > LARGE for grown in growth),
        "slowest_seconds": round(max(seconds), 2),
        "median_seconds": round(statistics.median(seconds), 2),
        "most_megabytes": max(*growth, 0) >> 20,
    }


def attempt(folder: Path) -> Attempt:
    """Load a version and let it classify dark, bright and random faces."""
    process = psutil.Process()
    bytes_before = process.memory_info().rss
    began = time.perf_counter()
    end = "refused"
    with suppress(ModelError):
        classify(EmotionClassifier(read_config(folder), threads=1))
        end = "admitted"
    seconds = time.perf_counter() - began
    return Attempt(end, seconds, process.memory_info().rss - bytes_before)


def classify(classifier: EmotionClassifier) -> None:
    """Dark, bright and random faces."""
    size = classifier.version.input_shape[:2]
    noise = np.random.default_rng(0).integers(0, 256, (64, *size))
    for faces in (noise * 0, noise * 0 + 255, noise):
        classifier.predict(faces.astype(np.uint8))


def from_the_command_line(folder: Path) -> dict[str, dict[str, float]]:
    """Exit status and seconds of `fer predict` with each hostile version of a repo."""
    found = {}
    with HubServer(folder) as hub:
        writer = HfApi(endpoint=hub.url, token=hub.write_token)
        writer.create_repo(REPO)
        environment = {**os.environ, **hub.environment(folder / "home", hub.read_token)}
        for number, name in enumerate(HOSTILE):
            place = sealed(folder / name, HOSTILE[name](), tiny_config(crops=CROPS))
            publish(writer, place, f"v1.{number}.0")
            found[name] = predict(environment)
    return found


def publish(writer: HfApi, place: Path, tag: str) -> None:
    files = [CommitOperationAdd(path.name, path.read_bytes()) for path in place.iterdir()]
    commit = writer.create_commit(REPO, files, commit_message=place.name).oid
    writer.create_tag(REPO, tag=tag, revision=commit)


def predict(environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "fer", "predict", str(PORTRAIT), "--repo", REPO]
    began = time.perf_counter()
    run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=False)
    return {"exit": run.returncode, "seconds": round(time.perf_counter() - began, 2)}


def trial_seconds(name: str, folder: Path) -> float:
    """Median time of the trial of a graph, each in a program that never saw it."""
    graph = folder / "graph"
    graph.write_bytes(load_version(name).read(GRAPH))
    code = (
        "import pathlib, sys, time; from fer.versions.sandbox import Trials; "
        "graph = pathlib.Path(sys.argv[1]).read_bytes(); began = time.perf_counter(); "
        "Trials().require(graph); print(time.perf_counter() - began)"
    )
    return _median(code, str(graph))


def load_seconds() -> float:
    """Median time of `EmotionClassifier(load_version())`."""
    code = (
        "import time; from fer import EmotionClassifier, load_version; began ="
        f" time.perf_counter(); EmotionClassifier(load_version({DEFAULT!r}));"
        " print(time.perf_counter() - began)"
    )
    return _median(code)


def _median(code: str, *arguments: str) -> float:
    command = [sys.executable, "-c", code, *arguments]
    runs = [
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        for _ in range(REPEATS)
    ]
    return round(statistics.median(float(run.stdout) for run in runs), 3)


if __name__ == "__main__":
    run_script(main, __doc__)
