"""The rows that the page about settings has to hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from settings import CHECKOUT, PREFIX, SECRET_PREFIX, Settings

SPECIAL = {
    "data_dir": "`.sojourn` of the checkout",
    "cache_dir": "`~/.cache/sojourn`; as root `/var/cache/sojourn`",
}


def rows() -> Iterator[str]:
    """One row per variable, in the order of the settings."""
    for name, field in Settings.model_fields.items():
        if name == "secrets":
            yield row(f"{SECRET_PREFIX}<NAME>", "none", field)
            continue
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            for part, inner in group.model_fields.items():
                yield row(f"{PREFIX}{name.upper()}__{part.upper()}", shown(inner.default), inner)
        else:
            yield row(f"{PREFIX}{name.upper()}", SPECIAL.get(name) or shown(field.default), field)


def row(variable: str, default: str, field: FieldInfo) -> str:
    """A row of the table."""
    description = (field.description or "").replace("|", "\\|")
    return f"| `{variable}` | {default} | {description} |"


def shown(default: object) -> str:
    """A default as one would write it into a variable."""
    if default is None:
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Path):
        return f"`{default.relative_to(CHECKOUT)}`"
    return f"`{default}`"
