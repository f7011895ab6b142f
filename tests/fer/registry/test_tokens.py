"""What can be sent as a token, and what cannot."""

from __future__ import annotations

import pytest

from fer.registry.tokens import is_token


@pytest.mark.parametrize("text", ["hf_abcXYZ019", "a-b.c_d~e+f/g==", "x"])
def test_tokens(text):
    assert is_token(text)


@pytest.mark.parametrize(
    "text", ["", " hf_a", "hf_a\n", "hf a", '"hf_a"', "hf_é", "hf_a\u200b", "a=b", "=", "hf_a\v"]
)
def test_other_texts(text):
    assert not is_token(text)
