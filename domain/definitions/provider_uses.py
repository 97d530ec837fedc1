"""What an email provider is for that does not say so: the first takes everything, each later one nothing (MSG-27)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Documents = Mapping[str, Mapping[str, Any]]
"""The stored documents of providers by key."""

ALL: Final = "all"


def filled(raws: Sequence[tuple[str, Any]], stored: Documents) -> list[tuple[str, Any]]:
    """The documents of a request, each with its pointer, in which email providers say what they are for."""
    silent = [raw for _, raw in raws if _is_silent(raw)]
    if not silent:
        return list(raws)
    here = {raw["key"] for _, raw in raws if _is_email(raw) and isinstance(raw.get("key"), str)}
    others = [document for key, document in stored.items() if key not in here and _is_email(document)]
    spoken = [raw for _, raw in raws if _is_email(raw) and not _is_silent(raw)]
    first = None if any(_serves_all(document) for document in (*others, *spoken)) else _first(silent, stored)
    return [
        (pointer, {**raw, "use_for": [ALL] if raw is first else []} if _is_silent(raw) else raw)
        for pointer, raw in raws
    ]


def _first(silent: Sequence[Mapping[str, Any]], stored: Documents) -> Mapping[str, Any]:
    """Who takes everything: whoever did so before, else the first that is enabled."""
    before = [raw for raw in silent if _serves_all({**_stored(raw, stored), "enabled": _enabled(raw)})]
    return next(iter(before), None) or next((raw for raw in silent if _enabled(raw)), silent[0])


def _stored(raw: Mapping[str, Any], stored: Documents) -> Mapping[str, Any]:
    key = raw.get("key")
    return stored.get(key, {}) if isinstance(key, str) else {}


def _is_email(raw: Any) -> bool:
    return isinstance(raw, Mapping) and raw.get("kind") == "provider" and raw.get("channel") == "email"


def _is_silent(raw: Any) -> bool:
    return _is_email(raw) and "use_for" not in raw


def _serves_all(document: Mapping[str, Any]) -> bool:
    uses = document.get("use_for")
    return _enabled(document) and isinstance(uses, list | tuple) and ALL in uses


def _enabled(document: Mapping[str, Any]) -> bool:
    return document.get("enabled", True) is not False


__all__ = ["filled"]
