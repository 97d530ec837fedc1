"""`customerio-node`, unmodified, over https: `triggerBroadcast` with every kind of recipients, and what it says of refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.clients.driving import Driven, drive
from tests.clients.packages import HERE, NODE
from tests.clients.place import Place
from tests.support.live import email

NAMES = ("own", "filter", "ids", "emails", "each", "file", "refused")
IN_MAILBOX = {"own": {"1", "2", "3"}, "filter": {"2"}, "ids": {"1"}, "emails": {"2"}, "each": {"3"}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def driven(place: Place, node_clients: Path, client_environment: dict[str, str]) -> Driven:
    """All calls, made by one process."""
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
    given = place.told(packages=str(node_clients), broadcasts=numbers)
    return await drive([str(NODE), str(HERE / "node" / "broadcasts.mjs")], given, client_environment)


def test_each_is_answered_with_its_number(driven: Driven):
    for step in ("own recipients", "filter", "ids", "emails", "per user", "file"):
        assert driven.answer(step) == {"id": 1}, step


@pytest.mark.parametrize("name", sorted(IN_MAILBOX))
async def test_those_who_are_meant_get_it(driven: Driven, place: Place, name: str):
    mails = await place.workspace.mailbox()
    subject = f"{name} H"
    found = [mail for mail in mails if mail["rendered"]["fields"]["subject"] == subject]
    assert {mail["to"][0][1] for mail in found} == IN_MAILBOX[name]
    assert ("own" if name == "each" else "V") in found[0]["rendered"]["html"]


async def test_a_file_that_cannot_be_had_is_in_the_report(driven: Driven, place: Place):
    found = await place.workspace.get("/v1/campaigns/file/triggers/1")
    assert found["state"] == "failed"
    (line,) = (await place.workspace.get("/v1/campaigns/file/triggers/1/errors"))["errors"]
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
def test_refusals_are_told_in_words(driven: Driven, step: str, status: int, message: str):
    error: dict[str, Any] = driven.error(step)
    assert (error["status"], error["message"]) == (status, message)
