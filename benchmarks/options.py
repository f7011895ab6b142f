"""The options that several benchmarks have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FER2013Option = Annotated[Path, typer.Option(help="fer2013.npz, fer2013.csv or a folder")]
VersionOption = Annotated[Path, typer.Option(help="version folder")]
YuNetOption = Annotated[
    Path | None, typer.Option(help="YuNet's ONNX file; without it, it comes from the Hub")
]
OutputOption = Annotated[Path | None, typer.Option(help="write the report here as JSON")]
