"""Builds of triggers that happen at instants: nothing that comes while they last is lost, and nothing happens twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clock import system_now
from services import campaigns
from tests.support.database import Room
from tests.support.entering import Entering, campaign

DATE: dict[str, Any] = {"type": "date", "field": "day", "recurrence": "yearly", "at": "13:00", "timezone": "UTC"}


async def test_a_date_that_comes_while_the_start_is_under_way(room: Room):
    entering = Entering(room)
    await entering.begin("2026-10-05T12:59")
    await entering.identify("ann", day="1990-10-05")
    await entering.identify("bob", day="1990-10-05")
    await room.define(campaign(DATE))
    await campaigns.start(room.db, room.workspace_id, "c", None, system_now())
    # A fact of Ann's comes before the build does.
    await entering.identify("ann", other=1, day="1990-10-05T00:00:00Z")
    await room.move(minutes=2)
    await entering.fire()
    await entering.built()
    await entering.fire()
    assert await entering.began() == ["10-05T13:00", "10-05T13:00"]
    await entering.to("2026-12-31T00:00")
    assert len(await entering.began()) == 2


async def test_a_restart_finds_everybody_again(room: Room):
    entering = Entering(room)
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(DATE))
    await entering.identify("ann", day="1990-10-05")
    await campaigns.stop(room.db, room.workspace_id, "c", {"journeys": "exit"}, system_now())
    await entering.identify("ann", day="1990-10-20")
    await entering.identify("bob", day="1990-10-06")
    await entering.to("2026-10-10T00:00")
    assert await entering.began() == []
    await campaigns.restart(room.db, room.workspace_id, "c", None, system_now())
    await entering.built()
    await entering.to("2026-10-31T00:00")
    assert await entering.began() == ["10-20T13:00"]


async def test_a_check_that_has_come_is_left_to_the_clock(room: Room):
    entering = Entering(room)
    await entering.begin("2026-03-01T10:00")
    trigger = {"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}
    weekly = {"mode": "interval", "interval": "P7D"}
    await entering.start(campaign(trigger, frequency=weekly, exit="never"))
    await entering.identify(plan="pro")
    await entering.end()
    await room.move(days=7, minutes=1)
    # The trigger is saved anew, and its build comes before the clock has asked.
    wider = {
        "type": "segment",
        "conditions": {"attribute": {"field": "plan", "operator": "in", "value": ["pro", "team"]}},
    }
    await entering.edit(campaign(wider, frequency=weekly, exit="never"))
    await entering.fire()
    assert await entering.began() == ["03-01T10:00", "03-08T10:00"]
    [row] = await room.rows("SELECT flips_at FROM memberships WHERE workspace_id = $1 AND kind = 'trigger'")
    assert row["flips_at"] == room.now - timedelta(minutes=1) + timedelta(days=7)
