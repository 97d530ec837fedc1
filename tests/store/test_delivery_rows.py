"""Delivery rows: stored once, claimed once, found by id; the mailbox keeps what came in, and what came twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg

from domain.captured import CapturedMail, FaultRule
from domain.received import COPY_HEADER, DELIVERY_HEADER, read
from store import deliveries as store
from store import mailbox
from store.deliveries import DeliveryRow
from tests.support.database import START, Room

ID = "A" * 24
RENDERED = {"channel": "email", "fields": {"subject": "Hi"}, "errors": []}


def delivery(room: Room, **changes: object) -> DeliveryRow:
    row = DeliveryRow(room.workspace_id, ID, "email", "queued", START, person_id=7, metrics={"created": 1})
    return replace(row, **changes)


async def insert(room: Room, row: DeliveryRow) -> bool:
    async with room.db.transaction() as conn:
        return await store.insert(conn, row, RENDERED)


async def test_a_delivery_is_stored_once_and_read_back_whole(room: Room) -> None:
    row = delivery(room, delivery_id=f"{room.workspace_id:024}", recipient="a@b.co", subject="Hi", block="hello")
    assert await insert(room, row)
    assert not await insert(room, replace(row, subject="Other"))
    async with room.db.transaction() as conn:
        assert await store.get(conn, room.workspace_id, row.delivery_id) == row
        assert await store.find(conn, row.delivery_id) == row
        assert await store.find(conn, "nobody") is None
        assert await store.content_of(conn, row) == RENDERED
        assert await store.content_of(conn, replace(row, created_at=START + timedelta(days=1))) is None
        changed = replace(row, status="sent", attempts=1, handed_over_at=START, metrics={"created": 1, "sent": 2})
        await store.save(conn, changed)
        assert await store.get(conn, room.workspace_id, row.delivery_id, for_update=True) == changed


async def test_of_many_claims_of_one_attempt_one_wins(room: Room) -> None:
    row = delivery(room)
    await insert(room, row)

    async def claim() -> bool:
        async with room.db.connection() as conn:
            return await store.claim(conn, row, "relay", START + timedelta(seconds=1))

    assert sorted(await asyncio.gather(*(claim() for _ in range(8)))) == [False] * 7 + [True]
    async with room.db.transaction() as conn:
        stored = await store.get(conn, room.workspace_id, ID)
        assert stored is not None
        assert (stored.handed_over_at, stored.provider) == (START + timedelta(seconds=1), "relay")
        assert await store.claim(conn, stored, "relay", START + timedelta(seconds=2)), "the interrupted may go on"
        await store.save(conn, replace(stored, status="sent"))
        assert not await store.claim(conn, stored, "relay", START)


async def test_attempts_and_their_clock(room: Room) -> None:
    row = delivery(room, attempts=1)
    await insert(room, row)
    async with room.db.transaction() as conn:
        await store.add_attempt(conn, row, START, provider="relay", outcome="retry", answer="451")
        await store.add_attempt(conn, row, START, provider="relay", outcome="accepted", answer="250")
        await store.schedule(conn, row, START)
        await store.schedule(conn, row, START + timedelta(seconds=4))
    assert await room.rows("SELECT attempt, outcome, answer FROM delivery_attempts WHERE workspace_id = $1") == [
        {"attempt": 1, "outcome": "accepted", "answer": "250"}
    ]
    assert await room.rows("SELECT kind, ref, due_at FROM due WHERE workspace_id = $1") == [
        {"kind": "delivery", "ref": ID, "due_at": START + timedelta(seconds=4)}
    ]
    async with room.db.transaction() as conn:
        await store.unschedule(conn, room.workspace_id, ID)
    assert await room.rows("SELECT 1 FROM due WHERE workspace_id = $1") == []


def captured(room: Room, **changes: object) -> CapturedMail:
    mail = CapturedMail(
        workspace_id=room.workspace_id,
        delivery_id=ID,
        attempt=1,
        purpose="delivery",
        channel="email",
        recipients=("ann@example.com",),
        sender="team@example.com",
        at=START,
        rendered=RENDERED,
        raw=b"raw",
    )
    return replace(mail, **changes)


async def test_rules_are_used_in_order_and_used_up(room: Room) -> None:
    rules = [
        FaultRule.model_validate({"channel": "email", "outcome": "timeout", "to": "BOB@example.com"}),
        FaultRule.model_validate({"channel": "email", "outcome": "soft_bounce", "times": 2}),
        FaultRule.model_validate({"channel": "email", "outcome": "complaint"}),
    ]
    async with room.db.transaction() as conn:
        await mailbox.replace_faults(conn, room.workspace_id, rules)
        outcomes = []
        for attempt in range(1, 5):
            taken = await mailbox.take(conn, captured(room, attempt=attempt))
            outcomes.append(taken.rule.outcome if taken.rule else None)
        assert outcomes == ["soft_bounce", "soft_bounce", "complaint", "complaint"]
        again = await mailbox.take(conn, captured(room, attempt=2))
        assert again.rule == rules[1]
        bob = await mailbox.take(conn, captured(room, delivery_id="B" * 24, recipients=("bob@example.com",)))
        assert bob.rule == rules[0]
    kept = await room.rows("SELECT attempt, outcome FROM mailbox WHERE workspace_id = $1 ORDER BY captured_id")
    assert [(row["attempt"], row["outcome"]) for row in kept] == [
        (1, "soft_bounce"), (2, "soft_bounce"), (3, "accepted"), (4, "accepted"), (1, "timeout")
    ]  # fmt: skip
    async with room.db.transaction() as conn:
        await mailbox.replace_faults(conn, room.workspace_id, [])
        refused_before = await mailbox.take(conn, captured(room, attempt=1))
        assert refused_before.rule is not None
        await mailbox.clear(conn, room.workspace_id)
    assert await room.rows("SELECT 1 FROM mailbox WHERE workspace_id = $1") == []


async def test_what_really_came_in_is_kept_as_often_as_it_came(room: Room) -> None:
    mine = f"{room.workspace_id:024}"
    await insert(room, delivery(room, delivery_id=mine, block="hello"))
    url = room.db.pool._connect_args[0]
    raw = f"From: T <t@x.io>\r\nTo: a@x.io\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n{DELIVERY_HEADER}: {mine}\r\n\r\nHi\r\n"
    async with asyncpg.create_pool(url, min_size=1, max_size=4) as pool:
        await asyncio.gather(
            *(mailbox.record_received(pool, raw.encode(), "t@x.io", ["a@x.io"], START) for _ in range(3))
        )
        copy = raw.replace(DELIVERY_HEADER, COPY_HEADER)
        await mailbox.record_received(pool, copy.encode(), "t@x.io", ["crm@x.io"], START)
        await mailbox.record_received(pool, b"Subject: stranger\r\n\r\n", "x@y.z", ["a@x.io"], START)
    kept = await room.rows(
        'SELECT attempt, purpose, outcome, "to", sender, block, person_id, raw, rendered FROM mailbox '
        "WHERE workspace_id = $1 ORDER BY captured_id"
    )
    assert [(row["purpose"], row["attempt"]) for row in kept] == [
        ("delivery", 1), ("delivery", 2), ("delivery", 3), ("fake_bcc", 1)
    ]  # fmt: skip
    assert kept[0]["raw"] == raw.encode()
    assert (kept[0]["block"], kept[0]["person_id"], kept[0]["outcome"]) == ("hello", 7, "accepted")
    assert kept[0]["rendered"]["fields"]["subject"] == "Grüße"
    assert kept[0]["rendered"]["text"] == "Hi\n"


def test_a_mail_that_cannot_be_read_is_read_as_far_as_it_goes() -> None:
    found = read(b"Content-Type: text/plain; charset=nonsense\r\nSubject: a\x00b\r\n\r\n\xff\xfe")
    assert found.rendered["text"] is None
    assert found.rendered["fields"]["subject"] == "ab"
    assert found.delivery_id is None
    assert read(b"").rendered["fields"] == {}
