"""Broadcasts on the whole product: triggered by API, carried by Temporal, read in the mailbox (CHN-15 to CHN-22)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.live import START, Workspace, email

pytestmark = pytest.mark.stack

PEOPLE = {"wiley": "wiley@coyote.com", "road": "road@runner.net", "acme": "support@acme.com"}


async def running(sandbox: Workspace, key: str = "news", **fields: Any) -> int:
    """A broadcast that runs, and three people; returns its id."""
    blocks = {"mail": email("{{ trigger.headline }}", "<p>{{ trigger.voucher_code }}</p>", next="second")}
    blocks["second"] = {"type": "update_person", "set": {"told": {"from": "trigger.headline"}}}
    document = {"kind": "broadcast", "key": key, "name": "News", "recipients": "everyone", **fields}
    await sandbox.define({**document, "workflow": {"start": "mail", "blocks": blocks}})
    for name, address in PEOPLE.items():
        await sandbox.identify(name, email=address)
    await sandbox.settle()
    started = await sandbox.call("POST", f"/v1/broadcasts/{key}/start")
    number: int = started["id"]
    return number


async def test_a_trigger_becomes_a_message_to_everybody(sandbox: Workspace):
    number = await running(sandbox)
    body = {"data": {"headline": "Roadrunner spotted", "voucher_code": "NONE"}}
    assert await sandbox.call("POST", f"/v1/campaigns/{number}/triggers", body) == {"id": 1}
    await sandbox.settle()
    mails = await sandbox.mailbox()
    assert sorted(mail["to"][0] for mail in mails) == sorted(PEOPLE.values())
    assert {mail["rendered"]["fields"]["subject"] for mail in mails} == {"Roadrunner spotted"}
    found = await sandbox.get(f"/v1/campaigns/{number}/triggers/1")
    assert (found["id"], found["state"], found["processed_at"]) == (f"{number}-1", "finished", START)
    assert (found["recipients_count"], found["position"], found["error_count"]) == (3, 3, 0)
    assert sum(found["deliveries"].values()) == 3
    assert await sandbox.get(f"/v1/campaigns/{number}/triggers/1/errors") == {"errors": [], "next": 0}
    person = await sandbox.get("/v1/customers/wiley/attributes")
    assert person["customer"]["attributes"]["told"] == "Roadrunner spotted"


async def test_chn_case_23_data_of_their_own_over_the_data_for_all(sandbox: Workspace):
    await running(sandbox)
    entries = [{"id": "wiley", "data": {"voucher_code": "FESwYm"}}, {"email": "road@runner.net", "data": {}}]
    body = {"data": {"headline": "H", "voucher_code": "NONE"}, "per_user_data": entries}
    await sandbox.call("POST", "/v1/campaigns/news/triggers", body)
    await sandbox.settle()
    said = {mail["to"][0]: mail["rendered"] for mail in await sandbox.mailbox()}
    assert set(said) == {"wiley@coyote.com", "road@runner.net"}
    assert {one["fields"]["subject"] for one in said.values()} == {"H"}
    assert "FESwYm" in said["wiley@coyote.com"]["html"]
    assert "NONE" in said["road@runner.net"]["html"]


async def test_people_that_nobody_knows_are_in_the_report_and_nobody_is_sent_to(sandbox: Workspace):
    await running(sandbox)
    entries = [{"id": "wiley", "data": {}}, {"id": "coyottee", "data": {}}]
    await sandbox.call("POST", "/v1/campaigns/news/triggers", {"per_user_data": entries})
    await sandbox.settle()
    found = await sandbox.get("/v1/campaigns/news/triggers/1")
    assert (found["state"], found["per_user_data_error_count"]) == ("failed", 1)
    (line,) = (await sandbox.get("/v1/campaigns/news/triggers/1/errors"))["errors"]
    assert "the following ids are missing: coyottee" in line
    assert await sandbox.mailbox() == []
    await sandbox.advance("PT10S")
    again = {"per_user_data": entries, "id_ignore_missing": True, "data": {"headline": "H", "voucher_code": "V"}}
    assert await sandbox.call("POST", "/v1/campaigns/news/triggers", again) == {"id": 2}
    await sandbox.settle()
    assert [mail["to"] for mail in await sandbox.mailbox()] == [["wiley@coyote.com"]]


async def test_a_paused_trigger_goes_on_where_it_stood_and_holds_its_place(sandbox: Workspace):
    await running(sandbox, send_rate={"limit": 1, "per": "minute"})
    body = {"data": {"headline": "H", "voucher_code": "V"}}
    await sandbox.call("POST", "/v1/campaigns/news/triggers", body)
    await sandbox.settle()
    begun = len(await sandbox.mailbox())
    assert begun < 3
    await sandbox.call("POST", "/v1/broadcasts/news/triggers/1/pause")
    await sandbox.advance("PT1H")
    assert len(await sandbox.mailbox()) == begun
    await sandbox.call("PUT", "/v1/broadcasts/news/triggers/1/send_rate", {"send_rate": None})
    await sandbox.call("POST", "/v1/broadcasts/news/triggers/1/resume")
    await sandbox.settle()
    mails = await sandbox.mailbox()
    assert sorted(mail["to"][0] for mail in mails) == sorted(PEOPLE.values())
    assert (await sandbox.get("/v1/campaigns/news/triggers/1"))["state"] == "finished"


async def test_a_stop_lets_the_queue_run_and_a_cancel_ends_it(sandbox: Workspace):
    await running(sandbox, send_rate={"limit": 1, "per": "day"})
    body = {"ids": ["wiley", "acme"], "data": {"headline": "H", "voucher_code": "V"}}
    await sandbox.call("POST", "/v1/campaigns/news/triggers", body)
    await sandbox.advance("PT10S")
    await sandbox.call("POST", "/v1/campaigns/news/triggers", {**body, "ids": ["road"]})
    await sandbox.call("POST", "/v1/broadcasts/news/stop")
    await sandbox.settle()
    assert (await sandbox.get("/v1/campaigns/news/triggers/2"))["state"] == "queued", "it waits behind the first"
    before = len(await sandbox.mailbox())
    assert before < 2
    await sandbox.call("POST", "/v1/broadcasts/news/triggers/1/cancel")
    await sandbox.advance("P2D")
    assert [mail["to"] for mail in await sandbox.mailbox()][before:] == [["road@runner.net"]]
    listed = (await sandbox.get("/v1/broadcasts/news/triggers"))["triggers"]
    assert [(one["id"], one["state"]) for one in listed] == [(2, "finished"), (1, "cancelled")]
