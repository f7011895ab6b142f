"""What the operator of the app has set."""

from __future__ import annotations

import os

import streamlit as st


def setting(name: str) -> str:
    """A value of the operator: from the environment, else from `.streamlit/secrets.toml`, else empty.

    Spaces and line breaks around it are dropped: a secret read from a file often ends with one.
    """
    if value := os.environ.get(name, "").strip():
        return value
    if not st.secrets.load_if_toml_exists():
        return ""
    return str(st.secrets.get(name, "")).strip()
