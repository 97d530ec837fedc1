"""Secrets in documents: shown as a mask, kept when the mask comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.diff import ANY, MASK, USERINFO, hider, userinfo_of
from domain.errors import Problem
from domain.problems import pointer_of, split_pointer


def masked(document: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """The document with every literal secret hidden; names of deployment secrets are no secret."""
    shown = dict(document)
    for pointer in secrets:
        shown = _replaced(shown, split_pointer(pointer.removesuffix(USERINFO)), hider(pointer))
    return shown


def unmasked(
    raw: Mapping[str, Any], stored: Mapping[str, Any] | None, secrets: Sequence[str]
) -> tuple[dict[str, Any], list[Problem]]:
    """An incoming document with masks replaced by what is stored; a mask over nothing is a problem."""
    filled = dict(raw)
    problems: list[Problem] = []
    for pointer, path in _all_places(raw, secrets):
        given, kept = _at(raw, path), _at(stored, path)
        if pointer.endswith(USERINFO) and userinfo_of(given) == MASK:
            before = userinfo_of(kept)
            kept = None if before is None else given.replace(MASK, before, 1)
        elif given != MASK:
            continue
        if kept is None:
            message = "There is no stored value to keep: give the secret itself."
            problems.append(Problem(code="required", pointer=pointer_of(path), message=message))
        else:
            filled = _replaced(filled, path, lambda _value, kept=kept: kept)
    return filled, problems


def _all_places(document: Any, secrets: Sequence[str]) -> list[tuple[str, list[str]]]:
    return [
        (pointer, place)
        for pointer in secrets
        for place in _places(document, split_pointer(pointer.removesuffix(USERINFO)))
    ]


def _places(document: Any, path: Sequence[str]) -> list[list[str]]:
    """The places that a path means; `*` is every member there is."""
    if ANY not in path:
        return [list(path)]
    first = path.index(ANY)
    record = _at(document, path[:first])
    names = [str(name) for name in record] if isinstance(record, Mapping) else []
    return [place for name in names for place in _places(document, [*path[:first], name, *path[first + 1 :]])]


def _at(document: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(document, Mapping) or step not in document:
            return None
        document = document[step]
    return document


def _replaced(document: Any, path: Sequence[str], change: Any) -> Any:
    if not path:
        return change(document)
    if isinstance(document, Mapping) and path[0] == ANY:
        return {name: _replaced(item, path[1:], change) for name, item in document.items()}
    if not isinstance(document, Mapping) or path[0] not in document:
        return document
    return {**document, path[0]: _replaced(document[path[0]], path[1:], change)}
