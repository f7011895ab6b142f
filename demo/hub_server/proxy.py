"""A TCP proxy that cuts connections, which no ASGI server can do."""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from demo.hub_server.faults import Cut, Faulty, Request

HOST = "127.0.0.1"
REQUEST_LINE = re.compile(rb"([A-Z]+) ([^ ?]+)\S* HTTP/1\.1\r\n")
CHUNK_BYTES = 1 << 16
POLL_SECONDS = 0.05
# SO_LINGER for no time: close() sends RST instead of FIN
RESET_WHEN_CLOSED = struct.pack("ii", 1, 0)


class TcpProxy(Faulty):
    """Passes connections on to the server at `target`, and cuts them where a rule says so.

    It knows a request by its first line, which must come at the start of what one `recv` returns.
    The client takes care of that: it sends the head in one piece, and the next request only after
    the answer.
    """

    actions = (Cut,)

    def __init__(self, target: str) -> None:
        super().__init__()
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server((HOST, 0))
        self._start(threading.Thread(target=self._accept, name="proxy"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            if select.select([self._listener], [], [], POLL_SECONDS)[0]:
                client, _ = self._listener.accept()
                self._start(
                    threading.Thread(target=self._serve, args=(client,), name="proxied connection")
                )

    def _serve(self, client: socket.socket) -> None:
        """Pass bytes both ways until one side ends, a rule cuts, or the proxy stops."""
        with client:
            try:
                with socket.create_connection(self._target) as server:
                    link = _Link(client, server, self)
                    while not self._stopping.is_set() and link.pass_on():
                        pass
            except ConnectionError:
                # the client gave up, or the server is down: the end of the connection tells it
                return


class _Link:
    """One connection, and the cut that its present request shall meet."""

    def __init__(self, client: socket.socket, server: socket.socket, rules: Faulty) -> None:
        self.client = client
        self.server = server
        self.rules = rules
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.cut: Cut | None = None
        self.left = 0
        self.ended = False

    def pass_on(self) -> bool:
        """Pass on what has come within a moment; False once the connection is over."""
        sources = [self.client] if self.ended else [self.client, self.server]
        ready, _, _ = select.select(sources, [], [], POLL_SECONDS)
        return all(self._pass(source) for source in ready)

    def _pass(self, source: socket.socket) -> bool:
        chunk = source.recv(CHUNK_BYTES)
        if self.ended:
            return bool(chunk)
        from_client = source is self.client
        if from_client:
            self._meet(chunk)
        concerned = self.cut is not None and (self.cut.side == "request") == from_client
        sink = self.server if from_client else self.client
        sink.sendall(chunk[: self.left] if concerned else chunk)
        return self._count(chunk) if concerned else bool(chunk)

    def _meet(self, chunk: bytes) -> None:
        """Look for a rule where a new request begins."""
        line = REQUEST_LINE.match(chunk)
        if line:
            request = Request(line[1].decode("ascii"), line[2].decode("ascii"), headers={})
            rule = next((rule for rule in list(self.rules.faults) if rule.applies(request)), None)
            self.cut = rule.action if rule and isinstance(rule.action, Cut) else None
            self.left = self.cut.after_bytes if self.cut else 0

    def _count(self, chunk: bytes) -> bool:
        """Cut when enough bytes have passed.

        A half-closed client may go on sending until it closes too.
        """
        self.left -= len(chunk)
        if self.left > 0 or self.cut is None:
            return bool(chunk)
        self.ended = True
        if self.cut.reset:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_WHEN_CLOSED)
            return False
        self.client.shutdown(socket.SHUT_WR)
        return True
