"""HTML for `st.html` from the files in `templates/`; every value that they are given is escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fer.colors import color_of

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["color_of"] = color_of


def render(template: str, **values: object) -> str:
    """The HTML that the file `template` of `templates/` makes of these values."""
    return _TEMPLATES.get_template(template).render(values)
