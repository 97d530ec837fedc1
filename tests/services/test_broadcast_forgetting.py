"""What is kept of whom a call has named, and what becomes of a call whose filter means nobody any more (CHN-17, CHN-19)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.operations import DeletePerson, Identifier
from services import definitions
from services.broadcasts import control
from store import broadcast_triggers
from tests.support.broadcasting import Broadcasting, broadcast
from tests.support.database import Room

FILE = {"data_file_url": "https://u:secret@files.example.com/people.jsonl"}


@pytest.fixture
async def cast(room: Room) -> Broadcasting:
    cast = Broadcasting(room)
    await cast.define(broadcast())
    await cast.people("wiley", "road")
    return cast


@pytest.mark.parametrize(
    "named",
    [
        {"ids": ["wiley"], "id_ignore_missing": True},
        {"emails": ["wiley@example.com"], "email_add_duplicates": False},
        {"per_user_data": [{"id": "wiley", "data": {"card": "4111"}}]},
    ],
)
async def test_names_are_forgotten_as_soon_as_the_audience_is_frozen(
    cast: Broadcasting, room: Room, named: dict[str, Any]
) -> None:
    ref = await cast.trigger(audience=named, rate={"limit": 1, "per": "hour"})
    await cast.run(ref)
    (field, *_) = named
    assert (await cast.state(ref))["audience"] == {**named, field: None}
    assert await cast.said(ref) == [("wiley", "News")]
    async with room.db.connection() as conn:
        said = await broadcast_triggers.said(conn, room.workspace_id, ref.broadcast_id, ref.trigger_no)
    assert said[0] == field
    await room.apply(DeletePerson(subject=Identifier(kind="id", value="wiley")))
    assert "wiley" not in str(await cast.state(ref))
    assert await cast.audience(ref) == []


@pytest.mark.parametrize("named", [FILE, {"per_user_data": [{"id": "wiley", "data": {"password": "secret"}}]}])
async def test_a_call_that_is_cancelled_in_the_queue_leaves_no_secret(
    cast: Broadcasting, room: Room, named: dict[str, Any]
) -> None:
    ref = await cast.trigger(audience=named)
    await control.cancel(room.db, (ref.workspace_id, ref.broadcast_id, ref.trigger_no), system_now())
    assert "secret" not in str(await cast.state(ref))


@pytest.mark.parametrize("turned", [False, True])
async def test_a_segment_that_was_deleted_after_the_call_fails_the_trigger(
    cast: Broadcasting, room: Room, turned: bool
) -> None:
    vips = {"kind": "segment", "key": "vips", "name": "VIPs", "conditions": {"attribute": {"field": "vip"}}}
    await room.define(vips)
    (row,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND key = 'vips'")
    asked: dict[str, Any] = {"segment": {"id": row["definition_id"]}}
    ref = await cast.trigger(audience={"recipients": {"not": asked} if turned else asked})
    await definitions.delete(room.db, room.workspace_id, "segment", "vips", now=system_now())
    turn = await cast.run(ref)
    assert (turn.state, turn.over) == ("failed", True)
    assert await cast.errors(ref) == ["recipients filter is not valid: There is no segment 1."]
    assert await cast.deliveries(ref) == []
