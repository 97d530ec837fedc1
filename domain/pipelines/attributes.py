"""Traits as attributes: names that can be names, dates as Unix seconds, not too many (API-29, API-15)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from domain.pipelines.findings import Findings
from domain.pipelines.iso import converted
from domain.pipelines.terms import Terms
from domain.track.limits import NAME_BYTES, size


def attributes_of(
    traits: Mapping[str, Any],
    field: str,
    terms: Terms,
    findings: Findings,
    *,
    reserved: Collection[str] = (),
    created_at: bool = False,
) -> dict[str, Any]:
    """What is stored of traits. Members with `reserved` names and those beyond the limit are left out and noted."""
    kept: dict[str, Any] = {}
    for name, value in traits.items():
        why = "is reserved" if name in reserved else _why_not(name)
        if why is None and len(kept) >= terms.most_attributes:
            why = f"and all after it are beyond the limit of {terms.most_attributes} in one call"
            findings.note("too_many", _path(field, name), f"{_path(field, name)} {why}")
            break
        if why is None:
            kept[name] = value
        else:
            findings.note("left_out", _path(field, name), f"{_path(field, name)} {why}")
    return converted(kept, created_at=created_at)


def _why_not(name: str) -> str | None:
    if not name.strip():
        return "has no name"
    if len(name) * 4 > NAME_BYTES and size(name) > NAME_BYTES:
        return f"has a name longer than {NAME_BYTES} bytes"
    return None


def _path(field: str, name: str) -> str:
    return f"{field}.{name[:NAME_BYTES]}"


__all__ = ["attributes_of"]
