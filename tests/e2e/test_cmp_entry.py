"""Who enters a campaign, when, and how often (CMP-02, CMP-04, CMP-12 to CMP-15)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.support.live import START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import (
    attribute,
    delay,
    ended,
    mails,
    only_journey,
    segment,
    standing,
    utc,
)

HOUR = 3_600
DAY = 86_400
IS_TIMESTAMP = attribute("created_at", operator="is_timestamp")


def pausing(pause: str = "PT1H", subject: str = "Hello") -> dict[str, Any]:
    """A pause and a mail."""
    return {"pause": delay(pause, "mail"), "mail": email(subject)}


async def test_cmp_case_01_a_trigger_of_nothing_but_absences_cannot_be_saved(sandbox: Workspace):
    await sandbox.define(segment("staff", attribute("staff", "yes")))
    absent = {"segment": {"key": "staff", "inverse": True}}
    document = campaign("rule", on_match({"and": [absent]}), "pause", pausing())
    answer = await sandbox.call("PUT", "/v1/definitions/campaign/rule", document, status=422)
    (error,) = answer["errors"]
    assert (error["code"], error["pointer"]) == ("no_positive_condition", "/trigger/conditions")
    assert (await sandbox.request("GET", "/v1/definitions/campaign/rule")).status_code == 404

    document = campaign("rule", on_match({"and": [absent, attribute("plan", operator="exists")]}), "pause", pausing())
    answer = await sandbox.call("PUT", "/v1/definitions/campaign/rule", document, status=201)
    assert answer["status"]["state"] == "draft"
    await sandbox.start("rule")
    await sandbox.identify("1", plan="pro", staff="yes")
    await sandbox.identify("2", plan="pro")
    await sandbox.settle()
    assert (await only_journey(sandbox))["customer_identifiers"]["id"] == "2"


async def test_cmp_case_02_a_first_delay_counts_from_entry_however_old_the_data(begin: Begin):
    workspace = await begin("2026-03-10T09:00")
    await workspace.define(campaign("trial", on_match(attribute("plan_type", "trial")), "pause", pausing("P3D")))
    await workspace.start("trial")
    await workspace.identify("7", email="ann@example.com", plan_type="trial", _timestamp=utc("2026-03-09T09:00"))
    await workspace.settle()
    journey = await only_journey(workspace)
    assert journey["started_at"] == utc("2026-03-10T09:00")
    assert standing(journey) == ("pause", utc("2026-03-10T09:00"), utc("2026-03-13T09:00"))
    await workspace.advance("P3D")
    assert await mails(workspace) == [(utc("2026-03-13T09:00"), "Hello")]


@pytest.mark.parametrize("recent_only", [False, True])
async def test_cmp_case_03_a_person_brought_in_from_two_years_ago(sandbox: Workspace, recent_only: bool):
    conditions = [IS_TIMESTAMP, attribute("created_at", {"ago": "P1D"}, "after")] if recent_only else IS_TIMESTAMP
    await sandbox.define(campaign("welcome", on_match(conditions), "pause", pausing()))
    await sandbox.start("welcome")
    await sandbox.identify("7", created_at=START - 2 * 365 * DAY)
    await sandbox.identify("8", created_at=START - HOUR)
    await sandbox.settle()
    entered = [journey["customer_identifiers"]["id"] for journey in await sandbox.journeys()]
    assert entered == (["8"] if recent_only else ["7", "8"])


async def test_cmp_case_05_a_re_match_before_the_minimum_wait_is_lost(begin: Begin):
    workspace = await begin("2026-03-09T10:00")  # a Monday
    frequency = {"mode": "every", "min_wait": "P1D"}
    document = campaign("trial", on_match(attribute("plan", "trial")), "pause", pausing(), frequency=frequency)
    await workspace.define(document)
    await workspace.start("trial")
    await workspace.identify("7", email="ann@example.com", plan="trial")
    await workspace.settle()
    await workspace.advance(to=utc("2026-03-09T11:00"))
    assert ended(await only_journey(workspace)) == ("finished", "completed", utc("2026-03-09T11:00"))

    await workspace.advance(to=utc("2026-03-09T12:00"))
    await workspace.identify("7", plan="free")
    await workspace.advance(to=utc("2026-03-09T13:00"))
    await workspace.identify("7", plan="trial")
    await workspace.settle()
    assert len(await workspace.journeys()) == 1
    await workspace.advance(to=utc("2026-03-10T10:00"))
    assert len(await workspace.journeys()) == 1

    await workspace.advance(to=utc("2026-03-10T12:00"))
    await workspace.identify("7", plan="free")
    await workspace.advance(to=utc("2026-03-10T13:00"))
    await workspace.identify("7", plan="trial")
    await workspace.settle()
    _, second = await workspace.journeys()
    assert (second["state"], second["started_at"]) == ("in_progress", utc("2026-03-10T13:00"))


async def test_cmp_case_06_a_re_match_in_a_journey_counts_for_nothing(sandbox: Workspace):
    trigger = on_match(attribute("plan", "trial"))
    document = campaign("trial", trigger, "pause", pausing(), frequency={"mode": "every"}, exit="never")
    await sandbox.define(document)
    await sandbox.start("trial")
    await sandbox.identify("7", email="ann@example.com", plan="trial")
    await sandbox.settle()
    await sandbox.advance("PT10M")
    await sandbox.identify("7", plan="free")
    await sandbox.advance("PT10M")
    await sandbox.identify("7", plan="trial")
    await sandbox.settle()
    assert standing(await only_journey(sandbox)) == ("pause", START, START + HOUR)
    await sandbox.advance("P2D")
    assert ended(await only_journey(sandbox)) == ("finished", "completed", START + HOUR)
    assert await mails(sandbox) == [(START + HOUR, "Hello")]


async def test_cmp_case_07_once_within_24_hours_with_the_boundary_inclusive(begin: Begin):
    workspace = await begin("2026-03-09T09:00")
    frequency = {"mode": "once_per", "period": "PT24H"}
    blocks = {"mail": email("Order {{ event.number }}")}
    await workspace.define(campaign("daily", on_event("order"), "mail", blocks, frequency=frequency))
    await workspace.start("daily")
    await workspace.identify("7", email="ann@example.com")
    for number, at in enumerate(["03-09T09:00", "03-09T15:00", "03-10T08:59", "03-10T09:00"]):
        await workspace.advance(to=utc(f"2026-{at}"))
        await workspace.track("7", "order", {"number": number})
    await workspace.settle()
    started = [journey["started_at"] for journey in await workspace.journeys()]
    assert started == [utc("2026-03-09T09:00"), utc("2026-03-10T09:00")]
    assert await mails(workspace) == [(utc("2026-03-09T09:00"), "Order 0"), (utc("2026-03-10T09:00"), "Order 3")]


async def test_cmp_case_09_every_event_begins_a_journey_with_its_own_data(sandbox: Workspace):
    blocks = pausing(subject="Course {{ event.course_id }}")
    await sandbox.define(campaign("course", on_event("course_started"), "pause", blocks))
    await sandbox.start("course")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "course_started", {"course_id": 7})
    await sandbox.advance("PT5M")
    await sandbox.track("7", "course_started", {"course_id": 8})
    await sandbox.settle()
    assert [standing(journey) for journey in await sandbox.journeys()] == [
        ("pause", START, START + HOUR),
        ("pause", START + 300, START + HOUR + 300),
    ]
    await sandbox.advance("PT2H")
    assert await mails(sandbox) == [(START + HOUR, "Course 7"), (START + HOUR + 300, "Course 8")]


async def test_cmp_case_10_a_filter_met_after_more_than_30_minutes_begins_nothing(begin: Begin):
    workspace = await begin("2026-03-10T12:00")
    vip = segment("vip", attribute("vip", "yes"))
    document = campaign("filtered", on_event("order"), "pause", pausing(), filters={"segment": "vip"})
    await workspace.define(vip, document)
    await workspace.start("filtered")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "order")
    await workspace.advance("PT31M")
    await workspace.identify("7", vip="yes")
    await workspace.settle()
    assert await workspace.journeys() == []
    await workspace.track("7", "order")
    await workspace.settle()
    assert (await only_journey(workspace))["started_at"] == utc("2026-03-10T12:31")


async def test_cmp_04_an_event_before_the_start_never_enters_and_names_ignore_case(sandbox: Workspace):
    await sandbox.define(campaign("late", on_event("order"), "pause", pausing()))
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order", {"before": "the start"})
    await sandbox.settle()
    await sandbox.advance("PT1M")
    await sandbox.start("late")
    await sandbox.track("7", "order", {"late": "from before the start"}, timestamp=START + 59)
    await sandbox.track("7", "  ORDER ", {"in": "time"})
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert journey["trigger"]["event"]["data"] == {"in": "time"}
    assert journey["started_at"] == START + 60


async def test_cmp_04_the_trigger_looks_at_the_data_of_the_event(sandbox: Workspace):
    where = {
        "and": [
            {"field": "rating", "operator": "lt", "value": 7},
            {"field": "product", "operator": "contains", "value": "socks|shoes"},
        ]
    }
    await sandbox.define(campaign("nps", on_event("nps", where=where), "pause", pausing()))
    await sandbox.start("nps")
    for number, data in enumerate(
        [
            {"rating": 6, "product": "Red SOCKS"},
            {"rating": "6.5", "product": "shoes"},
            {"rating": 7, "product": "socks"},
            {"rating": 3, "product": "hat"},
            {"product": "socks"},
        ]
    ):
        await sandbox.track(str(number), "NPS", data)
    await sandbox.settle()
    assert [journey["customer_identifiers"]["id"] for journey in await sandbox.journeys()] == ["0", "1"]


async def test_cmp_12_how_late_an_event_may_come(begin: Begin):
    workspace = await begin("2026-03-01T00:00")
    short = campaign("short", on_event("order"), "mail", {"mail": email("Short {{ event.n }}")})
    long = campaign("long", on_event("order"), "pause", pausing("P4D", "Long {{ event.n }}"))
    await workspace.define(short, long)
    await workspace.start("short")
    await workspace.start("long")
    await workspace.identify("7", email="ann@example.com")
    await workspace.advance(to=utc("2026-03-11T00:00"))
    now = utc("2026-03-11T00:00")
    for hours in (71, 72, 95, 96):
        await workspace.track("7", "order", {"n": hours}, timestamp=now - hours * HOUR)
    await workspace.settle()
    assert [journey["started_at"] for journey in await workspace.journeys(campaign="short")] == [now - 71 * HOUR]
    assert await mails(workspace) == [(now, "Short 71")]
    waiting = await workspace.journeys(campaign="long")
    assert sorted(standing(journey) for journey in waiting) == [
        ("pause", now - hours * HOUR, now + (96 - hours) * HOUR) for hours in (95, 72, 71)
    ]
    await workspace.advance("P2D")
    assert await mails(workspace) == [
        (now, "Short 71"),
        (now + HOUR, "Long 95"),
        (now + 24 * HOUR, "Long 72"),
        (now + 25 * HOUR, "Long 71"),
    ]


async def test_cmp_14_one_time_means_the_first_occurrence_that_qualifies(sandbox: Workspace):
    vip = segment("vip", attribute("vip", "yes"))
    document = campaign(
        "once", on_event("order"), "pause", pausing(), frequency={"mode": "once"}, filters={"segment": "vip"}
    )
    await sandbox.define(vip, document)
    await sandbox.start("once")
    await sandbox.track("7", "order", {"n": 1})
    await sandbox.advance("PT31M")
    await sandbox.identify("7", vip="yes")
    await sandbox.track("7", "order", {"n": 2})
    await sandbox.track("7", "order", {"n": 3})
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert journey["trigger"]["event"]["data"] == {"n": 2}
    await sandbox.call("POST", f"/v1/journeys/{journey['id']}/end")
    await sandbox.track("7", "order", {"n": 4})
    await sandbox.settle()
    assert ended(await only_journey(sandbox)) == ("exited_early", "manual", START + 31 * 60)


async def test_cmp_14_one_time_for_a_match_counts_for_ever(sandbox: Workspace):
    await sandbox.define(campaign("once", on_match(attribute("plan", "trial")), "pause", pausing()))
    await sandbox.start("once")
    for plan in ("trial", "free", "trial"):
        await sandbox.identify("7", plan=plan)
    await sandbox.settle()
    assert ended(await only_journey(sandbox)) == ("exited_early", "trigger", START)


async def test_cmp_15_who_meets_the_exit_rule_on_entry_leaves_at_once(sandbox: Workspace):
    paid = segment("paid", attribute("plan", "pro"))
    document = campaign(
        "upsell", on_event("visit"), "mail", {"mail": email("Buy")}, goal={"enters_segment": "paid"}, exit="goal"
    )
    await sandbox.define(paid, document)
    await sandbox.start("upsell")
    await sandbox.identify("7", email="ann@example.com", plan="pro")
    await sandbox.track("7", "visit")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert (ended(journey), journey["steps"]) == (("exited_early", "goal", START), [])
    assert await mails(sandbox) == []


async def test_cmp_15_the_unsubscribed_enter_and_walk_on_without_messages(sandbox: Workspace):
    blocks = {
        "mail": email("News", next="note"),
        "note": {"type": "update_person", "set": {"walked": True}, "next": "receipt"},
        "receipt": email("Receipt", subscription="everyone"),
    }
    await sandbox.define(campaign("news", on_event("order"), "mail", blocks))
    await sandbox.start("news")
    await sandbox.identify("7", email="ann@example.com", unsubscribed="tRUe")
    await sandbox.track("7", "order")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert ended(journey) == ("finished", "completed", START)
    mail, note, receipt = journey["steps"]
    assert (mail["outcome"], note["outcome"], receipt["outcome"]) == ("skipped", "done", "done")
    assert mail["explanation"] == "Customer is unsubscribed"
    assert await mails(sandbox) == [(START, "Receipt")]
    message = (await sandbox.get(f"/v1/messages/{mail['delivery_id']}"))["message"]
    assert (message["status"], message["failure_message"]) == ("undeliverable", "Customer is unsubscribed")
