"""Whom a trigger was for is forgotten 90 days after it is over, by the clock of its workspace (CHN-20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services import expiry_broadcasts as expiry
from store import broadcast_triggers
from tests.support.database import START, Room

IDS = {"ids": ["ann"], "id_ignore_missing": False}
FILTER = {"recipients": {"segment": {"id": 1}}}


async def trigger(room: Room, number: int, audience: dict[str, Any], *, ended: bool = True) -> None:
    async with room.db.transaction() as conn:
        at = room.now
        await broadcast_triggers.insert_queued(
            conn, room.workspace_id, 1, number, audience=audience, data={}, send_rate=None, now=at
        )
        if ended:
            await conn.execute(
                """UPDATE broadcast_triggers SET state = 'finished', ended_at = $3, recipients_count = 3
                   WHERE workspace_id = $1 AND trigger_no = $2""",
                room.workspace_id,
                number,
                at,
            )
        for table, column, value in (("recipients", "person_id", 7), ("errors", "message", "line 1")):
            for place in range(1, 4):
                query = f"""INSERT INTO broadcast_{table} (workspace_id, broadcast_id, trigger_no, position, {column})
                            VALUES ($1, 1, $2, $3, $4)"""
                await conn.execute(query, room.workspace_id, number, place, value)


async def left(room: Room, table: str) -> list[int]:
    query = f"SELECT DISTINCT trigger_no FROM {table} WHERE workspace_id = $1 ORDER BY 1"
    return [row["trigger_no"] for row in await room.rows(query)]


async def test_what_is_over_for_90_days_is_forgotten_in_pages(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(expiry, "PAGE", 2)
    monkeypatch.setattr(expiry, "TOGETHER", 1)
    await trigger(room, 1, IDS)
    await trigger(room, 2, FILTER)
    await trigger(room, 3, {}, ended=False)
    await room.move(days=1)
    await trigger(room, 4, IDS)
    await room.move(days=89)
    await expiry.expire_triggers(room.db, START)
    assert await left(room, "broadcast_recipients") == [1, 2, 3, 4]
    await room.move(seconds=1)
    await expiry.expire_triggers(room.db, START)
    for table in ("broadcast_recipients", "broadcast_errors"):
        assert await left(room, table) == [3, 4]
    rows = await room.rows(
        "SELECT trigger_no, audience, recipients_count FROM broadcast_triggers WHERE workspace_id = $1 ORDER BY trigger_no"
    )
    kept = [{"ids": None, "id_ignore_missing": False}, FILTER, {}, IDS]
    assert [row["audience"] for row in rows] == kept
    assert rows[0]["recipients_count"] == 3
    async with room.db.connection() as conn:
        assert (await broadcast_triggers.said(conn, room.workspace_id, 1, 1))[0] == "ids"
        again = await broadcast_triggers.over_before(conn, room.workspace_id, room.now - timedelta(days=90), 10)
    assert again == []
