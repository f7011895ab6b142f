"""Open the app on a Hub of one's own with the bundled versions, to try the whole registry.

    python -m demo.hub          or: make demo-hub

Takes about half a minute, then prints two addresses and what to type in a second terminal. Ctrl-C
stops everything, and deletes what was published and made.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
import webbrowser
from contextlib import suppress

from demo import terminal
from demo.serve import serve
from demo.terminal import REPO, ROOT, STORY, Terminal, playground
from fer.cli.application import run_script
from fer.registry.base import DEFAULT
from fer.registry.opening import REPO_VARIABLE

TINY = "v2.2.0"  # the versions to publish by hand
AGAIN = "v2.3.0"


def main() -> None:
    """Fill a Hub, open the app on it, and wait."""
    with suppress(KeyboardInterrupt), playground() as typist:
        for command in terminal.fill(STORY):
            typist.run(command)
        variables = typist.hub.environment(typist.folder / "app", typist.hub.read_token)
        variables[REPO_VARIABLE] = REPO
        with serve(ROOT / "app.py", typist.folder, variables) as app:
            print(instructions(typist, app), flush=True)
            _open_browser(app)
            threading.Event().wait()
    print("\nThe app and the Hub have stopped; what was published and made is deleted.")


def instructions(typist: Terminal, app: str) -> str:
    """The two addresses, and the lines for a second terminal."""
    here = typist.here
    lines = [
        f"\nThe app    {app}",
        f"The Hub    {typist.hub.url}    repo {REPO}",
        (
            "\nIn a second terminal (the app shows news within a minute, or at once after its"
            " refresh button):\n"
        ),
        f"cd {shlex.quote(str(ROOT))}",
        typist.exports,
        "\n# train a tiny version on drawn faces and publish it\n",
        *terminal.train(here),
        terminal.push(f"{here}/tiny", TINY),
        (
            "\n# measure the bundled version on the drawn faces too; the page Compare can then pair"
            f" {AGAIN} with {TINY}\n"
        ),
        *terminal.measure_default(here),
        terminal.push(f"{here}/{DEFAULT}", AGAIN),
        "\n# promote: the gate refuses; by force; and back\n",
        terminal.promote(TINY, "to see the gate"),
        terminal.promote(TINY, "to try a rollback", "--force"),
        terminal.roll_back(),
        "\nCtrl-C here stops both and deletes what was published and made.",
    ]
    return "\n".join(lines)


def _open_browser(url: str) -> None:
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen or sys.platform == "darwin":
        webbrowser.open(url)


if __name__ == "__main__":
    run_script(main, __doc__)
