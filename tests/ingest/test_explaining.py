"""Why somebody did, or did not, begin a campaign (CMP-34)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import NotFound
from domain.operations import (
    ChangeRelationships,
    Edge,
    Identifier,
    IdentifyObject,
    MergePeople,
    ObjectRef,
    TrackEvent,
)
from services import campaigns
from services.looking.explain import explained
from tests.support.database import Room
from tests.support.entering import Entering, campaign

ORDER: dict[str, Any] = {"type": "event", "event": "order", "where": {"field": "n", "operator": "gt", "value": 1}}
VIP: dict[str, Any] = {
    "kind": "segment",
    "key": "vip",
    "name": "VIP",
    "conditions": {"attribute": {"field": "vip", "value": "yes"}},
}
PRO: dict[str, Any] = {"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}


@pytest.fixture
async def entering(room: Room) -> Entering:
    entering = Entering(room)
    await entering.begin("2026-03-10T12:00")
    return entering


async def why(entering: Entering, name: str = "ann", occurrence: str | None = None) -> dict[str, Any]:
    room = entering.room
    return await explained(
        room.db, room.catalogs, room.workspace_id, "c", (name, "id"), occurrence=occurrence, real_now=system_now()
    )


async def failed(entering: Entering, name: str = "ann", occurrence: str | None = None) -> tuple[str, str]:
    """The check that failed, which is the last one, and its message."""
    answer = await why(entering, name, occurrence)
    *others, last = answer["checks"]
    assert (answer["entered"], answer["journey_id"], last["passed"]) == (False, None, False)
    assert all(other["passed"] for other in others)
    return last["check"], last["message"]


async def test_who_and_what_there_is(entering: Entering):
    await entering.room.define(campaign(ORDER))
    with pytest.raises(NotFound):
        await why(entering)
    await entering.identify()
    assert (await failed(entering))[0] == "running"
    with pytest.raises(NotFound):
        await why(entering, occurrence="none")


async def test_events_one_by_one(entering: Entering):
    await entering.start(VIP, campaign(ORDER, filters={"segment": "vip"}, frequency={"mode": "once"}))
    await entering.identify()
    assert await failed(entering) == ("trigger", "The person has not done what the trigger names.")
    await entering.track("order", {"n": 1}, event_id="e1")
    assert (await failed(entering))[0] == "trigger"
    await entering.track("order", {"n": 2}, event_id="e2", timestamp=int(entering.room.now.timestamp()) - 60)
    assert (await failed(entering))[0] == "age"
    await entering.track("order", {"n": 3}, event_id="e3")
    answer = await why(entering)
    assert [check["check"] for check in answer["checks"]] == ["running", "trigger", "age", "frequency", "filters"]
    assert answer["checks"][-1]["evidence"]["waiting"] is True
    assert (await failed(entering, occurrence="e1"))[0] == "trigger"
    await entering.identify(vip="yes")
    answer = await why(entering)
    assert (answer["entered"], answer["checks"][-1]["check"]) == (True, "exit_at_entry")
    assert all(check["passed"] for check in answer["checks"])
    [journey] = answer["journeys"]
    assert (journey["id"], journey["state"]) == (answer["journey_id"], "in_progress")
    await entering.track("order", {"n": 4}, event_id="e4")
    check, message = await failed(entering)
    assert (check, message) == ("frequency", "The person has been in this campaign before.")
    assert len((await why(entering))["journeys"]) == 1
    assert (await why(entering, occurrence="e3"))["entered"]


async def test_an_event_that_waited_in_vain_and_one_inherited(entering: Entering):
    await entering.start(VIP, campaign(ORDER, filters={"segment": "vip"}))
    await entering.identify()
    await entering.track("order", {"n": 3})
    await entering.to("2026-03-10T13:00")
    answer = await why(entering)
    assert (answer["checks"][-1]["check"], answer["checks"][-1]["evidence"].get("waiting")) == ("filters", None)
    await entering.identify("bob", vip="yes")
    both = [Identifier(kind="id", value=name) for name in ("bob", "ann")]
    await entering.room.apply(MergePeople(primary=both[0], secondary=both[1]))
    assert (await failed(entering, "bob"))[0] == "trigger"


async def test_matching(entering: Entering):
    await entering.identify("old", plan="pro")
    await entering.identify("ann", plan="free")
    await entering.start(campaign(PRO, frequency={"mode": "every", "min_wait": "P1D"}))
    answer = await why(entering)
    assert answer["checks"][-1]["evidence"]["leaves"][0]["result"] is False
    assert (await failed(entering))[0] == "trigger"
    check, message = await failed(entering, "old")
    assert check == "trigger"
    assert "before the campaign was started" in message
    await entering.identify("ann", plan="pro")
    assert (await why(entering))["entered"]
    await entering.end()
    await entering.identify("ann", plan="free")
    await entering.identify("ann", plan="pro")
    await entering.to("2026-03-10T12:01")
    check, message = await failed(entering)
    assert check in ("frequency", "concurrency")


async def test_a_date(entering: Entering):
    trigger = {"type": "date", "field": "day", "recurrence": "monthly", "at": "09:00", "timezone": "UTC"}
    await entering.identify("none")
    await entering.identify("odd", day="15/11/2023")
    await entering.identify("ann", day="2020-01-12")
    await entering.start(campaign(trigger))
    assert await failed(entering, "none") == ("trigger", "The person has no such attribute.")
    assert await failed(entering, "odd") == ("trigger", "The value of the attribute names no day.")
    assert await failed(entering) == ("trigger", "The day has not come yet.")
    await entering.to("2026-03-12T09:00")
    assert (await why(entering, occurrence="2026-03-12"))["entered"]
    await entering.identify("ann", day="2020-01-14")
    await entering.to("2026-03-14T10:00")
    check, message = await failed(entering)
    assert check == "concurrency"
    assert "waits" in message


async def test_objects(entering: Entering):
    kind = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}
    trigger = {
        "type": "object",
        "object_type": "account",
        "where": {"field": "plan", "value": "premium"},
        "audience": {"relationship": {"field": "role", "value": "admin"}},
    }
    await entering.identify("ann")
    await entering.start({**kind, "slug": "accounts", "singular_slug": "account"}, campaign(trigger))
    assert await failed(entering) == ("trigger", "The person is related to no object of the type.")
    thing = ObjectRef(object_type_id=1, object_id="acme")
    edge = Edge(person=Identifier(kind="id", value="ann"), object=thing, attributes={"role": "user"})
    await entering.room.apply(IdentifyObject(object=thing, attributes={"plan": "free"}))
    await entering.room.apply(ChangeRelationships(edges=[edge]))
    assert (await failed(entering))[0] == "trigger"
    await entering.room.apply(IdentifyObject(object=thing, attributes={"plan": "premium"}))
    assert (await failed(entering))[0] == "audience"


async def test_a_payload_and_a_stopped_campaign(entering: Entering):
    await entering.identify()
    await entering.start(campaign(PRO))
    room = entering.room
    await campaigns.stop(room.db, room.workspace_id, "c", {"journeys": "exit"}, system_now())
    assert await failed(entering) == ("running", "The campaign is stopped.")


async def test_a_journey_that_was_over_at_once(entering: Entering):
    # Whoever performs the goal before the first block has run nothing.
    document = campaign({"type": "event", "event": "order"}, exit="goal", goal={"event": "paid"})
    await entering.start(document)
    who = Identifier(kind="id", value="ann")
    await entering.room.apply(TrackEvent(subject=who, name="order"), TrackEvent(subject=who, name="paid"))
    answer = await why(entering)
    assert answer["entered"]
    assert answer["checks"][-1] | {"evidence": {}} == {
        "check": "exit_at_entry",
        "passed": False,
        "evidence": {},
        "message": "The journey ended before its first block: The person met the goal.",
    }
