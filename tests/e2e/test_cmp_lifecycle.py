"""Starting, stopping, sending behaviour, and the reports of the sandbox's clock (CMP-20, CMP-21, CMP-27, CMP-30)."""

from __future__ import annotations

from typing import Any

from tests.support.live import START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import (
    attribute,
    attributes,
    delay,
    ended,
    mails,
    messages,
    only_journey,
    segment,
    subjects,
    timeline,
    walked,
)

HOUR = 3_600


async def state(workspace: Workspace, key: str) -> str:
    """The state of a campaign."""
    return (await workspace.get(f"/v1/definitions/campaign/{key}"))["status"]["state"]


async def three_waiting(workspace: Workspace) -> None:
    """A running campaign that has sent three first mails and holds three people before the second."""
    blocks = {"first": email("First", next="pause"), "pause": delay("PT1H", "second"), "second": email("Second")}
    await workspace.define(campaign("drip", on_event("order"), "first", blocks))
    await workspace.start("drip")
    for name in ("1", "2", "3"):
        await workspace.identify(name, email=f"{name}@example.com")
        await workspace.track(name, "order")
    await workspace.settle()


async def test_cmp_case_33_stop_with_exit(sandbox: Workspace):
    await three_waiting(sandbox)
    await sandbox.advance("PT30M")
    answer = await sandbox.call("POST", "/v1/campaigns/drip/stop", {"journeys": "exit"})
    assert (answer["state"], answer["active_journeys"]) == ("stopped", 0)
    await sandbox.track("1", "order")
    await sandbox.advance("P1D")
    journeys = await sandbox.journeys()
    assert [ended(journey) for journey in journeys] == [("exited_early", "stopped", START + 1_800)] * 3
    assert await mails(sandbox) == [(START, "First")] * 3


async def test_cmp_case_33_stop_and_let_finish(sandbox: Workspace):
    await three_waiting(sandbox)
    await sandbox.advance("PT30M")
    answer = await sandbox.call("POST", "/v1/campaigns/drip/stop", {"journeys": "finish"})
    assert (answer["state"], answer["active_journeys"]) == ("stopping", 3)
    await sandbox.track("1", "order")
    await sandbox.settle()
    assert (await state(sandbox, "drip"), len(await sandbox.journeys())) == ("stopping", 3)
    await sandbox.advance("PT30M")
    assert await state(sandbox, "drip") == "stopped"
    assert [ended(journey) for journey in await sandbox.journeys()] == [("finished", "completed", START + HOUR)] * 3
    assert await mails(sandbox) == [(START, "First")] * 3 + [(START + HOUR, "Second")] * 3


async def test_cmp_20_a_second_stop_ends_those_who_remain_and_verbs_fit_states(sandbox: Workspace):
    await three_waiting(sandbox)
    await sandbox.call("POST", "/v1/campaigns/drip/start", {}, status=409)
    await sandbox.call("POST", "/v1/campaigns/drip/stop", {"journeys": "finish"})
    answer = await sandbox.call("POST", "/v1/campaigns/drip/stop", {"journeys": "exit"})
    assert answer["state"] == "stopped"
    await sandbox.settle()
    assert {ended(journey) for journey in await sandbox.journeys()} == {("exited_early", "stopped", START)}
    answer = await sandbox.call("POST", "/v1/campaigns/drip/stop", {"journeys": "exit"}, status=409)
    assert answer["errors"][0]["code"] == "invalid_state"


async def test_cmp_21_people_who_match_already_stay_out_until_they_match_anew(sandbox: Workspace):
    blocks = {"mail": email("Hello {{ customer.id }}")}
    await sandbox.identify("old", email="old@example.com", plan="trial")
    await sandbox.define(campaign("trial", on_match(attribute("plan", "trial")), "mail", blocks))
    await sandbox.start("trial")
    assert await state(sandbox, "trial") == "running"
    await sandbox.identify("old", city="Rome")
    await sandbox.identify("new", email="new@example.com", plan="trial")
    await sandbox.settle()
    assert await subjects(sandbox) == ["Hello new"]
    await sandbox.identify("old", plan="free")
    await sandbox.identify("old", plan="trial")
    await sandbox.settle()
    assert await subjects(sandbox) == ["Hello new", "Hello old"]


async def test_cmp_21_a_draft_lets_nobody_in(sandbox: Workspace):
    blocks = {"mail": email("Hello")}
    await sandbox.define(
        campaign("by-event", on_event("order"), "mail", blocks),
        campaign("by-match", on_match(attribute("plan", "trial")), "mail", blocks),
    )
    await sandbox.identify("7", email="ann@example.com", plan="trial")
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert await sandbox.journeys() == []
    assert [await state(sandbox, key) for key in ("by-event", "by-match")] == ["draft", "draft"]


async def test_cmp_case_39_the_three_sending_behaviours(sandbox: Workspace):
    def blocks(sending_state: str | None) -> dict[str, Any]:
        mail = {"type": "email", "message": {"subject": "Mail {{ event.n }}", "body": "<p>x</p>"}, "next": "note"}
        note = {"type": "update_person", "set": {"seen": {"from": "event.n"}}}
        return {"mail": mail if sending_state is None else {**mail, "sending_state": sending_state}, "note": note}

    async def arrive(n: int, sending_state: str | None) -> dict[str, Any]:
        await sandbox.define(campaign("drip", on_event("order"), "mail", blocks(sending_state)))
        await sandbox.track("7", "order", {"n": n})
        await sandbox.settle()
        assert (await attributes(sandbox, "7"))["seen"] == str(n)
        return await sandbox.journey((await sandbox.journeys())[-1]["id"])

    await sandbox.define(campaign("drip", on_event("order"), "mail", blocks(None)))
    started = await sandbox.call("POST", "/v1/campaigns/drip/start", {})
    assert [warning["code"] for warning in started["problems"]] == ["nothing_sends"]
    await sandbox.identify("7", email="ann@example.com")

    drafted = await arrive(1, None)
    assert walked(drafted) == [("mail", "drafted"), ("note", "done")]
    assert drafted["steps"][0]["draft"] is True
    sent = await arrive(2, "automatic")
    assert walked(sent) == [("mail", "done"), ("note", "done")]
    skipped = await arrive(3, "off")
    assert walked(skipped) == [("mail", "skipped"), ("note", "done")]
    assert skipped["steps"][0]["explanation"] == "The sending behaviour is off."
    assert skipped["steps"][0]["delivery_id"] is None

    assert await mails(sandbox) == [(START, "Mail 2")]
    (draft,) = await messages(sandbox, drafts=True)
    assert (draft["subject"], draft["status"], draft["id"]) == ("Mail 1", "drafted", drafted["steps"][0]["delivery_id"])
    content = (await sandbox.get(f"/v1/messages/{draft['id']}/archived_message"))["archived_message"]
    assert (content["subject"], content["recipient"]) == ("Mail 1", "ann@example.com")


async def test_cmp_27_a_data_block_may_be_drafted_or_off_too(sandbox: Workspace):
    blocks = {
        "drafted": {"type": "update_person", "sending_state": "draft", "set": {"drafted": 1}, "next": "off"},
        "off": {"type": "update_person", "sending_state": "off", "set": {"off": 1}, "next": "done"},
        "done": {"type": "update_person", "set": {"done": 1}},
    }
    await sandbox.define(campaign("data", on_event("order"), "drafted", blocks))
    await sandbox.start("data")
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert walked(await only_journey(sandbox)) == [("drafted", "drafted"), ("off", "skipped"), ("done", "done")]
    assert {"drafted", "off", "done"} & set(await attributes(sandbox, "7")) == {"done"}


async def test_cmp_30_a_manual_end(sandbox: Workspace):
    await three_waiting(sandbox)
    await sandbox.advance("PT10M")
    first, *_ = await sandbox.journeys()
    answer = await sandbox.call("POST", f"/v1/journeys/{first['id']}/end")
    said = "The person was manually removed from the campaign."
    assert ended(answer["journey"]) == ("exited_early", "manual", START + 600)
    assert answer["journey"]["explanation"] == said
    await sandbox.call("POST", f"/v1/journeys/{first['id']}/end", status=409)
    await sandbox.advance("PT1H")
    assert [at for at, subject in await mails(sandbox) if subject == "Second"] == [START + HOUR] * 2
    last = (await timeline(sandbox, "1", "journey"))[-1]
    assert (last["at"], last["name"], last["data"]["explanation"]) == (START + 600, "exited_early", said)


async def test_cmp_30_the_order_of_a_persons_timeline(sandbox: Workspace):
    blocks = {"pause": delay("PT10M", "mail"), "mail": email("Hello")}
    await sandbox.define(
        segment("buyers", {"performed": {"event": "order"}}), campaign("drip", on_event("order"), "pause", blocks)
    )
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order", {"total": 3})
    await sandbox.advance("PT10M")
    found = [(entry["at"] - START, entry["type"], entry["name"]) for entry in await timeline(sandbox, "7")]
    assert found == [
        (0, "activity", "person_created"),
        (0, "activity", "attribute_change"),
        (0, "activity", "order"),
        (0, "segment", "buyers"),
        (0, "journey", "started"),
        (0, "step", "pause"),
        (600, "step", "mail"),
        (600, "delivery", "sent"),
        (600, "delivery", "delivered"),
        (600, "journey", "finished"),
    ]


async def test_contract_9_what_settle_and_advance_report(sandbox: Workspace):
    blocks = {
        "pause": delay("PT1H", "window"),
        "window": {
            "type": "time_window",
            "days": ["thu"],
            "hours": [{"from": "12:00", "to": "13:00"}],
            "timezone": "UTC",
            "next": "hold",
        },
        "hold": {"type": "wait_until", "paths": [{"key": "late", "max_time": "PT30M"}], "join": "mail"},
        "mail": email("Hello", next="draft"),
        "draft": {"type": "email", "message": {"subject": "Draft", "body": "<p>x</p>"}},
    }
    window = {"performed": {"event": "order", "within": "P1D"}}
    await sandbox.define(segment("recent", window), campaign("drip", on_event("order"), "pause", blocks))
    await sandbox.start("drip")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order")
    report = await sandbox.settle()
    assert report.pop("real_ms") >= 0
    # The event may have been applied before the call began: a report counts what happens during it.
    assert set(report.pop("journeys")) == {"started", "finished", "exited_early", "converted"}
    assert set(report.pop("segments")) == {"entered", "left"}
    assert report == {
        "from": START,
        "now": START,
        "settled": True,
        "fired": {},
        "deliveries": {},
        "steps": [],
        "steps_total": 0,
    }
    assert await sandbox.get("/v1/clock") == {
        "now": START,
        "sandbox": True,
        "next_due": {"at": START + HOUR, "kind": "delay"},
    }

    report = await sandbox.advance("P1D")
    assert report.pop("real_ms") >= 0
    assert report == {
        "from": START,
        "now": START + 86_400,
        "settled": True,
        "fired": {"delay": 1, "segment_flip": 1, "wait": 1, "window": 1},
        "journeys": {"started": 0, "finished": 1, "exited_early": 0, "converted": 0},
        "segments": {"entered": 0, "left": 1},
        "deliveries": {"email": {"delivered": 1, "drafted": 1}},
        "steps": [
            {"at": START + HOUR, "fired": {"delay": 1}},
            {"at": START + 2 * HOUR, "fired": {"window": 1}},
            {"at": START + 9_000, "fired": {"wait": 1}},
            {"at": START + 86_400, "fired": {"segment_flip": 1}},
        ],
        "steps_total": 4,
    }
    assert standing_nowhere(await only_journey(sandbox))
    assert (await sandbox.get("/v1/clock"))["next_due"] == {"at": START + 9_000 + 30 * 86_400, "kind": "draft_expiry"}


def standing_nowhere(journey: dict[str, Any]) -> bool:
    """Whether a journey is over and shows no position."""
    return journey["position"] is None and journey["attributes"] == {} and journey["ended_at"] is not None
