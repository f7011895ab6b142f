"""Files of unknown origin are read within limits."""

from __future__ import annotations

import pytest

from fer import ModelError
from fer.versions.files import read_limited


@pytest.mark.parametrize("content", [b"", b"1", b"12345678"])
def test_a_file_within_the_limit_is_read(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert read_limited(tmp_path / "file", 8) == content


def test_what_is_no_file_or_too_large_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(bytes(9))
    with pytest.raises(ModelError, match="file: 9 bytes, at most 8 are accepted"):
        read_limited(tmp_path / "file", 8)
    with pytest.raises(ModelError, match="is not a file; a version folder needs it as one"):
        read_limited(tmp_path, 8)
    with pytest.raises(ModelError, match=r"cannot be read \(No such file or directory\)"):
        read_limited(tmp_path / "nowhere", 8)
