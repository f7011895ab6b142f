"""The example with a face detector of one's own."""

from __future__ import annotations

import re
import sys

from tests.support.outside import ROOT, run


def test_it_prints_the_scores(tmp_path):
    out = run(sys.executable, ROOT / "examples" / "own_detector.py", folder=tmp_path)
    assert re.fullmatch(r"happy 0\.\d\d, sad 0\.\d\d, neutral 0\.\d\d, surprised 0\.\d\d\n", out)
