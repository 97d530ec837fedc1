"""Running triggers: pages, what they make, who comes in between, what a turn leaves behind (CHN-15, CHN-22)."""

from __future__ import annotations

import asyncio

import pytest

from clock import system_now
from domain.errors import DomainError, NotFound
from domain.operations import DeletePerson, Identifier, MergePeople
from services.broadcasts import control
from tests.support.broadcasting import Broadcasting, broadcast, email
from tests.support.database import Room


async def test_everybody_is_written_to_once(room: Room) -> None:
    cast = Broadcasting(room, page=2)
    await cast.define(broadcast())
    await cast.people("ann", "bob", "cid", "dora", "eve")
    ref = await cast.trigger(headline="Hello")
    turn = await cast.run(ref)
    assert (turn.state, turn.over) == ("finished", True)
    assert "5 of 5 recipients" in turn.details
    assert await cast.said(ref) == [(name, "Hello") for name in ("ann", "bob", "cid", "dora", "eve")]
    rows = await cast.deliveries(ref)
    assert {row["status"] for row in rows} == {"delivered"}
    state = await cast.state(ref)
    assert (state["recipients_count"], state["position"], state["ended_at"]) == (5, 5, room.now)
    assert len(await cast.mailbox()) == 5
    action_id = rows[0]["action_id"]
    counted = {"created": 5, "sent": 5, "delivered": 5}
    assert await cast.totals("campaign", ref.broadcast_id) == counted
    assert await cast.totals("action", action_id) == counted
    assert await cast.totals("block", action_id) == {"done": 5}
    assert (await cast.turn(ref)).over
    assert len(await cast.mailbox()) == 5


async def test_two_workers_at_once_write_to_nobody_twice(room: Room) -> None:
    one, other = Broadcasting(room, page=3), Broadcasting(room, page=3)
    await one.define(broadcast())
    await one.many(40)
    ref = await one.trigger()
    await asyncio.gather(one.run(ref), other.run(ref))
    assert (await one.state(ref))["state"] == "finished"
    assert sorted(mail["delivery_id"] for mail in await one.mailbox()) == sorted(
        row["delivery_id"] for row in await one.deliveries(ref)
    )


async def test_each_block_has_its_turn_and_is_counted(room: Room) -> None:
    cast = Broadcasting(room)
    pro = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
    blocks = {
        "mark": {"type": "update_person", "set": {"seen": {"liquid": "{{ trigger.headline }}"}}, "next": "split"},
        "split": {"type": "true_false", "conditions": pro, "then": "first", "else": "out", "join": "last"},
        "first": email(message={"subject": "{{ customer.seen }} {{ journey.n }}"}),
        "out": {"type": "exit"},
        "last": email(conditions={"attribute": {"field": "twice"}}),
    }
    blocks["mark"]["next"] = "count"
    blocks["count"] = {"type": "set_journey_attributes", "set": {"n": 7}, "next": "split"}
    await cast.define(broadcast(start="mark", blocks=blocks))
    await cast.people("ann", plan="pro", twice=True)
    await cast.people("bob", plan="pro")
    await cast.people("cid", plan="free")
    ref = await cast.send(headline="Now")
    assert await cast.said(ref) == [("ann", "Now 7"), ("ann", "Now"), ("bob", "Now 7")]
    assert [row["attributes"]["seen"] for row in await room.people()] == ["Now"] * 3
    (row,) = await room.rows("SELECT actions FROM definitions WHERE workspace_id = $1 AND kind = 'broadcast'")
    actions = row["actions"]
    passed = {key: await cast.totals("block", number) for key, number in actions.items()}
    assert passed == {
        "mark": {"done": 3},
        "count": {"done": 3},
        "split": {"branched/then": 2, "branched/else": 1},
        "first": {"done": 2},
        "out": {"exited": 1},
        "last": {"done": 1, "skipped": 1},
    }


async def test_a_condition_sees_the_message_made_a_block_before(room: Room) -> None:
    cast = Broadcasting(room)
    got = {"message": {"of": {"block": "first"}, "status": "recipient"}}
    blocks = {"first": email(conditions={"attribute": {"field": "vip"}}, next="more"), "more": email(conditions=got)}
    await cast.define(broadcast(start="first", blocks=blocks))
    await cast.people("ann", vip=True)
    await cast.people("bob")
    ref = await cast.send()
    assert [(row["id"], row["block"], row["status"]) for row in await cast.deliveries(ref)] == [
        ("ann", "first", "delivered"),
        ("ann", "more", "delivered"),
    ]


async def test_drafts_wait_for_somebody_and_unsubscribed_people_get_nothing(room: Room) -> None:
    cast = Broadcasting(room)
    blocks = {
        "mail": email(sending_state="draft", next="set"),
        "set": {"type": "update_person", "sending_state": "draft", "set": {"seen": True}, "next": "now"},
        "now": email(),
    }
    await cast.define(broadcast(start="mail", blocks=blocks))
    await cast.people("ann")
    await cast.people("bob", unsubscribed=True)
    ref = await cast.send()
    found = [(row["id"], row["block"], row["status"], row["draft"]) for row in await cast.deliveries(ref)]
    assert found == [
        ("ann", "mail", "drafted", True),
        ("ann", "set", "drafted", True),
        ("ann", "now", "delivered", False),
        ("bob", "mail", "undeliverable", False),
        ("bob", "set", "drafted", True),
        ("bob", "now", "undeliverable", False),
    ]
    assert (await cast.state(ref))["state"] == "finished"


async def test_what_cannot_be_rendered_fails_alone(room: Room) -> None:
    cast = Broadcasting(room)
    await cast.define(broadcast(blocks={"mail": email(message={"subject": "Hi {{ customer.first_name }}"})}))
    await cast.people("ann", first_name="Ann")
    await cast.people("bob")
    ref = await cast.send()
    assert [(row["id"], row["status"]) for row in await cast.deliveries(ref)] == [
        ("ann", "delivered"),
        ("bob", "failed"),
    ]


async def test_what_the_provider_does_not_take_yet_is_left_to_the_clock(room: Room) -> None:
    cast = Broadcasting(room)
    await cast.define(broadcast())
    await cast.people("ann", "bob", "cid")
    await cast.faults(
        {"channel": "email", "outcome": "soft_bounce", "to": "ann@example.com", "times": 1},
        {"channel": "email", "outcome": "hard_bounce", "to": "bob@example.com", "reply": "550 5.1.1 no such user"},
    )
    ref = await cast.send()
    rows = await cast.deliveries(ref)
    assert [(row["id"], row["status"], row["attempts"]) for row in rows] == [
        ("ann", "attempted", 1),
        ("bob", "bounced", 1),
        ("cid", "delivered", 1),
    ]
    assert await cast.retries() == [rows[0]["delivery_id"]]
    assert (await cast.state(ref))["state"] == "finished", "what is tried again is no more of the trigger's business"
    await room.move(minutes=10)
    await cast.deliverer.retry(room.workspace_id, rows[0]["delivery_id"], system_now)
    assert [row["status"] for row in await cast.deliveries(ref)] == ["delivered", "bounced", "delivered"]
    again = await cast.send()
    assert [row["status"] for row in await cast.deliveries(again)] == ["delivered", "suppressed", "delivered"]


async def test_who_was_merged_or_erased_meanwhile_is_written_to_as_who_they_are_now(room: Room) -> None:
    cast = Broadcasting(room)
    await cast.define(broadcast(send_rate={"limit": 1, "per": "hour"}))
    await cast.people("ann", "bob", "cid", "dora")
    ref = await cast.trigger(rate={"limit": 1, "per": "hour"})
    await cast.run(ref)
    assert [name for name, _ in await cast.said(ref)] == ["ann"]
    ids = {name: Identifier(kind="id", value=name) for name in ("bob", "cid", "dora")}
    await room.apply(MergePeople(primary=ids["dora"], secondary=ids["cid"]), DeletePerson(subject=ids["bob"]))
    await control.set_rate(room.db, (ref.workspace_id, ref.broadcast_id, ref.trigger_no), None)
    turn = await cast.run(ref)
    assert turn.state == "finished"
    assert [name for name, _ in await cast.said(ref)] == ["ann", "dora"]


async def test_a_broadcast_that_is_stopped_runs_to_its_end_and_one_that_is_archived_does_not(room: Room) -> None:
    cast = Broadcasting(room, page=1)
    await cast.define(broadcast())
    await cast.people("ann", "bob", "cid")
    rate = {"limit": 1, "per": "hour"}
    ref, second = await cast.trigger(rate=rate), await cast.trigger()
    await cast.run(ref)
    await cast.put("news", "stopped")
    await cast.next()
    await cast.run(ref)
    assert len(await cast.deliveries(ref)) == 2
    await cast.put("news", "archived")
    await cast.next()
    assert (await cast.run(ref)).state == "cancelled"
    assert len(await cast.deliveries(ref)) == 2
    assert (await cast.run(second)).state == "cancelled"
    assert await cast.deliveries(second) == []


async def test_triggers_of_one_broadcast_come_after_each_other_those_of_two_beside(room: Room) -> None:
    cast = Broadcasting(room)
    await cast.define(broadcast(), broadcast("other"))
    await cast.people("ann")
    first, second = await cast.trigger(), await cast.trigger()
    beside = await cast.trigger("other")
    turn = await cast.run(second)
    assert (turn.state, turn.over, turn.more) == ("queued", False, False)
    assert (await cast.run(beside)).over
    await cast.woken()
    assert (await cast.run(first)).over
    assert await cast.woken() == [second.trigger_no]
    assert (await cast.run(second)).over


async def test_a_trigger_is_paused_resumed_and_cancelled(room: Room) -> None:
    cast = Broadcasting(room, page=2)
    await cast.define(broadcast(), broadcast("again"))
    await cast.people("ann", "bob", "cid", "dora")
    ref = await cast.trigger(rate={"limit": 1, "per": "hour"})
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    await cast.run(ref)
    assert (await control.pause(room.db, key)).paused
    assert await cast.due() == []
    with pytest.raises(DomainError, match="paused already"):
        await control.pause(room.db, key)
    await cast.woken()
    turn = await cast.run(ref)
    assert (turn.over, turn.more, len(await cast.deliveries(ref))) == (False, False, 1)
    await control.resume(room.db, key)
    assert await cast.woken() == [ref.trigger_no]
    with pytest.raises(DomainError, match="not paused"):
        await control.resume(room.db, key)
    await cast.run(ref)
    assert len(await cast.deliveries(ref)) == 2
    await control.cancel(room.db, key, system_now())
    assert await cast.woken() == [ref.trigger_no]
    turn = await cast.run(ref)
    assert (turn.state, turn.over) == ("cancelled", True)
    assert len(await cast.deliveries(ref)) == 2
    for verb in (control.pause(room.db, key), control.resume(room.db, key), control.set_rate(room.db, key, None)):
        with pytest.raises(DomainError, match="is over: it is cancelled"):
            await verb
    with pytest.raises(NotFound):
        await control.cancel(room.db, (*key[:2], 99), system_now())


async def test_what_no_provider_has_yet_is_undeliverable_when_its_trigger_is_cancelled(room: Room) -> None:
    cast = Broadcasting(room)
    await cast.define(broadcast(blocks={"mail": email(next="draft"), "draft": email(sending_state="draft")}))
    await cast.people("ann", "bob")
    await cast.faults({"channel": "email", "outcome": "soft_bounce", "to": "bob@example.com", "times": 1})
    ref = await cast.trigger(rate={"limit": 2, "per": "second"})
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    await cast.people("cid")
    await cast.run(ref)
    await cast.next()
    await cast.run(ref)
    await control.cancel(room.db, key, system_now())
    await cast.run(ref)
    found = [(row["id"], row["block"], row["status"]) for row in await cast.deliveries(ref)]
    assert found == [
        ("ann", "mail", "delivered"),
        ("ann", "draft", "drafted"),
        ("bob", "mail", "undeliverable"),
        ("bob", "draft", "drafted"),
    ]
    assert await cast.retries() == []
    totals = await cast.totals("campaign", ref.broadcast_id)
    assert (totals["sent"], totals["undeliverable"], totals["attempted"]) == (1, 1, 1)
