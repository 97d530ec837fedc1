"""A model that is none: the same prompt gets the same answer, which fits the fields; for trying campaigns out."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.llm_fields import LlmField
from services.llm.base import Answered, Ask

NAME: Final = "fake"
URL: Final = "https://fake.invalid/v1/answers"
"""What fault rules find it by; it is never called."""
_LONGEST_TEXT = 200
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def answer(ask: Ask) -> Answered:
    """Every field filled in; as many tokens as there are words."""
    output = {field.name: _value(field, ask) for field in ask.fields}
    return Answered(output, len(ask.prompt.split()) + len(ask.fields))


def _value(field: LlmField, ask: Ask) -> Any:  # noqa: PLR0911 - one value a type
    number = int.from_bytes(hashlib.sha256(f"{ask.model}/{field.name}/{ask.prompt}".encode()).digest()[:4])
    options = field.options or ("",)
    match field.type:
        case "text":
            return ask.prompt.strip()[:_LONGEST_TEXT]
        case "number":
            return number % 1000 / 10
        case "integer":
            return number % 100 + 1
        case "boolean":
            return number % 2 == 0
        case "select":
            return options[number % len(options)]
        case "multi_select":
            return list(options[: number % len(options) + 1])
        case "list":
            return ask.prompt.split()[:3]
        case _:
            at = _EPOCH + timedelta(minutes=number % 525_600)
            return at.strftime({"date": "%Y-%m-%d", "time": "%H:%M:%S"}.get(field.type, "%Y-%m-%dT%H:%M:%SZ"))


__all__ = ["NAME", "URL", "answer"]
