"""A Hub of one's own: a small server that the real `huggingface_hub` client talks to.

It answers over HTTP on 127.0.0.1.

    with HubServer(folder) as hub:
        api = HfApi(endpoint=hub.url, token=hub.write_token)
        api.create_repo(f"{hub.user}/model")
        hub.fault(Answer(503), r"/refs$", times=1)
        assert hub.count("GET", r"/resolve/") == 0

`python -m demo.hub_server --folder DIR` runs it as a program. A test module gets the fixtures
`hub`, `writer`, `reader` and `proxy` by `pytest_plugins = ["tests.support.hub_fixtures"]`; they
also keep the client in this process from Xet. Programs get the variables of
`HubServer.environment`, which do the same. `python -m demo.hub` opens the app on one.

What it does not cover:

- Xet: uploads and downloads go the older way (LFS batch, PUT, plain GET), while the real Hub
  prefers Xet.
- The real Hub's limits: sizes, rates, number of files, allowed licences and fields of a model card,
  scanning, quotas.
- Redirects to a content network: files come from the server itself.
- git itself: history is one line of commits on `main`, without branches, pull requests, clones or
  real git commits.
- Data sets, Spaces, organisations, searching, discussions, and whatever else has no route in
  `app.py`.
"""

from demo.hub_server.faults import (
    Answer,
    Corrupt,
    Cut,
    Delay,
    Fault,
    Hang,
    LoseAnswer,
    Request,
    Truncate,
)
from demo.hub_server.proxy import TcpProxy
from demo.hub_server.server import HubServer

__all__ = [
    "Answer",
    "Corrupt",
    "Cut",
    "Delay",
    "Fault",
    "Hang",
    "HubServer",
    "LoseAnswer",
    "Request",
    "TcpProxy",
    "Truncate",
]
