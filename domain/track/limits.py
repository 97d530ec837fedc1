"""What Track calls are held to: sizes in bytes, instants, flags, texts (API-15)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import to_json

from domain.track.calls import Fault, Rules
from domain.values import LAST_TIMESTAMP

ID_BYTES: Final = 150
NAME_BYTES: Final = 150
EVENT_NAME_BYTES: Final = 100
EVENT_NAME_CHARACTERS: Final = 500
EVENT_DATA_BYTES: Final = 100_000
ATTRIBUTES_BYTES: Final = 100_000
"""All attributes of one object, or of one relationship, in one call."""
TOKEN_BYTES: Final = 1000
ENTITY_BYTES: Final = 32 * 1024
SEGMENT_IDS: Final = 1000
LARGEST_TYPE: Final = 2**31 - 1


def size(value: Any) -> int:
    """UTF-8 bytes of a text, of compact JSON for everything else."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    return len(to_json(value))


def attribute_faults(
    attributes: Mapping[str, Any], rules: Rules, *, field: str = "attributes", forbidden: str | None = None
) -> list[Fault]:
    """What is wrong with the names and values of attributes; `forbidden` is a name that none of them may have."""
    faults = []
    if len(attributes) > rules.attributes_per_call:
        message = f"cannot identify more than {rules.attributes_per_call} attributes in one request"
        faults.append(Fault("too_long", field, message))
    for name, value in attributes.items():
        if not name.strip():
            faults.append(Fault("invalid", field, "attribute name cannot be blank"))
        elif name == forbidden:
            faults.append(Fault("invalid", field, f"attribute name cannot be '{forbidden}'"))
        elif len(name) * 4 > NAME_BYTES and size(name) > NAME_BYTES:
            message = f"attribute name cannot be longer than {NAME_BYTES} bytes"
            faults.append(Fault("too_long", field, message))
        elif size(value) > rules.value_bytes:
            message = f"value for attribute '{name}' cannot be longer than {rules.value_bytes} bytes"
            faults.append(Fault("too_long", name, message))
    return faults


def total_faults(attributes: Mapping[str, Any], field: str) -> list[Fault]:
    """What is wrong with the size of all attributes of an object or a relationship together (PPL-25)."""
    if size(attributes) <= ATTRIBUTES_BYTES:
        return []
    return [Fault("too_long", field, f"attributes cannot be longer than {ATTRIBUTES_BYTES} bytes in total")]


def moment(value: Any, field: str, faults: list[Fault]) -> int | None:
    """Unix seconds, from a number or its text; fractions are cut off."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.strip().isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        seconds = int(value)
        if 0 <= seconds < LAST_TIMESTAMP:
            return seconds
    faults.append(Fault("invalid", field, f"{field.rpartition('.')[2]} must be a Unix timestamp in seconds"))
    return None


def flag(value: Any, field: str, faults: list[Fault]) -> bool:
    """A boolean; absent is false."""
    if value is None or isinstance(value, bool):
        return bool(value)
    faults.append(Fault("invalid", field, f"{field} must be true or false"))
    return False


def optional_text(value: Any, field: str, what: str, faults: list[Fault], most: int = ID_BYTES) -> str:
    """A text that may be absent, then ""; whole numbers are taken as their digits."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        faults.append(Fault("invalid", field, f"{what} must be a string value"))
        return ""
    if size(value) > most:
        faults.append(Fault("too_long", field, f"{what} cannot be longer than {most} bytes"))
    return value if value.strip() else ""


def required_text(value: Any, field: str, what: str, faults: list[Fault], most: int = ID_BYTES) -> str:
    """The same, where there has to be one."""
    before = len(faults)
    text = optional_text(value, field, what, faults, most)
    if not text and len(faults) == before:
        faults.append(Fault("required", field, f"{what} must be present"))
    return text


__all__ = [
    "ATTRIBUTES_BYTES",
    "ENTITY_BYTES",
    "EVENT_DATA_BYTES",
    "EVENT_NAME_BYTES",
    "EVENT_NAME_CHARACTERS",
    "ID_BYTES",
    "LARGEST_TYPE",
    "NAME_BYTES",
    "SEGMENT_IDS",
    "TOKEN_BYTES",
    "attribute_faults",
    "flag",
    "moment",
    "optional_text",
    "required_text",
    "size",
    "total_faults",
]
