"""Try versions made to harm the server, and random changes of the bundled graphs, as the app and the command line do.

    python -m benchmarks.hostile

    a tiny run, a minute:
    python -m benchmarks.hostile --mutations 20

Takes about ten minutes and writes benchmarks/results/hostile.json. Every graph goes through
`EmotionClassifier`, which both share, in a process that stands for the server; a new one takes its
place if it is lost. The graphs made by hand also go through `python -m fer predict`. Needs what
requirements/dev.txt lists.
"""

from __future__ import annotations

import argparse
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
from typing import Any

import numpy as np
import psutil
from huggingface_hub import CommitOperationAdd, HfApi, constants

from demo.hub_server import HubServer
from fer import EmotionClassifier, ModelError, load_version
from fer.registry.base import DEFAULT
from fer.registry.bundled import BundledRegistry
from fer.versions.folder import CONFIG, GRAPH, read_config, write_config
from tests.factories.hostile_graphs import HOSTILE, mutations
from tests.factories.published import REPO
from tests.factories.versions import tiny_config

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "hostile.json"
PORTRAIT = ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"
CROPS = {"blazeface": {"scale": 1.0, "shift": [0.0, 0.0], "level": False}}
SLOW, LARGE = 10.0, 500 << 20
REPEATS = 5


def main(count: int) -> dict[str, Any]:
    """Measure all and return what was written."""
    constants.HF_HUB_DISABLE_XET = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = {
            "cores": os.cpu_count(),
            "by hand": tried(sealed_by_hand(folder)),
            "mutations": tried(sealed_mutations(folder, count)),
            "command line": from_the_command_line(folder / "hub"),
            "trial_seconds": {
                ref.name: trial_seconds(ref.name, folder)
                for ref in BundledRegistry().list().versions
            },
            "bundled_load_seconds": load_seconds(),
        }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    return results


def sealed_by_hand(folder: Path) -> Iterator[Path]:
    """A version of each graph that was made to harm."""
    for name, make in HOSTILE.items():
        yield sealed(folder / name, make(), tiny_config(crops=CROPS))


def sealed_mutations(folder: Path, count: int) -> Iterator[Path]:
    """Changed graphs under the configuration of their origin, sealed anew."""
    names = [ref.name for ref in BundledRegistry().list().versions]
    for name in names:
        version = load_version(name)
        config = json.loads((version.folder / CONFIG).read_text())
        plain = {key: value for key, value in config.items() if key not in ("files", "schema")}
        for number, graph in enumerate(
            mutations(version.read(GRAPH), -(-count // len(names)), seed=0)
        ):
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
    count = lost = 0
    took, grown = [0.0], [0]
    outcomes = {"refused": 0, "admitted": 0}
    context = multiprocessing.get_context("spawn")
    server = ProcessPoolExecutor(1, mp_context=context)
    for folder in folders:
        count += 1
        try:
            outcome, seconds, growth = server.submit(attempt, folder).result()
        except BrokenProcessPool:
            lost += 1
            server = ProcessPoolExecutor(1, mp_context=context)
            continue
        outcomes[outcome] += 1
        took.append(seconds)
        grown.append(growth)
    server.shutdown()
    return {
        "versions": count,
        **outcomes,
        "servers_lost": lost,
        "hangs_over_10_s": sum(seconds > SLOW for seconds in took),
        "over_500_mb": sum(growth > LARGE for growth in grown),
        "slowest_seconds": round(max(took), 2),
        "median_seconds": round(statistics.median(took[1:] or took), 2),
        "most_megabytes": max(grown) >> 20,
    }


def attempt(folder: Path) -> tuple[str, float, int]:
    """Load a version and let it judge bright, dark and random faces.

    The outcome, seconds, bytes of growth.
    """
    process, began = psutil.Process(), time.perf_counter()
    before, outcome = process.memory_info().rss, "refused"
    with suppress(ModelError):
        version = read_config(folder)
        classifier = EmotionClassifier(version, threads=1)
        noise = np.random.default_rng(0).integers(0, 256, (64, *version.input_shape[:2]))
        for faces in (noise * 0, noise * 0 + 255, noise):
            classifier.predict(faces.astype(np.uint8))
        outcome = "admitted"
    return outcome, time.perf_counter() - began, process.memory_info().rss - before


def from_the_command_line(folder: Path) -> dict[str, dict[str, float]]:
    """Exit status and seconds of `python -m fer predict` with a hostile version of a repo on a small Hub."""
    found = {}
    with HubServer(folder) as hub:
        writer = HfApi(endpoint=hub.url, token=hub.write_token)
        writer.create_repo(REPO)
        environment = {**os.environ, **hub.environment(folder / "home", hub.read_token)}
        for number, name in enumerate(HOSTILE):
            place = sealed(folder / name, HOSTILE[name](), tiny_config(crops=CROPS))
            files = [CommitOperationAdd(path.name, path.read_bytes()) for path in place.iterdir()]
            commit = writer.create_commit(REPO, files, commit_message=name).oid
            writer.create_tag(REPO, tag=f"v1.{number}.0", revision=commit)
            command = [sys.executable, "-m", "fer", "predict", str(PORTRAIT), "--repo", REPO]
            began = time.perf_counter()
            run = subprocess.run(
                command, env=environment, cwd=ROOT, capture_output=True, check=False
            )
            found[name] = {"exit": run.returncode, "seconds": round(time.perf_counter() - began, 2)}
    return found


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
    parser = argparse.ArgumentParser(
        prog="benchmarks.hostile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--mutations", type=int, default=1000, metavar="N", help="default: %(default)s"
    )
    print(json.dumps(main(parser.parse_args().mutations), indent=2))
