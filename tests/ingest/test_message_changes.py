"""What is reported of messages moves people between segments (PPL-37, PPL-41)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.deliveries import delivery_id, microseconds
from domain.operations import DeletePerson, Identifier, Identify, MergePeople, ReportDelivery, TrackEvent, Unsubscribe
from domain.values import to_unix
from store import deliveries
from store.deliveries import DeliveryRow
from tests.support.database import START, Room
from tests.support.live import campaign, on_event, on_match
from tests.support.moments import attribute, delay, segment
from tests.support.searching import tables_with

UNIX = to_unix(START)


def message(status: str, **body: Any) -> dict[str, Any]:
    return {"message": {"channel": "email", "status": status, **body}}


def who(name: str) -> Identifier:
    return Identifier(kind="id", value=name)


async def delivery(room: Room, person: str = "ann", /, **values: Any) -> str:
    """A sent email to somebody who is there from now on."""
    await room.apply(Identify(subject=who(person), attributes={}))
    (row,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1 AND id = $2", person)
    number = delivery_id(b"k" * 32, f"{room.workspace_id}/{person}/{values}")
    sent = DeliveryRow(
        room.workspace_id,
        number,
        "email",
        "sent",
        START,
        person_id=row["person_id"],
        recipient=f"{person}@x.io",
        campaign_id=1,
        action_id=11,
        metrics={"sent": microseconds(START)},
        attempts=1,
    )
    async with room.db.transaction() as conn:
        await deliveries.insert(conn, replace(sent, **values), {})
    return number


def told(number: str, metric: str, after: int = 60, /, **details: Any) -> ReportDelivery:
    return ReportDelivery(delivery_id=number, metric=metric, timestamp=UNIX + after, details=details)


async def events(room: Room) -> list[tuple[str, int, bool, str | None, str | None]]:
    rows = await room.rows(
        """SELECT metric, at, human, link, response FROM message_events WHERE workspace_id = $1 ORDER BY seq, metric"""
    )
    return [(row["metric"], to_unix(row["at"]) - UNIX, row["human"], row["link"], row["response"]) for row in rows]


async def test_each_report_is_kept_with_what_it_means_for_the_first_time(room: Room):
    number = await delivery(room)
    in_app = await delivery(room, channel="in_app")
    await room.move(hours=1)
    await room.apply(
        told(number, "opened", 10, prefetched=True),
        told(number, "clicked", 20, href="https://x.io/a"),
        told(number, "clicked", 30, href="https://x.io/b", machine=True),
        told(number, "clicked", 20, href="https://x.io/a"),
        told(number, "dropped", 40, reason="spam"),
        told(in_app, "clicked", 50, action_name="yes"),
    )
    assert await events(room) == [
        ("delivered", 10, True, None, None),
        ("opened", 10, False, None, None),
        ("clicked", 20, True, "https://x.io/a", None),
        ("opened", 20, True, None, None),
        ("clicked", 30, False, "https://x.io/b", None),
        ("suppressed", 40, True, None, None),
        ("clicked", 50, True, None, "yes"),
        ("delivered", 50, True, None, None),
    ]


@pytest.mark.parametrize(
    ("condition", "reports", "joins_at"),
    [
        pytest.param(message("delivered"), [("opened", {})], 1, id="implied"),
        pytest.param(message("opened"), [("delivered", {}), ("clicked", {})], 2, id="open by a click"),
        pytest.param(message("opened"), [("opened", {"machine": True})], 1, id="machine"),
        pytest.param(
            message("opened", human_only=True), [("opened", {"proxied": True}), ("opened", {})], 2, id="person's open"
        ),
        pytest.param(
            message("opened", human_only=True), [("opened", {"machine": True}), ("clicked", {})], 2, id="person's click"
        ),
        pytest.param(message("clicked", human_only=True), [("clicked", {"machine": True})], 0, id="machine's click"),
        pytest.param(
            message("clicked", link="pricing"),
            [("clicked", {"href": "https://x.io/"}), ("clicked", {"href": "https://x.io/pricing?a=1"})],
            2,
            id="link",
        ),
        pytest.param(message("clicked", times={"at_least": 3}), [("clicked", {})] * 3, 3, id="each time"),
        pytest.param(message("bounced"), [("bounced", {"reason": "full"})], 1, id="bounce"),
        pytest.param(message("suppressed"), [("dropped", {})], 1, id="dropped"),
        pytest.param(message("spammed"), [("spammed", {})], 1, id="flag"),
        pytest.param(message("converted"), [("converted", {})], 1, id="converted"),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_reports_bring_people_in(
    room: Room, condition: dict[str, Any], reports: list[Any], joins_at: int, *, at_once: bool
):
    entering = campaign("c", on_event("go"), "rest", {"rest": delay("P1D")}, filters=[{"segment": "s"}])
    await room.define(segment("s", [condition]), entering)
    await room.run_campaign("c")
    number = await delivery(room)
    await room.move(hours=1)
    facts: list[Any] = []
    for place, (metric, details) in enumerate(reports, 1):
        facts += [told(number, metric, place, **details), TrackEvent(subject=who("ann"), name="go", data={"n": place})]
    for batch in [facts] if at_once else [[fact] for fact in facts]:
        await room.apply(*batch)
    assert await room.members("s") == (["ann"] if joins_at else [])
    # Whoever has joined by a report enters the campaign by what comes right after it; what came before has waited for that.
    waited = await room.rows("SELECT 1 FROM entry_refusals WHERE workspace_id = $1 AND step = 'filters'")
    assert len(waited) == (joins_at - 1 if joins_at else len(reports))
    assert len(await room.journeys()) == (len(reports) if joins_at else 0)


async def test_who_never_opened_leaves_by_an_open(room: Room):
    await room.define(segment("cold", [message("opened", inverse=True)]))
    number = await delivery(room)
    assert await room.members("cold") == ["ann"]
    await room.apply(told(number, "opened"))
    assert await room.members("cold") == []


async def test_a_window_closes_by_the_clock(room: Room):
    await room.define(segment("warm", [message("clicked", within="P1D")]))
    number = await delivery(room)
    await room.apply(told(number, "clicked", 0))
    assert await room.members("warm") == ["ann"]
    (row,) = await room.rows("SELECT flips_at FROM memberships WHERE workspace_id = $1")
    assert to_unix(row["flips_at"]) == UNIX + 86_400


async def test_an_unsubscribed_message_counts_and_so_does_what_it_makes_of_the_person(room: Room):
    left = segment("left", [message("unsubscribed"), {"attribute": {"field": "unsubscribed", "value": True}}])
    await room.define(left)
    number = await delivery(room)
    (row,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    await room.apply(Unsubscribe(delivery_id=number, person_id=row["person_id"]))
    assert await room.members("left") == ["ann"]
    assert await events(room) == [("unsubscribed", 0, True, None, None)]
    await room.apply(Unsubscribe(delivery_id="gone", person_id=row["person_id"]))
    assert len(await events(room)) == 1


async def test_who_leaves_by_a_link_is_seen_once_with_all_that_it_means(room: Room):
    # By the attribute alone somebody would be in for a moment, and begin.
    elsewhere = [attribute("unsubscribed", True), {"not": message("unsubscribed")}]
    entering = campaign("c", on_match([{"segment": "elsewhere"}]), "rest", {"rest": delay("P1D")})
    await room.define(segment("elsewhere", elsewhere), entering)
    await room.run_campaign("c")
    number = await delivery(room)
    await room.apply(Unsubscribe(delivery_id=number, person_id=0))
    assert (await room.members("elsewhere"), await room.journeys()) == ([], [])
    await room.apply(Unsubscribe(delivery_id=number, person_id=0, unsubscribe=False))
    assert await room.journeys() == []


async def test_who_is_merged_has_the_messages_of_both(room: Room):
    await room.define(segment("clicked", [message("clicked", link="a", times={"at_least": 2})]))
    one, two = await delivery(room), await delivery(room, "bob")
    await room.apply(told(one, "clicked", 0, href="https://x.io/a"), told(two, "clicked", 0, href="https://x.io/a"))
    assert await room.members("clicked") == []
    await room.apply(MergePeople(primary=who("ann"), secondary=who("bob")))
    assert await room.members("clicked") == ["ann"]
    await room.apply(told(two, "clicked", 1, href="https://x.io/b"), told(two, "clicked", 1, href="https://x.io/a"))
    assert len(await events(room)) == 8


async def test_of_whom_is_gone_nothing_is_kept(room: Room):
    number = await delivery(room)
    await room.apply(told(number, "clicked", 0, href="https://x.io/?email=ann@x.io"))
    await room.apply(DeletePerson(subject=who("ann")))
    await room.apply(told(number, "clicked", 0, href="https://x.io/?name=ann"))
    assert await events(room) == []
    async with room.db.connection() as conn:
        assert await tables_with(conn, "https://x.io/?") == []
    # In one batch, too.
    number = await delivery(room, "bob")
    await room.apply(told(number, "opened", 0), DeletePerson(subject=who("bob")), told(number, "clicked", 0))
    assert await events(room) == []


async def test_only_messages_of_the_campaign_that_is_meant_count(room: Room):
    other = campaign("other", on_event("x"), "rest", {"rest": delay("P1D")})
    await room.define(segment("s", [message("clicked", of={"campaign": "other"})]), other)
    (row,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND key = 'other'")
    mine, not_mine = [await delivery(room, campaign_id=row["definition_id"] + more) for more in (0, 1)]
    await room.apply(told(not_mine, "clicked", 0))
    assert await room.members("s") == []
    await room.apply(told(mine, "clicked", 0))
    assert await room.members("s") == ["ann"]
