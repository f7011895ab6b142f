"""The section Robustness."""

from __future__ import annotations

import json
from pathlib import Path

from fer.versions.folder import METRICS
from tests.factories.compared import seal
from tests.support.pages import choose, open_page, open_section, texts


def test_robustness_is_shown_where_it_was_measured(models: Path) -> None:
    folder = models / "v1.0.0"
    metrics = json.loads((folder / METRICS).read_text())
    del metrics["test_sets"]["fer2013"]["robustness"]
    (folder / METRICS).write_text(json.dumps(metrics))
    seal(folder)
    app = open_section(choose(open_page(), "v1.1.0", "v1.0.0"), "Robustness")
    assert "v1.1.0** keeps 80.0% of its accuracy on FER2013" in texts(app)
    assert "Left out" in texts(app)
    assert "evaluate a version again" in texts(open_section(choose(app, "v1.0.0"), "Robustness"))
