"""What the operator of the app has set."""

from __future__ import annotations

import os

import streamlit as st

from fer import FERError

_MAX_UPLOADS = "FER_MAX_UPLOADS"


def setting(name: str) -> str:
    """A value of the operator from the environment, else from `.streamlit/secrets.toml`, else "".

    Spaces and line breaks around it are dropped: a secret read from a file often ends with one.
    """
    if value := os.environ.get(name, "").strip():
        return value
    if not st.secrets.load_if_toml_exists():
        return ""
    return str(st.secrets.get(name, "")).strip()


def max_uploads() -> int:
    """Bytes that all visitors' photos may take together. Raises FERError."""
    value = setting(_MAX_UPLOADS) or "2000"
    if not value.isdecimal() or not int(value):
        raise FERError(
            f"{_MAX_UPLOADS} is {value!r}, expected a whole number of megabytes above 0, such as "
            "2000; whoever runs this app sets it."
        )
    return int(value) * 1_000_000
