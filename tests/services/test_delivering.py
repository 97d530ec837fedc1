"""Delivering in full: row first, one hand-over, retries by the clock, and every way a process may die in between."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from clock import system_now
from domain.captured import FaultRule
from domain.deliveries import HAND_OVER_GAPS, delivery_id, microseconds
from domain.operations import Identifier, Identify, MergePeople
from ingest.apply import Applier
from store.notify import Notifier
from tests.ingest.test_interleaving import PacedDatabase, Turns
from tests.services.posting import ANN, LINKS, begin, campaign, faulty, rules
from tests.support.database import START, Room


async def test_a_message_is_stored_then_taken_then_receipted(room: Room) -> None:
    post = await begin(room, campaign(), event={"what": "there"})
    prepared = await post.prepare()
    row = await post.delivery()
    assert (row.status, row.attempts, row.metrics) == ("queued", 0, {"created": microseconds(START)})
    outcome = await post.deliverer.hand_over(prepared, system_now)
    recorded = await post.record(prepared, outcome)
    assert (recorded.outcome, recorded.explanation, recorded.draft) == ("done", None, False)

    row = await post.delivery()
    subject = f"journey/{post.journey.journey_id}/{row.action_id}"
    assert row.delivery_id == delivery_id(b"k" * 32, subject)
    assert (row.status, row.attempts, row.recipient, row.subject) == ("delivered", 1, "ann@example.com", "Hi there")
    assert (row.trigger_event_id, row.block, row.provider) == ("e1", "hello", "capture")
    assert row.metrics == dict.fromkeys(("created", "sent", "delivered"), microseconds(START))
    (mail,) = await post.mailbox()
    assert (mail["to"], mail["campaign"], mail["block"], mail["outcome"]) == (
        ["ann@example.com"], "c", "hello", "accepted"
    )  # fmt: skip
    url = f"{LINKS}/unsubscribe/{row.delivery_id}"
    assert mail["rendered"]["html"] == f'<p>Hello Ann</p><a href="{url}" class="untracked">Unsubscribe</a>'
    message = message_from_bytes(mail["raw"], policy=default)
    assert message["X-CIO-Email-ID"] == row.delivery_id
    assert message["List-Unsubscribe"] == f"<{url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert row.delivery_id not in message["Message-ID"]
    assert message["Date"].datetime == START
    assert await post.figures() == await post.figures("action") == {"created": 1, "sent": 1, "delivered": 1}
    (attempt,) = await room.rows("SELECT * FROM delivery_attempts WHERE workspace_id = $1")
    assert (attempt["attempt"], attempt["outcome"], attempt["provider"]) == (1, "accepted", "capture")


async def test_doing_it_all_again_changes_nothing(room: Room) -> None:
    post = await begin(room, campaign())
    first = await post.deliver()
    assert await post.deliver() == first
    assert len(await post.mailbox()) == 1
    assert await post.figures() == {"created": 1, "sent": 1, "delivered": 1}


@pytest.mark.parametrize("after_provider", [False, True])
async def test_a_process_that_dies_leaves_a_message_that_is_sent_once(room: Room, after_provider: bool) -> None:
    post = await begin(room, campaign())
    prepared = await post.prepare()
    if after_provider:
        await post.deliverer.hand_over(prepared, system_now)
    assert (await post.deliver()).outcome == "done"
    assert len(await post.mailbox()) == 1
    assert (await post.delivery()).attempts == 1


async def test_unsubscribed_people_and_silent_workspaces_get_nothing(room: Room) -> None:
    post = await begin(room, campaign(), person={**ANN, "unsubscribed": "True"})
    recorded = await post.deliver()
    assert (recorded.outcome, recorded.explanation) == ("skipped", "Customer is unsubscribed")
    assert (await post.delivery()).status == "undeliverable"
    assert await post.mailbox() == []
    assert await post.figures() == {"created": 1, "undeliverable": 1}


async def test_everyone_means_everyone(room: Room) -> None:
    post = await begin(room, campaign(subscription="everyone"), person={**ANN, "unsubscribed": True})
    assert (await post.deliver()).outcome == "done"


async def test_a_workspace_may_send_nothing_at_all(room: Room) -> None:
    post = await begin(room, campaign(), {"kind": "settings", "key": "workspace", "sending": "never"})
    assert (await post.deliver()).explanation == "Sending is switched off in this workspace"


async def test_or_everything_to_one_address_without_figures_of_reading(room: Room) -> None:
    settings = {"kind": "settings", "key": "workspace", "sending": {"test_address": "qa@example.com"}}
    post = await begin(room, campaign(message={"bcc": "crm@example.com"}), settings)
    await post.deliver()
    (mail,) = await post.mailbox()
    assert mail["to"] == ["qa@example.com"]
    assert (await post.delivery()).status == "sent"


async def test_a_template_that_fails_is_a_failed_delivery(room: Room) -> None:
    post = await begin(room, campaign(message={"subject": "{{ customer.nick }}"}))
    recorded = await post.deliver()
    assert (recorded.outcome, recorded.explanation) == ("failed", "Variable 'customer.nick' is missing (in subject)")
    row = await post.delivery()
    assert (row.status, row.attempts) == ("failed", 0)
    (content,) = await room.rows("SELECT rendered FROM delivery_contents WHERE workspace_id = $1")
    assert content["rendered"]["errors"] == [{"field": "subject", "message": "Variable 'customer.nick' is missing"}]
    assert await post.mailbox() == []


async def test_somebody_without_an_address_cannot_be_written_to(room: Room) -> None:
    post = await begin(room, campaign(), person={"first_name": "Ann"})
    assert (await post.deliver()).explanation == "Variable 'customer.email' is missing (in to)"


async def test_a_draft_is_kept_and_not_sent(room: Room) -> None:
    post = await begin(room, campaign(sending_state="draft"))
    recorded = await post.deliver()
    assert (recorded.outcome, recorded.draft) == ("drafted", True)
    row = await post.delivery()
    assert (row.status, row.draft, row.subject) == ("drafted", True, "Hi you")
    assert await post.mailbox() == []
    assert await post.figures() == {"created": 1, "drafted": 1}


async def test_a_draft_shows_what_is_wrong_with_it(room: Room) -> None:
    post = await begin(room, campaign(sending_state="draft", message={"subject": "{{ customer.nick }}"}))
    assert (await post.deliver()).outcome == "drafted"
    assert "customer.nick" in ((await post.delivery()).failure_message or "")


async def test_the_ladder_is_climbed_on_the_clock_of_the_workspace(room: Room) -> None:
    post = await begin(room, campaign())
    await rules(room, faulty("timeout"))
    recorded = await post.deliver()
    assert recorded.outcome == "done"
    due = START
    for gap in HAND_OVER_GAPS:
        due += gap
        assert (await post.delivery()).status == "attempted"
        assert await post.due() == [due]
        await post.retry()
        assert (await post.delivery()).held_until == due, "a retry that comes early waits"
        await room.move(seconds=(due - room.now).total_seconds())
        await post.retry()
    row = await post.delivery()
    assert (row.status, row.attempts, row.failure_message) == ("failed", 12, "timeout")
    assert await post.due() == []
    assert await post.figures() == {"created": 1, "attempted": 1, "failed": 1}
    assert [mail["attempt"] for mail in await post.mailbox()] == list(range(1, 13))


async def test_a_retry_that_succeeds(room: Room) -> None:
    post = await begin(room, campaign())
    await rules(room, faulty("http_status", status=503, times=1))
    await post.deliver()
    await room.move(seconds=2)
    await post.retry()
    row = await post.delivery()
    assert (row.status, row.attempts, row.failure_message, row.held_until) == ("delivered", 2, None, None)
    assert row.metrics["sent"] == microseconds(START + timedelta(seconds=2))
    assert [mail["outcome"] for mail in await post.mailbox()] == ["http_status", "accepted"]
    assert await post.due() == []
    await post.retry()
    assert len(await post.mailbox()) == 2


async def test_soft_bounces_end_as_too_old(room: Room) -> None:
    post = await begin(room, campaign())
    await rules(room, faulty("soft_bounce", reply="452 4.2.2 Mailbox full"))
    await post.deliver()
    for _ in range(7):
        (due,) = await post.due()
        await room.move(seconds=(due - room.now).total_seconds())
        await post.retry()
    row = await post.delivery()
    assert (row.status, row.attempts, row.failure_message) == ("bounced", 8, "Too old")
    assert room.now - START == timedelta(minutes=715)


@pytest.mark.parametrize(
    ("rule", "status", "outcome"),
    [
        (faulty("hard_bounce", reply="550 5.1.1 Nobody"), "bounced", "failed"),
        (faulty("reject"), "failed", "failed"),
        (faulty("complaint"), "delivered", "done"),
    ],
)
async def test_other_answers_are_final(room: Room, rule: FaultRule, status: str, outcome: str) -> None:
    post = await begin(room, campaign())
    await rules(room, rule)
    recorded = await post.deliver()
    assert (recorded.status, recorded.outcome) == (status, outcome)
    assert await post.due() == []
    assert ("spammed" in (await post.delivery()).metrics) is (rule.outcome == "complaint")


async def test_who_unsubscribes_meanwhile_gets_no_retry(room: Room) -> None:
    post = await begin(room, campaign())
    await rules(room, faulty("timeout"))
    await post.deliver()
    await room.apply(Identify(subject=Identifier(kind="id", value="7"), attributes={"unsubscribed": True}))
    await room.move(seconds=2)
    await post.retry()
    assert (await post.delivery()).status == "undeliverable"
    assert await post.due() == []
    assert len(await post.mailbox()) == 1


@pytest.mark.parametrize("stop_at", range(8, 80, 6))
async def test_who_is_merged_meanwhile_gets_the_retry(room: Room, stop_at: int) -> None:
    post = await begin(room, campaign())
    await rules(room, faulty("timeout"))
    await post.deliver()
    await rules(room)
    primary = Identifier(kind="id", value="8")
    await room.apply(Identify(subject=primary))
    await room.move(seconds=2)
    await room.accept(MergePeople(primary=primary, secondary=Identifier(kind="id", value="7")))
    turns = Turns(stop_at)
    applier = Applier(PacedDatabase(room.db, turns), room.catalogs, Notifier(room.db.pool))  # type: ignore[arg-type]
    merging = asyncio.create_task(applier.apply_once(system_now()))
    stopped = asyncio.create_task(turns.reached.wait())
    await asyncio.wait({merging, stopped}, return_when=asyncio.FIRST_COMPLETED)
    retrying = asyncio.create_task(post.retry())
    await asyncio.wait({retrying}, timeout=0.1)
    turns.go_on.set()
    stopped.cancel()
    await asyncio.gather(merging, retrying)
    await room.apply()
    assert (await post.delivery()).status == "delivered"


@pytest.mark.parametrize("fake", [True, False])
async def test_copies(room: Room, fake: bool) -> None:
    post = await begin(room, campaign(message={"bcc": "crm@example.com", "fake_bcc": fake}))
    await post.deliver()
    mails = await post.mailbox()
    if not fake:
        assert [mail["to"] for mail in mails] == [["ann@example.com", "crm@example.com"]]
        assert b"crm@example.com" not in mails[0]["raw"]
        return
    assert [(mail["purpose"], mail["to"]) for mail in mails] == [
        ("delivery", ["ann@example.com"]), ("fake_bcc", ["crm@example.com"])
    ]  # fmt: skip
    copy = message_from_bytes(mails[1]["raw"], policy=default)
    assert copy["Subject"] == "Hi you (ann@example.com)"
    assert "List-Unsubscribe" not in copy
    assert "X-CIO-Email-ID" not in copy


async def test_a_copy_that_is_refused_spoils_nothing(room: Room) -> None:
    post = await begin(room, campaign(message={"bcc": "crm@example.com"}))
    await rules(room, faulty("reject", to="crm@example.com"))
    assert (await post.deliver()).status == "delivered"


async def test_an_author_s_own_unsubscribe_header_takes_the_place_of_ours(room: Room) -> None:
    own = [{"name": "List-Unsubscribe", "value": "<https://own.example.com/{{ delivery_id }}>"}]
    post = await begin(room, campaign(message={"headers": own}))
    await post.deliver()
    message = message_from_bytes((await post.mailbox())[0]["raw"], policy=default)
    assert message.get_all("List-Unsubscribe") == [f"<https://own.example.com/{(await post.delivery()).delivery_id}>"]
