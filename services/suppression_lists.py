"""The suppression list as the App API shows and changes it (APP-19)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from domain.addresses import mailbox
from domain.errors import DomainError
from domain.suppressed import Category
from domain.values import to_unix
from ingest.catalog import Catalogs
from services.sender_checks import sending_domains
from services.suppressions import by_hand
from store import suppressed_addresses as store
from store.database import Database
from store.suppressed_addresses import SuppressedRow

FURTHEST: Final = 10_000_000


async def search(db: Database, workspace_id: int, email: str) -> dict[str, Any]:
    """Every entry of an address, each with its category; raises DomainError `not_found` where there is none."""
    async with db.connection() as conn:
        rows = await store.of_address(conn, workspace_id, _wire(email))
    if not rows:
        raise DomainError("not_found", "resource not found")
    return _listed(rows[0].category, rows)


async def page(
    db: Database, workspace_id: int, category: Category, *, limit: int, offset: int, domain: str | None = None
) -> dict[str, Any]:
    """Entries of a category, newest first."""
    async with db.connection() as conn:
        named, skipped = None if domain is None else domain.lower(), min(max(offset, 0), FURTHEST)
        rows = await store.page(conn, workspace_id, category, limit=limit, offset=skipped, domain=named)
    return _listed(category, rows)


async def page_of_domain(
    db: Database,
    catalogs: Catalogs,
    workspace_id: int,
    category: Category,
    domain: str,
    *,
    limit: int,
    start: str | None,
    email: str | None,
) -> dict[str, Any]:
    """Entries that hold for one sending domain; raises DomainError `not_found` for one that nobody knows."""
    named, offset = domain.lower(), _offset(start)
    address = None if email is None else _wire(email)
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        rows = await store.page(
            conn, workspace_id, category, limit=limit + 1, offset=offset, domain=named, email=address
        )
    if named not in sending_domains(catalog) and not any(row.domain == named for row in rows):
        raise DomainError("not_found", "resource not found")
    more = str(offset + limit) if len(rows) > limit else ""
    return _listed(category, rows[:limit]) | {"next": more}


async def add(
    db: Database, catalogs: Catalogs, workspace_id: int, category: Category, email: str, *, now: datetime
) -> None:
    """Keep all mail from an address; raises DomainError `invalid_parameter` for what is none."""
    address = mailbox(email)
    if address is None:
        raise DomainError("invalid_parameter", "This is no email address.")
    async with db.transaction() as conn:
        workspace = (await catalogs.get(conn, workspace_id)).workspace
        await by_hand(conn, workspace_id, category, address, workspace.now(now))


async def remove(db: Database, workspace_id: int, category: Category, email: str) -> None:
    """Let mail to an address go out again, from every domain; raises DomainError `not_found` where nothing kept it."""
    async with db.transaction() as conn:
        if not await store.remove(conn, workspace_id, category, _wire(email)):
            raise DomainError("not_found", "resource not found")


def _wire(email: str) -> str:
    """The address in the form in which mail would go to it, which is the one that is kept."""
    return mailbox(email) or email


def _listed(category: str, rows: Sequence[SuppressedRow]) -> dict[str, Any]:
    return {"category": category, "suppressions": [_shown(row) for row in rows]}


def _shown(row: SuppressedRow) -> dict[str, Any]:
    return {
        "created": to_unix(row.created_at),
        "email": row.email,
        "reason": row.reason,
        "status": row.status,
        "category": row.category,
        "domain": row.domain,
    }


def _offset(start: str | None) -> int:
    if not start:
        return 0
    if not (start.isascii() and start.isdecimal() and len(start) <= 8):
        raise DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")
    return int(start)


__all__ = ["add", "page", "page_of_domain", "remove", "search"]
