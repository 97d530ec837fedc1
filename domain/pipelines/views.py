"""Page and screen: events of their own types, named by what was looked at (API-22)."""

from __future__ import annotations

from typing import Any, Final, Literal

from domain.operations import AnyOperation
from domain.pipelines.envelope import Message, need_somebody, record
from domain.pipelines.findings import Findings
from domain.pipelines.iso import converted
from domain.pipelines.terms import Terms
from domain.pipelines.track import happened

NAME_BYTES: Final = 1000
"""How much of an address is the event's name; all of it stands in the data."""
_BESIDE: Final = ("name", "category")


def operations(message: Message, terms: Terms, findings: Findings) -> list[AnyOperation]:
    """The view. What it is not named by stays in its data."""
    properties = record(message.body, "properties", findings)
    if not need_somebody(message, findings):
        return []
    kind: Literal["page", "screen"] = "page" if message.kind == "page" else "screen"
    spelled = _texts(message.body.get("name"))
    if kind == "page":
        candidates = _texts(properties.get("url")) + spelled + _texts(properties.get("path"))
    else:
        candidates = spelled + _texts(properties.get("name"))
    if not candidates:
        findings.note("unnamed", "name", f"a {kind} without a name has no effect")
        return []
    data = dict(properties)
    for name in _BESIDE:
        if message.body.get(name) is not None and message.body[name] != candidates[0]:
            data.setdefault(name, message.body[name])
    return [happened(message, terms, kind=kind, name=_cut(candidates[0]), data=converted(data))]


def _texts(value: Any) -> list[str]:
    return [value.strip()] if isinstance(value, str) and value.strip() else []


def _cut(name: str) -> str:
    encoded = name.encode()
    return name if len(encoded) <= NAME_BYTES else encoded[:NAME_BYTES].decode(errors="ignore")


__all__ = ["operations"]
