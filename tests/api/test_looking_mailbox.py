from __future__ import annotations

from datetime import timedelta

import pytest

from api.management import shapes
from domain.ids import cio_id
from tests.support.looking import START, UNIX, Scene, content

BOUNCE = {"channel": "email", "outcome": "hard_bounce", "to": "ann@example.com", "times": 2}


@pytest.fixture
async def here(workspace) -> Scene:
    return Scene(workspace.db, workspace.id)


async def get(workspace, path: str = "/v1/mailbox", status: int = 200, **params):
    answer = await workspace.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def found(workspace, **params) -> list[str]:
    answer = await get(workspace, **params)
    shapes.Mailbox.model_validate(answer)
    return [message["delivery_id"] for message in answer["messages"]]


async def test_a_captured_message(workspace, here):
    ann = await here.person("7", "ann@example.com")
    await here.captured(
        "D", "Ann@example.com", person_id=ann, campaign="welcome", block="hello", rendered=content("Hi")
    )
    (message,) = (await get(workspace))["messages"]
    assert (message["delivery_id"], message["channel"], message["purpose"]) == ("D", "email", "delivery")
    assert (message["to"], message["from"], message["at"]) == (["Ann@example.com"], '"Team" <team@example.com>', UNIX)
    assert message["customer_identifiers"] == {"id": "7", "email": "ann@example.com", "cio_id": cio_id(ann)}
    assert (message["campaign"], message["block"], message["outcome"]) == ("welcome", "hello", "accepted")
    assert (message["rendered"]["html"], message["rendered"]["errors"]) == ("<p>Hello</p>", [])


async def test_filters_and_pages(workspace, here):
    ann = await here.person("7")
    await here.captured("a", "Ann@example.com", person_id=ann)
    await here.captured("b", "bela@example.com", at=START + timedelta(seconds=5))
    await here.captured("c", "ann@example.com", at=START + timedelta(seconds=9))
    assert await found(workspace) == ["a", "b", "c"]
    assert await found(workspace, to="ANN@example.com") == ["a", "c"]
    assert await found(workspace, customer="7") == ["a"]
    assert await found(workspace, customer="nobody") == []
    assert await found(workspace, channel="email", since=UNIX + 5, until=UNIX + 5) == ["b"]
    assert await found(workspace, channel="sms") == []
    first = await get(workspace, to="ann@example.com", limit=1)
    rest = await get(workspace, to="ann@example.com", limit=1, start=first["next"])
    assert ([m["delivery_id"] for m in rest["messages"]], rest["next"]) == (["c"], "")
    await get(workspace, status=400, channel="pigeon")
    await get(workspace, status=400, include="everything")


async def test_the_source_as_it_went_over_the_wire(workspace, live, here):
    await here.captured("D", "ann@example.com", raw=b"Subject: Hi\r\n\r\n\xff\x00")
    (message,) = (await get(workspace))["messages"]
    answer = await workspace.call("GET", f"/v1/mailbox/{message['id']}/raw")
    assert (answer.status_code, answer.content) == (200, b"Subject: Hi\r\n\r\n\xff\x00")
    assert answer.headers["content-type"] == "message/rfc822"
    assert (await live.call("GET", f"/v1/mailbox/{message['id']}/raw")).status_code == 404
    for captured_id in ("0", "-1", "x", "9" * 30, "9" * 19):
        assert (await workspace.call("GET", f"/v1/mailbox/{captured_id}/raw")).status_code == 404


async def test_emptying_takes_only_ones_own(workspace, live, here):
    await here.captured("D", "ann@example.com")
    await Scene(live.db, live.id).captured("E", "ann@example.com")
    assert (await workspace.call("DELETE", "/v1/mailbox")).status_code == 204
    assert await found(workspace) == []
    assert await found(live) == ["E"]


async def test_fault_rules_count_down(workspace, here):
    put = await workspace.call("PUT", "/v1/mailbox/faults", {"faults": [BOUNCE]})
    assert put.status_code == 200, put.text
    assert put.json() == await get(workspace, "/v1/mailbox/faults") == {"faults": [BOUNCE]}
    await here.captured("a", "ann@example.com")
    assert (await get(workspace, "/v1/mailbox/faults"))["faults"][0]["times"] == 1
    await here.captured("b", "ann@example.com")
    await here.captured("c", "ann@example.com")
    assert await get(workspace, "/v1/mailbox/faults") == {"faults": []}
    assert await found(workspace) == ["c"]
    refused = await get(workspace, include="refused")
    assert [m["outcome"] for m in refused["messages"]] == ["hard_bounce", "hard_bounce", "accepted"]


@pytest.mark.parametrize(
    ("rule", "pointer", "code"),
    [
        ({"channel": "email"}, "/faults/0/outcome", "required"),
        ({"channel": "email", "outcome": "shrug"}, "/faults/0/outcome", "enum"),
        ({"channel": "email", "outcome": "http_status"}, "/faults/0/status", "required"),
        ({**BOUNCE, "times": 0}, "/faults/0/times", "range"),
        ({**BOUNCE, "often": 1}, "/faults/0/often", "unknown_field"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_pointed_at(workspace, rule, pointer, code):
    answer = await workspace.call("PUT", "/v1/mailbox/faults", {"faults": [rule]})
    assert answer.status_code == 422, answer.text
    assert (pointer, code) in [(e["pointer"], e["code"]) for e in answer.json()["errors"]]
    assert await get(workspace, "/v1/mailbox/faults") == {"faults": []}


async def test_only_a_sandbox_fails_on_purpose(live):
    answer = await live.call("PUT", "/v1/mailbox/faults", {"faults": [BOUNCE]})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "not_sandbox")


async def test_at_most_a_hundred_rules(workspace):
    answer = await workspace.call("PUT", "/v1/mailbox/faults", {"faults": [BOUNCE] * 101})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "length")
