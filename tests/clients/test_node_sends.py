"""`customerio-node`, unmodified, in two versions, over https: sends, what it says of refusals, retries, and its reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from stack.description import StackDescription
from tests.clients.driving import Driven, drive
from tests.clients.packages import HERE, NODE
from tests.clients.place import Place
from tests.support.front import Front, Hiccup, front_of
from tests.support.live import START
from tests.support.moments import attributes, messages, person
from tests.support.templates import CODES, all_templates, became, captured, number_of

OLD, NEW = "customerio-node", "customerio-node-5"
"""4.x, which gives up at once, and 5.x, which repeats calls."""
FRONTED = {
    "limited": [Hiccup(429, {"Retry-After": "1"})],
    "away": [Hiccup(503), Hiccup(500)],
}
KEYED = [Hiccup(503, lost=True)]


@dataclass(frozen=True)
class Run:
    """One version's calls, and what a front before the API saw of those that went through it."""

    client: str
    driven: Driven
    front: Front
    place: Place

    async def became(self, step: str) -> dict[str, Any]:
        """The delivery of a step."""
        return await became(self.place.workspace, self.driven.answer(step))

    async def captured(self, step: str) -> dict[str, Any]:
        """What the mailbox has of a step."""
        return await captured(self.place.workspace, self.driven.answer(step))


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=[OLD, NEW])
async def run(
    request: pytest.FixtureRequest,
    stack: StackDescription,
    http: httpx.AsyncClient,
    node_clients: Path,
    client_environment: dict[str, str],
) -> Run:
    """All calls of one version, made by one process in a workspace of its own."""
    place = await Place.make(stack, http)
    workspace = place.workspace
    await workspace.define(*all_templates())
    numbers = {"receipt": await number_of(workspace, "receipt")}
    numbers |= {channel: await number_of(workspace, f"code-{channel}") for channel in CODES}
    async with front_of(stack) as front:
        repeats = request.param == NEW
        for hiccups in (*FRONTED.values(), KEYED):
            front.hiccups += [*hiccups, None] if repeats else hiccups[:1]
        given = place.told(
            packages=str(node_clients),
            client=request.param,
            start=START,
            templates=numbers,
            fronted=list(FRONTED),
            front_port=front.port,
        )
        driven = await drive([str(NODE), str(HERE / "node" / "sends.mjs")], given, client_environment)
    return Run(request.param, driven, front, place)


@pytest.mark.parametrize("step", ["by number", "by number as text", "by name"])
async def test_a_template_by_each_of_its_names(run: Run, step: str):
    message = await run.became(step)
    assert (message["status"], message["subject"], message["customer_id"]) == ("delivered", "Order 17", "ann")
    assert "klobouk 🎩" in (await run.captured(step))["rendered"]["html"]


async def test_an_inline_email_with_everything(run: Run):
    mail = await run.captured("inline")
    assert (mail["to"], mail["rendered"]["text"]) == (["ann@example.com"], "Plainly: 4711")
    assert "<p>4711</p>" in mail["rendered"]["html"]
    assert mail["rendered"]["headers"] == [{"name": "X-Order", "value": "17"}]
    assert {file["filename"]: file["bytes"] for file in mail["attachments"]} == {
        "order.txt": 7,
        "hat.png": 4,
        "done.txt": 8,
    }


async def test_somebody_new_a_scheduled_send_a_draft_and_one_that_is_not_kept(run: Run):
    workspace = run.place.workspace
    assert (await run.captured("somebody new"))["to"] == ["New@Example.com"]
    assert run.driven.answer("later")["send_at"] == START + 3600
    assert (await run.became("later"))["status"] == "queued"
    assert (await run.became("draft"))["status"] == "drafted"
    hidden = await run.became("not kept")
    assert (hidden["status"], hidden["forgotten"]) == ("delivered", True)
    kept = await workspace.get(f"/v1/messages/{hidden['id']}/archived_message")
    assert "klobouk" not in json.dumps(kept)


@pytest.mark.parametrize("channel", ["push", "push without a template", "sms", "whatsapp", "in_app", "inbox"])
async def test_the_other_channels(run: Run, channel: str):
    if channel == "whatsapp" and run.client == OLD:
        assert channel not in run.driven.steps, "this version has no method for it"
        return
    assert (await run.became(channel))["status"] == ("sent" if channel == "in_app" else "delivered")
    mail = await run.captured(channel)
    assert mail["channel"] == channel.partition(" ")[0]
    assert "4711" in json.dumps(mail["rendered"])


async def test_a_device_that_comes_with_a_push_is_registered(run: Run):
    (device,) = (await person(run.place.workspace, "ann"))["devices"]
    assert (device["id"], device["last_used"], device["attributes"]["os"]) == ("token-1", START - 60, "26")


@pytest.mark.parametrize(
    ("step", "status", "message"),
    [
        ("unknown template", 400, '"transactional_message_id" not found.'),
        ("no sender", 400, 'Missing required field "from"'),
        ("no address", 400, 'Invalid email address in field "to"'),
        ("nobody", 400, 'Missing required field "identifiers"'),
        ("reserved header", 400, '"Subject" is a reserved header.'),
        ("forbidden file", 403, 'Forbidden file type exe for attachment "a.exe"'),
        ("large file", 413, "Total attachment size exceeds the limit"),
        ("sms without a template", 400, 'Missing required field "transactional_message_id"'),
        ("too far ahead", 400, 'Invalid format in field "send_at": at most 90 days ahead.'),
        ("wrong key", 401, "Invalid App API key."),
    ],
)
def test_the_message_of_the_error_is_ours(run: Run, step: str, status: int, message: str):
    error = run.driven.error(step)
    assert (error["name"], error["status"], error["message"]) == ("CustomerIORequestError", status, message)


def test_a_template_of_another_channel_is_refused_in_words(run: Run):
    error = run.driven.error("template of another channel")
    assert error["status"] == 400
    assert error["message"] not in ("", "Unknown error")
    assert "instance of SendEmailRequest" in run.driven.error("no request")["message"]


@pytest.mark.parametrize("name", list(FRONTED))
async def test_a_call_that_did_not_come_through_is_sent_once_or_never(run: Run, name: str):
    sent = [message for message in await messages(run.place.workspace) if message["recipient"] == f"{name}@example.com"]
    if run.client == OLD:
        assert run.driven.error(name)["status"] == FRONTED[name][0].status
        assert sent == []
    else:
        assert [message["id"] for message in sent] == [run.driven.answer(name)["delivery_id"]]
        assert sent[0]["status"] == "delivered"


def test_the_front_saw_every_repeat_with_its_number(run: Run):
    seen = [(call.answered, call.headers.get("x-retry-count")) for call in run.front.seen]
    once = [(429, None), (503, None), (503, None)]
    repeated = [(429, None), (200, "1"), (503, None), (500, "1"), (200, "2"), (503, None), (200, "1")]
    assert seen == (once if run.client == OLD else repeated)


async def test_with_a_key_a_lost_answer_does_no_harm(run: Run):
    """The call came through, its answer did not: a repeat with its key is given the same answer."""
    sent = [message for message in await messages(run.place.workspace) if message["recipient"] == "keyed@example.com"]
    assert len(sent) == 1
    if run.client == NEW:
        assert run.driven.answer("keyed")["delivery_id"] == sent[0]["id"]


async def test_people_are_read(run: Run):
    (found,) = run.driven.answer("getCustomersByEmail")["results"]
    assert (found["id"], found["email"]) == (None, "new@example.com")
    assert run.driven.answer("getCustomersByEmail nobody") == {"results": []}
    ann = run.driven.answer("getAttributes")["customer"]
    assert (ann["id"], ann["unsubscribed"]) == ("ann", False)
    assert all(isinstance(value, str) for value in ann["attributes"].values())
    assert run.driven.answer("getAttributes by email")["customer"]["attributes"] == await attributes(
        run.place.workspace, "new@example.com", id_type="email"
    )
    error = run.driven.error("getAttributes nobody")
    assert error["status"] == 404
    assert error["message"] != "Unknown error"


def test_messages_of_a_person_are_read(run: Run):
    if run.client == OLD:
        assert "getCustomerMessages" not in run.driven.steps, "this version has no method for it"
        return
    listed = {message["id"] for message in run.driven.answer("getCustomerMessages")["messages"]}
    assert {run.driven.answer(step)["delivery_id"] for step in ("by number", "inline", "sms")} <= listed


async def test_exports(run: Run, http: httpx.AsyncClient):
    assert run.driven.answer("listExports") == {"exports": None}
    made = run.driven.answer("createCustomersExport")["export"]
    done = run.driven.answer("getExport")["export"]
    assert (done["id"], done["status"]) == (made["id"], "done")
    file = await http.get(run.driven.answer("downloadExport")["link"])
    assert [line.count("new@example.com") for line in file.text.splitlines()] == [0, 1]
