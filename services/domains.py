"""Verifying a domain: its records are looked up now, once, because somebody asks for it (MSG-19)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from domain.definitions import DomainDefinition, read_definition
from domain.domain_records import Record, RecordType, Wanted, judged, wanted_of_host, wanted_of_sender
from domain.errors import NotFound
from domain.values import to_unix
from store import definitions as store
from store import domain_checks, workspaces
from store.database import Connection, Database
from store.definitions import DefinitionRow

UNVERIFIED: Final = "unverified"


class Names(Protocol):
    """Who knows the records of names."""

    async def values(self, name: str, kind: RecordType) -> list[str] | None:
        """The values of a record; None where nobody answers."""


async def verify(
    db: Database, workspace_id: int, ref: str | int, *, names: Names, base_url: str, now: datetime
) -> dict[str, Any]:
    """Look the records of a domain up and keep what was found; raises NotFound. No transaction is open meanwhile."""
    async with db.connection() as conn:
        row = await store.get(conn, workspace_id, "domain", ref)
    definition = None if row is None else read_definition(row.document)[0]
    if row is None or not isinstance(definition, DomainDefinition):
        raise NotFound("domain", ref)
    records = await asyncio.gather(*(_look(names, wanted) for wanted in _wanted(definition, base_url)))
    status = "verified" if all(record.ok for record in records) else UNVERIFIED
    shown = [dict(record._asdict()) for record in records]
    async with db.transaction() as conn:
        await store.lock(conn, workspace_id)
        current = await store.get(conn, workspace_id, "domain", row.definition_id)
        if current is not None and current.document == row.document:
            workspace = await workspaces.get(conn, workspace_id)
            at = now if workspace is None else workspace.now(now)
            await domain_checks.save(conn, workspace_id, row.definition_id, status, shown, at=at)
            await store.set_state(conn, workspace_id, "domain", row.definition_id, status)
            await workspaces.bump_definitions(conn, workspace_id)
    return {"status": status, "records": shown}


async def found_of(conn: Connection, row: DefinitionRow) -> dict[str, Any]:
    """What the status of a domain says of its records, nothing before they were looked at."""
    check = await domain_checks.get(conn, row.workspace_id, row.definition_id)
    return {} if check is None else {"records": check.records, "checked_at": to_unix(check.checked_at)}


async def follow(conn: Connection, row: DefinitionRow, before: Mapping[str, Any]) -> None:
    """Forget what was found where the document says something else now than the one that was verified."""
    if any(row.document.get(name) != before.get(name) for name in ("domain", "use", "dkim_selector")):
        await domain_checks.forget(conn, row.workspace_id, row.definition_id)
        await store.set_state(conn, row.workspace_id, "domain", row.definition_id, UNVERIFIED)


def _wanted(definition: DomainDefinition, base_url: str) -> list[Wanted]:
    if definition.use == "tracking":
        return wanted_of_host(definition.domain, urlsplit(base_url).hostname or "")
    return wanted_of_sender(definition.domain, definition.dkim_selector)


async def _look(names: Names, wanted: Wanted) -> Record:
    """The record under the first of its names that has one."""
    record = judged(wanted, wanted.names[0], ())
    for name in wanted.names:
        values = await names.values(name, wanted.type)
        candidate = judged(wanted, name, values or ())
        if candidate.found is not None:
            return candidate
    return record


__all__ = ["UNVERIFIED", "Names", "follow", "found_of", "verify"]
