"""Merging and erasing on the whole product: journeys go on as the primary's, and of the erased no string is left."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import asyncpg
from temporalio.client import Client

from settings import Settings
from stack.description import StackDescription
from tests.support.live import DAY, START, Workspace, campaign, email, on_event
from tests.support.moments import activities, attributes, delay, mails, members, only_journey, segment
from tests.support.searching import tables_with

BUYERS = segment("buyers", {"performed": {"event": "purchase"}})


async def post(workspace: Workspace, path: str, body: Any = None) -> None:
    """One Track call that is accepted."""
    answer = await workspace.client.post(path, json=body or {}, headers=workspace.track_auth)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text


async def merge(workspace: Workspace, primary: str, secondary: str) -> None:
    body = {"primary": {"id": primary}, "secondary": {"id": secondary}}
    await post(workspace, "/api/v1/merge_customers", body)


def walking(key: str, event: str) -> dict[str, Any]:
    """A campaign that waits ten days and then writes."""
    blocks = {"pause": delay("P10D", "hello"), "hello": email("Hello {{ customer.first_name }}")}
    return campaign(key, on_event(event), "pause", blocks)


async def test_ppl_case_06_a_journey_goes_on_as_the_primarys_with_its_remaining_wait(sandbox: Workspace):
    await sandbox.define(walking("c", "in_c"), walking("d", "in_d"))
    for key in ("c", "d"):
        await sandbox.start(key)
    await sandbox.identify("1", email="one@x.io", first_name="Ann")
    await sandbox.identify("2", first_name="Bob")
    await sandbox.track("1", "in_c")
    await sandbox.settle()
    await sandbox.advance("P3D")
    await sandbox.track("2", "in_c")
    await sandbox.track("2", "in_d")
    await sandbox.settle()
    await sandbox.advance("P1D")
    await merge(sandbox, "1", "2")
    await sandbox.settle()
    ended = await only_journey(sandbox, campaign="c", state="exited_early")
    assert (ended["reason"], ended["ended_at"]) == ("merged", START + 4 * DAY)
    await sandbox.advance("P20D")
    assert await mails(sandbox) == [(START + 10 * DAY, "Hello Ann"), (START + 13 * DAY, "Hello Ann")]
    assert {journey["customer_identifiers"]["id"] for journey in await sandbox.journeys()} == {"1"}


async def test_ppl_case_07_a_merge_counts_events_and_starts_nothing_by_them(sandbox: Workspace):
    await sandbox.define(BUYERS, walking("thanks", "purchase"))
    await sandbox.identify("1", email="one@x.io")
    await sandbox.track("2", "purchase")
    await sandbox.settle()
    await sandbox.start("thanks")
    await merge(sandbox, "1", "2")
    await sandbox.settle()
    assert await members(sandbox, "buyers", ["1"]) == ["1"]
    assert await sandbox.journeys() == []
    (line,) = await activities(sandbox, "1", "profile_merge")
    assert line["source"] == "api"


async def test_an_event_of_the_other_releases_a_wait_of_the_primary(sandbox: Workspace):
    blocks = {
        "wait": {
            "type": "wait_until",
            "paths": [
                {"key": "bought", "conditions": {"performed": {"event": "purchase"}}, "next": "thanks"},
                {"key": "late", "max_time": "P30D"},
            ],
        },
        "thanks": email("Thanks"),
    }
    await sandbox.define(campaign("cart", on_event("cart"), "wait", blocks))
    await sandbox.start("cart")
    await sandbox.identify("1", email="one@x.io")
    await sandbox.track("1", "cart")
    await sandbox.track("2", "purchase")
    await sandbox.settle()
    await merge(sandbox, "1", "2")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "Thanks")]


async def test_a_deleted_person_ends_everything_and_may_come_back_as_somebody_new(sandbox: Workspace):
    await sandbox.define(walking("c", "in_c"))
    await sandbox.start("c")
    await sandbox.identify("1", email="one@x.io", first_name="Ann")
    await sandbox.track("1", "in_c")
    await sandbox.settle()
    answer = await sandbox.client.delete("/api/v1/customers/1", headers=sandbox.track_auth)
    assert (answer.status_code, answer.json()) == (200, {})
    await sandbox.identify("1", email="one@x.io", first_name="New")
    await sandbox.track("1", "in_c")
    await sandbox.settle()
    await sandbox.advance("P10D")
    assert await mails(sandbox) == [(START + 10 * DAY, "Hello New")]
    journeys = await sandbox.journeys()
    assert [(journey["state"], journey["reason"]) for journey in journeys] == [
        ("exited_early", "person_deleted"),
        ("finished", "completed"),
    ]
    assert (await attributes(sandbox, "1"))["first_name"] == "New"


async def test_of_an_erased_person_no_string_is_left_in_the_database_or_in_temporal(
    stack: StackDescription, sandbox: Workspace
):
    blocks = {
        "hello": email("Dear {{ customer.first_name }} in {{ customer.city }}", next="pause"),
        "pause": delay("P10D"),
    }
    await sandbox.define(BUYERS, campaign("c", on_event("purchase"), "hello", blocks))
    await sandbox.start("c")
    await sandbox.identify(
        "xanthippe-77",
        email="xanthippe@erased.example",
        first_name="Xanthippe",
        city="Xanthopolis",
        anonymous_id="anon-xanthippe",
    )
    await sandbox.track("xanthippe-77", "purchase", {"note": "xanthippe wants a mirror"}, id="xanthippe-event")
    await sandbox.identify("xanthippe-old", nick="xanthi")
    await merge(sandbox, "xanthippe-77", "xanthippe-old")
    device = {"device": {"id": "token-xanthippe", "platform": "ios", "attributes": {"owner": "xanthippe"}}}
    path = "/api/v1/customers/xanthippe-77"
    answer = await sandbox.client.put(f"{path}/devices", json=device, headers=sandbox.track_auth)
    assert answer.status_code == 200, answer.text
    await sandbox.identify(
        "xanthippe-77",
        cio_relationships=[
            {
                "identifiers": {"object_type_id": "1", "object_id": "acme"},
                "relationship_attributes": {"role": "xanthippe is the boss"},
            }
        ],
    )
    refused = await sandbox.client.post(
        f"{path}/events", json={"name": "", "data": {"x": "xanthippe"}}, headers=sandbox.track_auth
    )
    assert refused.status_code == 400
    await sandbox.settle()
    assert [subject for _, subject in await mails(sandbox)] == ["Dear Xanthippe in Xanthopolis"]
    assert await found_in_database(stack, "anthippe")
    await post(sandbox, f"{path}/suppress")
    await sandbox.settle()
    await sandbox.advance("P30D")
    for text in ("anthippe", "anthopolis", "xanthi", "erased.example"):
        assert await found_in_database(stack, text) == []
        assert await found_in_temporal(stack, text) == []
    (message,) = (await sandbox.get("/v1/messages"))["messages"]
    assert (message["recipient"], message["customer_id"], "sent" in message["metrics"]) == ("", None, True)
    (journey,) = await sandbox.journeys()
    assert (journey["state"], journey["reason"], journey["customer_identifiers"]) == (
        "exited_early",
        "person_deleted",
        None,
    )


async def found_in_database(stack: StackDescription, text: str) -> list[str]:
    """The tables in which a text stands, bytes included."""
    conn = await asyncpg.connect(stack.database_url)
    try:
        return await tables_with(conn, text)
    finally:
        await conn.close()


async def found_in_temporal(stack: StackDescription, text: str) -> list[str]:
    """The workflows in whose history or description a text stands."""
    client = await Client.connect(stack.temporal_address, namespace=Settings().temporal_namespace)
    found = []
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        history = json.dumps((await handle.fetch_history()).to_json_dict())
        description = str((await handle.describe()).raw_description)
        if text in history or text in description or quote(text) in history:
            found.append(execution.id)
    return found
