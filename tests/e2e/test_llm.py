"""A language model in a workflow: what it answers, and what stands in where it does not (ACT-34)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.live import Workspace, campaign, email, on_event
from tests.support.moments import attributes, delay, messages, only_journey, subjects, walked

SCORE = {"name": "score", "type": "integer", "fallback": 50}
REASON = {"name": "reason", "type": "text", "target": "customer"}
MOOD = {"name": "mood", "type": "select", "options": ["good", "bad"], "required": False}
URL = "https://api.anthropic.com/v1/messages"


def ask(prompt: str = "Rate {{ event.text }}", *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    wanted = list(fields or (SCORE, REASON, MOOD))
    return {"type": "llm", "provider": "anthropic", "model": "small", "prompt": prompt, "fields": wanted, **more}


async def running(workspace: Workspace, block: dict[str, Any], **person: Any) -> None:
    blocks = {"ask": {**block, "next": "mail"}, "mail": email("{{ journey.score }} {{ journey.mood | default: '-' }}")}
    await workspace.define(campaign("drip", on_event("order"), "ask", blocks))
    await workspace.start("drip")
    await workspace.identify("7", email="ann@example.com", **person)


async def rules(workspace: Workspace, *given: dict[str, Any]) -> None:
    faults = [{"channel": "webhook", "url": URL, **rule} for rule in given]
    await workspace.call("PUT", "/v1/mailbox/faults", {"faults": faults})


async def order(workspace: Workspace, **data: Any) -> None:
    await workspace.track("7", "order", {"text": "fine", **data})
    await workspace.settle()


async def calls(workspace: Workspace) -> list[dict[str, Any]]:
    return await workspace.mailbox(channel="llm", include="refused")


async def test_act_case_37_three_errors_and_the_fallbacks(sandbox: Workspace):
    await running(sandbox, ask(), reason="old")
    await rules(sandbox, {"outcome": "http_status", "status": 500})
    await order(sandbox)
    assert await subjects(sandbox, channel="email") == ["50 -"]
    assert (await attributes(sandbox, "7"))["reason"] == "old"
    journey = await only_journey(sandbox)
    assert walked(journey) == [("ask", "failed"), ("mail", "done")]
    assert journey["steps"][0]["explanation"] == "No answer after 3 attempts: status 500."
    assert len(await calls(sandbox)) == 3


async def test_act_case_37_success_on_the_third_attempt(sandbox: Workspace):
    await running(sandbox, ask(), reason="old")
    answer = {"score": 80, "reason": "It is fine", "mood": "good"}
    await rules(
        sandbox,
        {"outcome": "timeout", "times": 1},
        {"outcome": "answer", "body": {"score": "much"}, "times": 1},
        {"outcome": "answer", "body": answer},
    )
    await order(sandbox)
    assert await subjects(sandbox, channel="email") == ["80 good"]
    assert (await attributes(sandbox, "7"))["reason"] == "It is fine"
    assert walked(await only_journey(sandbox)) == [("ask", "done"), ("mail", "done")]
    found = await calls(sandbox)
    assert [mail["outcome"] for mail in found] == ["timeout", "accepted", "accepted"]
    assert {mail["rendered"]["fields"]["prompt"] for mail in found} == {"Rate fine"}
    assert (found[0]["to"], found[0]["rendered"]["payload"]["model"]) == ([URL], "small")


async def test_without_a_rule_the_answer_is_empty_and_what_is_not_required_stays(sandbox: Workspace):
    optional = {"name": "mood", "type": "text", "required": False, "target": "customer"}
    await running(sandbox, ask("Hm", optional), mood="old")
    await order(sandbox)
    journey = await only_journey(sandbox)
    assert walked(journey)[0] == ("ask", "done")
    assert (await attributes(sandbox, "7"))["mood"] == "old"
    assert len(await calls(sandbox)) == 1


async def test_a_prompt_that_cannot_be_rendered_asks_nobody(sandbox: Workspace):
    await running(sandbox, ask("Rate {{ event.nothing.here }}"))
    await order(sandbox)
    assert await subjects(sandbox, channel="email") == ["50 -"]
    step = (await only_journey(sandbox))["steps"][0]
    assert step["outcome"] == "failed"
    assert step["explanation"].startswith("The prompt could not be rendered")
    assert await calls(sandbox) == []


@pytest.mark.parametrize("budget", [0, None])
async def test_who_has_used_up_their_tokens_asks_nobody(sandbox: Workspace, budget: int | None):
    await sandbox.define({"kind": "settings", "key": "workspace", "llm_daily_tokens": budget})
    await running(sandbox, ask(provider="fake"))
    await order(sandbox)
    assert len(await calls(sandbox)) == (0 if budget == 0 else 1)
    assert walked(await only_journey(sandbox))[0][1] == ("failed" if budget == 0 else "done")


async def test_a_drafted_question_is_asked_when_it_is_sent(sandbox: Workspace):
    blocks = {
        "ask": ask(sending_state="draft", next="pause"),
        "pause": delay("P1D", "mail"),
        "mail": email("{{ journey.score }}"),
    }
    await sandbox.define(campaign("drip", on_event("order"), "ask", blocks))
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    await rules(sandbox, {"outcome": "answer", "body": {"score": 9, "reason": "So"}})
    await order(sandbox)
    (draft,) = await messages(sandbox, drafts=True)
    assert (draft["type"], await calls(sandbox)) == ("llm", [])
    await sandbox.call("POST", f"/v1/messages/{draft['id']}/send")
    await sandbox.settle()
    assert (await sandbox.get(f"/v1/messages/{draft['id']}"))["message"]["status"] == "sent"
    assert (await attributes(sandbox, "7"))["reason"] == "So"
    await sandbox.advance("P2D")
    assert await subjects(sandbox, channel="email") == ["9"]


async def test_a_deployment_without_the_provider_starts_nothing(sandbox: Workspace, stack, http):
    live = await Workspace.create(stack, http, sandbox=False)
    blocks = {"ask": ask()}
    await live.call("PUT", "/v1/definitions", {"definitions": [campaign("drip", on_event("order"), "ask", blocks)]})
    answer = await live.call("POST", "/v1/campaigns/drip/start", {}, status=422)
    assert [(error["code"], error["pointer"]) for error in answer["errors"]] == [
        ("channel_disabled", "/workflow/blocks/ask/provider")
    ]
