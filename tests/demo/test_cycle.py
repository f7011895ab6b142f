"""The demonstrations do what they show, from a folder without data, and leave nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from demo.faces import write_faces
from demo.terminal import BUILD, REPO, ROOT, STORY, Terminal
from fer import EmotionClassifier, load_version, metrics
from training.data.fer2013_files import load
from training.data.resizing import predict

pytest_plugins = ["tests.support.hub_fixtures"]
SECONDS = 280
PYTHON = (sys.executable, "-m")
OPTIONS = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}


@pytest.fixture
def typist(hub):
    """A terminal on an empty Hub."""
    return Terminal(hub, BUILD)


def assert_gone(text):
    """The Hub and the app that are named in a text have stopped, and the folder is deleted."""
    for url in re.findall(r"http://127\.0\.0\.1:\d+", text):
        with pytest.raises(urllib.error.URLError, match="refused"):
            urllib.request.urlopen(url, timeout=10)
    folders = {ROOT / path for path in re.findall(r"build/demo-\w+", text)}
    assert len(folders) == 1
    assert not any(folder.exists() for folder in folders)


# The whole cycle


@pytest.mark.timeout(SECONDS + 20)
def test_a_version_goes_through_its_whole_life():
    command = [*PYTHON, "demo.cycle", "--images", "16", "--epochs", "1"]
    result = subprocess.run(command, timeout=SECONDS, check=False, **OPTIONS)
    assert result.returncode == 0, result.stdout
    accuracy = load_version().report().test_sets["fer2013"].labellings["fer2013"].accuracy.value
    expected = [
        "production: nothing -> v1.0.0, by tester: the version that comes with the app",
        "demo.show tester/faces v1.1.0 v1.0.0 v1.2.0",
        rf"v1.0.0 .* accuracy {accuracy:.3f} .* \(n=2515\)  production",
        "v1.1.0 and v1.0.0 cannot be compared: the test sets fer2013 differ",
        r"(v1.\d.0 is better|v1.1.0 and v1.2.0 are not distinguishable).*points, 95 % interval",
        "error: the gate refuses v1.1.0 for production: fer2013: accuracy",
        "production: v1.0.0 -> v1.1.0, by tester by force: to try a rollback",
        "production: v1.1.0 -> v1.0.0, by tester: rollback",
        r"v1.0.0 .*  production\n",
        "tiny, 1,328,199 parameters, every file checked",
        r"The whole cycle worked and took \d+ s",
    ]
    assert re.search(".*".join(expected), result.stdout, re.DOTALL), result.stdout
    assert (
        result.stdout.count("\n$ ") == len(re.findall(r"\n  \(\d+\.\d s\)\n", result.stdout)) == 17
    )
    assert_gone(result.stdout)


# The Hub and the app on it


@pytest.mark.timeout(SECONDS)
def test_the_app_opens_on_a_hub_with_the_bundled_versions(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BROWSER", "true")  # what a Mac would open
    with subprocess.Popen([*PYTHON, "demo.hub"], **OPTIONS) as process:
        text = "".join(
            iter(
                process.stdout.readline,
                "Ctrl-C here stops both and deletes what was published and made.\n",
            )
        )
        try:
            (app,) = re.findall(r"The app +(http://\S+)", text)
            with urllib.request.urlopen(f"{app}/_stcore/health", timeout=10) as answer:
                assert answer.status == 200
            commands = (
                text[text.index("\ncd ") : text.index("\n# train")]
                + f"\npython -m demo.show {REPO}"
            )
            shown = subprocess.run(["bash", "-ec", commands], timeout=60, check=False, **OPTIONS)
        finally:
            process.send_signal(signal.SIGINT)
            text += process.communicate(timeout=60)[0]
    assert process.returncode == 0, text
    assert [line.split()[0] for line in reversed(shown.stdout.splitlines())] == list(STORY), (
        shown.stdout
    )
    assert shown.stdout.count("production") == 1
    assert_gone(text)


# Its parts


def test_a_command_that_fails_ends_the_demonstration(typist, capsys):
    typist.run("echo fine && exit 0")
    typist.run("echo no >&2; exit 1", refusal="no")
    assert re.fullmatch(
        r"\n\$ echo fine && exit 0\n  fine\n  \(\d\.\d s\)\n\n\$ echo no .*\n  no\n  \(\d\.\d"
        r" s\)\n",
        capsys.readouterr().out,
    )
    with pytest.raises(
        SystemExit, match="error: this ended with status 3, but was expected to work"
    ):
        typist.run("exit 3")
    for command in ("echo yes; exit 1", "echo no; exit 2", "echo no"):
        with pytest.raises(SystemExit, match="was expected to be refused: no"):
            typist.run(command, refusal="no")


def test_commands_find_this_python_and_this_hub(typist, hub, capsys, monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)
    typist.run("command -v python; echo $HF_ENDPOINT $HF_TOKEN $HF_HUB_DISABLE_XET")
    assert (
        f"  {Path(sys.executable).parent}/python\n  {hub.url} {hub.write_token} 1\n"
        in capsys.readouterr().out
    )


def test_drawn_faces_are_a_data_set_that_the_bundled_version_reads(tmp_path):
    data = load(write_faces(tmp_path / "fer2013.npz", 160))
    assert [len(data.split(name).images) for name in ("Training", "PublicTest", "PrivateTest")] == [
        160,
        80,
        80,
    ]
    test = data.split("PrivateTest")
    assert (
        metrics.accuracy(
            predict(EmotionClassifier(load_version()), test.images), test.fer2013
        ).value
        > 0.7
    )


def test_drawn_faces_follow_their_seed(tmp_path):
    sets = [
        load(write_faces(tmp_path / f"{i}.npz", 8, seed)).split("Training").sha256
        for i, seed in enumerate((0, 0, 1))
    ]
    assert sets[0] == sets[1] != sets[2]
