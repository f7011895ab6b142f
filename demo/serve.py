"""Run the app in a process of its own: for browser tests, the README's pictures and `demo.hub`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0


@contextmanager
def serve(script: Path, folder: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Run a Streamlit script on a free port and yield its address.

    `folder` takes its log and Hub cache.
    """
    port = free_port()
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(script)),
        "--server.headless=true",
        f"--server.port={port}",
        "--server.address=127.0.0.1",
        "--server.fileWatcherType=none",
    ]
    with running(command, f"http://127.0.0.1:{port}", folder, variables) as url:
        yield url


@contextmanager
def running(
    command: Sequence[str], url: str, folder: Path, variables: Mapping[str, str]
) -> Iterator[str]:
    """Run a command that starts the app at an address, and yield this once the app answers."""
    environment = {**os.environ, "HF_HOME": str(folder / "huggingface"), **variables}
    log = folder / "streamlit.log"
    with log.open("wb") as output:
        process = psutil.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_healthy(process, f"{url}/_stcore/health", log)
        yield url
    finally:
        _kill_with_children(process)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_healthy(process: psutil.Popen, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(
        f"the app did not start within {START_SECONDS:.0f} s; its log:\n{log.read_text()}"
    )


def _kill_with_children(process: psutil.Popen) -> None:
    family = [process, *process.children(recursive=True)] if process.is_running() else [process]
    for member in family:
        if member.is_running():
            member.kill()
    psutil.wait_procs(family, timeout=10)
