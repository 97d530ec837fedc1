"""Signing keys: made when first needed, replaced with an overlap in which the old one still counts (ACT-30)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from domain.errors import NotFound
from domain.values import to_unix
from services.definitions import workspace_of
from store import signing_keys as store
from store.database import Connection, Database

WEBHOOKS: Final = "webhook"
"""The purpose of the key that signs the calls of workflows."""
OVERLAP: Final = timedelta(hours=24)
KEY_BYTES: Final = 32


async def keys_of(conn: Connection, workspace_id: int, purpose: str, now: datetime) -> tuple[str, ...]:
    """The keys to sign with, the current one first; made where there is none."""
    found = await store.usable(conn, workspace_id, purpose, now)
    if not found or found[0].expires_at is not None:
        await store.hold(conn, workspace_id)
        found = await store.usable(conn, workspace_id, purpose, now)
    if not found or found[0].expires_at is not None:
        await store.insert(conn, workspace_id, purpose, secrets.token_hex(KEY_BYTES), now)
        found = await store.usable(conn, workspace_id, purpose, now)
    return tuple(key.key for key in found)


async def rotate(
    db: Database, workspace_id: int, purpose: str, *, overlap: timedelta, real_now: datetime
) -> dict[str, Any]:
    """Make another key the current one; the one before counts on for `overlap`. Raises NotFound."""
    async with db.transaction() as conn:
        workspace = await workspace_of(conn, workspace_id)
        if purpose != WEBHOOKS:
            raise NotFound("signing key", purpose)
        now = workspace.now(real_now)
        await store.hold(conn, workspace_id)
        await store.forget(conn, workspace_id, purpose, now)
        key, until = secrets.token_hex(KEY_BYTES), now + overlap
        before = await store.retire(conn, workspace_id, purpose, until)
        await store.insert(conn, workspace_id, purpose, key, now)
    answer: dict[str, Any] = {"signing_key": key}
    return answer | {"previous_valid_until": to_unix(until)} if before and overlap else answer


__all__ = ["OVERLAP", "WEBHOOKS", "keys_of", "rotate"]
