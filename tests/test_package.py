"""The package as those who install it meet it: its wheel, its command and its requirements."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import fer
from tests.support.outside import ROOT, installed, run

COMMAND = Path(sys.executable).with_name("fer")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SAMPLES = ROOT / "app_pages" / "photos" / "samples"

# What a wheel is built from.
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
BUILD = "from setuptools.build_meta import build_wheel; build_wheel('.')"

# Runs the console script of the wheel in the folder `site`. Its first arguments are where packages
# are installed and the names that may be imported from there.
COMMAND_OF_THE_WHEEL = """
import sys
from importlib.metadata import entry_points

class Required:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"{name} is not required by the wheel", name=name)

_, packages, names, *arguments = sys.argv
allowed = {"fer", *names.split(","), *sys.stdlib_module_names}
sys.path = ["site", *sys.path, packages]
sys.meta_path.insert(0, Required())
sys.argv = ["fer", *arguments]
(command,) = entry_points(group="console_scripts", name="fer")
sys.exit(command.load()())
"""


def test_the_readme_s_program_runs(tmp_path):
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## From Python")[2]
    program = section.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "program.py").write_text(program)
    shutil.copy(SAMPLES / "grace-hopper.jpg", tmp_path / "photo.jpg")
    out = run(sys.executable, tmp_path / "program.py", folder=tmp_path)
    assert re.fullmatch(r"Box\(.*\) neutral 0\.\d\d\n", out)


def test_examples_are_named_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = [path.name for path in sorted((ROOT / "examples").glob("*.*"))]
    assert [name for name in examples if f"examples/{name}" not in text] == []


def test_examples_have_a_test_each():
    examples = {path.stem for path in (ROOT / "examples").glob("*.*")}
    tests = {path.stem for path in (ROOT / "tests" / "examples").glob("test_*.py")}
    assert {f"test_{name}" for name in examples} == tests


@pytest.mark.skipif(not installed(), reason="needs `pip install --editable .`, which make does")
def test_the_command_is_installed_and_nothing_but_fer_beside_it(tmp_path):
    assert run(COMMAND, "--version", folder=tmp_path) == f"fer {fer.__version__}\n"
    assert "flagship" in run(COMMAND, "models", folder=tmp_path)
    code = (
        "import importlib.util as u; print([n for n in ('fer', 'training', 'app_pages', 'tests') if"
        " u.find_spec(n)])"
    )
    assert run(sys.executable, "-c", code, folder=tmp_path) == "['fer']\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the unpacked wheel and with what the wheel itself requires, nothing else."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("fer", "models"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    run(sys.executable, "-W", "ignore", "-c", BUILD, folder=folder)
    (wheel,) = folder.glob("fer_studio-*.whl")
    shutil.rmtree(folder / "fer")
    shutil.rmtree(folder / "models")
    shutil.unpack_archive(wheel, folder / "site", "zip")
    return folder / "site"


def test_a_wheel_carries_the_bundled_versions(site):
    """Every file that inference and comparison need, and the mark for type checkers."""
    assert {path.name for path in site.iterdir()} == {
        "fer",
        f"fer_studio-{fer.__version__}.dist-info",
    }
    for version in fer.BundledRegistry(ROOT / "models").list().versions:
        copy = fer.read_version(site / "fer" / "models" / version.name)
        assert copy.report() is not None
    assert (site / "fer" / "py.typed").is_file()
    assert list(site.rglob("*.safetensors")) == []
    code = (
        "import sys; sys.path.insert(0, 'site'); from fer import load_version;"
        " print(load_version().folder)"
    )
    folder = site.parent
    assert run(sys.executable, "-c", code, folder=folder) == f"{site}/fer/models/flagship\n"


def test_a_wheel_classifies_with_what_it_requires_alone(site):
    (info,) = site.glob("*.dist-info")
    required = [
        metadata.distribution(name) for name in _required_by(metadata.Distribution.at(info))
    ]
    modules = {module for distribution in required for module in _modules(distribution)}
    assert not {"tensorflow", "keras", "streamlit"} & modules
    packages = required[0].locate_file("")
    program = [sys.executable, "-I", "-S", "-c", COMMAND_OF_THE_WHEEL, packages, ",".join(modules)]
    photo = SAMPLES / "grace-hopper.jpg"
    out = run(*program, "predict", photo, "--format", "csv", folder=site.parent)
    assert "neutral" in out
    assert "flagship-seven" in run(*program, "models", folder=site.parent)


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        (
            "requirements/app.txt",
            [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["app"]],
        ),
        ("requirements.txt", PROJECT["optional-dependencies"]["train"]),
    ],
)
def test_every_requirement_is_pinned_within_its_range(file, declared):
    ranges = {_name(requirement): requirement.specifier for requirement in _parsed(declared)}
    lines = (ROOT / file).read_text().splitlines()
    pins = {
        _name(requirement): requirement.specifier
        for requirement in _parsed(line for line in lines if line and line[0] not in "#-")
    }
    assert set(pins) == set(ranges)
    for name, pin in pins.items():
        (pinned,) = pin
        assert pinned.operator == "=="
        assert pinned.version in ranges[name], name


def test_the_version_stands_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "fer.__version__"}


def test_the_version_is_that_of_the_changelog_and_of_the_citation():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert releases[0] == fer.__version__
    assert f"\nversion: {fer.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def _required_by(distribution: metadata.Distribution) -> set[str]:
    """The names of all that a distribution requires without any extra, at however many removes."""
    names: set[str] = set()
    waiting = [_needed(distribution)]
    while waiting:
        for name in waiting.pop() - names:
            names.add(name)
            waiting.append(_needed(metadata.distribution(name)))
    return names


def _needed(distribution: metadata.Distribution) -> set[str]:
    requirements = _parsed(distribution.requires or ())
    return {
        _name(requirement)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }


def _modules(distribution: metadata.Distribution) -> set[str]:
    """The names that a distribution offers to `import`."""
    names = {file.parts[0].partition(".")[0] for file in distribution.files or ()}
    return names - {"", "__pycache__"}


def _parsed(lines):
    return [Requirement(line) for line in lines]


def _name(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)
