"""A sent form as an event: its name, and where it says which form it is of (API-33, PPL-35)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.patterns import NamePattern

FORM_EVENT: Final = "form_submit"
FORM_NAMES: Final = ("form_key", "form_id", "form_name")
"""The data by which conditions name a form: the key of its document, its id on the page, its name."""


def is_of_form(data: Mapping[str, Any], pattern: NamePattern) -> bool:
    """Whether a submission is of a form that the pattern names."""
    return any(isinstance(name := data.get(field), str) and pattern.matches(name) for field in FORM_NAMES)


__all__ = ["FORM_EVENT", "FORM_NAMES", "is_of_form"]
