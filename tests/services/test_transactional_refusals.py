"""Everything that a transactional call is refused for, in the words of CHN-13 and APP-02, and what is taken all the same."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from domain.operations import Identifier, Identify
from domain.sending.refusals import SendRefused
from tests.support.sends import INLINE, Desk, template

FILE = base64.b64encode(b"BEGIN:VCALENDAR").decode()
WHOLE: dict[str, Any] = {"identifiers": {"id": "ann"}, "to": "ann@example.com", **INLINE}
ENTITY = "Request entity must be JSON encoded and not exceed 2048 KB."
NOT_ASCII = "Custom headers must be strings and not contain any non-ASCII characters."
NO_FILE = "Missing filename or content for attachment."
UNKNOWN = '"transactional_message_id" not found.'
NO_PHONE = "Invalid phone number format. Phone numbers must be in E.164 format."
PAYLOAD = "Invalid custom_payload or custom_data format."
MANY = ", ".join(f"a{n}@example.com" for n in range(14))

EMAIL: list[tuple[dict[str, Any], str]] = [
    ({"identifiers": None}, 'Missing required field "identifiers"'),
    ({"identifiers": {}}, 'Missing required field "identifiers"'),
    ({"identifiers": {"id": ""}}, 'Missing required field "identifiers"'),
    ({"identifiers": {"id": "a", "email": "a@b.io"}}, "give exactly one of id, email and cio_id."),
    ({"identifiers": "ann"}, 'Invalid format in field "identifiers": give an object.'),
    ({"identifiers": {"id": True}}, 'Invalid format in field "identifiers": the id is none.'),
    ({"identifiers": {"id": "x" * 151}}, 'Invalid format in field "identifiers": the id is none.'),
    ({"identifiers": {"email": "nobody"}}, 'Invalid email address in field "identifiers"'),
    ({"identifiers": {"cio_id": "ffffffff"}}, "nobody has this cio_id."),
    ({"transactional_message_id": "nothing"}, UNKNOWN),
    ({"transactional_message_id": 7}, UNKNOWN),
    ({"transactional_message_id": 1}, UNKNOWN),
    ({"transactional_message_id": [2]}, UNKNOWN),
    ({"transactional_message_id": "text"}, "belongs to a message of the channel sms."),
    ({"to": None}, 'Missing required field "to"'),
    ({"from": None}, 'Missing required field "from"'),
    ({"subject": ""}, 'Missing required field "subject"'),
    ({"body": None}, 'Missing required field "body"'),
    ({"to": "nobody"}, 'Invalid email address in field "to"'),
    ({"to": 5}, 'Invalid format in field "to"'),
    ({"from": "nobody"}, 'Invalid email address in field "from"'),
    ({"bcc": "a@example.com, nobody"}, 'Invalid email address in field "bcc"'),
    ({"cc": "nobody"}, 'Invalid email address in field "cc"'),
    ({"reply_to": "nobody"}, 'Invalid email address in field "reply_to"'),
    ({"to": MANY, "bcc": "x@example.com, y@example.com"}, "Limit of 15 recipients exceeded."),
    ({"to": MANY, "bcc": "x@example.com", "cc": "y@example.com"}, "Limit of 15 recipients exceeded."),
    ({"message_data": [1]}, 'Invalid format in field "message_data"'),
    ({"message_data": "x"}, 'Invalid format in field "message_data"'),
    ({"headers": {"x-MAILER": "me"}}, '"x-MAILER" is a reserved header.'),
    ({"headers": [{"name": "Received", "value": "x"}]}, '"Received" is a reserved header.'),
    ({"headers": {"X-K": "ü"}}, NOT_ASCII),
    ({"headers": {"X-K": 1}}, NOT_ASCII),
    ({"headers": {"X K": "v"}}, NOT_ASCII),
    ({"headers": "{"}, 'Invalid format in field "headers"'),
    ({"headers": 5}, 'Invalid format in field "headers"'),
    ({"headers": {f"X-{n}": "v" for n in range(11)}}, "at most 10 headers are allowed."),
    ({"attachments": {"": FILE}}, NO_FILE),
    ({"attachments": {"invite": FILE}}, NO_FILE),
    ({"attachments": {"f.ics": ""}}, NO_FILE),
    ({"attachments": {"f.ics": None}}, NO_FILE),
    ({"attachments": ["f.ics"]}, NO_FILE),
    ({"attachments": {"f.ics": "%%%"}}, 'Attachment must be base64 encoded: "f.ics"'),
    ({"attachments": {"f.ics": 5}}, 'Attachment must be base64 encoded: "f.ics"'),
    ({"tracked": "yes"}, 'Invalid format in field "tracked"'),
    ({"queue_draft": 1}, 'Invalid format in field "queue_draft"'),
    ({"send_at": "tomorrow"}, 'Invalid format in field "send_at"'),
    ({"send_at": True}, 'Invalid format in field "send_at"'),
    ({"send_at": 10**18}, 'Invalid format in field "send_at"'),
    ({"language": 5}, 'Invalid format in field "language"'),
]


@pytest.mark.parametrize(("fields", "said"), EMAIL)
async def test_an_email_is_refused_and_nothing_is_made(desk: Desk, fields: dict[str, Any], said: str) -> None:
    await desk.room.define({"kind": "transactional", "key": "text", "name": "Text", "channel": "sms"})
    with pytest.raises(SendRefused) as refused:
        await desk.take("email", {**WHOLE, **fields})
    assert said in refused.value.message
    assert refused.value.code == "invalid_send"
    assert [await desk.count(table) for table in ("deliveries", "delivery_requests", "ingest_log")] == [0, 0, 0]


async def test_chn_case_7_fifteen_recipients_are_taken(desk: Desk) -> None:
    await desk.send(**INLINE, to=MANY, bcc="x@example.com")
    (row,) = await desk.room.rows("SELECT status FROM deliveries WHERE workspace_id = $1")
    assert row["status"] == "delivered"
    with pytest.raises(SendRefused, match=r"Limit of 15 recipients exceeded\."):
        await desk.send(**INLINE, to=MANY, bcc="x@example.com, y@example.com", identifiers={"id": "new"})
    assert (await desk.count("deliveries"), await desk.count("people")) == (1, 1)


async def test_chn_case_9_a_header_arrives_in_whatever_form_it_is_given(desk: Desk) -> None:
    for headers in ({"X-K": "v"}, '[{"name": "X-K", "value": "v"}]', [{"X-K": "v"}], [{"name": "X-K", "value": "v"}]):
        sent = await desk.inline(headers=headers)
        assert b"X-K: v" in (await desk.mailbox(sent))[0]["raw"]


async def test_the_codes_of_attachments_tell_their_statuses(desk: Desk) -> None:
    for files, said, code in (
        ({"run.EXE": FILE}, 'Forbidden file type exe for attachment "run.EXE"', "forbidden_file"),
        (
            {"a.txt": "AAAA" * 500_000, "b.txt": "AAAA" * 500_000},
            "Total attachment size exceeds the limit",
            "attachments_too_large",
        ),
    ):
        with pytest.raises(SendRefused) as refused:
            await desk.take("email", {**WHOLE, "attachments": files})
        assert (refused.value.message, refused.value.code) == (said, code)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b'{"a": "\\u0000"}', json.dumps({**WHOLE, "body": "x" * 2_100_000}).encode()]
)
async def test_what_is_no_object_or_too_large_is_no_call(desk: Desk, body: bytes) -> None:
    with pytest.raises(SendRefused) as refused:
        await desk.take("email", body)
    assert refused.value.message == ENTITY


async def test_attachments_do_not_count_as_part_of_the_call(desk: Desk) -> None:
    files = {"big.bin2": base64.b64encode(b"x" * 2_000_000).decode()}
    assert (await desk.take("email", {**WHOLE, "attachments": files}))["delivery_id"]
    # Ruby breaks base64 into lines.
    broken = base64.encodebytes(b"y" * 100).decode()
    sent = await desk.inline(attachments={"line.txt": broken})
    assert b"line.txt" in (await desk.mailbox(sent))[0]["raw"]


async def test_what_is_empty_is_absent_and_what_is_unknown_is_ignored(desk: Desk) -> None:
    for fields in (
        {"attachments": {}, "headers": {}, "cc": "", "tracked": None, "language": "", "message_data": None},
        {"attachments": None, "headers": "", "unknown": {"a": [1]}, "send_at": None, "send_to_unsubscribed": ""},
        {"transactional_message_id": ""},
        {"to": "{{ customer.email | default: 'x@example.com' }}", "from": "Me <{{ 'me' }}@example.com>"},
    ):
        assert (await desk.status(await desk.inline(**fields)))[0] == "delivered"


async def test_numbers_name_people_as_texts_do(desk: Desk) -> None:
    for number in (42, 42.0, "42"):
        await desk.inline(identifiers={"id": number})
    assert [person["id"] for person in await desk.room.people()] == ["42"]
    (row,) = await desk.room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    sent = await desk.inline(identifiers={"cio_id": f"cio_{row['person_id']:08x}"})
    assert (await desk.delivery(sent))["person_id"] == row["person_id"]


async def test_an_address_names_nobody_where_it_is_an_attribute(desk: Desk) -> None:
    await desk.room.define({"kind": "settings", "key": "workspace", "identifiers": "id_only"})
    with pytest.raises(SendRefused, match="an email names nobody"):
        await desk.inline(identifiers={"email": "ann@example.com"})


async def test_a_workspace_that_sends_nothing_takes_nothing(desk: Desk) -> None:
    await desk.room.define({"kind": "settings", "key": "workspace", "sending": "never"})
    with pytest.raises(SendRefused) as refused:
        await desk.inline()
    assert (refused.value.message, refused.value.code) == ('Workspace is set to "Do Not Send."', "sending_off")


async def test_a_from_address_is_of_a_sending_domain(desk: Desk) -> None:
    await desk.room.define({"kind": "domain", "key": "mine", "domain": "example.com", "use": "sending"})
    assert (await desk.status(await desk.inline()))[0] == "delivered"
    with pytest.raises(SendRefused) as refused:
        await desk.inline(**{"from": "me@example.org"})
    assert refused.value.message == '"from" address domain has not been verified.'


NUMBERS: list[tuple[str, dict[str, Any], str]] = [
    ("sms", {}, 'Missing required field "transactional_message_id"'),
    ("sms", {"transactional_message_id": "receipt"}, "belongs to a message of the channel email."),
    ("sms", {"transactional_message_id": "text", "to": "0555 1234"}, NO_PHONE),
    ("sms", {"transactional_message_id": "text", "to": 15551234}, NO_PHONE),
    ("sms", {"transactional_message_id": "text", "from": "+15559999999"}, "no sender has this number."),
    ("whatsapp", {"transactional_message_id": "none", "auto_create": True}, UNKNOWN),
    ("in_app", {}, 'Missing required field "transactional_message_id"'),
    ("inbox_message", {}, 'Missing required field "transactional_message_id"'),
    ("push", {}, 'Missing required field "transactional_message_id"'),
    ("push", {"message": "x", "custom_payload": "{"}, PAYLOAD),
    ("push", {"message": "x", "custom_payload": {"ios": "no json"}}, PAYLOAD),
    ("push", {"message": "x", "custom_payload": {"web": {}}}, PAYLOAD),
    ("push", {"message": "x", "custom_data": [1]}, PAYLOAD),
    ("push", {"message": "x", "custom_data": "x"}, PAYLOAD),
    ("push", {"message": "x", "sound": "loud"}, 'Invalid format in field "sound"'),
    ("push", {"message": "x", "custom_device": {"token": "t"}}, 'Invalid format in field "custom_device"'),
    ("push", {"message": "x", "custom_device": {"platform": "ios"}}, 'Invalid format in field "custom_device"'),
]


@pytest.mark.parametrize(("endpoint", "fields", "said"), NUMBERS)
async def test_other_channels_refuse_in_their_own_words(
    desk: Desk, endpoint: str, fields: dict[str, Any], said: str
) -> None:
    await desk.room.define(
        template("receipt"),
        {"kind": "transactional", "key": "text", "name": "Text", "channel": "sms", "message": {"body": "x"}},
    )
    with pytest.raises(SendRefused) as refused:
        await desk.take(endpoint, {"identifiers": {"id": "ann"}, **fields})
    assert said in refused.value.message
    assert await desk.count("deliveries") == 0


async def test_chn_case_14_a_text_message_without_a_number_fails(desk: Desk) -> None:
    await desk.room.define(
        {"kind": "sender", "key": "number", "phone": "+15550000000"},
        {"kind": "transactional", "key": "text", "name": "Text", "channel": "sms", "message": {"body": "Hi"}},
    )
    sent = await desk.send("sms", transactional_message_id="text")
    assert (await desk.status(sent))[0] == "failed"
    to = await desk.send("sms", transactional_message_id="text", to="+15551234567", **{"from": "+15550000000"})
    assert (await desk.status(to))[0] == "delivered"
    assert (await desk.mailbox(to))[0]["to"] == ["+15551234567"]
    await desk.room.apply(Identify(subject=Identifier(kind="id", value="ann"), attributes={"phone": "+15557654321"}))
    own = await desk.send("sms", transactional_message_id="text")
    assert (await desk.mailbox(own))[0]["to"] == ["+15557654321"]
