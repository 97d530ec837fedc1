"""What the App API calls the parts of a message, and what may be written of them (APP-04)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

TYPES: Final[Mapping[str, str]] = {"sms": "twilio"}
"""What channels are called there, where that is something else."""

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "email": {"subject": "subject", "body": "body", "preheader_text": "preheader", "body_amp": "body_amp"},
    "push": {"subject": "title", "body": "message"},
    "sms": {"body": "body", "image_url": "image_url"},
    "in_app": {"body": "body"},
    "slack": {"body": "text"},
    "line": {"body": "text", "image_url": "image_url"},
}
"""The texts of a message by channel: their fields there, and ours."""

JSON_BODIES: Final[Mapping[str, str]] = {"inbox": "properties"}
"""The field that is the body, as JSON text, of channels whose messages are data."""

RECIPIENTS: Final[Mapping[str, str]] = {
    "email": "to",
    "sms": "to",
    "push": "to",
    "whatsapp": "to",
    "line": "to",
    "slack": "channel",
}
"""The field that says whom a message goes to."""

HIDDEN_RECIPIENTS: Final = frozenset({"sms", "whatsapp"})
"""Channels whose recipient is not shown where Liquid says it."""

EDITORS: Final = frozenset({"drag_and_drop", "design_studio"})
"""What makes bodies that cannot be changed without it."""


def headers_text(headers: Iterable[tuple[str, str]]) -> str:
    """Headers as they are answered: the JSON text of a list."""
    return json_text([{"name": name, "value": value} for name, value in headers])


def json_text(value: Any) -> str:
    """JSON as it is answered inside a text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_headers(given: Any) -> list[tuple[str, str]] | None:
    """The headers of a list of `{"name", "value"}`, of an object, or of the JSON text of either; None for anything else."""
    if isinstance(given, str):
        given = read_json(given) if given.strip() else []
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, list) and all(isinstance(one, Mapping) for one in given):
        pairs = [(one.get("name"), one.get("value")) for one in given]
    else:
        return None
    return pairs if all(isinstance(part, str) for pair in pairs for part in pair) else None


def read_json(text: str) -> Any:
    """The value of a JSON text, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


__all__ = [
    "EDITORS",
    "HIDDEN_RECIPIENTS",
    "JSON_BODIES",
    "RECIPIENTS",
    "TEXTS",
    "TYPES",
    "headers_text",
    "json_text",
    "read_headers",
    "read_json",
]
