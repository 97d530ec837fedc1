"""Occurrences that wait for the campaign's filters (CMP-13), and reasons of refusal (CMP-34)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clock import system_now
from domain.operations import DeletePerson, Identifier, MergePeople
from services import campaigns
from services.expiry_anonymous import expire
from tests.support.database import Room
from tests.support.entering import Entering, campaign

ORDER: dict[str, Any] = {"type": "event", "event": "order"}
VIP: dict[str, Any] = {
    "kind": "segment",
    "key": "vip",
    "name": "VIP",
    "conditions": {"attribute": {"field": "vip", "value": "yes"}},
}


def filtered(trigger: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return campaign(trigger or ORDER, filters={"segment": "vip"}, **fields)


@pytest.fixture
async def entering(room: Room) -> Entering:
    entering = Entering(room)
    await entering.begin("2026-03-10T12:00")
    await entering.start(VIP, filtered())
    await entering.identify(email="ann@example.com")
    return entering


@pytest.mark.parametrize(
    ("entered", "began"),
    [("12:25", ["12:25"]), ("12:30", ["12:30"]), ("12:31", [])],
)
async def test_cmp_case_10_a_filter_met_within_30_minutes(entering: Entering, entered: str, began: list[str]):
    await entering.track("order", {"n": 1})
    assert (await entering.began(), await entering.waiting()) == ([], 1)
    await entering.to(f"2026-03-10T{entered}")
    await entering.identify(vip="yes")
    assert await entering.began("%H:%M") == began
    assert await entering.waiting() == 0
    assert await entering.refused() == ["filters"]
    for journey in await entering.room.journeys():
        assert journey["trigger"]["event"]["data"] == {"n": 1}


async def test_what_waits_is_asked_only_for_the_segment_it_waits_for(entering: Entering):
    await entering.track("order")
    await entering.identify(other="yes")
    assert (await entering.began(), await entering.waiting()) == ([], 1)


async def test_a_segment_that_the_clock_moves_lets_in(room: Room):
    entering = Entering(room)
    await entering.begin("2026-03-10T12:00")
    soon = {"attribute": {"field": "until", "operator": "before", "value": {"ago": "PT1H"}}}
    await entering.start({**VIP, "conditions": soon}, filtered())
    await entering.identify(until=int(room.now.timestamp()) - 3_000)
    await entering.track("order")
    await entering.to("2026-03-10T12:30")
    assert await entering.began("%H:%M") == ["12:10"]


async def test_the_frequency_is_asked_again(entering: Entering):
    await entering.edit(filtered(frequency={"mode": "once"}))
    await entering.track("order", {"n": 1})
    await entering.track("order", {"n": 2})
    assert await entering.waiting() == 2
    await entering.identify(vip="yes")
    [journey] = await entering.room.journeys()
    assert journey["trigger"]["event"]["data"] == {"n": 1}
    assert (await entering.waiting(), await entering.refused()) == (0, ["filters", "frequency"])


async def test_comparisons_with_the_person_are_made_again(entering: Entering):
    where = {"field": "city", "value": {"from": "customer.city"}}
    await entering.edit(filtered({**ORDER, "where": where}))
    await entering.identify(city="Rome")
    await entering.track("order", {"city": "Rome"})
    await entering.identify(city="Paris", vip="yes")
    assert (await entering.began(), await entering.waiting()) == ([], 1)
    await entering.identify(city="Rome", vip="no")
    await entering.identify(vip="yes")
    assert len(await entering.began()) == 1


async def test_stopping_ends_the_waiting(entering: Entering):
    await entering.track("order")
    room = entering.room
    await campaigns.stop(room.db, room.workspace_id, "c", {"journeys": "exit"}, system_now())
    assert await entering.waiting() == 0
    await campaigns.restart(room.db, room.workspace_id, "c", None, system_now())
    await entering.identify(vip="yes")
    assert await entering.began() == []


@pytest.mark.parametrize("merged", [False, True])
async def test_whoever_is_gone_waits_no_more(entering: Entering, *, merged: bool):
    await entering.track("order")
    ann = Identifier(kind="id", value="ann")
    if merged:
        await entering.identify("bob", vip="yes")
        await entering.room.apply(MergePeople(primary=Identifier(kind="id", value="bob"), secondary=ann))
    else:
        await entering.room.apply(DeletePerson(subject=ann))
    assert (await entering.began(), await entering.waiting(), await entering.refused()) == ([], 0, [])


async def test_an_edit_of_the_filters_counts_for_what_waits(entering: Entering):
    await entering.track("order")
    pro = {**VIP, "key": "pro", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}
    await entering.room.define(pro)
    await entering.edit(campaign(ORDER, filters={"segment": "pro"}))
    await entering.identify(vip="yes")
    assert await entering.began() == []
    await entering.identify(plan="pro")
    assert len(await entering.began()) == 1


async def test_what_did_not_begin_is_remembered_for_thirty_days(entering: Entering):
    await entering.edit(filtered({**ORDER, "where": {"field": "n", "operator": "gt", "value": {"from": "customer.n"}}}))
    await entering.identify(n=1)
    old = int((entering.room.now - timedelta(hours=80)).timestamp())
    await entering.track("unknown")
    await entering.track("order", {"n": 1})
    await entering.track("order", {"n": 2}, timestamp=old)
    await entering.track("order", {"n": 3})
    assert await entering.refused() == ["trigger_data", "before_start", "filters"]
    await entering.to("2026-04-09T12:00")
    await expire(entering.room.db, system_now())
    assert (len(await entering.refused()), await entering.waiting()) == (3, 0)
    await entering.to("2026-04-09T12:01")
    await expire(entering.room.db, system_now())
    assert await entering.refused() == []


async def test_nothing_is_read_where_nothing_can_wait(room: Room):
    entering = Entering(room)
    await entering.start(campaign(ORDER))
    async with room.db.connection() as conn:
        catalog = await room.catalogs.get(conn, room.workspace_id)
    assert not catalog.compiled.retries
