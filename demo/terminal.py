"""What one types to take a version through its life, and a terminal that types it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.hub_server import HubServer
from fer.registry.base import DEFAULT
from fer.versions.folder import BUNDLED

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
BIN = Path(sys.executable).parent
REPO = f"{HubServer.user}/faces"
STORY = {
    version: (BUNDLED / name).relative_to(ROOT)
    for version, name in {
        "v1.0.0": "seed-cnn",
        "v1.1.0": "flagship-fer2013",
        "v2.0.0": DEFAULT,
        "v2.1.0": "flagship-seven",
    }.items()
}
"""The bundled folders by the versions that they become on the Hub."""
IMAGES, EPOCHS = 200, 2
REFUSED = 1


@dataclass(frozen=True)
class Terminal:
    """Runs commands in the project's folder as a Hub's user; `folder` takes what they make."""

    hub: HubServer
    folder: Path

    @property
    def here(self) -> str:
        """The folder as one types it."""
        return shlex.quote(str(self.folder.relative_to(ROOT)))

    @property
    def exports(self) -> str:
        """The line with which another terminal finds this Python and this Hub."""
        variables = self.hub.environment(self.folder / "hf-home", self.hub.write_token)
        pairs = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
        return " ".join(["export", f'PATH={shlex.quote(str(BIN))}:"$PATH"', *pairs])

    def run(self, command: str, *, refusal: str = "") -> None:
        """Show a command, what it says and how long it took.

        With `refusal`, the command must end with an error that says so. Raises SystemExit if it
        ends otherwise than it should.
        """
        print(f"\n$ {command}", flush=True)
        start = time.monotonic()
        status, said = self._type(command)
        print(f"  ({time.monotonic() - start:.1f} s)", flush=True)
        if status != (REFUSED if refusal else 0) or refusal not in said:
            expected = f"to be refused: {refusal}" if refusal else "to work"
            raise SystemExit(f"error: this ended with status {status}, but was expected {expected}")

    def _type(self, command: str) -> tuple[int, str]:
        """The exit status of a command and what it says, which is printed as it comes."""
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            f"{self.exports}\n{command}",
            shell=True,
            cwd=ROOT,
            env=os.environ | quiet,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            said = [_echo(line) for line in process.stdout or ()]
        return process.returncode, "".join(said)


@contextmanager
def playground() -> Iterator[Terminal]:
    """A Hub without repos and a terminal on it, both gone in the end, also after a kill."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    BUILD.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="demo-", dir=BUILD) as folder,
        HubServer(Path(folder) / "hub") as hub,
    ):
        yield Terminal(hub, Path(folder))


def fill(versions: dict[str, Path]) -> list[str]:
    """Publish folders, and put the default one of the app into production."""
    default = next(version for version, folder in versions.items() if folder.name == DEFAULT)
    return [
        *(push(folder, version) for version, folder in versions.items()),
        promote(default, "the version that comes with the app"),
    ]


def train(here: str, images: int = IMAGES, epochs: int = EPOCHS) -> list[str]:
    """Make a tiny version of drawn faces."""
    return [
        f"python -m demo.faces {here}/fer2013.npz --images {images}",
        (
            f"python -m training.train --recipe seed-cnn --data {here}/fer2013.npz --output"
            f" {here}/run --epochs {epochs}"
        ),
        f"python -m training.export --run {here}/run --output {here}/tiny",
        f"python -m training.evaluate --version {here}/tiny --data {here}/fer2013.npz",
    ]


def measure_default(here: str) -> list[str]:
    """Measure a copy of the bundled version on the drawn faces too, so that there are pairs."""
    return [
        f"cp -R {(BUNDLED / DEFAULT).relative_to(ROOT)} {here}/{DEFAULT}",
        f"python -m training.evaluate --version {here}/{DEFAULT} --data {here}/fer2013.npz",
    ]


def push(folder: Path | str, version: str) -> str:
    return f"python -m training.push {folder} --repo {REPO} --version {version}"


def promote(version: str, reason: str, *options: str) -> str:
    return " ".join([f"{_PROMOTE} {version} --reason {shlex.quote(reason)}", *options])


def roll_back() -> str:
    return f"{_PROMOTE} --rollback"


def pull(version: str, folder: str) -> str:
    return f"python -m training.pull --repo {REPO} {version} --output {folder}"


def show(versions: Sequence[str] = ()) -> str:
    return " ".join([f"python -m demo.show {REPO}", *versions])


_PROMOTE = f"python -m training.promote --repo {REPO} --alias production"


def _echo(line: str) -> str:
    print(f"  {line.rstrip()}", flush=True)
    return line
