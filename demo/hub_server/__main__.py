"""Run the Hub of one's own as a program.

    python -m demo.hub_server --folder build/hub

Prints its address, then its tokens, at once; Ctrl-C ends it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from demo.hub_server import HubServer
from fer.cli.application import run_script


def main(
    *,
    folder: Annotated[Path, typer.Option(help="where repositories are kept, made if need be")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 0,
) -> None:
    """Serve until Ctrl-C."""
    with HubServer(folder, port) as hub:
        tokens = f"token to write {hub.write_token}, token to read {hub.read_token}"
        print(hub.url, flush=True)
        print(f"user {hub.user}, {tokens}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("The Hub stops.")


if __name__ == "__main__":
    run_script(main, __doc__)
