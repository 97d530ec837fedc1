"""What is claimed ahead of its hand-over: by whoever has a trigger in hand, and found again by the next (SUB-20, CHN-15)."""

from __future__ import annotations

from typing import Any

import pytest

from channels import WayOut
from channels.capture import CaptureChannel
from clock import system_now
from domain.deliveries import microseconds
from domain.operations import DeletePerson, Identifier, MergePeople
from domain.sends import BroadcastRef
from services.broadcasts import control
from services.broadcasts.claiming import TakenOver, TriggerClaims
from services.broadcasts.pages import Page, Pages
from services.broadcasts.receipts import Tried
from services.broadcasts.recording import Recorder
from services.delivery_outcomes import Outcome
from store import quiescence
from store.notify import Notifier
from tests.support.broadcasting import LINKS, Broadcasting, Quiet, broadcast
from tests.support.database import Room

NAMES = ("ann", "bob", "cid", "dan")
TAKEN = Outcome("sent", "250 taken", "capture", events=("delivered",))


class Plain(Quiet):
    """Ways out that cannot tell a message from its repetition."""

    def __init__(self) -> None:
        super().__init__()
        self._way = WayOut("capture", False, CaptureChannel(), self)


async def made(cast: Broadcasting) -> tuple[BroadcastRef, TriggerClaims, Page]:
    """A page of everybody, made by somebody who has the trigger in hand and does nothing further."""
    room = cast.room
    await cast.define(broadcast())
    await cast.people(*NAMES)
    ref = await cast.trigger()
    for _ in range(2):
        await cast.runner.run(ref, lambda: True)
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    claims = TriggerClaims(room.db, key, system_now)
    async with room.db.connection() as conn:
        assert await claims.take_over(await room.catalogs.get(conn, room.workspace_id))
    pages = Pages(room.db, room.catalogs, Notifier(room.db.pool), system_now, link_base_url=LINKS)
    page = await pages.make(key, 0, claims.owner)
    assert isinstance(page, Page)
    assert len(page.prepared) == len(NAMES)
    return ref, claims, page


async def outcomes(cast: Broadcasting, ref: BroadcastRef) -> list[tuple[str, str, bool, int]]:
    rows = await cast.deliveries(ref)
    return [(row["id"], row["status"], row["ambiguous"], row["attempts"]) for row in rows]


async def test_of_what_a_dead_worker_had_claimed_nobody_knows_where_the_provider_cannot_tell(room: Room) -> None:
    provider = Plain()
    cast = Broadcasting(room, quiet=provider)
    ref, claims, page = await made(cast)
    await claims.ahead(page.prepared[:2])
    await cast.run(ref)
    assert await outcomes(cast, ref) == [
        ("ann", "sent", True, 1),
        ("bob", "sent", True, 1),
        ("cid", "delivered", False, 1),
        ("dan", "delivered", False, 1),
    ]
    rows = {row["delivery_id"]: row["id"] for row in await cast.deliveries(ref)}
    assert {rows[name]: times for name, times in provider.sent.items()} == {"cid": 1, "dan": 1}
    totals = await cast.totals("campaign", ref.broadcast_id)
    assert (totals["sent"], totals["ambiguous"], totals["delivered"]) == (4, 2, 2)


async def test_where_the_provider_knows_a_message_by_its_key_all_of_them_go_again(room: Room) -> None:
    cast = Broadcasting(room)
    ref, claims, page = await made(cast)
    await claims.ahead(page.prepared)
    await cast.run(ref)
    assert await outcomes(cast, ref) == [(name, "delivered", False, 1) for name in NAMES]
    assert len(await cast.mailbox()) == len(NAMES)


async def test_whoever_had_a_trigger_in_hand_gets_no_further_once_it_is_taken_over(room: Room) -> None:
    cast = Broadcasting(room)
    ref, claims, page = await made(cast)
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    other = TriggerClaims(room.db, key, system_now)
    async with room.db.connection() as conn:
        await other.take_over(await room.catalogs.get(conn, room.workspace_id))
    with pytest.raises(TakenOver):
        await claims.ahead(page.prepared)
    pages = Pages(room.db, room.catalogs, Notifier(room.db.pool), system_now, link_base_url=LINKS)
    assert await pages.make(key, 0, claims.owner) == "over"


async def test_who_is_erased_after_their_message_was_made_is_not_written_to(room: Room) -> None:
    cast = Broadcasting(room)
    _, claims, page = await made(cast)
    await room.apply(DeletePerson(subject=Identifier(kind="id", value="bob")))
    _, others = await claims.ahead(page.prepared)
    assert others == {page.prepared[1].row.delivery_id}


async def test_who_is_merged_after_their_message_was_made_is_written_to(room: Room) -> None:
    cast = Broadcasting(room)
    ref, claims, page = await made(cast)
    both = {"primary": Identifier(kind="id", value="ann"), "secondary": Identifier(kind="id", value="bob")}
    await room.apply(MergePeople(**both))
    begun, others = await claims.ahead(page.prepared)
    assert others == set()
    recorder = Recorder(room.db, room.catalogs, Notifier(room.db.pool), system_now)
    await recorder.record([Tried(one, TAKEN, room.now, begun, page.made_by) for one in page.prepared])
    assert await outcomes(cast, ref) == [(name, "delivered", False, 1) for name in ("ann", "ann", "cid", "dan")]


async def test_what_was_reported_before_the_answer_was_written_down_is_not_lost(room: Room) -> None:
    cast = Broadcasting(room)
    ref, claims, page = await made(cast)
    begun, _ = await claims.ahead(page.prepared)
    early = page.prepared[0].row.delivery_id
    await room.rows(
        """UPDATE deliveries SET status = 'opened', metrics = metrics || jsonb_build_object('opened', $3::bigint)
           WHERE workspace_id = $1 AND delivery_id = $2""",
        early,
        microseconds(room.now),
    )
    recorder = Recorder(room.db, room.catalogs, Notifier(room.db.pool), system_now)
    await recorder.record([Tried(one, TAKEN, room.now, begun, page.made_by) for one in page.prepared])
    rows = await cast.deliveries(ref)
    assert [row["status"] for row in rows] == ["opened", "delivered", "delivered", "delivered"]
    assert all({"sent", "delivered"} <= row["metrics"].keys() for row in rows)
    assert {(row["attempts"], row["handed_over_at"], row["first_attempt_at"]) for row in rows} == {(1, begun, room.now)}
    tried = await room.rows("SELECT outcome, answer, provider FROM delivery_attempts WHERE workspace_id = $1")
    assert tried == [{"outcome": "accepted", "answer": "250 taken", "provider": "capture"}] * len(NAMES)
    again: Any = [Tried(one, TAKEN, room.now, begun, page.made_by) for one in page.prepared]
    await recorder.record(again)
    assert (await cast.totals("campaign", ref.broadcast_id))["sent"] == len(NAMES)


async def test_what_a_dead_worker_had_claimed_comes_to_an_end_when_the_trigger_is_cancelled(room: Room) -> None:
    cast = Broadcasting(room, quiet=Plain())
    ref, claims, page = await made(cast)
    await claims.ahead(page.prepared[:1])
    await control.cancel(room.db, (ref.workspace_id, ref.broadcast_id, ref.trigger_no), system_now())
    async with room.db.connection() as conn:
        assert (await quiescence.look(conn, room.workspace_id, room.now)).broadcasts == 1
    await cast.run(ref)
    assert await outcomes(cast, ref) == [
        ("ann", "sent", True, 1),
        *((name, "undeliverable", False, 0) for name in NAMES[1:]),
    ]
    async with room.db.connection() as conn:
        assert (await quiescence.look(conn, room.workspace_id, room.now)).broadcasts == 0


async def test_what_was_claimed_and_not_begun_when_handing_over_failed_goes_out_the_next_time(room: Room) -> None:
    provider = Plain()
    cast = Broadcasting(room, quiet=provider)
    ref, claims, page = await made(cast)
    await claims.ahead(page.prepared)
    await claims.step_back(1)
    await cast.run(ref)
    found = await outcomes(cast, ref)
    assert [ambiguous for _, _, ambiguous, _ in found] == [True, False, False, False]
    assert sum(provider.sent.values()) == len(NAMES) - 1
