"""Goals of broadcasts convert the last message of these, without any journey (CHN-15, CMP-18); conditions see their messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.deliveries import delivery_id, microseconds
from domain.operations import Identifier, Identify, ReportDelivery, TrackEvent
from domain.values import to_unix
from store import deliveries, workspaces
from store import metrics as totals
from store.deliveries import DeliveryRow
from tests.support.database import START, Room

WEBHOOK = {"url": "https://x.io/in", "method": "POST", "body": "{}"}


def broadcast(key: str = "news", **fields: Any) -> dict[str, Any]:
    return {
        "kind": "broadcast",
        "key": key,
        "name": key.title(),
        "goal": {"event": "bought"},
        "workflow": {
            "start": "mail",
            "blocks": {
                "mail": {
                    "type": "email",
                    "sending_state": "automatic",
                    "message": {"subject": "Hi", "body": "<p>Hi</p>"},
                    "next": "call",
                },
                "call": {"type": "webhook", "sending_state": "automatic", "request": WEBHOOK},
            },
        },
        **fields,
    }


def segment(key: str, **leaf: Any) -> dict[str, Any]:
    return {"kind": "segment", "key": key, "name": key, "conditions": leaf}


RECEIPT = {"kind": "transactional", "key": "receipt", "name": "Receipt", "channel": "email"}


def who(name: str = "ann") -> Identifier:
    return Identifier(kind="id", value=name)


async def running(room: Room, *documents: dict[str, Any]) -> tuple[int, dict[str, int]]:
    """Define broadcasts and what else, and start them; returns the id and the actions of the last one."""
    await room.define(*documents)
    async with room.db.transaction() as conn:
        await conn.execute(
            """UPDATE definitions SET state = 'running', started_at = $2, first_started = $2
               WHERE workspace_id = $1 AND kind = 'broadcast'""",
            room.workspace_id,
            room.now,
        )
        await workspaces.bump_definitions(conn, room.workspace_id)
    await room.apply(Identify(subject=who(), attributes={}))
    rows = await room.rows(
        """SELECT definition_id, actions FROM definitions WHERE workspace_id = $1 AND kind = 'broadcast'
           ORDER BY definition_id DESC"""
    )
    return rows[0]["definition_id"], rows[0]["actions"]


async def trigger(room: Room, number: int, trigger_no: int = 1, data: Any = None, own: Any = None) -> None:
    (ann,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1 AND id = 'ann'")
    async with room.db.transaction() as conn:
        await conn.execute(
            """INSERT INTO broadcast_triggers (workspace_id, broadcast_id, trigger_no, state, paused, accepted, created_at,
                   audience, data, position, progress, error_count, rate_sent)
               VALUES ($1, $2, $3, 'finished', false, true, $4, '{}', $5, 1, '{}', 0, 0)""",
            room.workspace_id,
            number,
            trigger_no,
            room.now,
            data or {},
        )
        await conn.execute(
            """INSERT INTO broadcast_recipients (workspace_id, broadcast_id, trigger_no, position, person_id, data)
               VALUES ($1, $2, $3, 1, $4, $5)""",
            room.workspace_id,
            number,
            trigger_no,
            ann["person_id"],
            own,
        )


async def sent(room: Room, number: int | None, action: int | None, trigger_no: int | None = 1, **values: Any) -> str:
    """A sent message to Ann, made now."""
    (ann,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1 AND id = 'ann'")
    name = delivery_id(b"k" * 32, f"{room.workspace_id}/{number}/{action}/{trigger_no}/{values}/{room.now}")
    row = DeliveryRow(
        room.workspace_id,
        name,
        "email",
        "sent",
        room.now,
        person_id=ann["person_id"],
        recipient="ann@x.io",
        campaign_id=number,
        action_id=action,
        trigger_no=trigger_no,
        recipient_no=None if trigger_no is None else 1,
        metrics={"created": microseconds(room.now), "sent": microseconds(room.now)},
        attempts=1,
    )
    async with room.db.transaction() as conn:
        await deliveries.insert(conn, replace(row, **values), {})
    return name


async def bought(room: Room, **data: Any) -> None:
    await room.apply(TrackEvent(subject=who(), name="bought", data=data))


async def converted(room: Room) -> list[str]:
    rows = await room.rows(
        "SELECT delivery_id FROM deliveries WHERE workspace_id = $1 AND metrics ? 'converted' ORDER BY created_at"
    )
    return [row["delivery_id"] for row in rows]


async def figures(room: Room, kind: str, number: int) -> int:
    async with room.db.connection() as conn:
        return (await totals.totals(conn, room.workspace_id, kind, [number])).get(number, {}).get("converted", 0)


async def test_the_last_message_converts_and_counts_for_block_and_broadcast(room: Room) -> None:
    number, actions = await running(room, broadcast())
    await sent(room, number, actions["mail"])
    await room.move(hours=1)
    last = await sent(room, number, actions["mail"], 2)
    await room.move(hours=1)
    await bought(room)
    assert await converted(room) == [last]
    assert await figures(room, "campaign", number) == await figures(room, "action", actions["mail"]) == 1
    await room.move(hours=1)
    await bought(room)
    assert len(await converted(room)) == 2
    await bought(room)
    assert await figures(room, "campaign", number) == 2


async def test_the_window_counts_from_the_basis(room: Room) -> None:
    number, actions = await running(room, broadcast(goal={"event": "bought", "within": "P2D", "of": "opened"}))
    name = await sent(room, number, actions["mail"])
    await room.move(hours=1)
    await bought(room)
    assert await converted(room) == []
    opened = to_unix(room.now)
    await room.apply(ReportDelivery(delivery_id=name, metric="opened", timestamp=opened, details={}))
    await room.move(days=3)
    await bought(room)
    assert await converted(room) == []
    again = await sent(room, number, actions["mail"], 2)
    await room.apply(ReportDelivery(delivery_id=again, metric="opened", timestamp=to_unix(room.now), details={}))
    await room.move(hours=1)
    await bought(room)
    assert await converted(room) == [again]


async def test_a_webhook_converts_where_it_says_so(room: Room) -> None:
    tracking = broadcast("tracked")
    tracking["workflow"]["blocks"]["call"]["track_conversions"] = True
    silent, actions = await running(room, broadcast())
    await sent(room, silent, actions["call"], channel="webhook")
    tracked, actions = await running(room, tracking)
    credited = await sent(room, tracked, actions["call"], channel="webhook")
    await room.move(hours=1)
    await bought(room)
    assert await converted(room) == [credited]


async def test_a_goal_may_compare_the_event_with_what_the_call_said(room: Room) -> None:
    where = {"field": "item", "operator": "eq", "value": {"from": "trigger.item"}}
    number, actions = await running(room, broadcast(goal={"event": "bought", "where": where}))
    await trigger(room, number, 1, {"item": "a", "other": 1})
    await trigger(room, number, 2, {"item": "a"}, {"item": "b"})
    first = await sent(room, number, actions["mail"], 1)
    await room.move(hours=1)
    second = await sent(room, number, actions["mail"], 2)
    await room.move(hours=1)
    await bought(room, item="c")
    assert await converted(room) == []
    await bought(room, item="a")
    assert await converted(room) == [first]
    await bought(room, item="b")
    assert await converted(room) == [first, second]


async def test_entering_a_segment_after_the_message_converts_it(room: Room) -> None:
    vip = segment("vip", attribute={"field": "plan", "value": "vip"})
    number, actions = await running(room, vip, broadcast(goal={"enters_segment": "vip"}))
    name = await sent(room, number, actions["mail"])
    await room.move(hours=1)
    await room.apply(Identify(subject=who(), attributes={"plan": "vip"}))
    assert await converted(room) == [name]


async def test_what_was_sent_before_there_was_a_goal_never_converts(room: Room) -> None:
    without = {name: value for name, value in broadcast().items() if name != "goal"}
    number, actions = await running(room, without)
    await sent(room, number, actions["mail"])
    await room.move(hours=1)
    await room.define(broadcast())
    await room.move(hours=1)
    await bought(room)
    assert await converted(room) == []
    later = await sent(room, number, actions["mail"], 2)
    await room.move(hours=1)
    await bought(room)
    assert await converted(room) == [later]


async def test_segments_follow_messages_of_broadcasts_and_transactional_messages(room: Room) -> None:
    number, actions = await running(
        room,
        broadcast(),
        RECEIPT,
        segment("read-news", message={"of": {"broadcast": "news", "block": "mail"}, "status": "opened"}),
        segment("got-receipt", message={"of": {"transactional": "receipt"}, "status": "clicked"}),
        segment("got-news", message={"of": {"broadcast": "news"}, "status": "bounced"}),
    )
    news = await sent(room, number, actions["mail"])
    (row,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'transactional'")
    receipt = await sent(room, None, None, None, transactional_id=row["definition_id"])
    other = await sent(room, None, None, None, transactional_id=1)
    at = to_unix(START)
    await room.apply(
        ReportDelivery(delivery_id=other, metric="clicked", timestamp=at + 9, details={"href": "https://x"})
    )
    assert await room.members("got-receipt") == []
    await room.apply(
        ReportDelivery(delivery_id=receipt, metric="clicked", timestamp=at + 9, details={"href": "https://x"})
    )
    assert await room.members("got-receipt") == ["ann"]
    await room.apply(ReportDelivery(delivery_id=news, metric="opened", timestamp=at + 9, details={}))
    assert await room.members("read-news") == ["ann"]
    assert await room.members("got-news") == []
    async with room.db.connection() as conn:
        counted = await totals.totals(conn, room.workspace_id, "transactional", [row["definition_id"], 1])
    assert counted[1]["clicked"] == counted[row["definition_id"]]["clicked"] == 1
