"""Recipes about people: anniversaries, double opt-in, roles (CMP-40)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.support.live import DAY, START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import (
    attribute,
    attributes,
    ended,
    mails,
    messages,
    only_journey,
    segment,
    segments,
    subjects,
    utc,
    walked,
)
from tests.support.outside import report
from tests.support.recipes import cooked, recipe

CLICKED = "https://example.com/confirmed?double_optin=true"


async def begun(workspace: Workspace, customer: str, **which: Any) -> list[int]:
    """When somebody's journeys began, oldest first."""
    return [journey["started_at"] for journey in await workspace.journeys(customer=customer, **which)]


async def test_cmp_40_anniversary_every_year_at_midnight_of_each_zone(begin: Begin):
    workspace = await begin("2026-12-05T11:00")
    await cooked(workspace, "anniversary")
    for name, zone in (("york", {"timezone": "America/New_York"}), ("rome", {"timezone": "Europe/Rome"}), ("none", {})):
        await workspace.identify(name, email=f"{name}@example.com", anniversary_date=1_481_067_323, **zone)
    await workspace.advance("P2D")
    (journey,) = await workspace.journeys(customer="york")
    assert journey["trigger"]["date"]["day"] == "2026-12-06"
    assert ended(journey) == ("finished", "completed", utc("2026-12-06T14:00"))
    await workspace.advance("P365D")
    # December 6 whatever the zone makes of its evening; the window opens at nine in the same zone.
    for name, midnight in (("york", "06T05:00"), ("rome", "05T23:00"), ("none", "06T00:00")):
        instants = [utc(f"{year}-12-{midnight}") for year in (2026, 2027)]
        assert await begun(workspace, name) == instants
        assert [at for at, _ in await mails(workspace, to=f"{name}@example.com")] == [at + 32_400 for at in instants]
    mail = (await workspace.mailbox(to="york@example.com"))[0]
    assert "staying with us since December 2016" in mail["rendered"]["html"]


async def test_cmp_40_anniversary_of_somebody_who_signs_up_on_the_day(begin: Begin):
    workspace = await begin("2026-12-06T11:00")
    [sender, document] = recipe("anniversary")
    at_noon = {**document, "key": "noon", "trigger": {**document["trigger"], "at": "12:00"}}
    await workspace.define(sender, document, at_noon)
    for key in ("anniversary", "noon"):
        await workspace.start(key)
    await workspace.identify("7", email="ann@example.com", anniversary_date="2026-12-06", timezone="UTC")
    await workspace.advance("P2D")
    assert await begun(workspace, "7", campaign="noon") == [utc("2026-12-06T12:00")]
    assert await begun(workspace, "7", campaign="anniversary") == []
    assert await mails(workspace) == [(utc("2026-12-07T09:00"), "Another year together")]
    await workspace.advance("P365D")
    assert await begun(workspace, "7", campaign="anniversary") == [utc("2027-12-06T00:00")]
    assert len(await begun(workspace, "7", campaign="noon")) == 2


async def test_cmp_40_anniversary_of_nought_is_new_years_day(begin: Begin):
    workspace = await begin("2026-12-30T00:00")
    await cooked(workspace, "anniversary")
    await workspace.identify("7", email="ann@example.com", anniversary_date=0, timezone="America/New_York")
    await workspace.advance("P370D")
    assert await begun(workspace, "7") == [utc("2027-01-01T05:00"), utc("2028-01-01T05:00")]


async def asked(workspace: Workspace, *people: str) -> dict[str, str]:
    """The ids of the letters that ask each of these people for a click."""
    await cooked(workspace, "double-opt-in")
    for name in people:
        await workspace.identify(name, email=f"{name}@example.com")
    await workspace.settle()
    return {message["customer_identifiers"]["id"]: message["id"] for message in await messages(workspace)}


async def test_cmp_40_double_opt_in_by_the_click_and_by_the_silence(sandbox: Workspace):
    await sandbox.identify("old", email="old@example.com", double_optin=False)
    letters = await asked(sandbox, "ann", "bob")
    assert set(letters) == {"ann", "bob"}
    (mail,) = await sandbox.mailbox(to="ann@example.com")
    assert f'href="{CLICKED}"' in mail["rendered"]["html"]
    await sandbox.advance("P1D")
    await report(sandbox, letters["bob"], "clicked", href="https://example.com/imprint")
    await report(sandbox, letters["bob"], "clicked", href=CLICKED, machine=True)
    await report(sandbox, letters["ann"], "clicked", href=CLICKED)
    assert (await attributes(sandbox, "ann"))["double_optin"] == "true"
    assert "double_optin" not in await attributes(sandbox, "bob")
    await sandbox.advance("P7D")
    assert (await attributes(sandbox, "bob"))["double_optin"] == "false"
    (ann,), (bob,) = [await sandbox.journeys(customer=name) for name in ("ann", "bob")]
    # The answer makes the trigger false, and ends nobody early.
    assert ended(ann) == ("finished", "completed", START + DAY)
    assert ended(bob) == ("finished", "completed", START + 7 * DAY)
    assert await sandbox.steps(ann["id"]) == [("confirm", "done"), ("answer", "branched"), ("opt-in", "done")]
    assert await sandbox.steps(bob["id"]) == [("confirm", "done"), ("answer", "branched"), ("opt-out", "done")]
    assert [await segments(sandbox, name) for name in ("ann", "bob", "old")] == [
        {"confirmed-address", "opted-in"},
        set(),
        set(),
    ]


async def test_cmp_40_double_opt_in_keeps_back_only_what_asks_for_it(sandbox: Workspace):
    letters = await asked(sandbox, "ann", "bob")
    await report(sandbox, letters["ann"], "clicked", href=CLICKED)
    await sandbox.advance("P7D")
    await sandbox.define(
        campaign("to-all", on_event("news"), "mail", {"mail": email("To all")}),
        campaign("to-some", on_event("news"), "mail", {"mail": email("To some")}, filters={"segment": "opted-in"}),
    )
    await sandbox.start("to-all")
    await sandbox.start("to-some")
    for name in ("ann", "bob"):
        await sandbox.track(name, "news")
    await sandbox.settle()
    assert sorted((await subjects(sandbox, to="ann@example.com"))[1:]) == ["To all", "To some"]
    assert (await subjects(sandbox, to="bob@example.com"))[1:] == ["To all"]


@pytest.mark.parametrize(("rule", "last"), [("filters", None), ("never", "Farewell")])
async def test_cmp_40_double_opt_in_writes_last_or_never_ends_early(sandbox: Workspace, rule: str, last: str | None):
    *others, document = recipe("double-opt-in")
    blocks = {**document["workflow"]["blocks"], "farewell": email("Farewell", subscription="everyone")}
    blocks["opt-out"] = {**blocks["opt-out"], "next": "farewell"}
    flow = {**document["workflow"], "blocks": blocks}
    await sandbox.define(*others, {**document, "exit": rule, "workflow": flow})
    await sandbox.start("double-opt-in")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.advance("P8D")
    assert (await attributes(sandbox, "7"))["double_optin"] == "false"
    journey = await only_journey(sandbox)
    assert (await subjects(sandbox))[1:] == ([] if last is None else [last])
    assert ended(journey) == (
        ("exited_early", "trigger", START + 7 * DAY) if last is None else ("finished", "completed", START + 7 * DAY)
    )
    assert walked(journey)[2:] == [("opt-out", "done")] + ([] if last is None else [("farewell", "done")])


async def test_cmp_40_roles_as_an_attribute(sandbox: Workspace):
    leads = segment("leads", attribute("role", ["admin", "owner"], "in"))
    blocks = {"mail": email("For everybody who leads: {{ customer.role }}")}
    await sandbox.define(leads, campaign("leading", on_match({"segment": "leads"}), "mail", blocks))
    await sandbox.start("leading")
    for name, role in (("1", "admin"), ("2", "Owner"), ("3", "viewer"), ("4", "administrator")):
        await sandbox.identify(name, email=f"{name}@example.com", role=role)
    await sandbox.settle()
    assert sorted(await subjects(sandbox)) == ["For everybody who leads: Owner", "For everybody who leads: admin"]
    await sandbox.identify("3", role="owner")
    await sandbox.identify("1", role="viewer")
    await sandbox.settle()
    assert await subjects(sandbox, to="3@example.com") == ["For everybody who leads: owner"]
    assert [await segments(sandbox, name) for name in ("1", "2", "3", "4")] == [set(), {"leads"}, {"leads"}, set()]
