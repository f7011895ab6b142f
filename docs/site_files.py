"""The files of the documentation's site: every page where the repository has it."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = (
    "*.md",
    "LICENSE",
    "app_pages/photos/samples/README.md",
    "benchmarks/*.py",
    "benchmarks/results/*.json",
    "docs/*.md",
    "docs/*.png",
    "docs/decisions/*.md",
    "examples/*",
    "models/README.md",
    "models/*/README.md",
)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """The files of the whole repository instead of those of `docs` alone; the theme's stay."""
    pages = [
        File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path))
        for pattern in PATTERNS
        for path in sorted(ROOT.glob(pattern))
    ]
    return Files([*pages, *(file for file in files if not _found_in_docs(file))])


def _found_in_docs(file: File) -> bool:
    return file.abs_src_path is not None and Path(file.abs_src_path).is_relative_to(ROOT / "docs")
