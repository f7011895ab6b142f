"""The page of curves."""

from __future__ import annotations

from training.learning_curve import draw


def test_every_column_is_a_curve(tmp_path):
    row = {"epoch": 1.0, "loss": 2.0, "fer2013_half": 0.5, "learning_rate": 1e-3, "seconds": 9.0}
    path = tmp_path / "curve.html"
    draw([row, row | {"epoch": 2.0}], path)
    page = path.read_text(encoding="utf-8")
    assert all(f'"name":"{name}"' in page for name in ("loss", "fer2013_half", "learning_rate"))
    assert '"name":"seconds"' not in page
    assert tmp_path.name in page
