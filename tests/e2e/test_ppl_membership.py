"""What comes of a membership: who begins, who goes on, who leaves, and at which instant (PPL-29, PPL-41, PPL-42)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import pytest_asyncio

from clock import system_now
from stack.description import StackDescription
from tests.e2e.conftest import Begin
from tests.support.eventually import eventually
from tests.support.live import DAY, DOMAIN, SENDER, START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import (
    attribute,
    delay,
    ended,
    mails,
    only_journey,
    segment,
    segments,
    standing,
    subjects,
    timeline,
    utc,
    walked,
)

IN, OUT = {"segment": "s"}, {"segment": {"key": "s", "inverse": True}}
MARK = {"type": "update_person", "set": {"marked": True}}
MOST = 60
"""Seconds by which the clock of a workspace on real time may be late; never early."""


def waiting(key: str, condition: Any) -> dict[str, Any]:
    """A campaign in which people wait for a condition."""
    wait = {"type": "wait_until", "paths": [{"key": "met", "conditions": condition, "next": "mail"}]}
    return campaign(key, on_event("begin"), "wait", {"wait": wait, "mail": email(key)})


async def moves(workspace: Workspace, person: str, key: str) -> list[tuple[int, str]]:
    """When somebody entered and left a segment."""
    found = await timeline(workspace, person, "segment")
    return [(entry["at"], entry["data"]["change"]) for entry in found if entry["name"] == key]


async def running(workspace: Workspace, *documents: dict[str, Any]) -> None:
    """These definitions, the campaigns among them started."""
    await workspace.define(*documents)
    for document in documents:
        if document["kind"] == "campaign":
            await workspace.start(document["key"])


async def test_entering_by_the_clock_begins_once_releases_and_meets_goals(sandbox: Workspace) -> None:
    aimed = campaign("aimed", on_event("begin"), "d", {"d": delay("P30D")}, goal={"enters_segment": "s"}, exit="goal")
    await running(
        sandbox,
        segment("s", attribute("due", {"from_now": "P7D"}, "before")),
        campaign("match", on_match(IN), "mail", {"mail": email("match")}),
        waiting("wait-in", IN),
        aimed,
    )
    await sandbox.identify("7", email="ann@example.com", due=START + 10 * DAY)
    await sandbox.track("7", "begin")
    await sandbox.settle()
    assert await mails(sandbox) == []

    await sandbox.advance("P20D")
    entered = START + 3 * DAY + 1
    assert await moves(sandbox, "7", "s") == [(entered, "entered")]
    assert sorted(await mails(sandbox)) == [(entered, "match"), (entered, "wait-in")]
    assert ended(await only_journey(sandbox, campaign="aimed")) == ("exited_early", "goal", entered)
    assert len(await sandbox.journeys(campaign="match")) == 1


async def test_leaving_by_the_clock_ends_by_the_exit_rule_and_releases(sandbox: Workspace) -> None:
    active = {"performed": {"event": "visit", "within": "P7D"}}
    inside = {"d": delay("P30D", "mail"), "mail": email("Too late")}
    await running(
        sandbox,
        segment("s", active),
        campaign("members", on_match(IN), "d", inside),
        campaign("filtered", on_event("begin"), "d", inside, filters=IN),
        campaign("stayers", on_match(IN), "d", inside, exit="never"),
        waiting("wait-out", OUT),
    )
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "visit")
    await sandbox.track("7", "begin")
    await sandbox.advance("P20D")
    left = START + 7 * DAY
    assert await moves(sandbox, "7", "s") == [(START, "entered"), (left, "left")]
    assert ended(await only_journey(sandbox, campaign="members")) == ("exited_early", "trigger", left)
    assert ended(await only_journey(sandbox, campaign="filtered")) == ("exited_early", "filters", left)
    assert standing(await only_journey(sandbox, campaign="stayers"))[0] == "d"
    assert await mails(sandbox) == [(left, "wait-out")]


async def test_ppl_29_a_never_member_passes_a_not_in_at_once_and_waits_for_an_in(sandbox: Workspace) -> None:
    await running(sandbox, segment("s", attribute("plan", "pro")), waiting("wait-in", IN), waiting("wait-out", OUT))
    await sandbox.identify("never", email="never@example.com")
    await sandbox.identify("member", email="member@example.com", plan="pro")
    for person in ("never", "member"):
        await sandbox.track(person, "begin")
    await sandbox.settle()
    told = [(mail["customer_identifiers"]["id"], mail["campaign"]) for mail in await sandbox.mailbox()]
    assert sorted(told) == [("member", "wait-in"), ("never", "wait-out")]
    await sandbox.identify("never", plan="pro")
    await sandbox.identify("member", plan="free")
    await sandbox.settle()
    told = [(mail["customer_identifiers"]["id"], mail["campaign"]) for mail in await sandbox.mailbox()][2:]
    assert sorted(told) == [("member", "wait-out"), ("never", "wait-in")]


async def test_ppl_42_a_match_has_no_time_of_its_own(begin: Begin) -> None:
    workspace = await begin("2023-03-30T09:00")
    now = utc("2023-03-30T09:00")
    lapsed = attribute("last_online", {"ago": "P30D"}, "before")
    await running(
        workspace,
        segment("s", {"performed": {"event": "purchase"}}),
        campaign("lapsed", on_match(lapsed), "mail", {"mail": email("lapsed")}),
        campaign("buyers", on_match(IN), "mail", {"mail": email("buyer")}),
        campaign(
            "newcomers",
            on_match([attribute("created_at", {"ago": "P1D"}, "after"), attribute("plan", "pro")]),
            "mail",
            {"mail": email("newcomer {{ customer.id }}")},
        ),
    )
    await workspace.identify("7", email="ann@example.com", last_online=1669965166, created_at=1669965166, plan="pro")
    await workspace.track("7", "purchase", timestamp=now - 100 * DAY)
    await workspace.identify("8", email="bob@example.com", created_at=now - 3600, plan="pro")
    await workspace.settle()
    assert sorted(await mails(workspace)) == [(now, "buyer"), (now, "lapsed"), (now, "newcomer 8")]
    for key in ("lapsed", "buyers"):
        journey = await only_journey(workspace, campaign=key)
        assert (journey["started_at"], walked(journey)) == (now, [("mail", "done")])


async def test_ppl_41_who_matches_by_an_edit_alone_begins_neither_here_nor_where_it_starts_afterwards(
    sandbox: Workspace,
) -> None:
    letter = {"mail": email("{{ campaign.name }} to {{ customer.id }}")}
    await running(
        sandbox,
        segment("s", attribute("plan", "pro")),
        campaign("before", on_match(IN), "mail", letter, frequency={"mode": "every"}),
    )
    await sandbox.identify("bob", email="bob@example.com", plan="team")
    await sandbox.settle()
    await sandbox.define(segment("s", attribute("plan", ["pro", "team"], "in")))
    await running(sandbox, campaign("after", on_match(IN), "mail", letter, frequency={"mode": "every"}))
    assert await segments(sandbox, "bob") == {"s"}
    assert await mails(sandbox) == []
    await sandbox.identify("bob", city="Rome")
    await sandbox.identify("cat", email="cat@example.com", plan="team")
    await sandbox.settle()
    assert sorted(await subjects(sandbox)) == ["After to cat", "Before to cat"]
    for plan in ("free", "team"):
        await sandbox.identify("bob", plan=plan)
    await sandbox.settle()
    assert sorted(await subjects(sandbox)) == ["After to bob", "After to cat", "Before to bob", "Before to cat"]


@pytest.mark.parametrize(("rule", "stays"), [("filters", False), ("goal_or_filters", False), ("goal", True)])
@pytest.mark.parametrize("trigger", ["segment", "event"])
async def test_ppl_41_an_edit_is_noticed_before_the_next_action_if_the_exit_rule_asks(
    sandbox: Workspace, trigger: str, rule: str, stays: bool
) -> None:
    blocks = {"d": delay("P1D", "mail"), "mail": email("Still in")}
    fields: dict[str, Any] = {"exit": rule, "goal": {"event": "never"}}
    began = on_match(IN) if trigger == "segment" else on_event("begin")
    if trigger == "event":
        fields["filters"] = IN
    await running(
        sandbox,
        segment("s", attribute("plan", ["pro", "team"], "in")),
        campaign("inside", began, "d", blocks, **fields),
    )
    await sandbox.identify("7", email="ann@example.com", plan="team")
    await sandbox.track("7", "begin")
    await sandbox.settle()
    await sandbox.define(segment("s", attribute("plan", "pro")))
    assert await segments(sandbox, "7") == set()
    assert standing(await only_journey(sandbox))[0] == "d"
    await sandbox.track("7", "unrelated")
    await sandbox.settle()
    assert standing(await only_journey(sandbox))[0] == "d"

    await sandbox.advance("P2D")
    at = START + DAY
    assert await mails(sandbox) == ([(at, "Still in")] if stays else [])
    reason = "trigger" if trigger == "segment" else "filters"
    end = ("finished", "completed", at) if stays else ("exited_early", reason, at)
    assert ended(await only_journey(sandbox)) == end


@pytest_asyncio.fixture(loop_scope="session")
async def normal(stack: StackDescription, http: httpx.AsyncClient) -> Workspace:
    """A fresh workspace on real time, whose mail is captured."""
    workspace = await Workspace.create(stack, http, sandbox=False)
    capture = {"kind": "provider", "key": "box", "name": "Box", "channel": "email", "provider": "capture"}
    await workspace.define(SENDER, DOMAIN, capture)
    return workspace


async def test_ppl_41_on_real_time_memberships_begin_and_end_within_a_minute_and_never_early(
    normal: Workspace,
) -> None:
    gone = {"segment": {"key": "fresh", "inverse": True}}
    wait = {"type": "wait_until", "paths": [{"key": "out", "conditions": gone, "next": "mark"}]}
    goal = {"enters_segment": "ripe"}
    await running(
        normal,
        segment("ripe", attribute("at", {"ago": "PT3S"}, "before")),
        segment("fresh", {"performed": {"event": "begin", "within": "PT3S"}}),
        campaign("ripening", on_match({"segment": "ripe"}), "mail", {"mail": email("Ripe")}),
        campaign("staying", on_match({"segment": "fresh"}), "d", {"d": delay("PT1H")}),
        campaign("aimed", on_event("begin"), "d", {"d": delay("PT1H")}, goal=goal, exit="goal"),
        campaign("patient", on_event("begin"), "wait", {"wait": wait, "mark": MARK}),
    )
    now = int(system_now().timestamp())
    await normal.identify("7", email="ann@example.com", at=now)
    await normal.track("7", "begin", timestamp=now)

    async def over() -> bool:
        found = await normal.journeys()
        return len(found) == 4 and all(journey["ended_at"] is not None for journey in found)

    await eventually(over, "every journey is over", MOST)
    await normal.settle()
    for key, change in (("ripe", "entered"), ("fresh", "left")):
        at, word = (await moves(normal, "7", key))[-1]
        assert word == change
        assert now + 3 <= at <= now + 3 + MOST
    ends = {journey["campaign"]: (journey["state"], journey["reason"]) for journey in await normal.journeys()}
    assert ends == {
        "ripening": ("finished", "completed"),
        "staying": ("exited_early", "trigger"),
        "aimed": ("exited_early", "goal"),
        "patient": ("finished", "completed"),
    }
    assert [mail["rendered"]["fields"]["subject"] for mail in await normal.mailbox()] == ["Ripe"]
