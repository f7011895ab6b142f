"""Standard error while models load."""

from __future__ import annotations

import os
import subprocess

from fer.cli.console import without_chatter


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
