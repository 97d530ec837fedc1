"""A workspace on real time: timers of Temporal, mail over real SMTP, and what only a sandbox may do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import pytest_asyncio

from clock import system_now
from stack.description import StackDescription
from tests.support.eventually import eventually
from tests.support.live import DOMAIN, SENDER, Workspace, campaign, email, on_event
from tests.support.moments import attribute, delay, messages, only_journey, segment, segments, walked

LATE = 20
"""Seconds by which a busy machine may be late; nothing is ever early."""


def sink(stack: StackDescription) -> dict[str, Any]:
    """The way out: real SMTP to the stack's sink."""
    config = {"host": stack.smtp.host, "port": stack.smtp.port, "require_tls": True}
    return {"kind": "provider", "key": "sink", "name": "Sink", "channel": "email", "provider": "smtp", "config": config}


@pytest_asyncio.fixture(loop_scope="session")
async def normal(stack: StackDescription, http: httpx.AsyncClient) -> Workspace:
    """A fresh workspace on real time with a default sender and the sink as its way out."""
    workspace = await Workspace.create(stack, http, sandbox=False)
    await workspace.define(DOMAIN, SENDER, sink(stack))
    return workspace


async def running(workspace: Workspace, start: str, blocks: dict[str, Any], **fields: Any) -> None:
    """A campaign on an order, running, and somebody who places one."""
    await workspace.define(campaign("drip", on_event("order"), start, blocks, **fields))
    await workspace.start("drip")
    await workspace.identify("7", email="ann@example.com", first_name="Ann")
    await workspace.track("7", "order", {"total": 3})


async def over(workspace: Workspace) -> dict[str, Any]:
    """The one journey, once it has ended."""

    async def look() -> dict[str, Any] | None:
        ended = [journey for journey in await workspace.journeys() if journey["ended_at"] is not None]
        return await only_journey(workspace) if ended else None

    found = await eventually(look, "the journey ends", 60)
    assert found is not None
    return found


async def arrived(workspace: Workspace, mails: int) -> list[dict[str, Any]]:
    """What the sink has received, once it is so many mails."""

    async def look() -> list[dict[str, Any]]:
        found = await workspace.mailbox()
        return found if len(found) >= mails else []

    return await eventually(look, f"{mails} mails arrive", 60)


def in_time(at: int, due: int) -> bool:
    """Whether something happened when it was due, or a little later."""
    return due <= at <= due + LATE


async def test_a_mail_over_smtp_after_a_real_delay(normal: Workspace):
    body = "<p>You spent {{ event.total }}, Grüße</p>{% unsubscribe %}"
    await running(
        normal, "pause", {"pause": delay("PT2S", "mail"), "mail": email("Hi {{ customer.first_name }} ✓", body)}
    )
    journey = await over(normal)
    assert (journey["state"], journey["reason"]) == ("finished", "completed")
    pause, mail = journey["steps"]
    assert walked(journey) == [("pause", "done"), ("mail", "done")]
    assert pause["delay_ends_at"] == pause["created_at"] + 2
    assert in_time(pause["left_at"], pause["delay_ends_at"])

    (received,) = await arrived(normal, 1)
    assert received["delivery_id"] == mail["delivery_id"]
    assert (received["to"], received["from"]) == (["ann@example.com"], "Team <team@example.com>")
    assert received["rendered"]["fields"]["subject"] == "Hi Ann ✓"
    assert "You spent 3, Grüße" in received["rendered"]["html"]
    assert "You spent 3, Grüße" in received["rendered"]["text"]
    assert in_time(received["at"], pause["delay_ends_at"])
    assert (received["campaign"], received["block"], received["customer_identifiers"]["id"]) == ("drip", "mail", "7")
    (message,) = await messages(normal)
    assert (message["status"], message["ambiguous"], message["subject"]) == ("sent", False, "Hi Ann ✓")
    (attempt,) = (await normal.get(f"/v1/messages/{message['id']}/attempts"))["attempts"]
    assert (attempt["outcome"], attempt["provider"], attempt["status"]) == ("accepted", "sink", "250")


async def test_a_fact_wakes_a_wait_at_once_and_the_longest_wait_ends_by_itself(normal: Workspace):
    def hold(longest: str, following: str) -> dict[str, Any]:
        paths = [
            {"key": "bought", "conditions": {"performed": {"event": "purchase", "since": "wait_start"}}},
            {"key": "late", "max_time": longest},
        ]
        return {"type": "wait_until", "paths": paths, "join": following}

    await running(
        normal, "first", {"first": hold("PT1H", "second"), "second": hold("PT1S", "mail"), "mail": email("Done")}
    )
    await normal.settle()
    assert (await only_journey(normal))["position"]["block"] == "first"
    await normal.track("7", "purchase")
    journey = await over(normal)
    first, second, _ = journey["steps"]
    assert [(step["path"], step["branch_index"]) for step in (first, second)] == [("bought", 0), ("late", 1)]
    assert in_time(first["left_at"], first["created_at"])
    assert in_time(second["left_at"], second["created_at"] + 1)
    assert len(await arrived(normal, 1)) == 1


async def test_settle_does_not_count_timers_of_the_future(normal: Workspace):
    await running(normal, "pause", {"pause": delay("PT1H", "mail"), "mail": email("Later")})
    before = int(system_now().timestamp())
    report = await normal.settle()
    assert (report["settled"], report["steps"], report["fired"]) == (True, [], {})
    assert report["now"] >= before
    assert "deliveries" not in report
    journey = await only_journey(normal)
    assert (journey["state"], journey["position"]["due_at"] - journey["position"]["arrived_at"]) == (
        "in_progress",
        3600,
    )


async def test_a_shorter_delay_lets_go_at_once(normal: Workspace):
    await running(normal, "pause", {"pause": delay("PT1H", "mail"), "mail": email("Edited")})
    await normal.settle()
    await normal.define(
        campaign("drip", on_event("order"), "pause", {"pause": delay("PT1S", "mail"), "mail": email("Edited")})
    )
    journey = await over(normal)
    assert walked(journey) == [("pause", "done"), ("mail", "done")]
    assert journey["ended_at"] < journey["started_at"] + 60
    assert len(await arrived(normal, 1)) == 1


async def test_a_goal_ends_a_journey_in_a_delay(normal: Workspace):
    blocks = {"mail": email("First", next="pause"), "pause": delay("PT1H", "more"), "more": email("More")}
    await running(normal, "mail", blocks, goal={"event": "purchase"}, exit="goal")
    await arrived(normal, 1)
    await normal.settle()
    await normal.track("7", "purchase")
    journey = await over(normal)
    assert (journey["state"], journey["reason"]) == ("exited_early", "goal")
    assert journey["converted_at"] == journey["ended_at"]
    assert len(await normal.mailbox()) == 1


async def test_a_membership_flips_by_the_clock(normal: Workspace):
    await normal.define(segment("fresh", attribute("at", {"ago": "PT3S"}, "after")))
    now = int(system_now().timestamp())
    await normal.identify("7", at=now)
    await normal.settle()

    async def left() -> bool:
        return not await segments(normal, "7")

    await eventually(left, "the membership ends", 60)
    moves = (await normal.get("/v1/customers/7/timeline", types="segment"))["timeline"][::-1]
    assert [move["data"]["change"] for move in moves] == ["entered", "left"]
    assert in_time(moves[1]["at"], now + 3)


async def test_a_server_that_is_not_there_is_tried_again_and_holds_nobody(normal: Workspace, stack: StackDescription):
    gone = sink(stack)
    gone["config"] = {**gone["config"], "port": 2}
    await normal.define(gone)
    await running(
        normal, "mail", {"mail": email("Hello", next="note"), "note": {"type": "update_person", "set": {"x": 1}}}
    )
    journey = await over(normal)
    assert walked(journey) == [("mail", "done"), ("note", "done")]
    (message,) = await messages(normal)
    assert message["status"] == "attempted"
    assert message["held_until"] > message["created"]
    (attempt, *_) = (await normal.get(f"/v1/messages/{message['id']}/attempts"))["attempts"]
    assert attempt["outcome"] == "retry"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/clock", {"now": 1_767_261_600}),
        ("POST", "/v1/clock/advance", {"by": "PT1H"}),
        ("PUT", "/v1/mailbox/faults", {"faults": [{"channel": "email", "outcome": "timeout"}]}),
    ],
)
async def test_what_only_a_sandbox_may_do(normal: Workspace, method: str, path: str, body: Any):
    answer = await normal.call(method, path, body, status=409)
    assert [error["code"] for error in answer["errors"]] == ["not_sandbox"]


async def test_without_a_way_out_no_campaign_starts(stack: StackDescription, http: httpx.AsyncClient):
    workspace = await Workspace.create(stack, http, sandbox=False)
    await workspace.define(DOMAIN, SENDER, campaign("drip", on_event("order"), "mail", {"mail": email("Hello")}))
    answer = await workspace.call("POST", "/v1/campaigns/drip/start", {}, status=422)
    assert [(error["code"], error["stage"]) for error in answer["errors"]] == [("channel_disabled", "start")]
    await workspace.define(sink(stack))
    await workspace.start("drip")
