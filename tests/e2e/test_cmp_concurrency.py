"""Many facts, many people, one instant: nothing lost, nothing twice, everything in order (CMP-15, CMP-16)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from tests.support.live import DAY, START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import (
    activities,
    attribute,
    attributes,
    delay,
    ended,
    mails,
    members,
    only_journey,
    segment,
    subjects,
    timeline,
    walked,
)

HOUR = 3_600


async def test_calls_at_once_about_one_person(sandbox: Workspace):
    blocks = {"pause": delay("PT1H", "mail"), "mail": email("Order {{ event.n }}")}
    await sandbox.define(
        segment("twenty", {"performed": {"event": "order", "times": {"exactly": 20}}}),
        campaign("order", on_event("order"), "pause", blocks),
    )
    await sandbox.start("order")
    await asyncio.gather(
        *(sandbox.identify("7", email="ann@example.com", **{f"a{n}": n}) for n in range(20)),
        *(sandbox.track("7", "order", {"n": n}) for n in range(20)),
    )
    report = await sandbox.settle()
    assert report["now"] == START
    found = await attributes(sandbox, "7")
    assert {name: found.get(name) for name in (f"a{n}" for n in range(20))} == {f"a{n}": str(n) for n in range(20)}
    assert len(await activities(sandbox, "7", "person_created")) == 1
    assert await members(sandbox, "twenty", ["7"]) == ["7"]
    report = await sandbox.advance("PT1H")
    assert (report["fired"], report["journeys"]["finished"]) == ({"delay": 20}, 20)
    assert Counter(await mails(sandbox)) == Counter((START + HOUR, f"Order {n}") for n in range(20))


async def test_new_people_at_once_with_one_address(sandbox: Workspace):
    await asyncio.gather(*(sandbox.identify("ann@example.com", **{f"a{n}": n}) for n in range(10)))
    await asyncio.gather(*(sandbox.identify("7", email="ANN@example.com", **{f"b{n}": n}) for n in range(10)))
    await sandbox.settle()
    assert [found["id"] for found in (await sandbox.get("/v1/customers", email="ann@example.com"))["results"]] == ["7"]
    found = await attributes(sandbox, "7")
    assert all(found[f"a{n}"] == found[f"b{n}"] == str(n) for n in range(10))


async def test_facts_about_one_person_under_several_names_keep_their_order(sandbox: Workspace):
    await sandbox.define(
        campaign("order", on_event("order"), "mail", {"mail": email("{{ event.n }} {{ customer.plan }}")})
    )
    await sandbox.start("order")
    await sandbox.identify("ann@example.com", plan=0)
    await sandbox.identify("ann@example.com", id="7")
    for n in range(1, 7):
        await sandbox.identify("7" if n % 2 else "Ann@Example.com", plan=n)
    await sandbox.track("7", "order", {"n": 1})
    await sandbox.track("ann@example.com", "order", {"n": 2})
    await sandbox.settle()
    assert [entry.get("plan") for entry in await activities(sandbox, "7", "attribute_change") if "plan" in entry] == [
        *range(7)
    ]
    assert [journey["trigger"]["event"]["data"]["n"] for journey in await sandbox.journeys()] == [1, 2]
    assert sorted(await subjects(sandbox)) == ["1 6", "2 6"]


async def test_many_people_whose_delays_end_at_many_instants(sandbox: Workspace):
    people = 40
    blocks = {
        "wait": {
            "type": "wait_until",
            "paths": [{"key": "due", "event_time": {"field": "at"}}],
            "join": "mail",
        },
        "mail": email("{{ customer.id }}"),
    }
    await sandbox.define(campaign("visit", on_event("visit"), "wait", blocks))
    await sandbox.start("visit")

    async def visit(n: int) -> None:
        await sandbox.identify(f"p{n}", email=f"p{n}@example.com")
        await sandbox.track(f"p{n}", "visit", {"at": START + 60 * (1 + n // 2)})

    await asyncio.gather(*(visit(n) for n in range(people)))
    report = await sandbox.advance("P1D")
    assert report["steps"] == [{"at": START + 60 * (1 + n), "fired": {"wait": 2}} for n in range(people // 2)]
    found = (await sandbox.get("/v1/mailbox", limit=100))["messages"]
    assert sorted((mail["at"], mail["rendered"]["fields"]["subject"]) for mail in found) == sorted(
        (START + 60 * (1 + n // 2), f"p{n}") for n in range(people)
    )


async def test_cmp_16_the_exit_rule_goes_before_the_path_of_a_wait(sandbox: Workspace):
    bought = {"performed": {"event": "purchase", "since": "trigger"}}
    blocks = {
        "hold": {"type": "wait_until", "paths": [{"key": "bought", "conditions": bought}], "join": "mail"},
        "mail": email("Thanks"),
    }
    await sandbox.define(campaign("order", on_event("order"), "hold", blocks, goal={"event": "purchase"}, exit="goal"))
    await sandbox.start("order")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order")
    await sandbox.settle()
    await sandbox.track("7", "purchase")
    await sandbox.settle()
    assert ended(await only_journey(sandbox)) == ("exited_early", "goal", START)
    assert await mails(sandbox) == []


async def test_cmp_14_a_match_that_comes_and_goes_by_the_clock(sandbox: Workspace):
    trigger = on_match(attribute("last_online", {"ago": "P30D"}, "before"))
    document = campaign("back", trigger, "mail", {"mail": email("Come back")}, frequency={"mode": "every"})
    await sandbox.define(document)
    await sandbox.start("back")
    await sandbox.identify("7", email="ann@example.com", last_online=START - 60 * DAY)
    await sandbox.advance("P1D")
    await sandbox.identify("7", last_online=START + DAY)
    await sandbox.advance("P40D")
    await sandbox.identify("7", last_online=START + 41 * DAY)
    await sandbox.advance("P30D")
    assert await mails(sandbox) == [(START, "Come back"), (START + 31 * DAY + 1, "Come back")]
    await sandbox.advance("PT1S")
    assert (await mails(sandbox))[2:] == [(START + 71 * DAY + 1, "Come back")]


async def test_two_campaigns_that_feed_each_other_once(sandbox: Workspace):
    first = {"mark": {"type": "update_person", "set": {"b": True}, "next": "mail"}, "mail": email("First")}
    second = {"mark": {"type": "update_person", "set": {"a": True}, "next": "mail"}, "mail": email("Second")}
    await sandbox.define(
        campaign("first", on_match(attribute("a", True)), "mark", first),
        campaign("second", on_match(attribute("b", True)), "mark", second),
    )
    await sandbox.start("first")
    await sandbox.start("second")
    await sandbox.identify("7", email="ann@example.com", a=True)
    await sandbox.settle()
    assert sorted(await mails(sandbox)) == [(START, "First"), (START, "Second")]


async def test_a_goal_through_a_segment_of_segments(sandbox: Workspace):
    blocks = {"mail": email("First", next="pause"), "pause": delay("P1D", "more"), "more": email("More")}
    await sandbox.define(
        segment("payers", {"performed": {"event": "purchase"}}),
        segment("loyal", [{"segment": "payers"}, attribute("city", "Rome")]),
        campaign("order", on_event("order"), "mail", blocks, goal={"enters_segment": "loyal"}, exit="goal"),
    )
    await sandbox.start("order")
    await sandbox.identify("7", email="ann@example.com", city="rome")
    await sandbox.track("7", "order")
    await sandbox.advance("PT1H")
    await sandbox.track("7", "purchase")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert ended(journey) == ("exited_early", "goal", START + HOUR)
    assert (journey["converted_at"], walked(journey)) == (START + HOUR, [("mail", "done"), ("pause", "exited")])
    entries = [entry["name"] for entry in await timeline(sandbox, "7", "segment")]
    assert entries == ["payers", "loyal"]


async def test_everything_at_one_instant_in_one_long_journey(sandbox: Workspace):
    blocks: dict[str, Any] = {}
    for n in range(15):
        blocks[f"note-{n}"] = {"type": "update_person", "set": {"n": n}, "next": f"ask-{n}"}
        blocks[f"ask-{n}"] = {
            "type": "true_false",
            "conditions": attribute("n", n),
            "then": f"mail-{n}",
            "else": f"stop-{n}",
            **({"join": f"note-{n + 1}"} if n < 14 else {}),
        }
        blocks[f"mail-{n}"] = email(f"Mail {n:02}")
        blocks[f"stop-{n}"] = {"type": "exit"}
    await sandbox.define(campaign("long", on_event("order"), "note-0", blocks))
    await sandbox.start("long")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, f"Mail {n:02}") for n in range(15)]
    assert len((await only_journey(sandbox))["steps"]) == 45


async def test_memberships_come_before_timers_of_the_same_instant(sandbox: Workspace):
    pause = {"pause": delay("P1D", "mail"), "mail": email("Too late")}
    ask = {
        "pause": delay("P1D", "ask"),
        "ask": {"type": "true_false", "conditions": {"segment": "fresh"}, "then": "mail"},
        "mail": email("Too late"),
    }
    hold = {
        "hold": {
            "type": "wait_until",
            "paths": [
                {"key": "old", "conditions": {"segment": {"key": "fresh", "inverse": True}}},
                {"key": "late", "max_time": "P1D"},
            ],
        }
    }
    await sandbox.define(
        segment("fresh", attribute("trial_started", {"ago": "P1D"}, "after")),
        campaign("exits", on_match({"segment": "fresh"}), "pause", pause),
        campaign("asks", on_event("order"), "pause", ask),
        campaign("holds", on_event("order"), "hold", hold),
    )
    for key in ("exits", "asks", "holds"):
        await sandbox.start(key)

    async def enter(n: int) -> None:
        await sandbox.identify(f"p{n}", email=f"p{n}@example.com", trial_started=START)
        await sandbox.track(f"p{n}", "order")

    await asyncio.gather(*(enter(n) for n in range(12)))
    report = await sandbox.advance("P2D")
    assert report["steps"] == [{"at": START + DAY, "fired": {"delay": 24, "segment_flip": 12, "wait": 12}}]
    assert await mails(sandbox) == []
    assert {ended(journey) for journey in await sandbox.journeys(campaign="exits")} == {
        ("exited_early", "trigger", START + DAY)
    }
    held = [await sandbox.journey(journey["id"]) for journey in await sandbox.journeys(campaign="holds")]
    paths = [journey["steps"][0]["path"] for journey in held]
    assert Counter(paths) == {"old": 12}
