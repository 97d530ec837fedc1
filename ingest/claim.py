"""Choosing what to apply: facts in order for everything that can touch one person, by any number of processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
from pydantic import TypeAdapter

from domain.operations import AnyOperation, EnterCampaign, Name, Reevaluate, Unsubscribe
from store import log, names
from store.database import Connection
from store.log import PendingRow

HELP_AFTER = timedelta(seconds=1)
"""How long facts may wait before a second process takes some although they are few."""
LOOK_AHEAD = 8
"""How many batches a scan may look over to find facts that nobody is applying."""
ALONE_LOOK = 100
_OPERATIONS: TypeAdapter[AnyOperation] = TypeAdapter(AnyOperation)


class Fact(NamedTuple):
    """One claimed row with what it means; `names` are those it mentions, in the form they are compared in."""

    row: PendingRow
    operation: AnyOperation
    names: tuple[Name, ...]


@dataclass(frozen=True)
class Claim:
    """What one scan may apply: the facts in order, and whose the names are that they mention; `seen` is all it read.

    Objects have negative numbers, so that they order facts as people do. `helping` says that others are applying.
    """

    facts: list[Fact]
    names: dict[Name, int]
    people: set[int]
    seen: list[Fact]
    helping: bool = False


async def claim_batch(
    conn: Connection, workspace_id: int, size: int, real_now: datetime, read: Mapping[int, Fact] | None = None
) -> Claim:
    """Choose the oldest facts that nothing before them can concern; `read` are facts known from an earlier scan.

    Chosen facts may concern one another: they are applied in order. A fact that shares a name or a person with one that
    another process is applying, or with one passed over here, waits for it.
    """
    read = read or {}
    horizon, alone = await log.begin_claim(conn, workspace_id)
    try:
        if size > 1 and not alone and not await _is_help_wanted(conn, workspace_id, horizon, size, real_now):
            return Claim([], {}, set(), [], helping=True)
        seen, free = await _look(conn, workspace_id, horizon, size)
    finally:
        await log.end_claim(conn, workspace_id)
    facts = [read.get(row.seq) or _read(row) for row in seen]
    known = await names.resolve(conn, workspace_id, {name for fact in facts for name in fact.names})
    keys: set[int] = set()
    owners: set[int] = set()
    # Whatever others hold blocks, also what comes later in the order: its commit may have been seen first.
    for fact in facts:
        if fact.row.seq not in free:
            keys.update(fact.row.keys)
            owners |= owners_of(fact, known)
    chosen: list[Fact] = []
    concerned: set[int] = set()
    for fact in facts:
        if fact.row.seq not in free:
            continue
        whose = owners_of(fact, known)
        if len(chosen) >= size or not keys.isdisjoint(fact.row.keys) or not owners.isdisjoint(whose):
            keys.update(fact.row.keys)
            owners |= whose
        else:
            chosen.append(fact)
            concerned |= whose
    return Claim(chosen, known, {number for number in concerned if number > 0}, facts, helping=not alone)


async def _is_help_wanted(conn: Connection, workspace_id: int, horizon: int, size: int, real_now: datetime) -> bool:
    """Whether there is more than who is applying already will take next.

    Few facts shared among many processes would cost more than they save: most of a small batch is its statements.
    """
    waiting, oldest = await log.waiting(conn, workspace_id, horizon, size + size // 2)
    return waiting >= size + size // 2 or (oldest is not None and real_now - oldest > HELP_AFTER)


async def _look(conn: Connection, workspace_id: int, horizon: int, size: int) -> tuple[list[PendingRow], set[int]]:
    """The oldest facts, as many as it takes to find so many free ones, and which of them are free: locked now."""
    page = size if size > 1 else ALONE_LOOK
    seen: list[PendingRow] = []
    free: set[int] = set()
    while len(free) < size and len(seen) < page * LOOK_AHEAD:
        rows = await log.pending(conn, workspace_id, horizon, seen[-1].seq if seen else 0, page)
        free |= await log.lockable(conn, workspace_id, rows)
        seen += rows
        if len(rows) < page:
            break
    return seen, free


def _read(row: PendingRow) -> Fact:
    operation = _OPERATIONS.validate_python(orjson.loads(row.body))
    return Fact(row, operation, tuple(operation.names()))


def owners_of(fact: Fact, known: Mapping[Name, int]) -> set[int]:
    """Those whom a fact names, as far as there are any; objects have negative numbers."""
    owners = {known[name] for name in fact.names if name in known}
    if isinstance(fact.operation, (EnterCampaign, Reevaluate, Unsubscribe)):
        owners.add(fact.operation.person_id)
    return owners


__all__ = ["Claim", "Fact", "claim_batch", "owners_of"]
