"""Edits of who enters a running campaign, and of its goal: for people inside and for those who come (CMP-23, CMP-26)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.test_live_edits import drip, enter, paused, put, running
from tests.support.live import DAY, START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import attribute, delay, ended, mails, messages, only_journey, segment, standing, utc
from tests.support.outside import entity

ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}
PAID = segment("paid", attribute("plan", "paid"))


@pytest.mark.parametrize("rule", ["filters", "goal"])
async def test_cmp_23_another_trigger_is_noticed_at_the_next_action_if_the_exit_rule_has_it(
    sandbox: Workspace, rule: str
):
    def on_plan(plan: str) -> dict[str, Any]:
        fields = {"exit": rule, "goal": {"event": "never"}}
        return campaign("drip", on_match(attribute("plan", plan)), "pause", paused("P1D"), **fields)

    await sandbox.define(on_plan("pro"))
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com", plan="pro")
    await sandbox.settle()
    await put(sandbox, on_plan("team"))
    assert standing(await only_journey(sandbox)) == ("pause", START, START + DAY)
    await sandbox.advance("P2D")
    left = ("exited_early", "trigger", START + DAY) if rule == "filters" else ("finished", "completed", START + DAY)
    assert ended(await only_journey(sandbox)) == left
    assert len(await mails(sandbox)) == (rule == "goal")


async def test_cmp_23_a_filter_edited_counts_for_new_occurrences(sandbox: Workspace):
    await sandbox.define(PAID, segment("vip", attribute("vip", True)))
    await running(sandbox, drip(paused("P1D"), filters={"segment": "vip"}), "ann", vip=True, plan="free")
    await put(sandbox, drip(paused("P1D"), filters={"segment": "paid"}))
    await sandbox.track("ann", "order")
    await enter(sandbox, "bob", vip=False, plan="paid")
    await sandbox.settle()
    assert [len(await sandbox.journeys(customer=name)) for name in ("ann", "bob")] == [1, 1]


async def test_cmp_23_another_date_trigger_is_for_those_who_enter(begin: Begin):
    workspace = await begin("2026-10-01T00:00")

    def on_date(field: str, **more: Any) -> dict[str, Any]:
        trigger = {"type": "date", "field": field, "recurrence": "yearly", "at": "09:00", "timezone": "UTC", **more}
        return campaign("drip", trigger, "pause", paused("P3D", "Hello {{ customer.id }}"))

    await workspace.define(on_date("born"))
    await workspace.start("drip")
    await workspace.identify("ann", email="ann@example.com", born="1990-10-02", hired="2020-10-20")
    await workspace.identify("bob", email="bob@example.com", born="1990-10-25", hired="2020-10-04")
    await workspace.advance(to=utc("2026-10-03T00:00"))
    await put(workspace, on_date("hired", at="10:00"))
    assert standing(await only_journey(workspace)) == ("pause", utc("2026-10-02T09:00"), utc("2026-10-05T09:00"))
    await workspace.advance(to=utc("2026-10-31T00:00"))
    assert await mails(workspace) == [
        (utc("2026-10-05T09:00"), "Hello ann"),
        (utc("2026-10-07T10:00"), "Hello bob"),
        (utc("2026-10-23T10:00"), "Hello ann"),
    ]


async def test_cmp_23_other_conditions_of_an_object_take_a_change_that_fits_them(sandbox: Workspace):
    def on_account(value: str) -> dict[str, Any]:
        where = {"field": "tier", "value": value}
        trigger = {"type": "object", "object_type": "account", "where": where}
        return campaign("drip", trigger, "pause", paused("P1D"))

    await sandbox.define(ACCOUNT, on_account("gold"))
    await sandbox.identify("ann", email="ann@example.com")
    await entity(sandbox, "acme", {"ann": {}}, tier="free")
    await entity(sandbox, "beta", {"ann": {}}, tier="silver")
    await sandbox.settle()
    await sandbox.start("drip")
    await entity(sandbox, "acme", {}, tier="gold")
    await sandbox.settle()
    await put(sandbox, on_account("silver"))
    assert standing(await only_journey(sandbox)) == ("pause", START, START + DAY)
    await entity(sandbox, "beta", {}, size="9")
    await sandbox.settle()
    assert len(await sandbox.journeys()) == 1, "what fits already has to change"
    await entity(sandbox, "acme", {}, tier="silver")
    await sandbox.settle()
    assert len(await sandbox.journeys()) == 2
    await sandbox.advance("P2D")
    assert [ended(journey) for journey in await sandbox.journeys()] == [("finished", "completed", START + DAY)] * 2


async def test_cmp_23_other_conditions_of_a_relationship_take_a_change_that_fits_them(sandbox: Workspace):
    def on_role(role: str) -> dict[str, Any]:
        where = {"field": "role", "value": role}
        trigger = {"type": "relationship", "change": "changed", "object_type": "account", "where": where}
        return campaign("drip", trigger, "pause", paused("P1D"))

    await sandbox.define(ACCOUNT, on_role("admin"))
    await sandbox.start("drip")
    for name in ("ann", "bob"):
        await sandbox.identify(name, email=f"{name}@example.com")
    await entity(sandbox, "acme", {"ann": {"role": "admin"}, "bob": {"role": "member"}})
    await sandbox.settle()
    await put(sandbox, on_role("member"))
    assert standing(await only_journey(sandbox)) == ("pause", START, START + DAY)
    assert await sandbox.journeys(customer="bob") == []
    await entity(sandbox, "acme", {"ann": {"role": "member"}})
    await sandbox.settle()
    assert [len(await sandbox.journeys(customer=name)) for name in ("ann", "bob")] == [2, 0]
    await sandbox.advance("P2D")
    assert {ended(journey) for journey in await sandbox.journeys()} == {("finished", "completed", START + DAY)}


async def test_cmp_23_another_audience_is_asked_from_the_next_trigger_on(sandbox: Workspace):
    def meant(audience: Any) -> dict[str, Any]:
        where = {"field": "tier", "operator": "exists"}
        trigger = {"type": "object", "object_type": "account", "where": where, "audience": audience}
        return campaign("drip", trigger, "pause", paused("P1D"))

    await sandbox.define(ACCOUNT, meant("everyone"))
    for name in ("ann", "bob"):
        await sandbox.identify(name, email=f"{name}@example.com")
    await entity(sandbox, "acme", {"ann": {"role": "admin"}, "bob": {"role": "member"}}, tier="free")
    await sandbox.settle()
    await sandbox.start("drip")
    await entity(sandbox, "acme", {}, tier="gold")
    await sandbox.settle()
    await put(sandbox, meant({"relationship": {"field": "role", "value": "admin"}}))
    assert {standing(journey) for journey in await sandbox.journeys()} == {("pause", START, START + DAY)}
    await entity(sandbox, "acme", {}, tier="silver")
    await sandbox.settle()
    assert [len(await sandbox.journeys(customer=name)) for name in ("ann", "bob")] == [2, 1]
    await sandbox.advance("P2D")
    assert len(await mails(sandbox)) == 3


def aimed(goal: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A mail at once, a pause, another mail; a goal."""
    blocks = {"mail": email("First", next="pause"), "pause": delay("P2D", "more"), "more": email("More")}
    return drip(blocks, "mail", goal=goal, **fields)


async def converted(workspace: Workspace, name: str) -> list[int | None]:
    """When the person's deliveries converted, oldest first."""
    return [message["metrics"].get("converted") for message in await messages(workspace, customer=name)]


async def test_cmp_26_another_goal_converts_from_then_on_and_takes_nothing_back(sandbox: Workspace):
    await running(sandbox, aimed({"event": "purchase"}), "ann", "bob")
    await sandbox.track("ann", "purchase")
    await sandbox.track("bob", "review")
    await sandbox.settle()
    await put(sandbox, aimed({"event": "review"}))
    await sandbox.advance("PT1H")
    assert [await converted(sandbox, name) for name in ("ann", "bob")] == [[START], [None]], "nothing is made up for"
    await sandbox.track("bob", "purchase")
    await sandbox.settle()
    assert await converted(sandbox, "bob") == [None]
    await sandbox.track("bob", "review")
    await sandbox.settle()
    assert await converted(sandbox, "bob") == [START + 3_600]


async def test_cmp_26_who_did_it_before_it_was_the_goal_goes_on(sandbox: Workspace):
    await running(sandbox, aimed({"event": "purchase"}, exit="goal"), "ann", "bob")
    for name in ("ann", "bob"):
        await sandbox.track(name, "review")
    await sandbox.settle()
    await put(sandbox, aimed({"event": "review"}, exit="goal"))
    await sandbox.advance("P1D")
    await sandbox.track("bob", "review")
    await sandbox.advance("P2D")
    (ann,), (bob,) = [await sandbox.journeys(customer=name) for name in ("ann", "bob")]
    assert ended(ann) == ("finished", "completed", START + 2 * DAY)
    assert ended(bob) == ("exited_early", "goal", START + DAY)


@pytest.mark.parametrize("goal", ["enters_segment", "leaves_segment"])
async def test_cmp_26_who_was_there_before_it_was_the_goal_goes_on(sandbox: Workspace, goal: str):
    there, elsewhere = ("paid", "free") if goal == "enters_segment" else ("free", "paid")
    await sandbox.define(PAID)
    await running(sandbox, aimed({"event": "purchase"}, exit="goal"), "ann", plan=there)
    await enter(sandbox, "bob", plan=elsewhere)
    await sandbox.settle()
    await put(sandbox, aimed({goal: "paid"}, exit="goal"))
    await enter(sandbox, "cat", plan=there)
    await sandbox.advance("P1D")
    await sandbox.identify("ann", city="Rome")
    await sandbox.identify("bob", plan=there)
    await sandbox.advance("P2D")
    (ann,), (bob,), (cat,) = [await sandbox.journeys(customer=name) for name in ("ann", "bob", "cat")]
    assert ended(ann) == ("finished", "completed", START + 2 * DAY)
    assert ended(bob) == ("exited_early", "goal", START + DAY)
    assert ended(cat) == ("exited_early", "goal", START), "whoever enters later and is there already leaves at once"


async def test_cmp_26_a_goal_segment_redefined_converts_nobody_by_itself(sandbox: Workspace):
    await sandbox.define(PAID)
    await running(sandbox, aimed({"enters_segment": "paid"}), "ann", plan="gold")
    await put(sandbox, segment("paid", attribute("plan", "gold")))
    await sandbox.identify("ann", city="Rome")
    await sandbox.advance("PT1H")
    assert await converted(sandbox, "ann") == [None]
    await sandbox.identify("ann", plan="free")
    await sandbox.identify("ann", plan="gold")
    await sandbox.settle()
    assert await converted(sandbox, "ann") == [START + 3_600]


async def test_cmp_26_a_wider_window_is_the_same_goal(sandbox: Workspace):
    await running(sandbox, aimed({"event": "purchase"}, exit="never"), "ann")
    await sandbox.track("ann", "purchase")
    await sandbox.settle()
    await put(sandbox, aimed({"event": "purchase", "within": "P9D"}, exit="goal"))
    await sandbox.advance("P3D")
    assert ended(await only_journey(sandbox)) == ("exited_early", "goal", START + 2 * DAY)


async def test_cmp_23_an_event_trigger_with_other_conditions_lets_in_by_the_new_ones(sandbox: Workspace):
    def over(total: int) -> dict[str, Any]:
        where = {"field": "total", "operator": "gt", "value": total}
        return campaign("drip", on_event("order", where=where), "pause", paused("P1D"))

    await sandbox.define(over(10))
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order", {"total": 15})
    await sandbox.settle()
    await put(sandbox, over(20))
    await sandbox.track("7", "order", {"total": 16})
    await sandbox.settle()
    assert len(await sandbox.journeys()) == 1
    await sandbox.track("7", "order", {"total": 21})
    await sandbox.advance("P2D")
    assert [ended(journey) for journey in await sandbox.journeys()] == [("finished", "completed", START + DAY)] * 2
