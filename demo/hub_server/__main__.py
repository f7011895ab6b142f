"""Run the Hub of one's own as a program.

    python -m demo.hub_server --folder DIR --port 0

prints its address, then its tokens. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from demo.hub_server import HubServer


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demo.hub_server", description="A small Hub on this machine."
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="where repositories are kept, made if need be"
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    with HubServer(arguments.folder, arguments.port) as hub:
        print(hub.url, flush=True)
        print(
            f"user {hub.user}, token to write {hub.write_token}, token to read {hub.read_token}",
            flush=True,
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("The Hub stops.")


if __name__ == "__main__":
    main()
