"""Whether what a condition names is there, for those who ask by conditions that stand in no definition."""

from __future__ import annotations

from domain.conditions import Condition
from domain.definitions.condition_uses import check_uses, uses_of
from domain.errors import Problem
from services.definition_checks import library_of, missing
from store import definitions
from store.database import Connection


async def wrong_references(conn: Connection, workspace_id: int, condition: Condition, base: str) -> list[Problem]:
    """What the references of a condition that stands at `base` lack to stand in a definition of the workspace."""
    uses = list(uses_of(condition, base))
    if not uses:
        return []
    library = library_of(await definitions.load_all(conn, workspace_id))
    return [*missing(uses, library), *check_uses(uses, library)]


__all__ = ["wrong_references"]
