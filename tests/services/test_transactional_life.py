"""Scheduled sends, cancelled ones, drafts, sends of which nothing is kept, repeats and repairs (CHN-09 to CHN-11)."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, NotFound
from domain.operations import DeletePerson, Identifier, Identify
from domain.sending.refusals import SendRefused
from domain.values import to_unix
from services.expiry_answers import expire_answers
from services.repair import repair_sends
from tests.support.sends import INLINE, Desk, template

HOUR = 3600


def identify(who: str, **attributes: Any) -> Identify:
    return Identify(subject=Identifier(kind="id", value=who), attributes=attributes)


async def test_chn_case_11_a_scheduled_send_leaves_at_its_instant_with_the_data_of_then(desk: Desk) -> None:
    at = to_unix(desk.room.now) + HOUR
    body = {"identifiers": {"id": "ann"}, "to": "a@example.com", **INLINE, "subject": "Hi {{ customer.first_name }}"}
    answer = await desk.take("email", {**body, "send_at": at})
    assert answer == {"delivery_id": answer["delivery_id"], "queued_at": at - HOUR, "send_at": at}
    await desk.work()
    assert (await desk.status(answer["delivery_id"]))[0] == "queued"
    await desk.room.move(minutes=30)
    await desk.room.apply(identify("ann", first_name="Ann"))
    await desk.work()
    assert await desk.mailbox() == []
    await desk.room.move(minutes=30)
    await desk.work()
    assert (await desk.status(answer["delivery_id"]))[0] == "delivered"
    assert (await desk.archived(answer["delivery_id"]))["subject"] == "Hi Ann"


async def test_chn_case_11_the_past_is_now_and_ninety_days_are_the_end(desk: Desk) -> None:
    now, day = to_unix(desk.room.now), 86_400
    body = {"identifiers": {"id": "ann"}, "to": "a@example.com", **INLINE}
    answer = await desk.take("email", {**body, "send_at": now - day})
    assert set(answer) == {"delivery_id", "queued_at"}
    await desk.work()
    assert (await desk.status(answer["delivery_id"]))[0] == "delivered"
    assert (await desk.take("email", {**body, "send_at": now + 90 * day}))["send_at"] == now + 90 * day
    with pytest.raises(SendRefused, match="at most 90 days ahead"):
        await desk.take("email", {**body, "send_at": now + 91 * day})


async def test_a_scheduled_send_is_cancelled_once(desk: Desk) -> None:
    at = to_unix(desk.room.now) + HOUR
    sent = await desk.inline(send_at=at)
    answer = await desk.cancelling.one(desk.room.workspace_id, sent, system_now())
    assert (answer["message"]["status"], answer["message"]["failure_message"]) == ("undeliverable", "Cancelled")
    with pytest.raises(DomainError, match="this is undeliverable"):
        await desk.cancelling.one(desk.room.workspace_id, sent, system_now())
    await desk.room.move(hours=2)
    await desk.work()
    assert await desk.mailbox() == []
    assert await desk.count("due") == 0
    done = await desk.inline()
    with pytest.raises(DomainError, match="this is delivered"):
        await desk.cancelling.one(desk.room.workspace_id, done, system_now())
    with pytest.raises(NotFound):
        await desk.cancelling.one(desk.room.workspace_id, "nothing", system_now())


async def test_one_that_is_cancelled_before_its_person_is_there_stays_cancelled(desk: Desk) -> None:
    body = {"identifiers": {"id": "ann"}, "to": "a@example.com", **INLINE}
    answer = await desk.take("email", {**body, "send_at": to_unix(desk.room.now) + HOUR})
    await desk.cancelling.one(desk.room.workspace_id, answer["delivery_id"], system_now())
    await desk.work()
    row = await desk.delivery(answer["delivery_id"])
    assert row["status"] == "undeliverable"
    assert row["person_id"] is not None
    assert await desk.count("due") == 0


async def test_all_scheduled_sends_of_a_template_are_cancelled(desk: Desk) -> None:
    await desk.room.define(template("receipt"), template("other"))
    at = to_unix(desk.room.now) + HOUR
    mine = [
        await desk.send(transactional_message_id="receipt", send_at=at, identifiers={"id": str(n)}) for n in range(3)
    ]
    kept = await desk.send(transactional_message_id="other", send_at=at)
    gone = await desk.send(transactional_message_id="receipt")
    assert await desk.cancelling.of_template(desk.room.workspace_id, "receipt", system_now()) == 3
    assert await desk.cancelling.of_template(desk.room.workspace_id, "receipt", system_now()) == 0
    assert [(await desk.status(name))[0] for name in (*mine, kept, gone)] == ["undeliverable"] * 3 + [
        "queued",
        "delivered",
    ]
    assert await desk.cancelling.of_template(desk.room.workspace_id, 1, system_now()) == 0
    with pytest.raises(NotFound):
        await desk.cancelling.of_template(desk.room.workspace_id, "nothing", system_now())


async def test_drafts_wait_follow_their_template_and_are_sent_as_of_then(desk: Desk) -> None:
    await desk.room.define(template(queue_drafts=True, message={"subject": "One {{ trigger.n }}", "body": "x"}))
    sent = await desk.send(transactional_message_id="receipt", message_data={"n": 1})
    row = await desk.delivery(sent)
    assert (row["status"], row["draft"], row["subject"]) == ("drafted", True, "One 1")
    assert await desk.mailbox() == []
    answer = await desk.room.define(
        template(queue_drafts=True, message={"subject": "Two {{ trigger.n }}", "body": "x"})
    )
    assert answer["changes"][0]["effects"] == {"drafts_rerendered": 1}
    await desk.room.rows("UPDATE tasks SET state = 'queued' WHERE workspace_id = $1 RETURNING task_id")
    await desk.rerender()
    assert (await desk.archived(sent))["subject"] == "Two 1"
    await desk.drafts.edit(desk.room.workspace_id, sent, {"subject": "Three {{ trigger.n }}"}, system_now())
    await desk.drafts.send(desk.room.workspace_id, sent, system_now())
    await desk.work()
    assert (await desk.status(sent))[0] == "delivered"
    assert (await desk.archived(sent))["subject"] == "Three 1"
    assert len(await desk.mailbox()) == 1
    at_once = await desk.send(transactional_message_id="receipt", queue_draft=False, message_data={"n": 2})
    assert (await desk.status(at_once))[0] == "delivered"


async def test_a_scheduled_draft_is_made_at_its_instant_and_kept_for_as_long_as_others(desk: Desk) -> None:
    sent = await desk.inline(queue_draft=True, send_at=to_unix(desk.room.now) + 40 * 86_400)
    assert (await desk.status(sent))[0] == "queued"
    await desk.room.move(days=40)
    await desk.work()
    assert (await desk.status(sent))[0] == "drafted"
    assert await desk.expired() == 0
    await desk.room.move(days=30)
    assert await desk.expired() == 1
    assert await desk.count("delivery_requests") == await desk.count("delivery_contents") == 0


async def test_a_draft_of_an_unsubscribed_person_is_not_sent(desk: Desk) -> None:
    sent = await desk.inline(queue_draft=True, send_to_unsubscribed=False)
    await desk.room.apply(identify("ann", unsubscribed=True))
    await desk.drafts.send(desk.room.workspace_id, sent, system_now())
    await desk.work()
    assert await desk.status(sent) == ("undeliverable", "Customer is unsubscribed")


async def test_chn_case_10_nothing_is_kept_of_what_a_send_says(desk: Desk) -> None:
    body = '<a href="https://example.io/secret">secret</a>'
    sent = await desk.inline(
        subject="Secret", body=body, disable_message_retention=True, tracked=True, message_data={"code": "4711"}
    )
    assert (await desk.status(sent))[0] == "delivered"
    (mail,) = await desk.mailbox()
    assert b"https://example.io/secret" in mail["raw"]
    kept = await desk.archived(sent)
    assert kept["forgotten"] is True
    assert "secret" not in str(kept).lower()
    assert (await desk.delivery(sent))["subject"] is None
    assert await desk.count("delivery_requests") == 0
    stored = await desk.room.rows("SELECT rendered FROM delivery_contents WHERE workspace_id = $1")
    assert "secret" not in str(stored).lower()
    logged = await desk.room.rows("SELECT body FROM ingest_log WHERE workspace_id = $1")
    assert "4711" not in str(logged)


async def test_what_is_not_kept_is_made_anew_for_each_attempt(desk: Desk) -> None:
    await desk.room.define(template(hide_message_body=True, message={"subject": "{{ customer.n }}", "body": "x"}))
    await desk.room.apply(identify("ann", n=1))
    await desk.faults({"channel": "email", "outcome": "soft_bounce", "times": 1})
    sent = await desk.send(transactional_message_id="receipt")
    assert (await desk.status(sent))[0] == "attempted"
    assert await desk.count("delivery_requests") == 1
    await desk.room.apply(identify("ann", n=2))
    await desk.room.move(minutes=10)
    await desk.work()
    assert (await desk.status(sent))[0] == "delivered"
    assert b"Subject: 2" in (await desk.mailbox())[-1]["raw"]
    assert await desk.count("delivery_requests") == 0


async def test_a_draft_of_which_nothing_is_kept_is_sent_and_not_edited(desk: Desk) -> None:
    sent = await desk.inline(subject="Secret", queue_draft=True, disable_message_retention=True)
    row = await desk.delivery(sent)
    assert (row["status"], row["subject"], row["forgotten"]) == ("drafted", None, True)
    with pytest.raises(DomainError, match="cannot be edited"):
        await desk.drafts.edit(desk.room.workspace_id, sent, {"subject": "x"}, system_now())
    await desk.drafts.send(desk.room.workspace_id, sent, system_now())
    await desk.work()
    assert (await desk.status(sent))[0] == "delivered"
    assert b"Subject: Secret" in (await desk.mailbox())[0]["raw"]
    assert await desk.count("delivery_requests") == 0


async def test_a_retry_keeps_what_was_sent_first_and_its_attachments(desk: Desk) -> None:
    await desk.faults({"channel": "email", "outcome": "soft_bounce", "times": 1})
    await desk.room.apply(identify("ann", n=1))
    files = {"a.txt": base64.b64encode(b"one").decode()}
    sent = await desk.inline(subject="{{ customer.n }}", attachments=files)
    await desk.room.apply(identify("ann", n=2))
    await desk.room.move(minutes=10)
    await desk.work()
    raw = (await desk.mailbox(sent))[-1]["raw"]
    assert b"Subject: 1" in raw
    assert b"a.txt" in raw


async def test_a_key_makes_a_repeat_the_same_answer(desk: Desk) -> None:
    body = {"identifiers": {"id": "ann"}, "to": "a@example.com", **INLINE}
    first = await desk.take("email", body, "k1")
    assert await desk.take("email", dict(reversed(body.items())), "k1") == first
    both = await asyncio.gather(*(desk.take("email", body, "k2") for _ in range(5)))
    assert len({answer["delivery_id"] for answer in both}) == 1
    assert await desk.count("deliveries") == 2
    with pytest.raises(SendRefused, match="used before with another request") as refused:
        await desk.take("email", {**body, "subject": "Other"}, "k1")
    assert refused.value.code == "key_reused"
    assert (await desk.take("email", body))["delivery_id"] != first["delivery_id"]
    with pytest.raises(SendRefused, match="Idempotency-Key"):
        await desk.take("email", body, "k" * 256)
    async with desk.room.db.transaction() as conn:
        await conn.execute(
            "UPDATE idempotent_answers SET expires_at = $2 WHERE workspace_id = $1",
            desk.room.workspace_id,
            system_now(),
        )
    assert (await desk.take("email", body, "k1"))["delivery_id"] != first["delivery_id"]
    await expire_answers(desk.room.db, system_now())
    assert await desk.count("idempotent_answers") == 1


async def test_many_calls_at_once_share_commits_and_lose_nothing(desk: Desk) -> None:
    body = {"to": "a@example.com", **INLINE}
    calls = (desk.take("email", {**body, "identifiers": {"id": str(n % 7)}}) for n in range(60))
    answers = await asyncio.gather(*calls)
    assert len({answer["delivery_id"] for answer in answers}) == 60
    await desk.work()
    assert {(await desk.status(answer["delivery_id"]))[0] for answer in answers} == {"delivered"}
    assert await desk.count("people") == 7


async def test_sends_that_nobody_has_in_hand_are_asked_for_again(desk: Desk) -> None:
    body = {"identifiers": {"id": "ann"}, "to": "a@example.com", **INLINE}
    answer = await desk.take("email", body)
    mine = desk.room.workspace_id
    assert await repair_sends(desk.room.db, desk.notifier, system_now(), workspace_id=mine) == 0
    await desk.room.apply()
    assert await repair_sends(desk.room.db, desk.notifier, system_now(), workspace_id=mine) == 0
    await desk.room.rows("DELETE FROM outbox WHERE workspace_id = $1 RETURNING outbox_id")
    assert await repair_sends(desk.room.db, desk.notifier, system_now(), workspace_id=mine) == 1
    await desk.work()
    assert (await desk.status(answer["delivery_id"]))[0] == "delivered"
    assert await repair_sends(desk.room.db, desk.notifier, system_now(), workspace_id=mine) == 0


async def test_a_send_whose_fact_was_put_aside_ends_when_it_is_repaired(desk: Desk) -> None:
    answer = await desk.take("email", {"identifiers": {"id": "ann"}, "to": "a@example.com", **INLINE})
    await desk.room.rows("UPDATE ingest_log SET applied_at = accepted_at WHERE workspace_id = $1 RETURNING seq")
    await repair_sends(desk.room.db, desk.notifier, system_now(), workspace_id=desk.room.workspace_id)
    await desk.work()
    assert (await desk.status(answer["delivery_id"]))[0] == "undeliverable"


async def test_of_an_erased_person_no_scheduled_send_is_left(desk: Desk) -> None:
    sent = await desk.inline(send_at=to_unix(desk.room.now) + HOUR)
    await desk.room.apply(DeletePerson(subject=Identifier(kind="id", value="ann")))
    assert (await desk.status(sent))[0] == "undeliverable"
    assert await desk.count("due") == await desk.count("delivery_requests") == 0
