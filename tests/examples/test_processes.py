"""The example that classifies photos in several processes."""

from __future__ import annotations

import json
import sys

from tests.support.outside import ROOT, run


def test_it_prints_an_object_a_photo(tmp_path):
    out = run(sys.executable, ROOT / "examples" / "processes.py", folder=tmp_path)
    faces = [json.loads(line)["faces"] for line in out.splitlines()]
    assert [[face["label"] for face in photo] for photo in faces] == [["happy"], ["neutral"]]
