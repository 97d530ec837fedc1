"""Facts that were received before: events by their id for ever, Pipelines messages for twelve hours (PPL-14, API-19)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from domain.operations import AnonymousEvent, TrackEvent
from ingest.claim import Fact
from store import log
from store.database import Connection

EVENT_SCOPE = "event"
MESSAGE_LIFE = timedelta(hours=12)
Key = tuple[str, bytes]


async def repeated(conn: Connection, workspace_id: int, facts: Sequence[Fact]) -> set[int]:
    """The sequence numbers of those that came before, in this batch or earlier; the ids of the others are taken now."""
    keyed = {fact.row.seq: keys for fact in facts if (keys := _keys(fact))}
    if not keyed:
        return set()
    received = {fact.row.seq: fact.row.received_at for fact in facts}
    first: dict[Key, int] = {}
    for seq, keys in keyed.items():
        for key in keys:
            first.setdefault(key, seq)
    ids = [
        (scope, key, None if scope == EVENT_SCOPE else received[seq] + MESSAGE_LIFE)
        for (scope, key), seq in sorted(first.items())
    ]
    fresh = await log.claim_ids(conn, workspace_id, ids, MESSAGE_LIFE)
    return {seq for seq, keys in keyed.items() if any(key not in fresh or first[key] != seq for key in keys)}


def _keys(fact: Fact) -> list[Key]:
    operation = fact.operation
    found: list[Key] = []
    if operation.repeatable is not None:
        found.append((f"message/{operation.repeatable.scope}", _hashed(operation.repeatable.message_id)))
    if isinstance(operation, TrackEvent | AnonymousEvent) and operation.event_id is not None:
        found.append((EVENT_SCOPE, _hashed(operation.event_id)))
    return found


def _hashed(text: str) -> bytes:
    """The form in which ids are remembered."""
    return hashlib.sha256(text.encode()).digest()


__all__ = ["repeated"]
