"""The package as its users meet it.

Installed, imported from a script of theirs, and told by its examples.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import fer

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
COMMAND = Path(sys.executable).with_name("fer")


def installed() -> bool:
    """Whether `pip install --editable .` was run, as `make` does."""
    try:
        return metadata.version("fer-studio") == fer.__version__
    except metadata.PackageNotFoundError:
        return False


def run(*command: object, folder: Path) -> str:
    """Run a command outside the checkout.

    Where `fer` is not installed, the checkout is put on the path.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if not installed():
        environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_examples_run_as_they_stand(tmp_path, example):
    out = run(sys.executable, example, folder=tmp_path)
    if example.name == "processes.py":
        faces = [json.loads(line)["faces"] for line in out.splitlines()]
        assert [[face["label"] for face in photo] for photo in faces] == [["happy"], ["neutral"]]
    elif example.name == "photo.py":
        assert re.fullmatch(r".*grace-hopper\.jpg at \(\d+, \d+\): neutral 0\.\d\d\n", out)
    else:
        assert re.fullmatch(
            r"happy 0\.\d\d, sad 0\.\d\d, neutral 0\.\d\d, surprised 0\.\d\d\n", out
        )


def test_the_readme_s_program_runs(tmp_path):
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## From Python")[2]
    program = section.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "program.py").write_text(program)
    shutil.copy(
        ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg", tmp_path / "photo.jpg"
    )
    out = run(sys.executable, tmp_path / "program.py", folder=tmp_path)
    assert re.fullmatch(r"Box\(.*\) neutral 0\.\d\d\n", out)


def test_examples_are_named_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES if f"examples/{path.name}" not in text] == []


@pytest.mark.skipif(not installed(), reason="needs `pip install --editable .`, which make does")
def test_the_command_is_installed_and_nothing_but_fer_beside_it(tmp_path):
    assert run(COMMAND, "--version", folder=tmp_path) == f"fer {fer.__version__}\n"
    assert "flagship" in run(COMMAND, "models", folder=tmp_path)
    code = (
        "import importlib.util as u; print([n for n in ('fer', 'training', 'app_pages', 'tests') if"
        " u.find_spec(n)])"
    )
    assert run(sys.executable, "-c", code, folder=tmp_path) == "['fer']\n"


def test_a_wheel_carries_the_bundled_versions(tmp_path):
    """Every file that inference and comparison need.

    And the mark that tells type checkers of the annotations.
    """
    pytest.importorskip("setuptools", minversion="77")
    for name in ("fer", "models"):
        shutil.copytree(
            ROOT / name,
            tmp_path / name,
            ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"),
        )
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    run(sys.executable, "-W", "ignore", "-c", build, folder=tmp_path)
    (wheel,) = tmp_path.glob("fer_studio-*.whl")
    shutil.unpack_archive(wheel, tmp_path / "site", "zip")
    assert {path.name for path in (tmp_path / "site").iterdir()} == {
        "fer",
        f"fer_studio-{fer.__version__}.dist-info",
    }
    for version in fer.BundledRegistry(ROOT / "models").list().versions:
        copy = fer.read_version(tmp_path / "site" / "fer" / "models" / version.name)
        assert copy.metrics() is not None
    assert (tmp_path / "site" / "fer" / "py.typed").is_file()
    shutil.rmtree(tmp_path / "fer")
    code = (
        "import sys; sys.path.insert(0, 'site'); from fer import load_version;"
        " print(load_version().folder)"
    )
    assert (
        run(sys.executable, "-c", code, folder=tmp_path) == f"{tmp_path}/site/fer/models/flagship\n"
    )


def test_the_version_stands_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "fer.__version__"}
