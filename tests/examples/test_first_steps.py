"""The notebook: its cells run one after the other, and it is kept without what they printed."""

from __future__ import annotations

import json
import sys

from tests.support.outside import ROOT, run

NOTEBOOK = ROOT / "examples" / "first_steps.ipynb"


def code_cells():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_its_cells_run(tmp_path):
    program = tmp_path / "first_steps.py"
    program.write_text("\n".join("".join(cell["source"]) for cell in code_cells()))
    out = run(sys.executable, program, folder=NOTEBOOK.parent)
    assert "eileen-collins.jpg: happy" in out
    assert "grace-hopper.jpg: neutral" in out


def test_it_is_kept_without_outputs():
    assert [cell["outputs"] for cell in code_cells()] == [[]] * len(code_cells())
    assert {cell["execution_count"] for cell in code_cells()} == {None}
