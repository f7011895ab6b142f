"""`make app` serves this machine alone, under its own names, and asks nobody outside."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

import pytest

from demo.serve import free_port, running
from tests.support.camera import server_process

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = {"127.0.0.1", "::1"}


class Proxy(BaseHTTPRequestHandler):
    """A way to the internet that leads nowhere, and notes what was asked."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(502)

    def do_CONNECT(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None: ...


class Started(NamedTuple):
    url: str
    options: str


def recipe(options: str) -> list[str]:
    """The command by which `make app` starts the app, in the Python that runs the tests."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    made = subprocess.run(
        ["make", "--dry-run", "app", f"ARGS={options}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    program, *rest = shlex.split(made.stdout.splitlines()[-1])
    assert program.endswith("/streamlit")
    return [sys.executable, "-m", "streamlit", *rest]


@pytest.fixture(
    scope="module", params=["", "--server.allowedHosts=studio.example", "--server.address=0.0.0.0"]
)
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    """The app, started by the recipe with these options, beside a proxy that it would use."""
    Proxy.asked.clear()
    port = free_port()
    extra = f"--server.headless=true --server.fileWatcherType=none --server.port={port}"
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(
            target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        way = f"http://127.0.0.1:{proxy.server_port}"
        variables = {
            "http_proxy": way,
            "https_proxy": way,
            "HTTPS_PROXY": way,
            "no_proxy": "",
            "NO_PROXY": "",
        }
        command = recipe(f"{request.param} {extra}")
        with running(
            command, f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("app"), variables
        ) as url:
            yield Started(url, request.param)
        proxy.shutdown()


def greeting(url: str, host: str) -> str:
    """The first line of the answer to a page that opens its connection under the name `host`."""
    port = urlsplit(url).port
    headers = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}:{port}",
        f"Origin: http://{host}:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*headers, "", ""]).encode())
        return connection.recv(1000).decode("latin-1").splitlines()[0]


def test_who_may_come(started: Started) -> None:
    listening = {
        connection.laddr.ip
        for connection in server_process(started.url).net_connections("inet")
        if connection.status == "LISTEN"
    }
    assert listening
    assert (listening <= LOOPBACK) is ("address" not in started.options)


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "studio.example", "rebound.example", "localhost.rebound.example"],
)
def test_foreign_names_are_refused_on_the_own_machine(started: Started, host: str) -> None:
    answer = greeting(started.url, host)
    known = (
        host in ("localhost", "127.0.0.1")
        or host in started.options
        or "address" in started.options
    )
    assert ("101" if known else "403") in answer


def test_nobody_outside_is_asked(started: Started) -> None:
    assert greeting(started.url, "localhost")
    assert Proxy.asked == []
