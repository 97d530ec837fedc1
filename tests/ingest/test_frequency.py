"""How often people begin a campaign by matching: fixed intervals, and what edits of the frequency do (CMP-14, CMP-24)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import DeletePerson, Identifier
from tests.support.database import Room
from tests.support.entering import Entering, campaign

ONCE: dict[str, Any] = {"mode": "once"}
EVERY: dict[str, Any] = {"mode": "every"}


def weekly(span: str = "P7D") -> dict[str, Any]:
    return {"mode": "interval", "interval": span}


def on_plan(frequency: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A campaign of those whose plan is pro, who stay in it whatever becomes of that."""
    trigger = {"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}
    return campaign(trigger, frequency=frequency, exit="never", **fields)


@pytest.fixture
async def entering(room: Room) -> Entering:
    entering = Entering(room)
    await entering.begin("2026-03-01T10:00")
    return entering


async def rematch(entering: Entering) -> None:
    await entering.identify(plan="free")
    await entering.identify(plan="pro")


async def test_cmp_case_04_fixed_intervals_count_from_entry(entering: Entering):
    await entering.start(on_plan(weekly()))
    await entering.identify(plan="pro")
    await entering.to("2026-03-03T00:00")
    await entering.end()
    await rematch(entering)
    assert await entering.began() == ["03-01T10:00"], "coming to match again is nothing between checks"
    await entering.to("2026-03-16T00:00")
    assert await entering.began() == ["03-01T10:00", "03-08T10:00"], "at the 15th still in a journey"
    await entering.end()
    await entering.identify(plan="free")
    await entering.to("2026-03-23T00:00")
    assert len(await entering.began()) == 2, "at the 22nd the conditions were false"
    await entering.identify(plan="pro")
    await entering.to("2026-03-30T00:00")
    assert (await entering.began())[2:] == ["03-29T10:00"]


async def test_a_condition_that_the_clock_turns_and_a_check_are_both_looked_at(entering: Entering):
    trigger = {
        "type": "segment",
        "conditions": {"attribute": {"field": "since", "operator": "after", "value": {"ago": "P10D"}}},
    }
    await entering.start(campaign(trigger, frequency=weekly(), exit="never"))
    since = int(entering.room.now.timestamp())
    await entering.identify(since=since)
    await entering.end()
    await entering.to("2026-03-20T00:00")
    assert await entering.began() == ["03-01T10:00", "03-08T10:00"]
    await entering.end()
    await entering.identify(since=int(entering.room.now.timestamp()))
    await entering.to("2026-03-22T10:00")
    assert (await entering.began())[2:] == ["03-22T10:00"]


async def test_a_check_that_has_come_is_not_lost_to_a_fact_applied_before_the_clock_asks(entering: Entering):
    await entering.start(on_plan(weekly()))
    await entering.identify(plan="pro")
    await entering.end()
    await entering.room.move(days=7, seconds=2)
    await entering.identify(plan="pro", other=1)
    await entering.identify(plan="PRO")
    assert await entering.began() == ["03-01T10:00", "03-08T10:00"]
    await entering.fire()
    assert len(await entering.began()) == 2


async def test_a_new_length_counts_for_everybody_at_once(entering: Entering):
    await entering.start(on_plan(weekly()))
    await entering.identify(plan="pro")
    await entering.end()
    await entering.to("2026-03-05T00:00")
    await entering.edit(on_plan(weekly("P9D")))
    await entering.to("2026-03-11T00:00")
    assert (await entering.began())[1:] == ["03-10T10:00"]


async def test_once_to_every(entering: Entering):
    await entering.start(on_plan(ONCE))
    await entering.identify(plan="pro")
    await entering.end()
    await entering.edit(on_plan({**EVERY, "min_wait": "P2D"}))
    await rematch(entering)
    assert len(await entering.began()) == 1, "the wait is not over"
    await entering.to("2026-03-03T10:00")
    assert len(await entering.began()) == 1, "it takes coming to match anew"
    await rematch(entering)
    assert len(await entering.began()) == 2


async def test_once_to_interval_for_somebody_who_had_been_in_it(entering: Entering):
    await entering.start(on_plan(ONCE))
    await entering.identify(plan="pro")
    await entering.end()
    await entering.edit(on_plan(weekly()))
    await entering.to("2026-03-10T00:00")
    assert len(await entering.began()) == 1, "it takes coming to match anew"
    await rematch(entering)
    await entering.end()
    await entering.to("2026-03-18T00:00")
    assert (await entering.began())[1:] == ["03-10T00:00", "03-17T00:00"], "from then on every seven days"


async def test_once_to_interval_for_somebody_inside(entering: Entering):
    await entering.start(on_plan(ONCE))
    await entering.identify(plan="pro")
    await entering.edit(on_plan(weekly()))
    await entering.to("2026-03-09T00:00")
    assert len(await entering.began()) == 1
    await entering.end()
    await entering.to("2026-03-16T00:00")
    assert (await entering.began())[1:] == ["03-15T10:00"]


async def test_every_to_once_and_interval_to_once(entering: Entering):
    await entering.start(on_plan(EVERY))
    await entering.identify(plan="pro")
    await entering.end()
    await entering.edit(on_plan(ONCE))
    await rematch(entering)
    await entering.edit(on_plan(weekly()))
    await entering.edit(on_plan(ONCE))
    await entering.to("2026-03-20T00:00")
    await rematch(entering)
    assert len(await entering.began()) == 1
    await entering.identify("bob", plan="pro")
    assert len(await entering.began()) == 2, "who has never matched enters once"


async def test_every_to_interval_never_at_once(entering: Entering):
    await entering.start(on_plan(EVERY))
    await entering.identify(plan="pro")
    await entering.end()
    await entering.to("2026-03-10T00:00")
    await entering.edit(on_plan(weekly()))
    assert len(await entering.began()) == 1
    await entering.to("2026-03-15T10:00")
    assert (await entering.began())[1:] == ["03-15T10:00"], "the next check counted from entry, without matching anew"


async def test_interval_to_every(entering: Entering):
    await entering.start(on_plan(weekly()))
    await entering.identify(plan="pro")
    await entering.edit(on_plan(EVERY))
    await entering.to("2026-03-09T00:00")
    await entering.end()
    await entering.to("2026-03-20T00:00")
    assert len(await entering.began()) == 1, "the checks are cancelled"
    await rematch(entering)
    assert len(await entering.began()) == 2


async def test_whoever_is_removed_is_looked_at_no_more(entering: Entering):
    await entering.start(on_plan(weekly()))
    await entering.identify(plan="pro")
    await entering.room.apply(DeletePerson(subject=Identifier(kind="id", value="ann")))
    await entering.to("2026-03-20T00:00")
    assert len(await entering.began()) == 1
