"""What can be sent as a token at all."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"[\w.~+/-]+=*", re.ASCII)  # what HTTP allows after "Bearer" (RFC 6750)


def is_token(text: str) -> bool:
    """Whether the text can be a token; one copied badly often holds a quote or a space."""
    return bool(_TOKEN.fullmatch(text))
