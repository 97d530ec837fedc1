"""Edits of delays, branches, messages and calls with people in them: who stands there, who comes, who is past (CMP-25, ACT-38)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.test_live_edits import drip, enter, put, running
from tests.support.live import DAY, START, Workspace, email
from tests.support.moments import attribute, delay, ended, mails, messages, only_journey, standing, subjects, walked


def about(weeks: str, longest: str) -> dict[str, Any]:
    """A randomized delay and a mail."""
    wait = {"type": "random_delay", "min": weeks, "max": longest, "next": "mail"}
    return drip({"wait": wait, "mail": email("To {{ customer.id }}")}, "wait")


async def test_cmp_25_a_randomized_delay_made_shorter(sandbox: Workspace):
    await running(sandbox, about("P9D", "P9D"), "ann")
    await sandbox.advance("P3D")
    await enter(sandbox, "bob")
    await sandbox.advance("P1D")
    await put(sandbox, about("P2D", "P4D"))
    assert await mails(sandbox) == [(START + 4 * DAY, "To ann")], "beyond the new maximum one moves on"
    (bob,) = await sandbox.journeys(customer="bob")
    assert standing(bob) == ("wait", START + 3 * DAY, START + 7 * DAY)
    await enter(sandbox, "cat")
    await sandbox.settle()
    (cat,) = await sandbox.journeys(customer="cat")
    assert START + 6 * DAY <= cat["position"]["due_at"] <= START + 8 * DAY, "new arrivals draw from the new range"


async def test_cmp_25_a_randomized_delay_made_longer_keeps_what_was_drawn(sandbox: Workspace):
    await running(sandbox, about("P2D", "P2D"), "ann")
    await put(sandbox, about("P5D", "P9D"))
    assert standing(await only_journey(sandbox)) == ("wait", START, START + 2 * DAY)
    await enter(sandbox, "bob")
    await sandbox.advance("P4D")
    assert await mails(sandbox) == [(START + 2 * DAY, "To ann")]


def spread(a: int) -> dict[str, Any]:
    """Two paths by chance, each with a day to wait and a mail."""
    draw = {
        "type": "random_cohort",
        "paths": [{"key": "a", "percent": a, "next": "wait-a"}, {"key": "b", "percent": 100 - a, "next": "wait-b"}],
    }
    return drip({"draw": draw, **two_paths()}, "draw")


def two_paths() -> dict[str, Any]:
    """What stands on the paths of a branch."""
    return {
        "wait-a": delay("P1D", "mail-a"),
        "mail-a": email("A to {{ customer.id }}"),
        "wait-b": delay("P1D", "mail-b"),
        "mail-b": email("B to {{ customer.id }}"),
    }


async def test_act_38_other_weights_are_for_those_who_come(sandbox: Workspace):
    await running(sandbox, spread(100), "ann")
    await put(sandbox, spread(0))
    await enter(sandbox, "bob")
    await sandbox.advance("P2D")
    assert sorted(await subjects(sandbox)) == ["A to ann", "B to bob"]


async def test_act_38_other_conditions_of_a_split_are_for_those_who_come(sandbox: Workspace):
    def split(plan: str) -> dict[str, Any]:
        path = {"key": "a", "conditions": attribute("plan", plan), "next": "wait-a"}
        return drip({"split": {"type": "multi_split", "paths": [path], "else": "wait-b"}, **two_paths()}, "split")

    await running(sandbox, split("pro"), "ann", plan="pro")
    await put(sandbox, split("team"))
    for name, plan in (("bob", "pro"), ("cat", "team")):
        await enter(sandbox, name, plan=plan)
    await sandbox.advance("P2D")
    assert sorted(await subjects(sandbox)) == ["A to ann", "A to cat", "B to bob"]


async def test_act_38_other_conditions_of_a_branch_are_for_those_who_come(sandbox: Workspace):
    def branch(plan: str) -> dict[str, Any]:
        ask = {"type": "true_false", "conditions": attribute("plan", plan), "then": "wait-a", "else": "wait-b"}
        return drip({"ask": ask, **two_paths()}, "ask")

    await running(sandbox, branch("pro"), "ann", plan="pro")
    await put(sandbox, branch("team"))
    await enter(sandbox, "bob", plan="pro")
    await sandbox.advance("P2D")
    assert sorted(await subjects(sandbox)) == ["A to ann", "B to bob"]


async def test_act_38_a_branch_moved_takes_along_who_waits_on_its_paths(sandbox: Workspace):
    ask = {"type": "true_false", "conditions": attribute("plan", "pro"), "then": "wait-a", "else": "wait-b"}
    before = {"ask": {**ask, "join": "note"}, **two_paths(), "note": email("Note to {{ customer.id }}")}
    after = {"note": email("Note to {{ customer.id }}", next="ask"), "ask": ask, **two_paths()}
    await running(sandbox, drip(before, "ask"), "ann", plan="pro")
    await put(sandbox, drip(after, "note"))
    assert standing(await only_journey(sandbox)) == ("wait-a", START, START + DAY)
    await sandbox.advance("P2D")
    journey = await only_journey(sandbox)
    assert await mails(sandbox) == [(START + DAY, "A to ann")], "what has come to stand before them is not run"
    assert ended(journey) == ("finished", "completed", START + DAY)


def sending(state: str) -> dict[str, Any]:
    """A mail that is sent so."""
    return drip({"mail": email("To {{ customer.id }}", sending_state=state)}, "mail")


async def test_cmp_27_draft_to_automatic_leaves_the_drafts(sandbox: Workspace):
    await running(sandbox, sending("draft"), "ann")
    await put(sandbox, sending("automatic"))
    await enter(sandbox, "bob")
    await sandbox.settle()
    assert await subjects(sandbox) == ["To bob"]
    assert [draft["subject"] for draft in await messages(sandbox, drafts=True)] == ["To ann"]


@pytest.mark.parametrize(("state", "outcome", "drafts"), [("draft", "drafted", 1), ("off", "skipped", 0)])
async def test_cmp_27_automatic_to_draft_or_off_is_for_those_who_come(
    sandbox: Workspace, state: str, outcome: str, drafts: int
):
    await running(sandbox, sending("automatic"), "ann")
    await put(sandbox, sending(state))
    await enter(sandbox, "bob")
    await sandbox.settle()
    assert await subjects(sandbox) == ["To ann"]
    assert walked(await only_journey(sandbox, customer="bob")) == [("mail", outcome)]
    assert len(await messages(sandbox, drafts=True)) == drafts


async def test_cmp_25_one_message_for_everybody_is_that_message_only(sandbox: Workspace):
    def written(**message: Any) -> dict[str, Any]:
        blocks = {"mail": email("One to {{ customer.id }}", **message, next="more"), "more": email("Two")}
        return drip(blocks, "mail")

    await running(sandbox, written(), "ann", unsubscribed=True)
    await put(sandbox, written(subscription="everyone"))
    await enter(sandbox, "bob", unsubscribed=True)
    await sandbox.settle()
    assert await subjects(sandbox) == ["One to bob"]


async def test_act_17_an_arm_drawn_stays_whatever_the_share_becomes(sandbox: Workspace):
    def tested(percent: int) -> dict[str, Any]:
        arms = {"percent": percent, "message": {"subject": "B", "body": "b"}}
        blocks = {"mail": email("A", ab_test=arms, next="wait"), "wait": delay("P1D", "more"), "more": email("More")}
        return drip(blocks, "mail")

    await running(sandbox, tested(0), "ann")
    await put(sandbox, tested(100))
    await enter(sandbox, "bob")
    await sandbox.advance("P2D")
    for name, variant in (("ann", "a"), ("bob", "b")):
        found = [message["variant"] for message in await messages(sandbox, customer=name)]
        assert found == [variant, None]


def asking(host: str, *, mapped: str = "response.weather", text: str = "It is {{ journey.weather }}") -> dict[str, Any]:
    """A call that is waited for, and what is made of it."""
    call = {
        "type": "webhook",
        "sending_state": "automatic",
        "request": {"url": f"https://{host}/weather"},
        "response": {"journey": {"weather": mapped}},
        "next": "mail",
    }
    return drip({"call": call, "mail": email(text)}, "call")


async def refused_once(workspace: Workspace) -> None:
    """Endpoints fail one call and answer the next."""
    faults = [
        {"channel": "webhook", "outcome": "http_status", "status": 500, "times": 1},
        {"channel": "webhook", "outcome": "answer", "status": 200, "body": {"weather": "rainy", "sky": "grey"}},
    ]
    await workspace.call("PUT", "/v1/mailbox/faults", {"faults": faults})


async def test_act_38_a_call_edited_while_its_answer_is_waited_for(sandbox: Workspace):
    await refused_once(sandbox)
    await running(sandbox, asking("one.example.com"), "ann")
    assert standing(await only_journey(sandbox))[0] == "call"
    await put(sandbox, asking("two.example.com", mapped="response.sky"))
    assert standing(await only_journey(sandbox)) == ("call", START, None)
    await enter(sandbox, "bob")
    await sandbox.advance("PT1M")
    calls = await sandbox.mailbox(channel="webhook", include="refused")
    hosts = [call["rendered"]["payload"]["url"] for call in calls]
    assert sorted(hosts) == ["https://one.example.com/weather"] * 2 + ["https://two.example.com/weather"]
    assert await subjects(sandbox, channel="email") == ["It is grey"] * 2, (
        "what the answer is worth is asked when it is there"
    )
    assert {ended(journey)[:2] for journey in await sandbox.journeys()} == {("finished", "completed")}


async def test_act_38_a_call_removed_while_its_answer_is_waited_for(sandbox: Workspace):
    await refused_once(sandbox)
    await running(sandbox, asking("one.example.com"), "ann")
    await put(sandbox, drip({"mail": email("Hello", next="wait"), "wait": delay("P1D")}, "mail"))
    assert await mails(sandbox, channel="email") == [(START, "Hello")], "who waited for it goes on at once"
    assert standing(await only_journey(sandbox)) == ("wait", START, START + DAY)
    await sandbox.advance("P2D")
    journey = await only_journey(sandbox)
    assert walked(journey) == [("call", "done"), ("mail", "done"), ("wait", "done")]
    assert ended(journey) == ("finished", "completed", START + DAY)
    calls = await sandbox.mailbox(channel="webhook", include="refused")
    assert [call["outcome"] for call in calls] == ["http_status", "accepted"], "the call itself goes on by itself"
