"""`customerio-node`, unmodified, in two versions, over https: `triggerBroadcast` with every kind of recipients, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio

from stack.description import StackDescription
from tests.clients.driving import Driven, drive
from tests.clients.packages import HERE, NODE
from tests.clients.place import Place
from tests.support.live import Workspace, email

NAMES = ("own", "filter", "ids", "emails", "each", "file", "refused")
IN_MAILBOX = {"own": {"1", "2", "3"}, "filter": {"2"}, "ids": {"1"}, "emails": {"2"}, "each": {"3"}}


class Calls(NamedTuple):
    """What one version's calls were answered, and the workspace that they were made in."""

    driven: Driven
    workspace: Workspace


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["customerio-node", "customerio-node-5"])
async def calls(
    request: pytest.FixtureRequest,
    stack: StackDescription,
    http: httpx.AsyncClient,
    node_clients: Path,
    client_environment: dict[str, str],
) -> Calls:
    """All calls of one version, made by one process in a workspace of its own."""
    place = await Place.make(stack, http)
    workspace = place.workspace
    for number in range(1, 4):
        await workspace.identify(
            str(number), email=f"p{number}@example.com", **({"team": "juve"} if number == 2 else {})
        )
    numbers: dict[str, int] = {}
    for name in NAMES:
        block = email(f"{name} {{{{ trigger.headline }}}}", "<p>{{ trigger.voucher_code }}</p>")
        workflow = {"start": "mail", "blocks": {"mail": block}}
        broadcast = {"kind": "broadcast", "key": name, "name": name, "recipients": "everyone", "workflow": workflow}
        await workspace.define(broadcast)
        numbers[name] = (await workspace.call("POST", f"/v1/broadcasts/{name}/start"))["id"]
    given = place.told(packages=str(node_clients), client=request.param, broadcasts=numbers)
    driven = await drive([str(NODE), str(HERE / "node" / "broadcasts.mjs")], given, client_environment)
    return Calls(driven, workspace)


def test_each_is_answered_with_its_number(calls: Calls):
    for step in ("own recipients", "filter", "ids", "emails", "per user", "file"):
        assert calls.driven.answer(step) == {"id": 1}, step


@pytest.mark.parametrize("name", sorted(IN_MAILBOX))
async def test_those_who_are_meant_get_it(calls: Calls, name: str):
    mails = await calls.workspace.mailbox()
    subject = f"{name} H"
    found = [mail for mail in mails if mail["rendered"]["fields"]["subject"] == subject]
    assert {mail["to"][0][1] for mail in found} == IN_MAILBOX[name]
    assert ("own" if name == "each" else "V") in found[0]["rendered"]["html"]


async def test_a_file_that_cannot_be_had_is_in_the_report(calls: Calls):
    found = await calls.workspace.get("/v1/campaigns/file/triggers/1")
    assert found["state"] == "failed"
    (line,) = (await calls.workspace.get("/v1/campaigns/file/triggers/1/errors"))["errors"]
    assert line.startswith("failed to download data file")


@pytest.mark.parametrize(
    ("step", "status", "message"),
    [
        ("unknown", 404, "broadcast with id 9999 does not exist"),
        ("missing", 422, "the following ids are missing: nobody"),
        ("no filter", 422, "recipients filter is not valid"),
        ("wrong key", 401, "unauthorized"),
    ],
)
def test_refusals_are_told_in_words(calls: Calls, step: str, status: int, message: str):
    error: dict[str, Any] = calls.driven.error(step)
    assert (error["status"], error["message"]) == (status, message)


def test_a_trigger_that_is_too_soon(calls: Calls):
    error = calls.driven.error("too soon")
    assert error["status"] == 429
    assert error["message"].startswith("rate limited to 1 request per 10s (reference ")
