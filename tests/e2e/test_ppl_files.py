"""Files in and out of the running stack: CSV imports and exports (PPL-45 to PPL-50)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from settings import CHECKOUT
from stack.description import StackDescription
from tests.support.files import table
from tests.support.live import START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import attribute, attributes, messages, segment, segments, subjects

pytestmark = pytest.mark.stack


async def bring(workspace: Workspace, text: str, /, **fields: Any) -> dict[str, Any]:
    """Import a file's text and wait until nothing is left to do."""
    asked = {"name": "test", "type": "people", "identifier": "id", "data": text, **fields}
    made = await workspace.call("POST", "/v1/imports", {"import": asked})
    await workspace.settle()
    return (await workspace.get(f"/v1/imports/{made['import']['id']}"))["import"]


async def report(workspace: Workspace, done: dict[str, Any]) -> list[dict[str, str]]:
    return table((await workspace.request("GET", f"/v1/imports/{done['id']}/errors")).content)


async def exported(workspace: Workspace, kind: str, body: dict[str, Any]) -> bytes:
    made = await workspace.call("POST", f"/v1/exports/{kind}", body)
    await workspace.settle()
    link = (await workspace.get(f"/v1/exports/{made['export']['id']}/download"))["link"]
    answer = await workspace.client.get(httpx.URL(link).raw_path.decode())
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_ppl_case_33_an_event_file_names_people_who_exist(sandbox: Workspace):
    await sandbox.define(
        segment("buyers", {"performed": {"event": "bought", "where": {"field": "item.sku", "value": "A1"}}})
    )
    await sandbox.identify("7")
    await sandbox.settle()
    text = f"_cio_name,_cio_customer_id,_cio_timestamp,item.sku\nbought,7,{START - 60},A1\nbought,8,{START - 60},A1\n"
    done = await bring(sandbox, text, type="event")
    assert (done["state"], done["rows_to_import"], done["rows_imported"], done["rows_failed"]) == ("imported", 2, 1, 1)
    assert [row["_errors"] for row in await report(sandbox, done)] == ["Person does not exist"]
    entries = (await sandbox.get("/v1/customers/7/timeline"))["timeline"]
    (event,) = [entry["data"] for entry in entries if entry["data"].get("type") == "event"]
    assert event["data"] == {"item.sku": "A1"}
    assert await segments(sandbox, "7") == {"buyers"}
    assert (await sandbox.get("/v1/customers", email="8"))["results"] == []


async def test_ppl_case_34_a_people_file_with_topics(sandbox: Workspace):
    key = "cio_subscription_preferences"
    for person in ("1", "2"):
        await sandbox.identify(person, **{key: {"topics": {"topic_1": False, "topic_2": True}}})
    await sandbox.settle()
    await bring(sandbox, f"id,{key}.topics.topic_2\n1,false\n")
    await bring(sandbox, f'id,{key}\n2,"{{""topics"":{{""topic_2"":false}}}}"\n')
    found = [json.loads((await attributes(sandbox, person))[key]) for person in ("1", "2")]
    assert found == [{"topics": {"topic_1": False, "topic_2": False}}, {"topics": {"topic_2": False}}]


async def test_ppl_case_35_a_row_about_a_suppressed_person_is_an_error(sandbox: Workspace):
    await sandbox.identify("7", email="a@x.io", unsubscribed=True)
    path = "/api/v1/customers/7"
    for word, failed in (("suppress", 1), ("unsuppress", 0)):
        answer = await sandbox.client.post(f"{path}/{word}", headers=sandbox.track_auth)
        assert answer.status_code == 200, answer.text
        done = await bring(sandbox, "id,email,plan\n7,a@x.io,pro\n")
        assert (done["rows_failed"], done["rows_imported"]) == (failed, 1 - failed)
    found = await attributes(sandbox, "7")
    assert (found["plan"], "unsubscribed" in found) == ("pro", False)


async def test_each_row_may_begin_a_journey(sandbox: Workspace):
    blocks = {"hello": email("Hi {{ customer.name }}")}
    await sandbox.define(campaign("pro", on_match(attribute("plan", "pro")), "hello", blocks))
    await sandbox.start("pro")
    text = "id,email,name,plan\n" + "".join(f"{n},p{n}@x.io,P{n},{'pro' if n % 2 else 'basic'}\n" for n in range(8))
    done = await bring(sandbox, text)
    assert done["rows_created"] == 8
    assert sorted(await subjects(sandbox)) == ["Hi P1", "Hi P3", "Hi P5", "Hi P7"]


async def test_a_file_is_fetched_where_a_rule_answers(sandbox: Workspace):
    rule = {"channel": "webhook", "outcome": "answer", "url": "https://files.example.com/", "body": "id,plan\n1,pro\n"}
    await sandbox.call("PUT", "/v1/mailbox/faults", {"faults": [rule]})
    asked = {"name": "test", "type": "people", "identifier": "id", "data_file_url": "https://files.example.com/x.csv"}
    made = await sandbox.call("POST", "/v1/imports", {"import": asked})
    await sandbox.settle()
    assert (await sandbox.get(f"/v1/imports/{made['import']['id']}"))["import"]["rows_created"] == 1


async def test_messages_of_a_campaign_are_exported(sandbox: Workspace):
    await sandbox.define(campaign("hello", on_event("signed_up"), "hello", {"hello": email("Hi")}))
    status = await sandbox.start("hello")
    for person in ("1", "2"):
        await sandbox.identify(person, email=f"p{person}@x.io", plan="pro")
        await sandbox.track(person, "signed_up")
    await sandbox.settle()
    asked = {"campaign_id": status["id"], "attributes": ["plan"], "metric": "delivered", "start": START - 1}
    rows = table(await exported(sandbox, "deliveries", asked))
    assert {(row["customer_id"], row["recipient"], row["plan"]) for row in rows} == {
        ("1", "p1@x.io", "pro"),
        ("2", "p2@x.io", "pro"),
    }
    assert {row["id"] for row in rows} == {message["id"] for message in await messages(sandbox)}
    assert {row["delivered"] for row in rows} == {str(START)}
    assert table(await exported(sandbox, "deliveries", {**asked, "metric": "opened"})) == []
    assert table(await exported(sandbox, "deliveries", {"campaign_id": status["id"], "end": START - 1})) == []


async def test_the_command_line_brings_files_in_and_out(stack: StackDescription, sandbox: Workspace, tmp_path: Path):
    (tmp_path / "people.csv").write_text("id,email,plan\n1,a@x.io,pro\n,b@x.io,pro\n3,c@x.io,basic\n")

    async def run(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "cli", *arguments, "--url", stack.api_url, "--key", sandbox.app_key],
            cwd=CHECKOUT,
            env=os.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, printed.decode()

    wrong, people = tmp_path / "wrong.csv", tmp_path / "out.csv"
    status, printed = await run("import", str(tmp_path / "people.csv"), "--name", "First", "--errors", str(wrong))
    assert (status, "3 rows: 2 created, 1 failed." in printed) == (1, True), printed
    (row,) = table(wrong.read_bytes())
    assert (row["email"], row["_errors"]) == ("b@x.io", 'Missing value in the "id" column.')
    status, printed = await run("export", "people", "--attributes", "email,plan", "-o", str(people))
    assert (status, "2 lines in" in printed) == (0, True), printed
    assert [(row["id"], row["plan"]) for row in table(people.read_bytes())] == [("1", "pro"), ("3", "basic")]
    status, printed = await run("tasks", "list", "--json")
    found = json.loads(printed)["tasks"]
    assert [(task["type"], task["state"]) for task in found] == [("export", "succeeded"), ("import", "succeeded")]
    status, printed = await run("tasks", "watch", found[0]["id"])
    assert (status, "succeeded" in printed) == (0, True), printed
    status, printed = await run("tasks", "cancel", found[0]["id"])
    assert (status, "invalid_state" in printed) == (1, True), printed
