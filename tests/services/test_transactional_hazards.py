"""What goes wrong around transactional sends: two at the same work, one that dies at it, calls made to break things."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from clock import system_now
from domain.definitions.transactional import UNCATEGORIZED
from domain.operations import Identifier, Identify
from domain.sending.refusals import SendRefused
from domain.sends import SendRef
from domain.values import to_unix
from services.deliveries import IN_HAND
from services.sending import Sender
from stack.sink import Behaviour
from store.database import Database
from tests.services.test_handing_over import live
from tests.support.eventually import eventually
from tests.support.sends import INLINE, Desk, template

WHOLE: dict[str, Any] = {"identifiers": {"id": "ann"}, "to": "ann@example.com", **INLINE}
NO_ADDRESS = 'Invalid email address in field "{}"'
NUL, SURROGATE = r'"\u0000"', r'"\ud800"'


def identify(who: str, **attributes: Any) -> Identify:
    return Identify(subject=Identifier(kind="id", value=who), attributes=attributes)


@pytest.mark.parametrize(
    ("endpoint", "fields", "said"),
    [
        ("email", {"headers": "[" * 100_000}, 'Invalid format in field "headers"'),
        ("email", {"headers": f'[{{"name": "X-A", "value": {NUL}}}]'}, 'Invalid format in field "headers"'),
        ("push", {"custom_payload": "[" * 100_000}, "Invalid custom_payload"),
        ("push", {"custom_payload": {"ios": f'{{"aps": {NUL}}}'}}, "Invalid custom_payload"),
        ("push", {"custom_payload": {"ios": f'{{"aps": {SURROGATE}}}'}}, "Invalid custom_payload"),
        ("push", {"custom_payload": '{"ios": {"aps": 1e400}}'}, "Invalid custom_payload"),
        ("push", {"custom_data": f'{{"a": {NUL}}}'}, "Invalid custom_payload"),
        ("push", {"custom_data": '{"a": NaN}'}, "Invalid custom_payload"),
    ],
)
async def test_json_within_texts_holds_nothing_that_cannot_be_kept(
    desk: Desk, endpoint: str, fields: dict[str, Any], said: str
) -> None:
    body = WHOLE if endpoint == "email" else {"identifiers": {"id": "ann"}, "message": "x"}
    with pytest.raises(SendRefused) as refused:
        await desk.take(endpoint, {**body, **fields})
    assert said in refused.value.message
    assert await desk.count("deliveries") == 0


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("to", "A <a@example.com>, B <nobody>, C <c@example.com>"),
        ("to", "ann@, Bob <bob@example.com>"),
        ("bcc", "Doe, Jane <jane@example.com>"),
        ("cc", "Doe, Jane <jane@example.com>"),
        ("to", '"\\' * 400_000),
    ],
)
async def test_a_list_with_something_wrong_in_it_goes_to_none_of_it(desk: Desk, field: str, written: str) -> None:
    with pytest.raises(SendRefused) as refused:
        await desk.take("email", {**WHOLE, field: written})
    assert refused.value.message == NO_ADDRESS.format(field)


async def test_a_list_that_is_rendered_goes_to_all_of_it_or_to_nobody(desk: Desk) -> None:
    many = ", ".join(f"N{n} <n{n}@example.com>" for n in range(16))
    wrong = "A <a@example.com>, B <nobody>, C <c@example.com>"
    for written in (many, wrong, '"\\' * 400_000):
        sent = await desk.inline(to="{{ trigger.to }}", message_data={"to": written})
        assert (await desk.status(sent))[0] == "failed"
    assert await desk.mailbox() == []
    one = await desk.inline(to="{{ trigger.to }}", message_data={"to": "Doe, Jane <jane@example.com>"})
    assert (await desk.mailbox(one))[0]["to"] == ["jane@example.com"]


async def test_an_address_that_names_somebody_is_kept_without_blanks_around_it(desk: Desk) -> None:
    await desk.inline(identifiers={"email": " Ann@example.com "})
    await desk.inline(identifiers={"email": "ann@example.com"})
    assert [person["email"] for person in await desk.room.people()] == ["Ann@example.com"]


async def test_what_is_still_to_be_made_has_not_been_forgotten(desk: Desk) -> None:
    answer = await desk.take("email", WHOLE)
    assert (await desk.archived(answer["delivery_id"]))["forgotten"] is False
    hidden = await desk.take("email", {**WHOLE, "disable_message_retention": True})
    assert (await desk.archived(hidden["delivery_id"]))["forgotten"] is True


async def test_the_number_of_the_content_is_that_of_the_language(desk: Desk) -> None:
    languages = {"es": {"subject": "Hola", "body": "es"}}
    await desk.room.define(template(message={"subject": "Hello", "body": "x", "languages": languages}))
    first, again, spanish = [
        (await desk.delivery(await desk.send(transactional_message_id="receipt", language=language)))["content_id"]
        for language in (None, "de", "es")
    ]
    assert first == again != spanish
    assert None not in (first, spanish)
    assert (await desk.delivery(await desk.inline()))["content_id"] is None


async def test_conditions_can_be_about_sends_without_a_template(desk: Desk) -> None:
    leaf = {"message": {"of": {"transactional": UNCATEGORIZED}, "status": "sent"}}
    await desk.room.define({"kind": "segment", "key": "told", "name": "Told", "conditions": leaf})
    await desk.inline(identifiers={"id": "ann"})
    assert await desk.room.members("told") == ["ann"]


async def test_attachments_of_many_calls_at_once(desk: Desk) -> None:
    files = {"a.bin2": base64.b64encode(b"x" * 1_500_000).decode()}
    answers = await asyncio.gather(*(desk.take("email", {**WHOLE, "attachments": files}) for _ in range(6)))
    assert len({answer["delivery_id"] for answer in answers}) == await desk.count("delivery_requests") == 6


async def test_one_key_in_several_processes_makes_one_send(desk: Desk) -> None:
    others = [Desk(desk.room) for _ in range(3)]
    answers = await asyncio.gather(*(one.take("email", WHOLE, "k") for one in (desk, *others) for _ in range(5)))
    assert len({answer["delivery_id"] for answer in answers}) == await desk.count("deliveries") == 1
    for one in others:
        await one.close()


async def test_cancelling_while_the_sends_get_their_people(desk: Desk) -> None:
    at = to_unix(desk.room.now) + 3600
    for _ in range(4):
        calls = (desk.take("email", {**WHOLE, "send_at": at, "identifiers": {"id": str(n % 9)}}) for n in range(50))
        await asyncio.gather(*calls)
        await asyncio.gather(desk.room.apply(), desk.cancelling.of_template(desk.room.workspace_id, 1, system_now()))
    await desk.cancelling.of_template(desk.room.workspace_id, 1, system_now())
    rows = await desk.room.rows("SELECT status, person_id FROM deliveries WHERE workspace_id = $1")
    assert {row["status"] for row in rows} == {"undeliverable"}
    assert (len(rows), await desk.count("due")) == (200, 0)
    assert None not in {row["person_id"] for row in rows}
    assert (await desk.counted(1)) == {"created": 200, "undeliverable": 200}


async def asked(desk: Desk, **body: Any) -> SendRef:
    """A send that has its person, and is waiting to be tried."""
    answer = await desk.take("email", {**WHOLE, **body})
    await desk.room.apply()
    return SendRef(workspace_id=desk.room.workspace_id, delivery_id=answer["delivery_id"])


async def test_a_send_that_was_asked_for_twice_is_left_to_whoever_has_it(database: Database) -> None:
    async with live(database) as place:
        desk = Desk(place.room)
        await place.room.define(place.relay())
        place.sink.delay = 0.3
        place.sink.behaviours = [Behaviour("data", "451 4.3.0 Try again later", times=2)]
        sends = [await asked(desk, identifiers={"id": str(n)}) for n in range(5)]
        first = asyncio.create_task(Sender(desk.deliverer).send(sends, system_now))
        await eventually(lambda: _begun(desk), "some are being handed over")
        await Sender(desk.deliverer).send(sends, system_now)
        await first
        rows = [await desk.delivery(send.delivery_id) for send in sends]
        found = sorted((row["status"], row["ambiguous"], row["attempts"]) for row in rows)
        assert found == [("attempted", False, 1)] * 2 + [("sent", False, 1)] * 3
        assert len(place.received) == 3
        await desk.close()


async def _begun(desk: Desk) -> int:
    rows = await desk.room.rows("SELECT 1 FROM deliveries WHERE workspace_id = $1 AND handed_over_at IS NOT NULL")
    return len(rows)


async def test_what_a_dead_worker_had_in_hand_is_settled_by_whoever_knows_that(database: Database) -> None:
    async with live(database) as place:
        desk = Desk(place.room)
        await place.room.define(place.relay())
        sends = [await asked(desk) for _ in range(2)]
        for send in sends:
            await _die_in_hand(desk, send)
        sender = Sender(desk.deliverer)
        await sender.send(sends[:1], system_now)
        assert (await desk.status(sends[0].delivery_id))[0] == "queued"
        await sender.send(sends[:1], system_now, again=True)
        # Nobody says so, but it is long ago.
        await sender.send(sends[1:], lambda: system_now() + IN_HAND)
        rows = [await desk.delivery(send.delivery_id) for send in sends]
        assert [(row["status"], row["ambiguous"]) for row in rows] == [("sent", True)] * 2
        assert place.received == []
        await desk.close()


@pytest.mark.parametrize("gone", [False, True])
async def test_what_may_have_left_is_not_said_to_have_failed(database: Database, *, gone: bool) -> None:
    async with live(database) as place:
        desk = Desk(place.room)
        hush = template(hide_message_body=True, send_to_unsubscribed=False, message={**INLINE_MESSAGE})
        await place.room.define(place.relay(), hush)
        send = await asked(desk, transactional_message_id="receipt")
        await _die_in_hand(desk, send)
        if gone:
            await desk.room.rows("DELETE FROM delivery_requests WHERE workspace_id = $1 RETURNING delivery_id")
        else:
            await desk.room.apply(identify("ann", unsubscribed=True))
        await Sender(desk.deliverer).send([send], system_now, again=True)
        row = await desk.delivery(send.delivery_id)
        assert (row["status"], row["ambiguous"]) == ("sent", True)
        await desk.close()


INLINE_MESSAGE = {"subject": "Hi", "body": "<p>Hello</p>", "from": "shop@example.com"}


async def _die_in_hand(desk: Desk, send: SendRef) -> None:
    """Make a send and note that it is being handed over, as one does who dies then."""
    async with desk.room.db.transaction() as conn:
        unit = await desk.deliverer._unit(conn, send.workspace_id, system_now)
        await desk.deliverer._for_retry(conn, unit, send.delivery_id)
        await unit.flush()
        await conn.execute(
            """UPDATE deliveries SET handed_over_at = $3, provider = 'relay'
               WHERE workspace_id = $1 AND delivery_id = $2""",
            send.workspace_id,
            send.delivery_id,
            system_now(),
        )
