"""Transactional sends from the call to the mailbox: templates, people, overrides, what becomes of a send (CHN-01 to CHN-12)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import DeletePerson, Identifier, Identify, MergePeople, SuppressPerson
from domain.sending.refusals import SendRefused
from tests.support.sends import INLINE, Desk, template

ANN = Identifier(kind="id", value="ann")


def identify(who: str, **attributes: Any) -> Identify:
    return Identify(subject=Identifier(kind="id", value=who), attributes=attributes)


async def test_chn_case_1_a_template_is_named_by_its_number_or_its_trigger_name(desk: Desk) -> None:
    await desk.room.define(template("reset", trigger_name="Password_Reset"), template("other"))
    for named in (2, "2", "password_reset", "PASSWORD_RESET", " Password_Reset "):
        sent = await desk.send(transactional_message_id=named)
        assert (await desk.delivery(sent))["transactional_id"] == 2
        assert (await desk.status(sent))[0] == "delivered"
    assert (await desk.delivery(await desk.send(transactional_message_id="OTHER")))["transactional_id"] == 3
    assert (await desk.counted(2))["created"] == (await desk.counted(2))["sent"] == 5


async def test_the_name_of_a_template_is_as_good_where_only_one_has_it(desk: Desk) -> None:
    await desk.room.define(template("a", name="Welcome Home"), template("b", name="Twice"), template("c", name="Twice"))
    assert (await desk.delivery(await desk.send(transactional_message_id="welcome home")))["transactional_id"] == 2
    for unknown in ("twice", "nothing", 1, "1", 99, True, {}):
        with pytest.raises(SendRefused, match=r'"transactional_message_id" not found\.'):
            await desk.send(transactional_message_id=unknown)


async def test_chn_case_2_an_inline_send_makes_a_person_with_the_identifier_alone(desk: Desk) -> None:
    sent = await desk.inline(
        to="Sarah <sarah@example.io>", identifiers={"id": "d34sh"}, message_data={"email": "x@y.io"}
    )
    assert await desk.room.people() == [{"id": "d34sh", "email": None, "attributes": {}}]
    row = await desk.delivery(sent)
    assert (row["transactional_id"], row["status"], row["channel"]) == (1, "delivered", "email")
    (mail,) = await desk.mailbox()
    assert (mail["to"], mail["delivery_id"]) == (["sarah@example.io"], sent)
    assert (await desk.counted(1))["delivered"] == 1


async def test_chn_case_3_message_data_is_the_trigger_of_the_template(desk: Desk) -> None:
    await desk.room.define(
        template(
            "reset", message={"subject": "Reset", "body": "Reset: {{trigger.passwordResetURL}}", "link_tracking": False}
        )
    )
    url = "https://www.example.io/password?token=12345"
    sent = await desk.send(transactional_message_id="reset", message_data={"passwordResetURL": url})
    assert url in (await desk.archived(sent))["body"]


async def test_what_is_said_of_the_person_before_is_rendered_and_the_event_is_nothing(desk: Desk) -> None:
    await desk.room.accept(identify("ann", first_name="Ann"))
    sent = await desk.inline(body="{{ customer.first_name }}{% if event %} of an event{% endif %}")
    assert "Ann" in (await desk.archived(sent))["body"]
    assert "of an event" not in (await desk.archived(sent))["body"]


async def test_chn_case_5_languages_of_the_call_then_of_the_person(desk: Desk) -> None:
    languages = {"es": {"subject": "Hola", "body": "es"}, "fr": {"subject": "Salut", "body": "fr"}}
    message = {"subject": "Hello", "body": "default", "languages": languages}
    await desk.room.define(
        {"kind": "settings", "key": "workspace", "language_attribute": "lang"}, template(message=message)
    )
    await desk.room.apply(identify("ann", lang="fr"), identify("dee", lang="de"))
    for asked, who, said in (
        ("es", "ann", "Hola"),
        ("de", "ann", "Salut"),
        (None, "ann", "Salut"),
        (None, "dee", "Hello"),
    ):
        sent = await desk.send(transactional_message_id="receipt", language=asked, identifiers={"id": who})
        assert (await desk.archived(sent))["subject"] == said
    sent = await desk.send(transactional_message_id="receipt", language="es", body="by the call")
    kept = await desk.archived(sent)
    assert kept["subject"] == "Hola"
    assert "by the call" in kept["body"]


async def test_chn_case_6_unsubscribed_people_by_template_and_by_call(desk: Desk) -> None:
    await desk.room.define(template("open"), template("shut", send_to_unsubscribed=False))
    await desk.room.apply(identify("ann", unsubscribed=True))
    assert (await desk.status(await desk.send(transactional_message_id="open")))[0] == "delivered"
    refused = await desk.send(transactional_message_id="open", send_to_unsubscribed=False)
    assert await desk.status(refused) == ("undeliverable", "Customer is unsubscribed")
    assert (await desk.status(await desk.send(transactional_message_id="shut")))[0] == "undeliverable"
    assert (await desk.status(await desk.send(transactional_message_id="shut", send_to_unsubscribed=True)))[
        0
    ] == "delivered"


async def test_the_call_beats_the_template_and_its_texts_are_liquid(desk: Desk) -> None:
    message = {"subject": "Theirs", "body": "<p>Theirs</p>", "preheader": "Pre", "sender": "shop"}
    await desk.room.define(template(message=message))
    sent = await desk.send(
        transactional_message_id="receipt", subject="Mine {{ trigger.n }}", message_data={"n": 7},
        **{"from": "Me <me@example.com>"}, reply_to="back@example.com", language="", body=None,
    )  # fmt: skip
    kept = await desk.archived(sent)
    assert kept["subject"] == "Mine 7"
    assert "Theirs" in kept["body"]
    (mail,) = await desk.mailbox()
    assert mail["sender"] == "me@example.com"
    assert b"Reply-To: back@example.com" in mail["raw"]


async def test_tracking_by_the_call_drives_opens_and_links_together(desk: Desk) -> None:
    shown = {"subject": "Hi", "body": "x"}
    await desk.room.define(
        template(message={**shown, "link_tracking": False}), template("hush", hide_message_body=True)
    )
    for named, tracked, opens, links in (
        ("receipt", None, True, False),
        ("receipt", True, True, True),
        ("receipt", False, False, False),
        ("hush", True, False, False),
    ):
        sent = await desk.send(transactional_message_id=named, tracked=tracked, queue_draft=True)
        message = await desk.content(sent)
        assert (message.open_tracking, message.link_tracking) == (opens, links)


async def test_a_missing_variable_fails_or_prints_nothing_and_a_retry_reads_the_data_of_now(desk: Desk) -> None:
    message = {"subject": "Hi {{ customer.first_name }}!", "body": "x"}
    await desk.room.define(
        template("strict", message=message), template("blank", message=message, on_liquid_error="blank")
    )
    sent = await desk.send(transactional_message_id="blank")
    assert (await desk.archived(sent))["subject"] == "Hi !"
    failed = await desk.send(transactional_message_id="strict")
    status, why = await desk.status(failed)
    assert status == "failed"
    assert "customer.first_name" in (why or "") or "first_name" in (why or "")
    await desk.room.apply(identify("ann", first_name="Ann"))
    await desk.drafts.retry(desk.room.workspace_id, failed, None, desk.room.now)
    await desk.work()
    assert (await desk.status(failed))[0] == "delivered"
    assert (await desk.archived(failed))["subject"] == "Hi Ann!"


async def test_a_person_who_goes_before_the_send_makes_it_undeliverable(desk: Desk) -> None:
    await desk.room.apply(identify("ann", first_name="Ann"))
    answer = await desk.take("email", {"identifiers": {"id": "ann"}, "to": "ann@example.com", **INLINE})
    await desk.room.apply(DeletePerson(subject=ANN))
    await desk.work()
    row = await desk.delivery(answer["delivery_id"])
    assert (row["status"], row["person_id"], row["recipient"]) == ("undeliverable", None, None)
    assert await desk.count("delivery_requests") == 0
    assert await desk.mailbox() == []
    assert (await desk.counted(1)) == {"created": 1, "undeliverable": 1}


async def test_a_suppressed_identifier_comes_back_for_no_send(desk: Desk) -> None:
    await desk.room.apply(SuppressPerson(subject=ANN))
    sent = await desk.inline()
    row = await desk.delivery(sent)
    assert (row["status"], row["person_id"], row["recipient"]) == ("undeliverable", None, None)
    assert await desk.room.people() == []
    assert await desk.count("delivery_requests") == 0


async def test_whoever_is_merged_takes_the_send_along(desk: Desk) -> None:
    await desk.room.apply(identify("ann"), identify("old", first_name="Old"))
    answer = await desk.take("email", {"identifiers": {"id": "old"}, "to": "o@example.com", **INLINE})
    await desk.room.apply()
    await desk.room.apply(MergePeople(primary=ANN, secondary=Identifier(kind="id", value="old")))
    await desk.work()
    row = await desk.delivery(answer["delivery_id"])
    (ann,) = await desk.room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    assert (row["status"], row["person_id"]) == ("delivered", ann["person_id"])


async def test_a_send_begins_campaigns_of_the_person_that_it_makes(desk: Desk) -> None:
    await desk.room.define(
        {"kind": "segment", "key": "known", "name": "Known", "conditions": {"attribute": {"field": "id", "operator": "exists"}}},
        {
            "kind": "campaign", "key": "hi", "name": "Hi",
            "trigger": {"type": "segment", "conditions": {"segment": "known"}},
            "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P1D"}}},
        },
    )  # fmt: skip
    await desk.room.run_campaign("hi")
    await desk.inline(identifiers={"id": 42})
    assert await desk.room.members("known") == ["42"]
    assert len(await desk.room.journeys()) == 1


async def test_templates_are_made_where_the_call_asks_for_that(desk: Desk) -> None:
    sent = await desk.inline(transactional_message_id="Order Nr. 1!", auto_create=True)
    assert (await desk.delivery(sent))["transactional_id"] == 2
    (row,) = await desk.room.rows(
        "SELECT key, name, document FROM definitions WHERE workspace_id = $1 AND kind = 'transactional'"
    )
    assert (row["key"], row["name"], row["document"]["trigger_name"]) == ("order-nr-1", "Order Nr. 1!", "Order Nr. 1!")
    again = await desk.inline(transactional_message_id="order nr. 1!", auto_create=True)
    assert (await desk.delivery(again))["transactional_id"] == 2
    with pytest.raises(SendRefused, match='Missing required field "from"'):
        await desk.send(transactional_message_id="another", auto_create=True)
    with pytest.raises(SendRefused, match="not found"):
        await desk.inline(transactional_message_id="77", auto_create=True)
    with pytest.raises(SendRefused, match="channel email"):
        await desk.send("push", transactional_message_id="order nr. 1!", auto_create=True, message="x")
    assert (
        len(await desk.room.rows("SELECT 1 FROM definitions WHERE workspace_id = $1 AND kind = 'transactional'")) == 1
    )
