"""What the operator of the app has set."""

from __future__ import annotations

import os

import streamlit as st


def setting(name: str) -> str:
    """A value of the operator: from the environment, else from `.streamlit/secrets.toml`, else empty."""
    if value := os.environ.get(name):
        return value
    return str(st.secrets.get(name, "")) if st.secrets.load_if_toml_exists() else ""
