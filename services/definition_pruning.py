"""Pruning: what was applied under a source and is missing from its bundle now is deleted with it, or nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from domain.definitions import KINDS
from domain.definitions.campaign import LIVE_STATES
from domain.errors import DomainError, Problem
from services import definition_deletes as deletes
from services.broadcasts import ends
from services.definition_checks import Checked, name_of
from services.definition_referents import refuse_if_used
from store.database import Connection
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

POINTER: Final = "/prune"
"""Where problems of documents stand that the request does not hold."""


def missing(rows: Iterable[DefinitionRow], source: str, raws: Iterable[tuple[str, Any]]) -> list[DefinitionRow]:
    """What was applied last under the source and is not among the documents of the request, by kind and key."""
    named = {name_of(raw) for _, raw in raws}
    gone = [row for row in rows if row.source == source and (row.kind, row.key) not in named and row.kind in KINDS]
    return sorted(gone, key=lambda row: (row.kind, row.key))


async def check(conn: Connection, checked: Checked, leaving: Sequence[DefinitionRow]) -> None:
    """Add what keeps documents from being deleted: that they run, and what will be there refers to them."""
    for row in leaving:
        entry = checked.library.known(row.kind, row.key)
        assert entry is not None, "what leaves is known to the library"
        checked.errors += await _running(conn, row)
        try:
            refuse_if_used(checked.library, entry, POINTER)
        except DomainError as refusal:
            checked.errors += refusal.problems


async def carry_out(conn: Connection, workspace: WorkspaceRow, leaving: Sequence[DefinitionRow], now: datetime) -> None:
    """Delete the documents; raises DomainError `invalid_state` where a broadcast was triggered at this moment."""
    for row in leaving:
        try:
            await deletes.remove(conn, workspace, row, now)
        except DomainError as refusal:
            raise DomainError(refusal.code, refusal.message, POINTER) from None


def wire(row: DefinitionRow) -> dict[str, Any]:
    """The deletion as it is answered."""
    return {
        "kind": row.kind,
        "key": row.key,
        "id": row.definition_id,
        "action": "delete",
        "revision": row.revision,
    }


async def _running(conn: Connection, row: DefinitionRow) -> list[Problem]:
    """Why a campaign or a broadcast is not to be deleted by the way: people come in, or messages are being made."""
    if row.kind not in ("campaign", "broadcast"):
        return []
    if row.state in LIVE_STATES:
        message = f"The {row.kind} '{row.key}' is {row.state} and missing from the bundle: stop it first."
        return [Problem(code="invalid_state", pointer=POINTER, message=message)]
    busy = await ends.busy(conn, row) if row.kind == "broadcast" else None
    return [] if busy is None else [Problem(code="invalid_state", pointer=POINTER, message=busy)]


__all__ = ["POINTER", "carry_out", "check", "missing", "wire"]
