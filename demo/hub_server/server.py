"""`HubServer`: the Hub for tests on a thread of the calling process."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from demo.hub_server.access import Access, Account
from demo.hub_server.app import build_app
from demo.hub_server.faults import (
    Answer,
    Corrupt,
    Delay,
    Faulty,
    Hang,
    LoseAnswer,
    Request,
    Truncate,
)
from demo.hub_server.middleware import LogAndFaults
from demo.hub_server.store import Store

HOST = "127.0.0.1"
USER = "tester"
STOP_SECONDS = 10.0


class HubServer(Faulty):
    """A Hub over a folder, which keeps the repositories when the server stops.

    `write_token` and `read_token` belong to `user`, whose repositories they concern.
    `stranger_token` may write, but belongs to the user `stranger`, whom a gated repository may
    grant access.
    """

    actions = (Answer, Delay, Hang, Truncate, Corrupt, LoseAnswer)
    user = USER
    write_token, read_token, stranger_token = "hf_write", "hf_read", "hf_stranger"

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__()
        self.port = port
        self._log: list[Request] = []
        self._accounts = {
            self.write_token: Account(USER, "write"),
            self.read_token: Account(USER, "read"),
            self.stranger_token: Account("stranger", "write"),
        }
        self.store = Store(folder)
        routes = build_app(Access(self.store, self._accounts))
        self._app = LogAndFaults(routes, self.faults, self._log)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """What was asked since the start or since `forget_requests`."""
        return list(self._log)

    def count(self, method: str, path: str) -> int:
        """How many requests had a method (the whole of it) and a path (a part of it is enough).

        Both are regular expressions.
        """
        return sum(request.matches(method, path) for request in self.requests)

    def forget_requests(self) -> None:
        self._log.clear()

    def revoke(self, token: str) -> None:
        """From now on, the token is refused with 401."""
        del self._accounts[token]

    def environment(self, home: Path, token: str = "") -> dict[str, str]:
        """The variables by which the client of another program talks to this server."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_TOKEN": token,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }

    def start(self) -> None:
        """Listen, from the second time on at the same port; requests may come at once."""
        listener = listen(self.port)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="hub", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port, which `start` opens again, and every connection."""
        self.clear_faults()
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError(f"the Hub for tests did not stop within {STOP_SECONDS:.0f} s")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """Stops at once; Uvicorn takes 0.2 s, too slow where every test starts a server."""

    async def main_loop(self) -> None:
        while not self.should_exit:
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in self.server_state.connections:
            connection.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=1)


def listen(port: int) -> socket.socket:
    """A listening socket that says TCP, without which asyncio leaves Nagle's delay of 40 ms on."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen()
    return listener
