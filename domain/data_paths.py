"""Writing into JSON documents by dotted names: members are set, siblings stay (PPL-04, ACT-24)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def without(document: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    """The document without these members."""
    gone = set(names)
    return {name: value for name, value in document.items() if name not in gone}


def nested_set(document: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The document with the member at a dotted name set; objects on the way are made, objects written are merged.

    A name that exists as it is, dots included, is that member.
    """
    head, _, rest = name.partition(".")
    if not rest or name in document:
        before = document.get(name)
        merged = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
        return {**document, name: merged}
    inner = document.get(head)
    return {**document, head: nested_set(inner if isinstance(inner, dict) else {}, rest, value)}


def nested_remove(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The document without the member at a dotted name."""
    head, _, rest = name.partition(".")
    if not rest or name in document:
        return without(document, [name])
    inner = document.get(head)
    if not isinstance(inner, dict):
        return dict(document)
    return {**document, head: nested_remove(inner, rest)}


__all__ = ["nested_remove", "nested_set", "without"]
