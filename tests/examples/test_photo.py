"""The example that classifies the faces of photos."""

from __future__ import annotations

import re
import sys

from tests.support.outside import ROOT, run


def test_it_names_place_and_expression(tmp_path):
    out = run(sys.executable, ROOT / "examples" / "photo.py", folder=tmp_path)
    assert re.fullmatch(r".*grace-hopper\.jpg at \(\d+, \d+\): neutral 0\.\d\d\n", out)
