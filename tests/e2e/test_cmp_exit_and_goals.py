"""When a journey ends early, and which message a goal is credited to (CMP-16, CMP-18)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.support.live import DAY, START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import (
    attribute,
    delay,
    ended,
    mails,
    messages,
    only_journey,
    segment,
    standing,
    utc,
    walked,
)
from tests.support.outside import report

HOUR = 3_600
PAID = segment("paid", attribute("plan", "pro"))
TRIAL = segment("trial", attribute("plan", "trial"))
VIP = segment("vip", attribute("vip", "yes"))


async def conversions(workspace: Workspace) -> dict[str, int | None]:
    """By subject, when each delivery converted."""
    return {found["subject"]: found["metrics"].get("converted") for found in await messages(workspace)}


@pytest.mark.parametrize(
    ("rule", "left"), [("goal", False), ("filters", True), ("goal_or_filters", True), ("never", False)]
)
async def test_cmp_case_11_filters_count_while_inside_only_if_asked(sandbox: Workspace, rule: str, left: bool):
    blocks = {"pause": delay("PT1H", "mail"), "mail": email("Hello")}
    document = campaign(
        "rule", on_event("order"), "pause", blocks, filters={"segment": "vip"}, exit=rule, goal={"event": "purchase"}
    )
    await sandbox.define(VIP, document)
    await sandbox.start("rule")
    await sandbox.identify("7", email="ann@example.com", vip="yes")
    await sandbox.track("7", "order")
    await sandbox.advance("PT30M")
    await sandbox.identify("7", vip="no")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    if left:
        assert ended(journey) == ("exited_early", "filters", START + 1_800)
        assert journey["explanation"] == "The person stopped matching the filters."
        assert [(step["block"], step["left_at"]) for step in journey["steps"]] == [("pause", START + 1_800)]
    else:
        assert standing(journey) == ("pause", START, START + HOUR)
    await sandbox.advance("PT1H")
    assert await mails(sandbox) == ([] if left else [(START + HOUR, "Hello")])


async def test_cmp_case_25_exit_on_the_goal_before_any_message(sandbox: Workspace):
    blocks = {"pause": delay("P1D", "mail"), "mail": email("Hello")}
    document = campaign("drip", on_event("order"), "pause", blocks, goal={"event": "purchase"}, exit="goal")
    await sandbox.define(document)
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order")
    await sandbox.advance("PT2H")
    await sandbox.track("7", "purchase")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert ended(journey) == ("exited_early", "goal", START + 2 * HOUR)
    assert journey["explanation"] == "The person met the goal."
    assert journey["converted_at"] is None
    await sandbox.advance("P2D")
    assert await messages(sandbox) == []


@pytest.mark.parametrize("goal", [{"enters_segment": "paid"}, {"leaves_segment": "trial"}])
async def test_cmp_case_26_whoever_meets_a_segment_goal_already_enters_and_leaves(
    sandbox: Workspace, goal: dict[str, Any]
):
    blocks = {"note": {"type": "update_person", "set": {"walked": True}, "next": "mail"}, "mail": email("Hello")}
    await sandbox.define(PAID, TRIAL, campaign("drip", on_event("order"), "note", blocks, goal=goal, exit="goal"))
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com", plan="pro")
    await sandbox.track("7", "order")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert ended(journey) == ("exited_early", "goal", START)
    assert (journey["steps"], journey["converted_at"]) == ([], None)
    assert await messages(sandbox) == []


async def test_cmp_case_27_the_last_message_sent_is_credited(begin: Begin):
    workspace = await begin("2026-03-09T09:00")  # a Monday
    blocks = {"a": email("A", next="pause"), "pause": delay("P2D", "b"), "b": email("B")}
    await workspace.define(
        campaign("drip", on_event("order"), "a", blocks, goal={"event": "purchase", "within": "P7D", "of": "sent"})
    )
    await workspace.start("drip")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "order")
    await workspace.advance(to=utc("2026-03-12T09:00"))
    await workspace.track("7", "purchase")
    await workspace.settle()
    assert await conversions(workspace) == {"A": None, "B": utc("2026-03-12T09:00")}
    journey = await only_journey(workspace)
    assert ended(journey) == ("finished", "completed", utc("2026-03-11T09:00"))
    assert journey["converted_at"] == utc("2026-03-12T09:00")


async def test_cmp_case_27_the_last_message_opened_is_credited(begin: Begin):
    workspace = await begin("2026-03-09T09:00")  # a Monday
    blocks = {"a": email("A", next="b"), "b": email("B")}
    goal = {"event": "purchase", "within": "P7D", "of": "opened"}
    await workspace.define(campaign("drip", on_event("order"), "a", blocks, goal=goal))
    await workspace.start("drip")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "order")
    await workspace.settle()
    sent = {message["subject"]: message["id"] for message in await messages(workspace)}
    await workspace.advance("P1D")
    await report(workspace, sent["B"], "opened")
    await workspace.advance("P1D")
    await report(workspace, sent["A"], "opened")
    await workspace.advance("P1D")
    await workspace.track("7", "purchase")
    await workspace.settle()
    assert await conversions(workspace) == {"A": utc("2026-03-12T09:00"), "B": None}
    assert (await only_journey(workspace))["converted_at"] == utc("2026-03-12T09:00")


async def test_cmp_case_29_a_click_that_is_processed_after_the_goal_converts_nothing(begin: Begin):
    workspace = await begin("2026-03-09T08:00")
    goal = {"event": "purchase", "within": "P7D", "of": "clicked"}
    await workspace.define(campaign("drip", on_event("order"), "mail", {"mail": email("A")}, goal=goal))
    await workspace.start("drip")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "order")
    await workspace.settle()
    (sent,) = await messages(workspace)
    await workspace.advance(to=utc("2026-03-09T08:07:49"))
    await workspace.track("7", "purchase")
    await workspace.advance(to=utc("2026-03-09T08:07:53"))
    await report(workspace, sent["id"], "clicked", timestamp=utc("2026-03-09T08:07:42"), href="https://x.io/a")
    await workspace.advance("P1D")
    assert await conversions(workspace) == {"A": None}
    assert (await only_journey(workspace))["converted_at"] is None
    await workspace.track("7", "purchase")
    await workspace.settle()
    assert await conversions(workspace) == {"A": utc("2026-03-10T08:07:53")}


async def test_cmp_18_a_goal_is_met_by_processing_time_and_to_the_letter(sandbox: Workspace):
    goal = {"event": "Purchase", "where": {"field": "course_id", "value": {"from": "event.course_id"}}, "within": "P1D"}
    await sandbox.define(campaign("drip", on_event("order"), "mail", {"mail": email("A")}, goal=goal))
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order", {"course_id": 7})
    await sandbox.advance("PT1H")
    await sandbox.track("7", "purchase", {"course_id": 7})
    await sandbox.track("7", "Purchase", {"course_id": 8})
    await sandbox.settle()
    assert await conversions(sandbox) == {"A": None}
    await sandbox.advance("P2D")
    await sandbox.track("7", "Purchase", {"course_id": 7}, timestamp=START + HOUR)
    await sandbox.settle()
    assert await conversions(sandbox) == {"A": None}


async def test_cmp_18_one_occurrence_converts_one_delivery_and_each_once(sandbox: Workspace):
    await sandbox.define(
        campaign("drip", on_event("order"), "mail", {"mail": email("Mail {{ event.n }}")}, goal={"event": "purchase"})
    )
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    for n in (1, 2):
        await sandbox.track("7", "order", {"n": n})
        await sandbox.advance("PT1H")
    await sandbox.track("7", "purchase")
    await sandbox.advance("PT1H")
    assert await conversions(sandbox) == {"Mail 1": None, "Mail 2": START + 2 * HOUR}
    await sandbox.track("7", "purchase")
    await sandbox.advance("PT1H")
    assert await conversions(sandbox) == {"Mail 1": START + 3 * HOUR, "Mail 2": START + 2 * HOUR}
    await sandbox.track("7", "purchase")
    report = await sandbox.settle()
    assert report["journeys"]["converted"] == 0
    assert await conversions(sandbox) == {"Mail 1": START + 3 * HOUR, "Mail 2": START + 2 * HOUR}


async def test_cmp_18_a_segment_goal_needs_the_change_after_the_message(sandbox: Workspace):
    await sandbox.define(
        PAID, campaign("drip", on_event("order"), "mail", {"mail": email("A")}, goal={"enters_segment": "paid"})
    )
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com", plan="pro")
    await sandbox.track("7", "order")
    await sandbox.advance("PT1H")
    await sandbox.identify("7", plan="pro", city="Rome")
    await sandbox.settle()
    assert await conversions(sandbox) == {"A": None}
    await sandbox.identify("7", plan="free")
    await sandbox.identify("7", plan="pro")
    await sandbox.settle()
    assert await conversions(sandbox) == {"A": START + HOUR}


async def test_cmp_18_a_drafted_message_never_converts(sandbox: Workspace):
    blocks = {"mail": {"type": "email", "message": {"subject": "A", "body": "<p>A</p>"}}}
    await sandbox.define(campaign("drip", on_event("order"), "mail", blocks, goal={"event": "purchase"}))
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order")
    await sandbox.settle()
    await sandbox.track("7", "purchase")
    await sandbox.settle()
    (draft,) = await messages(sandbox, drafts=True)
    assert "converted" not in draft["metrics"]
    assert (await only_journey(sandbox))["converted_at"] is None


async def test_cmp_case_30_a_conversion_long_after_the_end(begin: Begin):
    workspace = await begin("2026-03-01T09:00")
    goal = {"event": "purchase", "within": "P30D"}
    await workspace.define(
        campaign("drip", on_event("order"), "mail", {"mail": email("A {{ customer.id }}")}, goal=goal)
    )
    await workspace.start("drip")
    for name in ("7", "8"):
        await workspace.identify(name, email=f"{name}@example.com")
        await workspace.track(name, "order")
    await workspace.advance(to=utc("2026-03-20T09:00"))
    await workspace.track("7", "purchase")
    await workspace.advance(to=utc("2026-04-05T09:00"))
    await workspace.track("8", "purchase")
    await workspace.settle()
    assert await conversions(workspace) == {"A 7": utc("2026-03-20T09:00"), "A 8": None}
    (early,), (late,) = [await workspace.journeys(customer=name) for name in ("7", "8")]
    assert ended(early) == ended(late) == ("finished", "completed", utc("2026-03-01T09:00"))
    assert (early["converted_at"], late["converted_at"]) == (utc("2026-03-20T09:00"), None)


async def test_cmp_case_31_a_goal_matched_to_the_trigger_ends_its_own_journey(sandbox: Workspace):
    goal = {"event": "course_finished", "where": {"field": "course_id", "value": {"from": "event.course_id"}}}
    blocks = {
        "mail": email("Course {{ event.course_id }}", next="pause"),
        "pause": delay("P7D", "more"),
        "more": email("More on {{ event.course_id }}"),
    }
    await sandbox.define(campaign("course", on_event("course_started"), "mail", blocks, goal=goal, exit="goal"))
    await sandbox.start("course")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "course_started", {"course_id": 7})
    await sandbox.track("7", "course_started", {"course_id": 8})
    await sandbox.advance("P1D")
    await sandbox.track("7", "course_finished", {"course_id": 8})
    await sandbox.settle()
    seven, eight = await sandbox.journeys()
    assert (seven["state"], seven["converted_at"]) == ("in_progress", None)
    assert ended(eight) == ("exited_early", "goal", START + DAY)
    assert eight["converted_at"] == START + DAY
    assert await conversions(sandbox) == {"Course 7": None, "Course 8": START + DAY}
    await sandbox.advance("P7D")
    assert sorted(await mails(sandbox)) == [
        (START, "Course 7"),
        (START, "Course 8"),
        (START + 7 * DAY, "More on 7"),
    ]


async def test_cmp_16_a_goal_event_before_the_journey_ends_nothing(sandbox: Workspace):
    blocks = {"pause": delay("PT1H", "mail"), "mail": email("Hello")}
    document = campaign("drip", on_event("order"), "pause", blocks, goal={"event": "purchase"}, exit="goal")
    await sandbox.define(document)
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "purchase")
    await sandbox.track("7", "order")
    await sandbox.advance("PT1H")
    assert ended(await only_journey(sandbox)) == ("finished", "completed", START + HOUR)
    assert await mails(sandbox) == [(START + HOUR, "Hello")]


async def test_cmp_16_who_stops_matching_and_matches_again_while_waiting_has_left(sandbox: Workspace):
    blocks = {"pause": delay("PT1H", "mail"), "mail": email("Hello")}
    await sandbox.define(campaign("trial", on_match(attribute("plan", "trial")), "pause", blocks))
    await sandbox.start("trial")
    await sandbox.identify("7", email="ann@example.com", plan="trial")
    await sandbox.advance("PT10M")
    await sandbox.identify("7", plan="free")
    await sandbox.identify("7", plan="trial")
    await sandbox.advance("PT1H")
    journey = await only_journey(sandbox)
    assert ended(journey) == ("exited_early", "trigger", START + 600)
    assert journey["explanation"] == "The person stopped matching the trigger."
    assert await mails(sandbox) == []


async def test_cmp_16_the_rule_is_looked_at_before_every_action(sandbox: Workspace):
    blocks = {
        "note": {"type": "update_person", "set": {"vip": "no"}, "next": "again"},
        "again": {"type": "update_person", "set": {"again": True}, "next": "mail"},
        "mail": email("Hello"),
    }
    await sandbox.define(VIP, campaign("rule", on_event("order"), "note", blocks, filters={"segment": "vip"}))
    await sandbox.start("rule")
    await sandbox.identify("7", email="ann@example.com", vip="yes")
    await sandbox.track("7", "order")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert ended(journey) == ("exited_early", "filters", START)
    assert walked(journey) == [("note", "done")]


async def test_cmp_16_a_trigger_that_the_clock_makes_false_ends_the_journey(sandbox: Workspace):
    blocks = {"pause": delay("P2D", "mail"), "mail": email("Hello")}
    trigger = on_match(attribute("trial_started", {"ago": "P1D"}, "after"))
    await sandbox.define(campaign("fresh", trigger, "pause", blocks))
    await sandbox.start("fresh")
    await sandbox.identify("7", email="ann@example.com", trial_started=START - HOUR)
    report = await sandbox.advance("P3D")
    assert ended(await only_journey(sandbox)) == ("exited_early", "trigger", START + DAY - HOUR)
    assert report["steps"][0] == {"at": START + DAY - HOUR, "fired": {"segment_flip": 1}}
    assert await mails(sandbox) == []
