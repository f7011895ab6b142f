"""Standard error while models load, and both streams where they are closed, full or unread."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fer.cli.console import without_chatter
from tests.factories.versions import ROOT
from tests.support.commands import COMMAND


def test_lines_but_libraries_information_are_kept(capfd):
    with without_chatter():
        os.write(2, b"INFO: Created a delegate.\nERROR: something else\n")
    assert capfd.readouterr().err == "ERROR: something else\n"


def test_nothing_written_is_nothing_told(capfd):
    with without_chatter():
        pass
    assert capfd.readouterr().err == ""


def test_a_child_process_that_stays_is_not_waited_for(capfd):
    with without_chatter():
        child = subprocess.Popen(["sleep", "60"])
        os.write(2, b"still told\n")
    child.kill()
    child.wait()
    assert capfd.readouterr().err == "still told\n"


@pytest.mark.parametrize("command", ["predict", "models"])
def test_a_reader_that_closes_early_is_no_error(blank, command):
    """As `| head -1` does; this one closes before the first line.

    So that no pipe is large enough to hide it.
    """
    (blank / "broken.jpg").write_bytes(b"broken")
    process = subprocess.Popen(
        [*COMMAND, command, *([str(blank)] if command == "predict" else [])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    with process.stderr:
        err = process.stderr.read()
    assert process.wait(timeout=60) == 0
    assert "Traceback" not in err
    assert "BrokenPipeError" not in err
    if command == "predict":
        assert err == "1 of 2 photos were classified\n"


@pytest.mark.parametrize(
    ("redirection", "status", "last"),
    [
        (
            ">&-",
            2,
            (
                "error: standard output is closed, and nothing else was asked for; open it, or use"
                " an option."
            ),
        ),
        (
            ">/dev/full",
            2,
            (
                "error: standard output cannot be written (No space left on device); choose another"
                " place."
            ),
        ),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        (">&- --output {out}", 0, "1 photos, 0 faces, 0 failed"),
        (">&- 2>&- <&- --output {out}", 0, ""),
        ("| true", 0, "1 of 1 photos were classified"),
    ],
)
def test_standard_streams_that_are_closed_or_full(blank, tmp_path, redirection, status, last):
    """And no file is opened in the place of a closed one."""
    command = f"set -o pipefail; {sys.executable} -m fer predict {blank} --format csv {redirection}"
    done = subprocess.run(
        ["bash", "-c", command.format(out=tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode == status
    if "true" not in redirection:  # which may be gone before the first row, or after the last
        assert [*done.stderr.splitlines(), ""][-1 if not last else -2] == last
    if "{out}" in redirection:
        assert len((tmp_path / "out" / "results.csv").read_text().splitlines()) == 2
