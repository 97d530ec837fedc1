"""Pipelines messages read in tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.operations import AnyOperation
from domain.pipelines import Fault, MessageRefused, Outer, Reading, Terms, read

NOW = datetime.fromisoformat("2026-01-01T10:00:00+00:00")
UNIX = 1767261600


def terms(**more: Any) -> Terms:
    return Terms(**{"received": NOW, "scope": "3", **more})


def reading(kind: str, body: Any, outer: Outer | None = None, **more: Any) -> Reading:
    return read(kind, body, terms(**more), outer)


def operations(kind: str, body: Any, **more: Any) -> list[AnyOperation]:
    return list(reading(kind, body, **more).operations)


def one(kind: str, body: Any, **more: Any) -> Any:
    (operation,) = operations(kind, body, **more)
    return operation


def codes(kind: str, body: Any, **more: Any) -> list[str]:
    return [note.code for note in reading(kind, body, **more).notes]


def faults(kind: str, body: Any, **more: Any) -> list[Fault]:
    with pytest.raises(MessageRefused) as refusal:
        reading(kind, body, **more)
    return refusal.value.faults


def fields(kind: str, body: Any, **more: Any) -> list[str]:
    return [fault.field for fault in faults(kind, body, **more)]
