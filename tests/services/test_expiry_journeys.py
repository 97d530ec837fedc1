"""Journeys that ended long ago go; what they count for stays: frequency, figures, messages that were sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clock import system_now
from domain.operations import DeletePerson, Identifier
from services import expiry_journeys
from services.expiry_journeys import expire_journeys
from tests.store.rows import execute
from tests.support.database import Room
from tests.support.entering import Entering, campaign

KEPT = timedelta(days=400)
STEP = """INSERT INTO journey_steps (workspace_id, journey_id, action_id, started_at, seq_num, block, output_type,
            outcome, effect, created_at)
          SELECT workspace_id, journey_id, 1, started_at, 1, 'hold', 'delay', 'done', '{}', started_at
          FROM journeys WHERE workspace_id = $1 AND state = 'in_progress'"""
DELIVERY = """INSERT INTO deliveries (workspace_id, delivery_id, channel, status, person_id, journey_id, metrics, attempts,
                ambiguous, draft, holdout, edited, forgotten, created_at)
              SELECT workspace_id, 'D' || journey_id, 'email', $2, person_id, journey_id, '{}', 0,
                false, false, false, false, false, started_at FROM journeys WHERE workspace_id = $1"""
FIGURES = """SELECT metric, sum(amount) AS total FROM (
               SELECT metric, amount::bigint FROM metric_deltas WHERE workspace_id = $1
               UNION ALL SELECT metric, total FROM metric_totals WHERE workspace_id = $1) folded_or_not
             GROUP BY metric ORDER BY metric"""


def on_signup(mode: str) -> dict[str, Any]:
    return campaign({"type": "event", "event": "signup"}, frequency={"mode": mode}, exit="never")


@pytest.fixture
async def entering(room: Room) -> Entering:
    entering = Entering(room)
    await entering.begin("2026-03-01T10:00")
    return entering


async def passes(entering: Entering, *instants: str) -> None:
    """Ann goes through the campaign, beginning at each of these instants."""
    for instant in instants:
        await entering.to(instant)
        await entering.track("signup", {"plan": "pro"})
        await entering.end()


async def expired(entering: Entering) -> int:
    """How many journeys of the room go; those of other tests' rooms may go as well."""
    before = len(await entering.room.journeys())
    await expire_journeys(entering.room.db, KEPT, system_now())
    return before - len(await entering.room.journeys())


async def test_who_was_in_a_campaign_once_does_not_come_back(entering: Entering):
    await entering.start(on_signup("once"))
    await entering.identify()
    await passes(entering, "2026-03-01T11:00")
    await entering.to("2027-06-01T00:00")
    assert await expired(entering) == 0
    [left] = await entering.room.journeys()
    assert (left["trigger"], left["attributes"], left["state"]) == ({}, {}, "exited_early")
    await entering.track("signup")
    assert len(await entering.room.journeys()) == 1
    assert await entering.refused() == ["frequency"]


async def test_of_many_journeys_the_latest_stays_and_figures_do_not_change(entering: Entering):
    await entering.start(on_signup("every"))
    await entering.identify()
    await passes(entering, "2026-03-01T11:00", "2026-03-02T11:00", "2026-03-03T11:00")
    await execute(entering.room, DELIVERY, "sent")
    figures = await entering.room.rows(FIGURES)
    assert await expired(entering) == 0
    await entering.to("2027-06-01T00:00")
    assert await expired(entering) == 2
    assert await entering.began() == ["03-03T11:00"]
    assert await entering.room.rows(FIGURES) == figures
    messages = await entering.room.rows("SELECT journey_id FROM deliveries WHERE workspace_id = $1")
    assert len({row["journey_id"] for row in messages}) == 3
    await passes(entering, "2027-06-02T00:00")
    assert len(await entering.room.journeys()) == 2
    assert await expired(entering) == 1, "the one that was kept is not the latest any more"


async def test_who_is_under_way_or_ended_lately_stays(entering: Entering):
    await entering.start(on_signup("every"))
    await entering.identify()
    await passes(entering, "2026-03-01T11:00")
    await entering.track("signup")
    await entering.to("2027-06-01T00:00")
    await entering.track("signup")
    assert await expired(entering) == 1
    await entering.to("2028-09-01T00:00")
    assert [row["state"] for row in await entering.room.journeys()] == ["in_progress"] * 2


@pytest.mark.parametrize(("made", "gone"), [(STEP, "DELETE FROM journey_steps WHERE workspace_id = $1"), (None, None)])
async def test_a_journey_stays_as_long_as_its_steps_or_a_delivery_to_be_sent(entering: Entering, made, gone):
    await entering.start(on_signup("every"))
    await entering.identify()
    await entering.to("2026-03-01T11:00")
    await entering.track("signup")
    if made is None:
        await execute(entering.room, DELIVERY, "queued")
    else:
        await execute(entering.room, made)
    await entering.end()
    await passes(entering, "2026-03-02T11:00")
    await entering.to("2027-06-01T00:00")
    assert await expired(entering) == 0
    await execute(entering.room, gone or "UPDATE deliveries SET status = 'sent' WHERE workspace_id = $1")
    assert await expired(entering) == 1


async def test_nothing_stays_of_those_who_are_gone(entering: Entering):
    await entering.start(on_signup("once"))
    await entering.identify()
    await passes(entering, "2026-03-01T11:00")
    await entering.room.apply(DeletePerson(subject=Identifier(kind="id", value="ann")))
    await entering.to("2027-06-01T00:00")
    assert await expired(entering) == 1
    assert await entering.room.journeys() == []


async def test_pages_reach_everybody(entering: Entering, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(expiry_journeys, "PAGE", 2)
    await entering.start(on_signup("every"))
    await entering.identify()
    await passes(entering, *[f"2026-03-{day:02}T11:00" for day in range(2, 9)])
    await entering.to("2027-06-01T00:00")
    assert await expired(entering) == 6
