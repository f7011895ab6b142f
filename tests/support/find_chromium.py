"""Find a Chromium for the browser tests, or install one.

    python tests/support/find_chromium.py --install     prints the path; `make test` runs this

The variable CHROMIUM names one; otherwise it is looked for on PATH, among the applications of macOS
and in Playwright's own download, in this order.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome, or None.

    Raises FileNotFoundError if CHROMIUM names no executable file.
    """
    return _installed_chromium() or _playwright_chromium()


def install_chromium() -> None:
    """Install Debian's package where this is Debian's root, else Playwright's download."""
    if _is_debian_root():
        # the last one for Playwright's own Node.js
        packages = ["chromium", "fonts-liberation", "libatomic1"]
        subprocess.run(["apt-get", "update"], check=True)
        subprocess.run(
            ["apt-get", "install", "--yes", "--no-install-recommends", *packages], check=True
        )
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def _installed_chromium() -> str | None:
    if named := os.environ.get("CHROMIUM"):
        if found := shutil.which(named):
            return found
        raise FileNotFoundError(
            f"CHROMIUM is {named!r}, which is no executable file; correct or unset it."
        )
    return next(filter(None, map(shutil.which, (*COMMANDS, *MAC_APPLICATIONS))), None)


def _playwright_chromium() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _is_debian_root() -> bool:
    if platform.system() != "Linux" or os.geteuid() != 0:
        return False
    return platform.freedesktop_os_release().get("ID") == "debian"


if __name__ == "__main__":
    if "--install" in sys.argv[1:] and not _installed_chromium():
        install_chromium()
    print(
        find_chromium()
        or sys.exit("no Chromium found; install one or name it: CHROMIUM=/path/to/chromium")
    )
