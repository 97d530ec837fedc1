"""Verifying domains over HTTP, against a name server that says what the test wants (MSG-19)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.domain_records import judged, wanted_of_sender
from services.dns_lookups import Lookups
from tests.api.conftest import Keys, Server, free_port, served
from tests.support.name_server import Zone, name_server

SENDING = {"kind": "domain", "key": "main", "domain": "mail.shop.example", "use": "sending", "dkim_selector": "s1"}
TRACKING = {"kind": "domain", "key": "links", "domain": "l.shop.example", "use": "tracking", "sending_domain": "main"}
GOOD: Zone = {
    ("mail.shop.example", "MX"): ["10 mx.relay.example."],
    ("mail.shop.example", "TXT"): ['"google-site-verification=x"', '"v=spf1 include:relay.example" " ~all"'],
    ("s1._domainkey.mail.shop.example", "TXT"): ['"v=DKIM1; k=rsa; p=MIGf"'],
    ("_dmarc.shop.example", "TXT"): ['"v=DMARC1; p=none"'],
    ("l.shop.example", "CNAME"): ["go.sojourn.example."],
}


async def define(workspace: Keys, *documents: dict[str, Any]) -> None:
    answer = await workspace.call("PUT", "/v1/definitions", {"definitions": list(documents)})
    assert answer.status_code == 200, answer.text


async def verify(server: Server, workspace: Keys, zone: Zone, ref: str | int, asked: list[str] | None = None) -> Any:
    """The answer of a process that asks the name server of the zone."""
    async with name_server(zone, asked) as address:
        settings = server.services.settings.with_changes(
            api_port=free_port(), dns_servers=address, public_url="https://go.sojourn.example"
        )
        async with served(settings), httpx.AsyncClient(base_url=settings.api_url, timeout=30) as http:
            return await http.post(f"/v1/domains/{ref}/verify", headers=workspace.app)


async def state(workspace: Keys, key: str) -> dict[str, Any]:
    status: dict[str, Any] = (await workspace.call("GET", f"/v1/definitions/domain/{key}")).json()["status"]
    return status


async def test_records_are_looked_up_when_somebody_asks_and_at_no_other_time(server: Server, workspace: Keys) -> None:
    await define(workspace, SENDING, TRACKING)
    assert (await state(workspace, "main"))["state"] == "unverified"
    assert "records" not in await state(workspace, "main")
    asked: list[str] = []
    answer = await verify(server, workspace, GOOD, "main", asked)
    assert answer.status_code == 200
    assert answer.json()["status"] == "verified"
    assert [(record["purpose"], record["name"], record["found"], record["ok"]) for record in answer.json()["records"]] == [
        ("mx", "mail.shop.example", "10 mx.relay.example.", True),
        ("spf", "mail.shop.example", "v=spf1 include:relay.example ~all", True),
        ("dkim", "s1._domainkey.mail.shop.example", "v=DKIM1; k=rsa; p=MIGf", True),
        ("dmarc", "_dmarc.shop.example", "v=DMARC1; p=none", True),
    ]  # fmt: skip
    assert sorted(set(asked)) == [
        "MX mail.shop.example",
        "TXT _dmarc.mail.shop.example",
        "TXT _dmarc.shop.example",
        "TXT mail.shop.example",
        "TXT s1._domainkey.mail.shop.example",
    ]
    status = await state(workspace, "main")
    assert status["state"] == "verified"
    assert status["records"] == answer.json()["records"]
    assert isinstance(status["checked_at"], int)
    tracked = (await verify(server, workspace, GOOD, "links")).json()
    assert tracked["status"] == "verified"
    assert tracked["records"][0] | {"found": None} == {
        "purpose": "cname", "name": "l.shop.example", "expected": "go.sojourn.example", "found": None, "ok": True,
    }  # fmt: skip


async def test_what_is_missing_is_said_and_another_name_is_another_domain(server: Server, workspace: Keys) -> None:
    await define(workspace, SENDING)
    assert (await verify(server, workspace, GOOD, "main")).json()["status"] == "verified"
    poor = {
        **GOOD,
        ("mail.shop.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 ~all"'],
        ("_dmarc.shop.example", "TXT"): [],
    }
    number = (await state(workspace, "main"))["id"]
    answer = (await verify(server, workspace, poor, number)).json()
    assert answer["status"] == "unverified"
    assert {record["purpose"]: record["ok"] for record in answer["records"]} == {
        "mx": True, "spf": False, "dkim": True, "dmarc": False,
    }  # fmt: skip
    assert (await state(workspace, "main"))["state"] == "unverified"
    assert (await verify(server, workspace, GOOD, "main")).json()["status"] == "verified"
    await define(workspace, {**SENDING, "description": "The shop's mail"})
    assert (await state(workspace, "main"))["state"] == "verified"
    await define(workspace, {**SENDING, "domain": "shop.example"})
    status = await state(workspace, "main")
    assert status["state"] == "unverified"
    assert "records" not in status


async def test_a_domain_that_is_not_there(workspace: Keys) -> None:
    for ref in ("nothing", 99):
        answer = await workspace.call("POST", f"/v1/domains/{ref}/verify")
        assert answer.status_code == 404


async def test_a_name_server_that_is_away_finds_nothing() -> None:
    async with name_server({}) as address:
        pass
    assert await Lookups([address]).values("shop.example", "TXT") is None


@pytest.mark.parametrize(
    ("purpose", "values", "ok"),
    [
        ("mx", ["0 ."], False),
        ("mx", ["10 a.example.", "20 b.example."], True),
        ("spf", [], False),
        ("spf", ["v=spf10 x"], False),
        ("dkim", ["v=DKIM1; p="], False),
        ("dmarc", ["v=DMARC1"], False),
    ],
)
def test_what_a_record_must_say(purpose: str, values: list[str], ok: bool) -> None:
    wanted = next(one for one in wanted_of_sender("shop.example", "s1") if one.purpose == purpose)
    assert judged(wanted, wanted.names[0], values).ok is ok
