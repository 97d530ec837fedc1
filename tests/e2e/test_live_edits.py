"""Edits of running campaigns: who moves on, who stays, and what nobody gets twice (CMP-23 to CMP-26, ACT-38)."""

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
    only_journey,
    segment,
    standing,
    subjects,
    utc,
    walked,
)

HOUR = 3_600


async def put(workspace: Workspace, document: dict[str, Any], **query: Any) -> dict[str, Any]:
    """Save a document that exists already, and settle."""
    path = f"/v1/definitions/{document['kind']}/{document['key']}"
    answer = await workspace.request("PUT", path, json=document, params=query)
    assert answer.status_code == 200, answer.text
    await workspace.settle()
    return answer.json()


def drip(blocks: dict[str, Any], start: str = "pause", **fields: Any) -> dict[str, Any]:
    """A campaign on an order."""
    return campaign("drip", on_event("order"), start, blocks, **fields)


async def running(workspace: Workspace, document: dict[str, Any], *names: str, **person: Any) -> None:
    """The campaign running, and these people inside."""
    await workspace.define(document)
    await workspace.start(document["key"])
    for name in names:
        await enter(workspace, name, **person)
    await workspace.settle()


async def enter(workspace: Workspace, name: str, **person: Any) -> None:
    """Somebody with an address places an order."""
    await workspace.identify(name, email=f"{name}@example.com", **person)
    await workspace.track(name, "order")


def paused(duration: str, mail: str = "Hello") -> dict[str, Any]:
    """A pause and a mail."""
    return {"pause": delay(duration, "mail"), "mail": email(mail)}


async def test_act_case_06_a_shorter_delay(sandbox: Workspace):
    await running(sandbox, drip(paused("P7D")), "six")
    await sandbox.advance("P3D")
    await enter(sandbox, "three")
    await sandbox.advance("P3D")
    answer = await put(sandbox, drip(paused("P5D")))
    assert answer["change"]["effects"]["waiting_reevaluated"] == 2
    assert await mails(sandbox) == [(START + 6 * DAY, "Hello")]
    (three,) = await sandbox.journeys(customer="three")
    assert standing(three) == ("pause", START + 3 * DAY, START + 8 * DAY)
    assert (await sandbox.journey(three["id"]))["steps"][0]["delay_ends_at"] == START + 8 * DAY
    await sandbox.advance("P2D")
    assert await mails(sandbox, to="three@example.com") == [(START + 8 * DAY, "Hello")]


async def test_act_case_06_a_longer_delay(sandbox: Workspace):
    await running(sandbox, drip(paused("P5D")), "four")
    await sandbox.advance("P4D")
    await put(sandbox, drip(paused("P7D")))
    assert standing(await only_journey(sandbox)) == ("pause", START, START + 7 * DAY)
    report = await sandbox.advance("P7D")
    assert await mails(sandbox) == [(START + 7 * DAY, "Hello")]
    assert report["steps"] == [{"at": START + 7 * DAY, "fired": {"delay": 1}}]


async def test_act_case_06_a_delay_removed_before_a_mail(sandbox: Workspace):
    await running(sandbox, drip(paused("P5D")), "four")
    await sandbox.advance("P4D")
    await put(sandbox, drip({"mail": email("Hello")}, "mail"))
    assert await mails(sandbox) == [(START + 4 * DAY, "Hello")]
    journey = await only_journey(sandbox)
    assert ended(journey) == ("finished", "completed", START + 4 * DAY)
    assert walked(journey) == [("pause", "done"), ("mail", "done")]
    assert journey["steps"][0]["left_at"] == START + 4 * DAY


async def test_cmp_25_a_delay_removed_before_another_wait(sandbox: Workspace):
    await running(
        sandbox, drip({"pause": delay("P5D", "second"), "second": delay("P2D", "mail"), "mail": email("Hello")}), "7"
    )
    await sandbox.advance("P4D")
    await put(sandbox, drip({"second": delay("P2D", "mail"), "mail": email("Hello")}, "second"))
    assert standing(await only_journey(sandbox)) == ("second", START + 4 * DAY, START + 6 * DAY)
    await sandbox.advance("P3D")
    assert await mails(sandbox) == [(START + 6 * DAY, "Hello")]


@pytest.mark.parametrize(
    ("days", "opens", "leaves"),
    [
        (["mon", "tue", "thu"], "09:00", "2026-06-15T09:30"),
        (["mon", "tue", "thu"], "10:00", "2026-06-15T10:00"),
        (None, "", "2026-06-15T09:30"),
    ],
)
async def test_cmp_case_37_and_act_case_05_a_window_edited(
    begin: Begin, days: list[str] | None, opens: str, leaves: str
):
    def window(days: list[str], opens: str) -> dict[str, Any]:
        hours = [{"from": opens, "to": "12:00"}]
        return {"type": "time_window", "days": days, "hours": hours, "timezone": "UTC", "next": "mail"}

    workspace = await begin("2026-06-15T09:30")  # a Monday
    await running(
        workspace, drip({"window": window(["tue", "thu"], "09:00"), "mail": email("Hello")}, "window"), "1", "2"
    )
    assert {standing(journey) for journey in await workspace.journeys()} == {
        ("window", utc("2026-06-15T09:30"), utc("2026-06-16T09:00"))
    }
    blocks = {"mail": email("Hello")} if days is None else {"window": window(days, opens), "mail": email("Hello")}
    await put(workspace, drip(blocks, "mail" if days is None else "window"))
    assert await mails(workspace) == ([] if opens == "10:00" else [(utc(leaves), "Hello")] * 2)
    await workspace.advance("P1D")
    assert await mails(workspace) == [(utc(leaves), "Hello")] * 2


@pytest.mark.parametrize(
    ("choice", "end", "sent"),
    [("exit", ("exited_early", "wait_removed"), []), ("continue", ("finished", "completed"), ["Hello"])],
)
async def test_act_case_17_a_wait_removed(sandbox: Workspace, choice: str, end: tuple[str, str], sent: list[str]):
    wait = {"type": "wait_until", "paths": [{"key": "pro", "conditions": attribute("plan", "pro")}], "join": "mail"}
    await running(sandbox, drip({"wait": wait, "mail": email("Hello")}, "wait"), "1", "2")
    await sandbox.advance("P1D")
    await put(sandbox, drip({"mail": email("Hello")}, "mail"), removed_waits=choice)
    assert [ended(journey) for journey in await sandbox.journeys()] == [(*end, START + DAY)] * 2
    assert await subjects(sandbox) == sent * 2


async def test_act_11_paths_of_a_wait_edited(sandbox: Workspace):
    def wait(conditions: Any, longest: str) -> dict[str, Any]:
        paths = [{"key": "ready", "conditions": conditions}, {"key": "late", "max_time": longest}]
        return drip({"wait": {"type": "wait_until", "paths": paths, "join": "mail"}, "mail": email("Hello")}, "wait")

    await running(sandbox, wait(attribute("plan", "pro"), "P30D"), "team", plan="team")
    await enter(sandbox, "free", plan="free")
    await sandbox.advance("P1D")
    await put(sandbox, wait(attribute("plan", ["pro", "team"], "in"), "P2D"))
    assert await mails(sandbox) == [(START + DAY, "Hello")]
    (team,), (free,) = [await sandbox.journeys(customer=name) for name in ("team", "free")]
    assert (await sandbox.journey(team["id"]))["steps"][0]["path"] == "ready"
    assert standing(free) == ("wait", START, START + 2 * DAY)
    await sandbox.advance("P2D")
    assert await mails(sandbox, to="free@example.com") == [(START + 2 * DAY, "Hello")]


async def test_act_11_an_event_time_edited(begin: Begin):
    workspace = await begin("2026-06-01T12:00")

    def wait(before: str) -> dict[str, Any]:
        due = {"key": "due", "event_time": {"field": "at", "before": before}}
        return drip(
            {"wait": {"type": "wait_until", "paths": [due], "join": "mail"}, "mail": email("{{ event.n }}")}, "wait"
        )

    await workspace.define(wait("P2D"))
    await workspace.start("drip")
    await workspace.identify("7", email="ann@example.com")
    for day in (10, 20):
        await workspace.track("7", "order", {"n": day, "at": f"2026-06-{day}T12:00:00Z"})
    await workspace.advance(to=utc("2026-06-05T12:00"))
    await put(workspace, wait("P7D"))
    assert await mails(workspace) == [(utc("2026-06-05T12:00"), "10")]
    await workspace.advance("P30D")
    assert await mails(workspace) == [(utc("2026-06-05T12:00"), "10"), (utc("2026-06-13T12:00"), "20")]


@pytest.mark.parametrize("sending_state", ["automatic", "draft"])
async def test_cmp_case_38_and_act_case_39_no_second_copy_of_a_message_moved(sandbox: Workspace, sending_state: str):
    message = {**email("M"), "sending_state": sending_state}
    before = {"m": {**message, "next": "pause"}, "pause": delay("P1D", "end"), "end": email("End")}
    after = {"pause": delay("P1D", "m"), "m": {**message, "next": "end"}, "end": email("End")}
    await running(sandbox, drip(before, "m"), "ann")
    await put(sandbox, drip(after))
    await enter(sandbox, "bob")
    await sandbox.advance("P2D")
    once = ["M", "End"] if sending_state == "automatic" else ["End"]
    assert await subjects(sandbox, to="ann@example.com") == once
    assert await subjects(sandbox, to="bob@example.com") == once
    for name in ("ann", "bob"):
        found = await sandbox.get("/v1/messages", customer=name, drafts=sending_state == "draft")
        assert [message["subject"] for message in found["messages"]].count("M") == 1
    (ann,), (bob,) = [await sandbox.journeys(customer=name) for name in ("ann", "bob")]
    assert [step[0] for step in await sandbox.steps(ann["id"])] == ["m", "pause", "end"]
    assert [step[0] for step in await sandbox.steps(bob["id"])] == ["pause", "m", "end"]


async def test_act_38_a_message_removed_below_a_wait(sandbox: Workspace):
    await running(sandbox, drip({"pause": delay("P2D", "a"), "a": email("A", next="b"), "b": email("B")}), "7")
    await sandbox.advance("P1D")
    await put(sandbox, drip({"pause": delay("P2D", "b"), "b": email("B")}))
    assert standing(await only_journey(sandbox)) == ("pause", START, START + 2 * DAY)
    await sandbox.advance("P2D")
    assert await mails(sandbox) == [(START + 2 * DAY, "B")]


async def test_act_38_a_block_renamed_is_the_same_block(sandbox: Workspace):
    before = {"first": email("First", next="pause"), "pause": delay("P2D", "second"), "second": email("Second")}
    await running(sandbox, drip(before, "first"), "7")
    ids = (await sandbox.get("/v1/definitions/campaign/drip"))["status"]["actions"]
    after = {
        "rest": {**delay("P3D", "hello"), "renamed_from": "pause"},
        "hello": {**email("First again"), "renamed_from": "first", "next": "second"},
        "second": email("Second"),
    }
    await put(sandbox, drip(after, "rest"))
    actions = (await sandbox.get("/v1/definitions/campaign/drip"))["status"]["actions"]
    assert actions == {"rest": ids["pause"], "hello": ids["first"], "second": ids["second"]}
    assert standing(await only_journey(sandbox)) == ("rest", START, START + 3 * DAY)
    await sandbox.advance("P5D")
    assert await mails(sandbox) == [(START, "First"), (START + 3 * DAY, "Second")]


async def test_cmp_25_blocks_inserted_before_and_behind_a_position(sandbox: Workspace):
    await running(sandbox, drip(paused("P2D")), "7")
    blocks = {
        "note": {"type": "update_person", "set": {"noted": True}, "next": "pause"},
        "pause": delay("P2D", "ask"),
        "ask": {
            "type": "true_false",
            "conditions": attribute("noted", True),
            "then": "yes",
            "else": "no",
            "join": "mail",
        },
        "yes": email("Yes"),
        "no": email("No"),
        "mail": email("Edited"),
    }
    await put(sandbox, drip(blocks, "note"))
    await sandbox.advance("P3D")
    assert await mails(sandbox) == [(START + 2 * DAY, "No"), (START + 2 * DAY, "Edited")]


async def test_cmp_25_content_edited_is_for_those_who_come(sandbox: Workspace):
    await running(sandbox, drip({"mail": email("Old", next="pause"), "pause": delay("P1D")}, "mail"), "1")
    answer = await put(sandbox, drip({"mail": email("New", next="pause"), "pause": delay("P1D")}, "mail"))
    assert answer["change"]["effects"]["waiting_reevaluated"] == 0
    await enter(sandbox, "2")
    await sandbox.advance("P2D")
    assert sorted(await mails(sandbox)) == [(START, "New"), (START, "Old")]


async def test_cmp_25_everybody_may_get_it_from_now_on(sandbox: Workspace):
    await running(sandbox, drip({"mail": email("A {{ customer.id }}")}, "mail"), "1", unsubscribed=True)
    await put(sandbox, drip({"mail": email("A {{ customer.id }}")}, "mail", subscription="everyone"))
    await enter(sandbox, "2", unsubscribed=True)
    await sandbox.settle()
    assert await subjects(sandbox) == ["A 2"]


async def test_cmp_23_another_event_lets_nobody_out(sandbox: Workspace):
    await running(sandbox, drip(paused("P1D")), "7")
    edited = campaign(
        "drip", on_event("purchase", where={"field": "total", "operator": "gt", "value": 10}), "pause", paused("P1D")
    )
    await put(sandbox, edited)
    await sandbox.track("7", "order")
    await sandbox.track("7", "purchase", {"total": 5})
    await sandbox.track("7", "purchase", {"total": 15})
    await sandbox.settle()
    assert [journey["trigger"]["event"]["name"] for journey in await sandbox.journeys()] == ["order", "purchase"]
    await sandbox.advance("P2D")
    assert len(await mails(sandbox)) == 2


@pytest.mark.parametrize("rule", ["filters", "never"])
async def test_cmp_23_a_filter_edited_is_noticed_at_the_next_action(sandbox: Workspace, rule: str):
    vip, pro = segment("vip", attribute("vip", True)), segment("pro", attribute("plan", "pro"))
    await sandbox.define(vip, pro)
    await running(sandbox, drip(paused("P1D"), filters={"segment": "vip"}, exit=rule), "7", vip=True)
    await put(sandbox, drip(paused("P1D"), filters={"segment": "pro"}, exit=rule))
    assert standing(await only_journey(sandbox)) == ("pause", START, START + DAY)
    await sandbox.advance("P2D")
    journey = await only_journey(sandbox)
    if rule == "filters":
        assert (ended(journey), await mails(sandbox)) == (("exited_early", "filters", START + DAY), [])
    else:
        assert (ended(journey), await mails(sandbox)) == (
            ("finished", "completed", START + DAY),
            [(START + DAY, "Hello")],
        )


@pytest.mark.parametrize("by", ["filters", "trigger"])
async def test_cmp_23_a_segment_redefined_is_noticed_at_the_next_action(sandbox: Workspace, by: str):
    trigger = on_event("order") if by == "filters" else on_match({"segment": "vip"})
    fields = {"filters": {"segment": "vip"}} if by == "filters" else {}
    await sandbox.define(segment("vip", attribute("vip", True)))
    await running(sandbox, campaign("drip", trigger, "pause", paused("P1D"), **fields), "7", vip=True)
    await put(sandbox, segment("vip", attribute("vip", "never")))
    assert standing(await only_journey(sandbox)) == ("pause", START, START + DAY)
    await sandbox.advance("P2D")
    assert ended(await only_journey(sandbox)) == ("exited_early", by, START + DAY)
    assert await mails(sandbox) == []


async def test_cmp_23_a_trigger_edited_takes_in_only_who_comes_to_match(sandbox: Workspace):
    def on_plan(*plans: str) -> dict[str, Any]:
        return campaign(
            "drip", on_match(attribute("plan", list(plans), "in")), "mail", {"mail": email("To {{ customer.id }}")}
        )

    await sandbox.define(on_plan("pro"))
    await sandbox.start("drip")
    await sandbox.identify("bob", email="bob@example.com", plan="team")
    await sandbox.settle()
    await put(sandbox, on_plan("pro", "team"))
    await sandbox.identify("bob", city="Rome")
    await sandbox.identify("cat", email="cat@example.com", plan="team")
    await sandbox.settle()
    assert await subjects(sandbox) == ["To cat"]


async def test_cmp_20_the_type_of_a_running_trigger_is_locked(sandbox: Workspace):
    await running(sandbox, drip(paused("P1D")), "7")
    edited = campaign("drip", on_match(attribute("plan", "pro")), "pause", paused("P1D"))
    answer = await sandbox.call("PUT", "/v1/definitions/campaign/drip", edited, status=409)
    assert [error["code"] for error in answer["errors"]] == ["locked"]
    await sandbox.call("POST", "/v1/campaigns/drip/stop", {"journeys": "exit"})
    await put(sandbox, edited)


async def test_cmp_24_another_frequency_counts_at_once(sandbox: Workspace):
    def with_frequency(**frequency: Any) -> dict[str, Any]:
        return drip({"mail": email("Hello")}, "mail", frequency=frequency)

    await running(sandbox, with_frequency(mode="once"), "7")
    await sandbox.advance("PT1H")
    await sandbox.track("7", "order")
    await put(sandbox, with_frequency(mode="once_per", period="PT2H"))
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "Hello")]
    await put(sandbox, with_frequency(mode="once_per", period="PT1H"))
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "Hello"), (START + HOUR, "Hello")]


async def test_cmp_26_a_first_goal_is_for_those_who_enter_afterwards(sandbox: Workspace):
    blocks = {"mail": email("To {{ customer.id }}", next="pause"), "pause": delay("P7D")}
    await running(sandbox, drip(blocks, "mail"), "early")
    await put(sandbox, drip(blocks, "mail", goal={"event": "purchase"}, exit="goal"))
    await enter(sandbox, "late")
    await sandbox.settle()
    for name in ("early", "late"):
        await sandbox.track(name, "purchase")
    await sandbox.settle()
    (early,), (late,) = [await sandbox.journeys(customer=name) for name in ("early", "late")]
    assert (early["converted_at"], late["converted_at"]) == (None, START)
    assert ended(late) == ("exited_early", "goal", START)
