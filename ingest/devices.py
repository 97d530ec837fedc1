"""Devices: being written."""

from __future__ import annotations

from typing import Any

from domain.facts import Position
from domain.outcomes import Done
from ingest.unit import Unit


async def add_device(unit: Unit, operation: Any, at: Position) -> Done:
    """Being written."""
    raise NotImplementedError


async def delete_device(unit: Unit, operation: Any, at: Position) -> Done:
    """Being written."""
    raise NotImplementedError
