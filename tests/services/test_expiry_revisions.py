"""The newest revisions of each definition are kept; older ones, and those of what is deleted, go in pages."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from services import definitions
from services import expiry_revisions as expiry
from tests.support.database import Room


async def write(room: Room, key: str, times: int) -> None:
    for number in range(times):
        document = {"kind": "snippet", "key": key, "name": key, "value": f"{number}"}
        await definitions.put_one(room.db, room.workspace_id, "snippet", key, document, now=system_now())


async def kept(room: Room) -> list[dict[str, Any]]:
    return await room.rows(
        """SELECT definition_id AS id, array_agg(revision ORDER BY revision) AS revisions
           FROM definition_revisions WHERE workspace_id = $1 GROUP BY 1 ORDER BY 1"""
    )


async def test_the_newest_of_each_definition_stay(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(expiry, "KEPT", 3)
    monkeypatch.setattr(expiry, "PAGE", 2)
    await write(room, "often", 8)
    await write(room, "seldom", 2)
    await expiry.expire_revisions(room.db)
    assert await kept(room) == [{"id": 1, "revisions": [6, 7, 8]}, {"id": 2, "revisions": [1, 2]}]
    assert await expiry.expire_revisions(room.db) == 0


async def test_what_an_older_version_deleted_takes_its_revisions_along(room: Room):
    await write(room, "gone", 2)
    await write(room, "there", 1)
    async with room.db.transaction() as conn:
        await conn.execute("DELETE FROM definitions WHERE workspace_id = $1 AND key = 'gone'", room.workspace_id)
    assert await expiry.expire_revisions(room.db) == 2
    assert await kept(room) == [{"id": 2, "revisions": [1]}]
