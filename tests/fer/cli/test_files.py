"""Files that grow have their name once they are whole."""

from __future__ import annotations

from fer.cli.files import GrowingFile


def test_a_growing_file_without_rows_leaves_nothing(tmp_path):
    with GrowingFile(tmp_path / "a.csv", "--csv", header="a,b\n"):
        assert (tmp_path / "a.csv.part").read_text() == "a,b\n"
    assert list(tmp_path.iterdir()) == []


def test_a_growing_file_has_its_rows_at_once_and_its_name_at_the_end(tmp_path):
    (tmp_path / "a.csv").write_text("earlier")
    with GrowingFile(tmp_path / "a.csv", "--csv", header="a,b\n") as file:
        file.append("1,2\n")
        assert (tmp_path / "a.csv.part").read_text() == "a,b\n1,2\n"
        assert (tmp_path / "a.csv").read_text() == "earlier"
        file.finish()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "a,b\n1,2\n"}
