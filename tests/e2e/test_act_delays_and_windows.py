"""Delays, windows and zones: when people go on, to the second (ACT-03, ACT-05, ACT-07, ACT-08)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.support.live import START, Workspace, campaign, email, on_event
from tests.support.moments import attribute, delay, mails, only_journey, standing, utc, walked

OFFICE = {
    "type": "time_window",
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "hours": [{"from": "09:00", "to": "17:00"}],
    "use_customer_timezone": True,
    "timezone": "UTC",
}


async def held(workspace: Workspace, window: dict[str, Any], **attributes: Any) -> None:
    """Somebody standing in front of a window, and a mail behind it."""
    blocks = {"office": {**window, "next": "mail"}, "mail": email("Hello")}
    await workspace.define(campaign("office", on_event("order"), "office", blocks))
    await workspace.start("office")
    await workspace.identify("7", email="ann@example.com", **attributes)
    await workspace.track("7", "order")
    await workspace.settle()


async def test_act_case_01_a_window_constrains_only_the_step_that_follows(begin: Begin):
    workspace = await begin("2026-06-15T22:00")  # Monday 18:00 in New York
    blocks = {
        "two-days": delay("P2D", "office"),
        "office": {**OFFICE, "next": "first"},
        "first": email("First", next="two-more"),
        "two-more": delay("P2D", "second"),
        "second": email("Second"),
    }
    await workspace.define(campaign("chain", on_event("order"), "two-days", blocks))
    await workspace.start("chain")
    await workspace.identify("7", email="ann@example.com", timezone="America/New_York")
    await workspace.track("7", "order")
    await workspace.advance(to=utc("2026-06-17T22:00"))
    assert standing(await only_journey(workspace)) == ("office", utc("2026-06-17T22:00"), utc("2026-06-18T13:00"))
    await workspace.advance("P7D")
    assert await mails(workspace) == [(utc("2026-06-18T13:00"), "First"), (utc("2026-06-20T13:00"), "Second")]
    steps = (await only_journey(workspace))["steps"]
    assert [(step["block"], step["output_type"], step["delay_ends_at"], step["left_at"]) for step in steps] == [
        ("two-days", "delay", utc("2026-06-17T22:00"), utc("2026-06-17T22:00")),
        ("office", "delay", utc("2026-06-18T13:00"), utc("2026-06-18T13:00")),
        ("first", "email", None, utc("2026-06-18T13:00")),
        ("two-more", "delay", utc("2026-06-20T13:00"), utc("2026-06-20T13:00")),
        ("second", "email", None, utc("2026-06-20T13:00")),
    ]
    assert [step["seq_num"] for step in steps] == sorted({step["seq_num"] for step in steps})


async def test_act_case_01_an_open_window_is_passed_at_once(begin: Begin):
    workspace = await begin("2026-06-16T14:30")  # Tuesday 10:30 in New York
    await held(workspace, OFFICE, timezone="America/New_York")
    assert await mails(workspace) == [(utc("2026-06-16T14:30"), "Hello")]


async def test_act_case_02_a_zone_moved_west(begin: Begin):
    workspace = await begin("2026-06-13T12:00")  # a Saturday
    await held(workspace, OFFICE, timezone="US/Eastern")
    assert standing(await only_journey(workspace))[2] == utc("2026-06-15T13:00")
    await workspace.advance(to=utc("2026-06-14T12:00"))
    await workspace.identify("7", timezone="US/Pacific")
    await workspace.settle()
    assert standing(await only_journey(workspace))[2] == utc("2026-06-15T13:00")
    await workspace.advance(to=utc("2026-06-15T13:00"))
    assert standing(await only_journey(workspace)) == ("office", utc("2026-06-13T12:00"), utc("2026-06-15T16:00"))
    await workspace.advance("P2D")
    assert await mails(workspace) == [(utc("2026-06-15T16:00"), "Hello")]


async def test_act_case_03_a_zone_moved_east(begin: Begin):
    workspace = await begin("2026-06-13T12:00")
    await held(workspace, OFFICE, timezone="US/Eastern")
    await workspace.advance(to=utc("2026-06-14T12:00"))
    await workspace.identify("7", timezone="Asia/Tokyo")
    await workspace.advance(to=utc("2026-06-15T13:00"))
    assert standing(await only_journey(workspace))[2] == utc("2026-06-16T00:00")
    await workspace.advance("P2D")
    assert await mails(workspace) == [(utc("2026-06-16T00:00"), "Hello")]


async def test_act_case_07_action_conditions_on_delays(sandbox: Workspace):
    blocks = {
        "a": delay("PT5M", "b", conditions=attribute("cohort", "A")),
        "b": delay("PT10M", "mail", conditions=attribute("cohort", "B")),
        "mail": email("To {{ customer.id }}"),
    }
    await sandbox.define(campaign("cohorts", on_event("order"), "a", blocks))
    await sandbox.start("cohorts")
    for name, cohort in (("ann", "a"), ("bob", "B"), ("cat", "")):
        await sandbox.identify(name, email=f"{name}@example.com", cohort=cohort)
        await sandbox.track(name, "order")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "To cat")]
    await sandbox.advance("P1D")
    assert await mails(sandbox) == [(START, "To cat"), (START + 300, "To ann"), (START + 600, "To bob")]
    (ann,), (bob,) = [await sandbox.journeys(customer=name) for name in ("ann", "bob")]
    assert await sandbox.steps(ann["id"]) == [("a", "done"), ("b", "skipped"), ("mail", "done")]
    assert await sandbox.steps(bob["id"]) == [("a", "skipped"), ("b", "done"), ("mail", "done")]


async def test_act_03_conditions_are_looked_at_once_on_arrival(sandbox: Workspace):
    blocks = {"pause": delay("PT1H", "mail", conditions=attribute("slow", True)), "mail": email("Hello")}
    await sandbox.define(campaign("slow", on_event("order"), "pause", blocks))
    await sandbox.start("slow")
    await sandbox.identify("7", email="ann@example.com", slow=True)
    await sandbox.track("7", "order")
    await sandbox.settle()
    await sandbox.identify("7", slow=False)
    await sandbox.advance("PT1H")
    assert await mails(sandbox) == [(START + 3_600, "Hello")]


async def test_act_03_a_skipped_block_says_why(sandbox: Workspace):
    blocks = {
        "mail": email(
            "Hello", conditions=[attribute("plan", "pro"), {"event": {"field": "total", "operator": "gt", "value": 10}}]
        )
    }
    await sandbox.define(campaign("upsell", on_event("order"), "mail", blocks))
    await sandbox.start("upsell")
    await sandbox.identify("7", email="ann@example.com", plan="pro")
    for total in (10, 11):
        await sandbox.track("7", "order", {"total": total})
    await sandbox.settle()
    skipped, done = [await sandbox.journey(journey["id"]) for journey in await sandbox.journeys()]
    assert (walked(skipped), walked(done)) == ([("mail", "skipped")], [("mail", "done")])
    assert skipped["steps"][0]["explanation"].startswith("Action conditions not met")
    assert skipped["steps"][0]["delivery_id"] is None


async def test_act_case_22_performed_looks_at_the_whole_history(begin: Begin):
    workspace = await begin("2026-03-10T12:00")
    blocks = {
        "ever": email("Ever", conditions={"performed": {"event": "purchase"}}, next="recent"),
        "recent": email("Recent", conditions={"performed": {"event": "purchase", "within": "P30D"}}, next="never"),
        "never": email("Never", conditions={"performed": {"event": "purchase", "inverse": True}}),
    }
    await workspace.define(campaign("history", on_event("visit"), "ever", blocks))
    await workspace.start("history")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "Purchase", timestamp=utc("2023-03-10T12:00"))
    await workspace.track("7", "visit")
    await workspace.settle()
    assert await mails(workspace) == [(utc("2026-03-10T12:00"), "Ever")]


async def test_ppl_case_37_which_zone_counts(begin: Begin):
    workspace = await begin("2026-06-13T12:00")
    await held(workspace, {**OFFICE, "timezone": "America/New_York"}, timezone="Mars/Base", cio_timezone="Europe/Rome")
    await workspace.identify("8", email="bob@example.com")
    await workspace.track("8", "order")
    await workspace.identify("9", email="cat@example.com", Timezone="Asia/Tokyo", timezone="Etc/GMT+2")
    await workspace.track("9", "order")
    await workspace.settle()
    dues = [standing(journey)[2] for journey in await workspace.journeys()]
    assert dues == [utc("2026-06-15T07:00"), utc("2026-06-15T13:00"), utc("2026-06-15T11:00")]
    await workspace.advance("P3D")
    explained = [
        (await workspace.journey(journey["id"]))["steps"][0]["explanation"] for journey in await workspace.journeys()
    ]
    assert explained == [
        "The zone Europe/Rome was used. timezone named no time zone.",
        "The fallback zone America/New_York was used.",
        None,
    ]


@pytest.mark.parametrize(
    ("begins", "opens"),
    [
        ("2026-03-28T12:00", "2026-03-29T01:00"),  # 02:30 does not exist in Rome: the first instant after the gap
        ("2026-10-24T12:00", "2026-10-25T00:30"),  # 02:30 comes twice: the first of the two
    ],
)
async def test_act_07_windows_across_changes_of_the_clocks(begin: Begin, begins: str, opens: str):
    workspace = await begin(begins)
    hours = [{"from": "02:30", "to": "04:00"}]
    await held(workspace, {"type": "time_window", "days": ["sun"], "hours": hours, "timezone": "Europe/Rome"})
    await workspace.advance("P2D")
    assert await mails(workspace) == [(utc(opens), "Hello")]


async def test_act_07_hours_that_cross_midnight_belong_to_their_first_day(begin: Begin):
    workspace = await begin("2026-06-13T02:00")  # Saturday 02:00, still of Friday night
    night = {"type": "time_window", "days": ["fri"], "hours": [{"from": "22:00", "to": "03:00"}], "timezone": "UTC"}
    await held(workspace, night)
    assert await mails(workspace) == [(utc("2026-06-13T02:00"), "Hello")]
    await workspace.advance(to=utc("2026-06-13T03:00"))
    await workspace.track("7", "order")
    await workspace.advance("P7D")
    assert await mails(workspace) == [(utc("2026-06-13T02:00"), "Hello"), (utc("2026-06-19T22:00"), "Hello")]


async def test_act_05_a_day_is_86400_seconds_and_nothing_passes_through(begin: Begin):
    workspace = await begin("2026-03-28T12:00")
    blocks = {"none": delay("PT0S", "day"), "day": delay("P1D", "mail"), "mail": email("Hello")}
    await workspace.define(campaign("days", on_event("order"), "none", blocks))
    await workspace.start("days")
    await workspace.identify("7", email="ann@example.com", timezone="Europe/Rome")
    await workspace.track("7", "order")
    await workspace.advance("P2D")
    assert await mails(workspace) == [(utc("2026-03-29T12:00"), "Hello")]


async def test_act_05_a_leading_delay_counts_from_the_event(begin: Begin):
    workspace = await begin("2026-03-01T00:00")
    late = campaign("late", on_event("order"), "pause", {"pause": delay("PT1H", "mail"), "mail": email("Led")})
    blocks = {
        "note": {"type": "update_person", "set": {"x": 1}, "next": "pause"},
        "pause": delay("PT1H", "mail"),
        "mail": email("Not led"),
    }
    await workspace.define(late, campaign("later", on_event("order"), "note", blocks))
    await workspace.start("late")
    await workspace.start("later")
    await workspace.identify("7", email="ann@example.com")
    await workspace.advance("P1D")
    await workspace.track("7", "order", timestamp=utc("2026-03-01T23:20"))
    await workspace.settle()
    (first,) = await workspace.journeys(campaign="late")
    assert standing(first) == ("pause", utc("2026-03-01T23:20"), utc("2026-03-02T00:20"))
    await workspace.track("7", "order", timestamp=utc("2026-03-01T22:00"))
    await workspace.advance("PT2H")
    assert sorted(await mails(workspace)) == [
        (utc("2026-03-02T00:00"), "Led"),
        (utc("2026-03-02T00:20"), "Led"),
        (utc("2026-03-02T01:00"), "Not led"),
        (utc("2026-03-02T01:00"), "Not led"),
    ]
