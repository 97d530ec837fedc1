"""Secrets in documents: shown as a mask, kept when the mask comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.diff import MASK
from domain.errors import Problem
from domain.problems import split_pointer


def masked(document: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """The document with every literal secret hidden; names of deployment secrets are no secret."""
    shown = dict(document)
    for pointer in secrets:
        shown = _replaced(shown, split_pointer(pointer), lambda value: MASK if isinstance(value, str) else value)
    return shown


def unmasked(
    raw: Mapping[str, Any], stored: Mapping[str, Any] | None, secrets: Sequence[str]
) -> tuple[dict[str, Any], list[Problem]]:
    """An incoming document with masks replaced by what is stored; a mask over nothing is a problem."""
    filled = dict(raw)
    problems: list[Problem] = []
    for pointer in secrets:
        path = split_pointer(pointer)
        if _at(raw, path) != MASK:
            continue
        kept = _at(stored, path)
        if kept is None:
            message = "There is no stored value to keep: give the secret itself."
            problems.append(Problem(code="required", pointer=pointer, message=message))
        else:
            filled = _replaced(filled, path, lambda _value, kept=kept: kept)
    return filled, problems


def _at(document: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(document, Mapping) or step not in document:
            return None
        document = document[step]
    return document


def _replaced(document: Any, path: Sequence[str], change: Any) -> Any:
    if not path:
        return change(document)
    if not isinstance(document, Mapping) or path[0] not in document:
        return document
    return {**document, path[0]: _replaced(document[path[0]], path[1:], change)}
