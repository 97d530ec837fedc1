"""Reading the values of a transactional call: null and an empty text are as good as nothing (CHN-02)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from domain.errors import DomainError
from domain.sending.refusals import malformed
from domain.values import check_json, read_json

Said = Mapping[str, Any]
"""The object that a call sends."""


def given(said: Said, name: str) -> Any:
    """What a field holds, None where it holds nothing."""
    value = said.get(name)
    return None if value == "" else value


def text(said: Said, name: str) -> str | None:
    """A field that is a text."""
    value = given(said, name)
    if value is not None and not isinstance(value, str):
        raise malformed(name, "give a text.")
    return value


def flag(said: Said, name: str) -> bool | None:
    """A field that is true, false, or left to the template (CHN-04)."""
    value = given(said, name)
    if value is not None and not isinstance(value, bool):
        raise malformed(name, "give true or false.")
    return value


def whole(value: Any) -> int | None:
    """The whole number behind a value, written as a number or in digits; None where there is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else None
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20 else None


def json_within(written: str) -> Any:
    """The value of a text that holds JSON; raises ValueError where it is none, or what the database cannot keep."""
    try:
        value = read_json(written)
        check_json(value)
    except (DomainError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return value


def is_liquid(written: str) -> bool:
    """Whether a text is a template, so that what it holds shows only when it is rendered."""
    return "{{" in written or "{%" in written


__all__ = ["Said", "flag", "given", "is_liquid", "json_within", "text", "whole"]
