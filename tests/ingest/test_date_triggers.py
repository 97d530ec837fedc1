"""Date triggers on a real database (CMP-05)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import Identifier, MergePeople
from tests.support.database import Room
from tests.support.entering import Entering, campaign


def on_date(recurrence: str = "monthly", at: str = "09:00", **fields: Any) -> dict[str, Any]:
    """A trigger on the attribute `day`."""
    return {"type": "date", "field": "day", "recurrence": recurrence, "at": at, "timezone": "UTC", **fields}


@pytest.fixture
async def entering(room: Room) -> Entering:
    return Entering(room)


async def test_cmp_case_14_the_last_day_of_a_month_that_lacks_the_day(entering: Entering):
    await entering.begin("2027-01-15T00:00")
    await entering.start(campaign(on_date()))
    await entering.identify(day="2000-01-31")
    await entering.to("2027-01-31T10:00")
    await entering.end()
    await entering.to("2027-03-01T00:00")
    await entering.end()
    await entering.to("2027-04-01T00:00")
    await entering.end()
    await entering.to("2027-05-01T00:00")
    await entering.end()
    await entering.to("2028-03-01T00:00")
    began = await entering.began("%y-%m-%dT%H:%M")
    assert began[:4] == ["27-01-31T09:00", "27-02-28T09:00", "27-03-31T09:00", "27-04-30T09:00"]


async def test_cmp_case_14_a_leap_year(entering: Entering):
    await entering.begin("2028-02-01T00:00")
    await entering.start(campaign(on_date()))
    await entering.identify(day="2000-01-31")
    await entering.to("2028-03-01T00:00")
    assert await entering.began() == ["02-29T09:00"]


@pytest.mark.parametrize(("written", "began"), [("12:00", ["10-05T13:00"]), ("13:00", []), ("14:00", [])])
async def test_cmp_case_15_the_same_day(entering: Entering, written: str, began: list[str]):
    await entering.begin("2026-10-05T08:00")
    await entering.start(campaign(on_date("yearly", at="13:00")))
    await entering.identify(name="ann")
    await entering.to(f"2026-10-05T{written}")
    await entering.identify(day="1990-10-05")
    await entering.to("2026-10-06T00:00")
    assert await entering.began() == began
    await entering.to("2027-10-06T00:00")
    assert len(await entering.began()) == 1, "the next year's, or, in a journey still, none"


async def test_cmp_case_17_once_is_never_again(entering: Entering):
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date("once")))
    await entering.identify(day="2026-10-05")
    await entering.to("2026-10-06T00:00")
    await entering.end()
    await entering.identify(day="2026-10-10")
    await entering.to("2026-10-11T00:00")
    assert await entering.began() == ["10-05T09:00"]
    assert await entering.refused() == ["frequency"]


async def test_cmp_case_17_a_later_day_of_the_same_month(entering: Entering):
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date()))
    await entering.identify(day="2020-01-05")
    await entering.to("2026-10-06T00:00")
    await entering.end()
    await entering.identify(day="2020-01-10")
    await entering.to("2026-10-20T00:00")
    assert await entering.began() == ["10-05T09:00", "10-10T09:00"]


async def test_cmp_case_17_the_later_day_waits_for_the_journey_to_end(entering: Entering):
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date()))
    await entering.identify(day="2020-01-05")
    await entering.to("2026-10-06T00:00")
    await entering.identify(day="2020-01-10")
    await entering.to("2026-10-12T08:00")
    assert (await entering.began(), await entering.waiting()) == (["10-05T09:00"], 1)
    await entering.end()
    assert (await entering.began(), await entering.waiting()) == (["10-05T09:00", "10-12T08:00"], 0)
    await entering.end()
    await entering.to("2026-11-10T10:00")
    assert (await entering.began())[2:] == ["11-10T09:00"]


async def test_a_day_that_has_begun_a_journey_begins_no_other_in_a_later_zone(entering: Entering):
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date(use_customer_timezone=True)))
    await entering.identify(day="2020-01-05", timezone="Europe/Rome")
    await entering.to("2026-10-05T08:00")
    await entering.end()
    await entering.identify(timezone="America/New_York")
    await entering.to("2026-10-06T00:00")
    assert await entering.began() == ["10-05T07:00"]


@pytest.mark.parametrize(
    ("value", "recurrence", "began"),
    [
        ("2024-03", "yearly", ["03-01T09:00"]),
        ("20231115T231437Z", "yearly", ["11-15T09:00"]),
        ("15/11/2023", "yearly", []),
        (0, "yearly", ["01-01T09:00"]),
    ],
)
async def test_cmp_case_18_formats(entering: Entering, value: Any, recurrence: str, began: list[str]):
    await entering.begin("2025-12-31T00:00")
    await entering.start(campaign(on_date(recurrence)))
    await entering.identify(day=value)
    await entering.to("2026-12-01T00:00")
    assert await entering.began() == began


async def test_everybody_who_has_the_date_is_in_from_the_start_in_their_own_zone(entering: Entering):
    await entering.begin("2026-12-01T00:00")
    trigger = on_date("yearly", at="00:00", use_customer_timezone=True, field="anniversary.date")
    await entering.identify("ann", anniversary={"date": 1481067323}, timezone="America/New_York")
    await entering.identify("bob", anniversary={"date": 1481067323}, cio_timezone="Asia/Tokyo", timezone="Mars/One")
    await entering.identify("eve", anniversary={"date": "none"})
    await entering.start(campaign(trigger))
    await entering.to("2026-12-31T00:00")
    assert await entering.began() == ["12-05T15:00", "12-06T05:00"]


async def test_moving_the_zone_or_removing_the_date_moves_the_instant(entering: Entering):
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date("once", use_customer_timezone=True)))
    await entering.identify("ann", day="2026-10-05", timezone="Asia/Tokyo")
    await entering.identify("bob", day="2026-10-05")
    await entering.identify("ann", timezone="America/New_York")
    await entering.identify("bob", day="")
    await entering.to("2026-10-31T00:00")
    assert await entering.began() == ["10-05T13:00"]


async def test_a_live_edit_takes_the_new_rule_for_everybody(entering: Entering):
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date("once")))
    await entering.identify(day="2026-10-05")
    await entering.edit(campaign(on_date("once", at="18:30", offset_days=-2)))
    await entering.to("2026-10-31T00:00")
    assert await entering.began() == ["10-03T18:30"]


async def test_an_instant_that_has_come_is_not_lost_to_a_fact_applied_before_the_clock_asks(entering: Entering):
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date("yearly")))
    await entering.identify(day="1990-10-05")
    await entering.room.move(days=4, hours=9, seconds=3)
    await entering.identify(day="1990-12-24")
    assert await entering.began() == ["10-05T09:00"]
    await entering.fire()
    await entering.to("2026-10-30T00:00")
    assert len(await entering.began()) == 1


async def test_filters_hold_a_date_back_for_half_an_hour(entering: Entering):
    vip = {
        "kind": "segment",
        "key": "vip",
        "name": "VIP",
        "conditions": {"attribute": {"field": "vip", "value": "yes"}},
    }
    await entering.begin("2026-10-01T00:00")
    await entering.start(vip, campaign(on_date("monthly"), filters={"segment": "vip"}))
    await entering.identify(day="2020-01-05")
    await entering.to("2026-10-05T09:30")
    assert (await entering.began(), await entering.waiting()) == ([], 1)
    await entering.identify(vip="yes")
    assert (await entering.began(), await entering.waiting()) == (["10-05T09:30"], 0)


async def test_a_merge_keeps_the_date_of_the_primary(entering: Entering):
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date("monthly")))
    await entering.identify("ann", day="2020-01-05")
    await entering.identify("bob", day="2020-01-07")
    both = [Identifier(kind="id", value=name) for name in ("ann", "bob")]
    await entering.room.apply(MergePeople(primary=both[0], secondary=both[1]))
    await entering.to("2026-10-31T00:00")
    assert await entering.began() == ["10-05T09:00"]
