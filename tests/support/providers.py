"""A server on this machine in place of those that lend TURN servers."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler], patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is asked over HTTP with `urllib` comes to this handler.

    Under the path it was for.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        serving.start()

        def urlopen(question: urllib.request.Request, timeout: float) -> object:
            url = f"http://127.0.0.1:{server.server_port}{urlsplit(question.full_url).path}"
            here = urllib.request.Request(url, question.data, dict(question.header_items()))
            return opener.open(here, timeout=timeout)

        patch.setattr(urllib.request, "urlopen", urlopen)
        yield
        server.shutdown()
