"""Relationships: being written."""

from __future__ import annotations

from typing import Any

from domain.facts import Position
from domain.outcomes import Done
from ingest.unit import Unit


async def change_relationships(unit: Unit, operation: Any, at: Position) -> Done:
    """Being written."""
    raise NotImplementedError


async def relate(unit: Unit, person: Any, edge: Any, at: Position) -> None:
    """Being written."""
    raise NotImplementedError
