"""Webhooks in a sandbox: recorded, answered by rules, retried by its clock, and worth attributes (ACT-29 to ACT-33)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import orjson
import pytest
import pytest_asyncio

from activities.holding import holding
from clock import system_now
from domain.deliveries import HAND_OVER_GAPS
from domain.errors import DomainError, InvalidInput
from domain.operations import Identifier, Identify, TrackEvent
from domain.signatures import signature
from domain.steps import JourneyRef
from services import definitions, endpoint_pace, signing_keys
from store import quiescence
from tests.support.database import Room
from tests.support.walking import Walk

WEATHER = "https://api.example.com/weather"
ANN = {"email": "ann@example.com", "first_name": "Ann", "city": "Oslo"}
TEAM = {"kind": "sender", "key": "team", "name": "The team", "email": "team@example.com", "default": True}


@pytest_asyncio.fixture(loop_scope="session")
async def walk(room: Room) -> AsyncIterator[Walk]:
    made = Walk(room)
    yield made
    await made.close()


def webhook(url: str = WEATHER, **more: Any) -> dict[str, Any]:
    request = {"url": url, "body": '{"city":"{{ customer.city }}"}', **more.pop("request", {})}
    return {"type": "webhook", "sending_state": "automatic", "request": request, **more}


def told(text: str = "{{ journey.weather }}") -> dict[str, Any]:
    return {"type": "slack", "sending_state": "automatic", "message": {"channel": "#ops", "text": text}}


def campaign(call: dict[str, Any], **blocks: Any) -> dict[str, Any]:
    after = blocks or {"after": told("Done")}
    call = {"next": next(iter(after)), **call}
    return {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": {"type": "event", "event": "go"},
        "exit": "never",
        "workflow": {"start": "call", "blocks": {"call": call, **after}},
    }


async def begin(walk: Walk, *documents: dict[str, Any], people: int = 1) -> None:
    """A running campaign with so many people who have just entered it and gone as far as they go."""
    await walk.room.define(TEAM, *documents)
    await walk.room.run_campaign("c")
    for number in range(people):
        subject = Identifier(kind="id", value=f"p{number}")
        await walk.room.apply(Identify(subject=subject, attributes={**ANN, "email": f"p{number}@example.com"}))
        await walk.room.apply(TrackEvent(subject=subject, name="go", data={}, event_id=f"e{number}"))
    await walk.go()


def answer(body: Any, **more: Any) -> dict[str, Any]:
    return {"channel": "webhook", "outcome": "answer", "body": body, **more}


def status(code: int, **more: Any) -> dict[str, Any]:
    return {"channel": "webhook", "outcome": "http_status", "status": code, **more}


async def refusals(room: Room, *documents: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        await room.define(TEAM, *documents)
    return {(problem.code, problem.pointer) for problem in caught.value.problems}


async def test_a_request_is_recorded_as_it_would_have_left(walk: Walk) -> None:
    url = WEATHER + "?city={{ customer.city | url_encode }}"
    headers = {"Content-Type": "application/json", "X-Who": "{{ customer.email }}\n"}
    await begin(walk, campaign(webhook(url, request={"headers": headers})))
    delivery, (mail, *_) = await walk.delivery("call"), await walk.mailbox()
    sent = mail["rendered"]["payload"]
    at = int(walk.room.now.timestamp())
    async with walk.room.db.transaction() as conn:
        (key,) = await signing_keys.keys_of(conn, walk.room.workspace_id, "webhook", walk.room.now)
    assert (mail["channel"], mail["to"], mail["outcome"]) == ("webhook", [f"{WEATHER}?city=Oslo"], "accepted")
    assert sent == {
        "method": "POST",
        "url": f"{WEATHER}?city=Oslo",
        "body": '{"city":"Oslo"}',
        "headers": {
            "Content-Type": "application/json",
            "X-Who": "p0@example.com",
            "X-CIO-Timestamp": str(at),
            "X-CIO-Idempotency-Key": delivery["delivery_id"],
            "X-CIO-Delivery-ID": delivery["delivery_id"],
            "X-CIO-Signature": signature(key, at, b'{"city":"Oslo"}'),
        },
    }
    assert orjson.loads(mail["raw"]) == sent
    assert (delivery["status"], delivery["recipient"], delivery["person_id"] is None) == (
        "sent", f"{WEATHER}?city=Oslo", False
    )  # fmt: skip
    (attempt,) = [one for one in await walk.attempts() if one["delivery_id"] == delivery["delivery_id"]]
    assert (attempt["outcome"], attempt["answer"]) == ("accepted", f"200 OK to POST {WEATHER}?city=Oslo: {{}}")


async def test_act_case_33_without_a_mapping_nobody_waits(walk: Walk) -> None:
    await walk.faults(status(500))
    await begin(walk, campaign(webhook()))
    assert (await walk.delivery("call"))["status"] == "attempted"
    assert (await walk.delivery("after"))["status"] == "sent"
    (journey,) = await walk.room.journeys()
    assert journey["state"] == "finished"
    # The delivery goes on without its journey.
    assert [await walk.next() for _ in range(11)] == [gap.total_seconds() for gap in HAND_OVER_GAPS]
    delivery = await walk.delivery("call")
    assert (delivery["status"], delivery["attempts"], await walk.due()) == ("failed", 12, [])


async def test_act_case_33_a_mapping_is_waited_for(walk: Walk) -> None:
    await walk.faults(status(500, times=2), answer({"weather": "rainy"}))
    mapped = webhook(response={"journey": {"weather": "response.weather"}})
    await begin(walk, campaign(mapped, after=told("It is {{ journey.weather }}")))
    (journey,) = await walk.room.journeys()
    assert (journey["block"], journey["due_at"], journey["state"]) == ("call", None, "in_progress")
    assert (await walk.steps())["call"]["outcome"] == "waiting"
    assert [row["kind"] for row in await walk.due()] == ["webhook_retry"]
    assert await walk.next() == 2
    assert await walk.deliveries("after") == []
    assert await walk.next() == 4
    assert (await walk.mailbox())[-1]["rendered"]["payload"]["text"] == "It is rainy"
    assert (await walk.delivery("call"))["attempts"] == 3
    keys = {
        mail["rendered"]["payload"]["headers"]["X-CIO-Idempotency-Key"]
        for mail in await walk.mailbox()
        if mail["channel"] == "webhook"
    }
    assert keys == {(await walk.delivery("call"))["delivery_id"]}
    step = (await walk.steps())["call"]
    assert (step["outcome"], step["left_at"]) == ("done", walk.room.now)


async def test_act_case_33_when_all_fail_people_move_on(walk: Walk) -> None:
    await walk.faults({"channel": "webhook", "outcome": "timeout"})
    mapped = webhook(response={"journey": {"weather": "response.weather"}, "customer": {"asked": "true"}})
    await begin(walk, campaign(mapped, after=told("It is {{ journey.weather | default: 'unknown' }}")))
    for _ in HAND_OVER_GAPS:
        assert await walk.deliveries("after") == []
        await walk.next()
    assert (await walk.mailbox())[-1]["rendered"]["payload"]["text"] == "It is unknown"
    step = (await walk.steps())["call"]
    assert step["outcome"] == "failed"
    assert "within 16 seconds" in step["explanation"]
    (person,) = await walk.room.people()
    assert "asked" not in person["attributes"]


async def test_act_case_34_one_changed_byte_breaks_the_signature() -> None:
    body = b'{"id":"1","email":"win@example.com"}'
    expected = "71a7969ebe4a959992418c1740866e4a176dbb33cb0b9209b6fd9285f2ac3bcc"
    assert signature("test-signing-key", 1_700_000_000, body) == expected
    assert signature("test-signing-key", 1_700_000_000, body[:-1] + b" ") != expected
    rewritten = b'{"id": "1", "email": "win@example.com"}'
    assert orjson.loads(rewritten) == orjson.loads(body)
    assert signature("test-signing-key", 1_700_000_000, rewritten) != expected
    assert signature("test-signing-key", 1_700_000_001, body) != expected


@pytest.mark.parametrize(
    ("before", "said"),
    [("KEY:", "KEY:"), ("KEY", "KEY:"), ("user:p%40ss", "user:p@ss"), ("{{ customer.city }}", "Oslo:")],
)
async def test_act_case_35_a_key_before_the_host_is_a_header(walk: Walk, before: str, said: str) -> None:
    await begin(walk, campaign(webhook(f"https://{before}@api.example.com/x")))
    (mail, *_) = await walk.mailbox()
    sent = mail["rendered"]["payload"]
    assert sent["url"] == "https://api.example.com/x"
    assert sent["headers"]["Authorization"] == f"Basic {base64.b64encode(said.encode()).decode()}"
    kept = (await walk.room.rows("SELECT rendered FROM delivery_contents WHERE workspace_id = $1 LIMIT 1"))[0]
    assert "Authorization" not in str(kept["rendered"]["payload"])
    assert (await walk.delivery("call"))["recipient"] == "https://api.example.com/x"


async def test_a_header_of_the_author_outweighs_the_key_before_the_host(walk: Walk) -> None:
    request = {"headers": {"authorization": "Bearer mine"}}
    await begin(walk, campaign(webhook("https://KEY@api.example.com/x", request=request)))
    (mail, *_) = await walk.mailbox()
    assert mail["rendered"]["payload"]["headers"]["authorization"] == "Bearer mine"
    assert "Authorization" not in mail["rendered"]["payload"]["headers"]


async def test_attributes_of_an_answer(walk: Walk) -> None:
    body = {"result": "ok", "reason": "good", "disposable": False, "list": [{"id": 7}], "total": 2.5, "null": None}
    await walk.faults(answer(body))
    journey = {
        "whole": "{{ response | json }}",
        "path": "response.list[0].id",
        "braced": "{{ response.result }}-{{ response.reason }}",
        "static": "true",
        "number": 3,
        "gone": "response.nothing.here",
    }
    customer = {
        "disposable": "{{response.disposable}}",
        "sum": "{{ customer.spent | plus: response.total }}",
        "city": "response.null",
    }
    await walk.room.define(
        {
            "kind": "segment",
            "key": "checked",
            "name": "Checked",
            "conditions": {"attribute": {"field": "disposable", "value": False}},
        }
    )
    hold = {"type": "wait_until", "paths": [{"key": "never", "conditions": {"attribute": {"field": "x"}}}]}
    await begin(walk, campaign(webhook(response={"journey": journey, "customer": customer}), after=hold))
    (row,) = await walk.room.journeys()
    assert row["attributes"] == {
        "whole": body, "path": 7, "braced": "ok-good", "static": True, "number": 3
    }  # fmt: skip
    (person,) = await walk.room.people()
    assert (person["attributes"]["disposable"], "city" in person["attributes"]) == (False, False)
    assert await walk.room.members("checked") == ["p0"]
    explanation = (await walk.steps())["call"]["explanation"]
    assert "gone: The answer has no response.nothing.here" in explanation
    assert "sum: " in explanation


async def test_answers_that_are_no_json_are_text(walk: Walk) -> None:
    await walk.faults(answer("sunny, 20 degrees"))
    mapped = webhook(response={"journey": {"weather": "response"}})
    await begin(walk, campaign(mapped, after=told()))
    assert (await walk.mailbox())[-1]["rendered"]["payload"]["text"] == "sunny, 20 degrees"


async def test_an_array_is_read_from_its_root(walk: Walk) -> None:
    await walk.faults(answer([{"id": 1}, {"id": 2}]))
    mapped = webhook(response={"journey": {"weather": "response[1].id"}})
    await begin(walk, campaign(mapped, after=told()))
    assert (await walk.mailbox())[-1]["rendered"]["payload"]["text"] == "2"


@pytest.mark.parametrize(
    ("code", "again"), [(408, True), (409, True), (503, True), (301, False), (404, False), (422, False)]
)
async def test_which_answers_are_worth_another_try(walk: Walk, code: int, again: bool) -> None:
    await walk.faults(status(code))
    await begin(walk, campaign(webhook(wait=True)))
    delivery = await walk.delivery("call")
    assert (delivery["status"], bool(await walk.due())) == (("attempted", True) if again else ("failed", False))
    assert (await walk.deliveries("after") == []) == again
    assert delivery["failure_message"].startswith(f"{code} ")


async def test_a_large_answer_fails_although_it_is_a_success(walk: Walk) -> None:
    await walk.faults(answer("x" * 102_401))
    await begin(walk, campaign(webhook(response={"journey": {"a": "response"}})))
    delivery = await walk.delivery("call")
    assert (delivery["status"], delivery["attempts"]) == ("failed", 1)
    assert "larger than 102400 bytes" in delivery["failure_message"]


async def test_a_template_that_fails_calls_nobody(walk: Walk) -> None:
    await begin(walk, campaign(webhook("https://api.example.com/{{ customer.nothing }}")))
    delivery = await walk.delivery("call")
    assert (delivery["status"], delivery["attempts"]) == ("failed", 0)
    assert [mail["channel"] for mail in await walk.mailbox()] == ["slack"]


async def test_drafts_hold_nobody(walk: Walk) -> None:
    await begin(walk, campaign(webhook(sending_state="draft", response={"journey": {"a": "response.a"}})))
    assert (await walk.delivery("call"))["status"] == "drafted"
    assert (await walk.delivery("after"))["status"] == "sent"


async def test_an_answer_that_is_waited_for_is_interrupted_by_nothing_but_an_end(walk: Walk) -> None:
    await walk.faults(status(500, times=1))
    document = campaign(webhook(wait=True))
    exits = {"exit": "goal_or_filters", "goal": {"event": "bought"}}
    await begin(walk, {**document, **exits})
    await walk.room.apply(TrackEvent(subject=Identifier(kind="id", value="p0"), name="bought", data={}, event_id="b"))
    await walk.go()
    assert (await walk.room.journeys())[0]["state"] == "in_progress"
    await walk.next()
    (journey,) = await walk.room.journeys()
    assert (journey["state"], await walk.deliveries("after")) == ("exited_early", [])
    assert (await walk.delivery("call"))["status"] == "sent"


async def test_a_worker_that_dies_repeats_the_call_with_the_same_key(walk: Walk) -> None:
    await walk.faults(answer({"weather": "rainy"}, times=1), answer({"weather": "sunny"}))
    await walk.room.define(TEAM, campaign(webhook(response={"journey": {"weather": "response.weather"}}), after=told()))
    await walk.room.run_campaign("c")
    subject = Identifier(kind="id", value="p0")
    await walk.room.apply(Identify(subject=subject, attributes=ANN), TrackEvent(subject=subject, name="go", data={}))
    (row,) = await walk.room.journeys()
    step = await walk.advance(row["journey_id"])
    ref = JourneyRef(workspace_id=walk.room.workspace_id, journey_id=row["journey_id"])
    async with holding(walk.room.db, walk.room.catalogs, ref, system_now) as held:
        assert held is not None
        prepared = await walk.deliverer.prepare(held.conn, held.unit, held.journey, "call", held.now)
        await held.unit.flush()
    await walk.deliverer.hand_over(prepared, system_now)
    await walk.deliver(row["journey_id"], step)
    await walk.go()
    # The mailbox knows the key and answers the same attempt as it did.
    assert [mail["attempt"] for mail in await walk.mailbox() if mail["channel"] == "webhook"] == [1]
    delivery = await walk.delivery("call")
    assert (delivery["status"], delivery["attempts"], delivery["ambiguous"]) == ("sent", 1, False)


async def test_too_many_calls_are_slowed_down_without_using_attempts(walk: Walk) -> None:
    await walk.faults(status(429, times=1))
    await begin(walk, campaign(webhook()), people=4)
    calls = await walk.deliveries("call")
    # The first was one too many, the second has the first turn after that.
    assert sorted(call["attempts"] for call in calls) == [0, 0, 1, 1]
    held = [call for call in calls if not call["attempts"]]
    assert {(call["status"], "Held back" in call["failure_message"]) for call in held} == {("queued", True)}
    async with walk.room.db.connection() as conn:
        assert (await quiescence.look(conn, walk.room.workspace_id, walk.room.now)).deliveries == 0
    while await walk.due():
        await walk.next()
    assert {call["status"] for call in await walk.deliveries("call")} == {"sent"}
    assert sorted(call["attempts"] for call in await walk.deliveries("call")) == [1, 1, 1, 2]
    times = [
        mail["at"] for mail in await walk.mailbox() if mail["channel"] == "webhook" and mail["outcome"] == "accepted"
    ]
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in pairwise(times))


async def test_a_pace_follows_what_was_taken_lately() -> None:
    assert endpoint_pace.gap_between(0) == timedelta(seconds=1)
    assert endpoint_pace.gap_between(6_000) == timedelta(seconds=1 / 11)


async def test_saved_webhooks_are_looked_up_at_each_attempt(walk: Walk) -> None:
    saved = {
        "kind": "webhook",
        "key": "crm",
        "name": "CRM",
        "method": "PUT",
        "url": "https://KEY@crm.example.com/{{ customer.city }}",
        "headers": {"X-Token": "old"},
    }
    await walk.faults(status(503, times=1))
    call = webhook() | {"request": {"webhook": "crm", "body": "{}"}}
    await begin(walk, saved, campaign(call))
    await walk.room.define(
        {**saved, "headers": {"X-Token": "new"}, "url": "https://crm.example.com/v2/{{ customer.city }}"}
    )
    await walk.next()
    sent = [mail["rendered"]["payload"] for mail in await walk.mailbox() if mail["channel"] == "webhook"]
    assert [(one["method"], one["url"], one["headers"]["X-Token"]) for one in sent] == [
        ("PUT", "https://crm.example.com/Oslo", "old"),
        ("PUT", "https://crm.example.com/v2/Oslo", "new"),
    ]
    kept = (
        await walk.room.rows(
            "SELECT rendered FROM delivery_contents WHERE workspace_id = $1 AND rendered->>'channel' = 'webhook'"
        )
    )[0]["rendered"]
    assert "old" not in str(kept["payload"])
    assert "KEY" not in str(kept["payload"])


async def test_what_is_in_use_stays_and_secrets_are_masked(walk: Walk) -> None:
    db, workspace_id = walk.room.db, walk.room.workspace_id
    headers = {"X-Token": "t", "X-Other": {"secret": "CRM"}}
    saved = {"kind": "webhook", "key": "crm", "name": "CRM", "url": "https://crm.example.com/", "headers": headers}
    await walk.room.define(TEAM, saved, campaign(webhook() | {"request": {"webhook": "crm"}}))
    shown = (await definitions.get(db, workspace_id, "webhook", "crm"))["definition"]
    assert shown["headers"] == {"X-Token": "********", "X-Other": {"secret": "CRM"}}
    await walk.room.define({**shown, "description": "Ours"})
    row = (await walk.room.rows("SELECT document FROM definitions WHERE workspace_id = $1 AND kind = 'webhook'"))[0]
    assert row["document"]["headers"] == headers
    with pytest.raises(DomainError) as caught:
        await definitions.delete(db, workspace_id, "webhook", "crm", now=system_now())
    assert caught.value.code == "in_use"
    assert [(one.kind, one.key) for one in caught.value.referents] == [("campaign", "c")]


async def test_a_secret_of_the_deployment_is_never_kept(room: Room) -> None:
    walk = Walk(room, secrets={"CRM_TOKEN": "s3cret", "CRM_URL": "https://hooks.example.com/T0/s3cret"})
    saved = {
        "kind": "webhook",
        "key": "crm",
        "name": "CRM",
        "url": {"secret": "CRM_URL"},
        "headers": {"Authorization": {"secret": "CRM_TOKEN"}},
    }
    await begin(walk, saved, campaign(webhook() | {"request": {"webhook": "crm"}}))
    (mail, *_) = await walk.mailbox()
    assert mail["rendered"]["payload"]["headers"]["Authorization"] == "********"
    assert "s3cret" not in str(mail)
    assert (await walk.delivery("call"))["recipient"] == "********"
    kept = await room.rows("SELECT rendered FROM delivery_contents WHERE workspace_id = $1")
    assert "s3cret" not in str(kept)
    assert "s3cret" not in str(await walk.attempts())
    await walk.close()


async def test_only_calls_that_say_so_convert(walk: Walk) -> None:
    document = campaign(webhook(track_conversions=True), after=told("x"))
    document |= {"goal": {"event": "bought"}}
    await begin(walk, document)
    await walk.room.apply(TrackEvent(subject=Identifier(kind="id", value="p0"), name="bought", data={}, event_id="b"))
    assert "converted" in (await walk.delivery("call"))["metrics"]
    assert "converted" not in (await walk.delivery("after"))["metrics"]


async def test_other_calls_never_convert(walk: Walk) -> None:
    await begin(walk, campaign(webhook(), after=told("x")) | {"goal": {"event": "bought"}})
    await walk.room.apply(TrackEvent(subject=Identifier(kind="id", value="p0"), name="bought", data={}, event_id="b"))
    found = await walk.room.rows("SELECT metrics FROM deliveries WHERE workspace_id = $1")
    assert not any("converted" in row["metrics"] for row in found)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (webhook("ftp://example.com"), {("url_invalid", "/request/url")}),
        (webhook("http://127.0.0.1:8000/x"), {("private_address", "/request/url")}),
        (webhook("http://localhost/{{ customer.city }}"), {("private_address", "/request/url")}),
        (webhook("http://169.254.169.254/latest"), {("private_address", "/request/url")}),
        (webhook("https://{% if %}"), {("liquid_syntax", "/request/url")}),
        (webhook(request={"headers": {"Host": "x"}}), {("reserved_header", "/request/headers/Host")}),
        (webhook(request={"headers": {"X Y": "x"}}), {("format", "/request/headers/X Y")}),
        (webhook(request={"webhook": "crm"}), {("not_applicable", "/request/url")}),
        (webhook() | {"request": {"webhook": "crm"}}, {("unknown_reference", "/request/webhook")}),
        (webhook() | {"request": {"body": "x"}}, {("required", "/request/url")}),
        (webhook(wait=False, response={"journey": {"a": 1}}), {("not_applicable", "/wait")}),
        (webhook(response={}), {("length", "/response")}),
        (webhook(response={"journey": {"a" * 129: 1}}), {("length", f"/response/journey/{'a' * 129}")}),
        (webhook(response={"customer": {"_x": 1}}), {("internal_attribute", "/response/customer/_x")}),
        (webhook(response={"customer": {"x": [1]}}), {("type", "/response/customer/x")}),
        (webhook(response={"customer": {"x": "{{ response."}}), {("liquid_syntax", "/response/customer/x")}),
    ],
)
async def test_what_is_refused_when_it_is_saved(
    room: Room, call: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    at = "/definitions/1/workflow/blocks/call"
    assert await refusals(room, campaign(call)) == {(code, at + pointer) for code, pointer in expected}


async def test_nobody_has_attributes_where_nobody_travels(room: Room) -> None:
    document = campaign(webhook(response={"customer": {"a": "response.a"}}))
    document |= {"trigger": {"type": "webhook"}}
    del document["exit"]
    assert ("target_required", "/definitions/1/workflow/blocks/call/response/customer") in await refusals(
        room, document
    )
