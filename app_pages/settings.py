"""What the operator of the app has set."""

from __future__ import annotations

import os

import streamlit as st

from fer import FERError

_MAX_UPLOADS = "FER_MAX_UPLOADS"


def setting(name: str) -> str:
    """A value of the operator: from the environment, else from `.streamlit/secrets.toml`, else empty."""
    if value := os.environ.get(name):
        return value
    return str(st.secrets.get(name, "")) if st.secrets.load_if_toml_exists() else ""


def max_uploads() -> int:
    """Bytes that all visitors' photos may take together. Raises FERError."""
    value = setting(_MAX_UPLOADS) or "2000"
    if not value.isdecimal() or not int(value):
        raise FERError(
            f"{_MAX_UPLOADS} is {value!r}, expected a whole number of megabytes above 0, such as "
            "2000; whoever runs this app sets it."
        )
    return int(value) * 1_000_000
