"""One thin slice through every room: a call comes in, an email goes out, and everybody can see why."""

from __future__ import annotations

from tests.support.live import START, Workspace, campaign, email, on_event


async def test_an_event_becomes_an_email_at_the_exact_instant(sandbox: Workspace):
    blocks = {
        "pause": {"type": "time_delay", "duration": "PT10M", "next": "hello"},
        "hello": email("Hi {{ customer.first_name }}", "<p>You chose {{ event.plan }}</p>"),
    }
    await sandbox.define(campaign("welcome", on_event("signed_up"), "pause", blocks))
    await sandbox.start("welcome")
    await sandbox.identify("7", email="ann@example.com", first_name="Ann")
    await sandbox.track("7", "signed_up", {"plan": "pro"})
    await sandbox.settle()
    (journey,) = await sandbox.journeys()
    assert journey["state"] == "in_progress"
    assert journey["position"]["block"] == "pause"
    assert journey["position"]["due_at"] == START + 600
    assert await sandbox.mailbox() == []

    await sandbox.advance("PT10M")
    (mail,) = await sandbox.mailbox()
    assert mail["at"] == START + 600
    assert mail["to"] == ["ann@example.com"]
    whole = await sandbox.journey(journey["id"])
    assert (whole["state"], whole["reason"]) == ("finished", "completed")
    assert [(step["block"], step["outcome"]) for step in whole["steps"]] == [("pause", "done"), ("hello", "done")]
