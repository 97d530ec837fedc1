"""The suppression list: what bounces and complaints put on it, and whom it keeps mail from (SUB-16, SUB-21)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.operations import Identifier, ReportDelivery, TrackEvent
from domain.suppressed import category_of, reported_category
from services.drafts import Drafts
from store import journeys as journey_store
from store import suppressed_addresses, workspaces
from store.notify import Notifier
from store.suppressed_addresses import SuppressedRow
from tests.services.posting import LINKS, Post, begin, campaign, faulty, rules
from tests.support.database import START, Room

KEPT = "Not delivering to previously bounced address"


async def another(post: Post, number: int, **event: Any) -> Post:
    """The same person's next journey, standing at the same email."""
    subject = Identifier(kind="id", value="7")
    await post.room.apply(TrackEvent(subject=subject, name="go", data=event, event_id=f"e{number}"))
    async with post.room.db.connection() as conn:
        journey = await journey_store.get(conn, post.room.workspace_id, (await post.room.journeys())[-1]["journey_id"])
    assert journey is not None
    return Post(post.room, post.deliverer, journey)


async def entries(room: Room) -> list[tuple[str, str, str, str]]:
    rows = await room.rows(
        """SELECT email, category, domain, status FROM suppressed_addresses WHERE workspace_id = $1
           ORDER BY email, category, domain"""
    )
    return [tuple(row.values()) for row in rows]  # type: ignore[misc]


async def test_sub_case_22_a_hard_bounce_is_not_tried_again_and_its_address_gets_nothing_more(room: Room) -> None:
    from_event = campaign(message={"from": "{{ event.from | default: 'team@example.com' }}"})
    post = await begin(room, from_event)
    await rules(room, faulty("hard_bounce", reply="550 5.1.1 No such user", times=1))
    recorded = await post.deliver()
    assert (recorded.status, recorded.explanation) == ("bounced", "550 5.1.1 No such user")
    assert await post.due() == []
    assert await entries(room) == [("ann@example.com", "bounces", "example.com", "5.1.1")]

    second = await another(post, 2)
    recorded = await second.deliver()
    assert (recorded.outcome, recorded.status, recorded.explanation) == ("skipped", "suppressed", KEPT)
    assert len(await post.mailbox()) == 1
    # Other domains still deliver.
    third = await another(post, 3, **{"from": "news@other.example"})
    assert (await third.deliver()).status == "delivered"
    assert (await room.people())[0]["email"] == "ann@example.com"


async def test_sub_case_22_a_soft_bounce_that_is_given_up_leaves_its_address_alone(room: Room) -> None:
    post = await begin(room, campaign())
    await rules(room, faulty("soft_bounce", reply="452 4.2.2 Mailbox full"))
    await post.deliver()
    for minutes in (10, 15, 30, 60, 120, 240, 240):
        await room.move(minutes=minutes)
        await post.retry()
    delivery = await post.delivery()
    assert (delivery.status, delivery.failure_message, delivery.attempts) == ("bounced", "Too old", 8)
    assert await entries(room) == []


@pytest.mark.parametrize(
    ("answer", "category"),
    [
        ("550 5.1.1 No such user", "bounces"),
        ("550 No such domain", "bounces"),
        ("552 5.2.2 Mailbox full", None),
        ("552 user is over quota", None),
        ("450 4.7.1 Client host blocked using Spamhaus", "blocks"),
        ("554 5.7.1 Your address is on the blocklist of mail.example", "blocks"),
        ("hard bounce", "bounces"),
    ],
)
def test_which_list_a_bounce_leads_to(answer: str, category: str | None) -> None:
    assert category_of(answer) == category


def test_what_is_reported_counts_where_it_is_certain() -> None:
    assert reported_category("spammed", None) == "spam_reports"
    assert reported_category("bounced", "smtp; 550 5.1.1 gone") == "bounces"
    assert reported_category("bounced", "550 gone") == "bounces"
    assert reported_category("bounced", "452 4.2.2 full") is None
    assert reported_category("bounced", None) is None
    assert reported_category("opened", "550 gone") is None


async def test_a_complaint_keeps_the_next_message_back(room: Room) -> None:
    post = await begin(room, campaign())
    await rules(room, faulty("complaint", times=1))
    assert (await post.deliver()).status == "delivered"
    assert [row[:3] for row in await entries(room)] == [("ann@example.com", "spam_reports", "example.com")]
    recorded = await (await another(post, 2)).deliver()
    assert recorded.explanation == "Not delivering to a user who marked your messages as spam"


async def test_what_a_relay_reports_later_counts_too(room: Room) -> None:
    post = await begin(room, campaign())
    await post.deliver()
    named = {"delivery_id": (await post.delivery()).delivery_id, "timestamp": int(room.now.timestamp())}
    await room.apply(ReportDelivery(metric="bounced", details={"reason": "452 4.3.1 Try later"}, **named))
    assert await entries(room) == []
    await room.apply(ReportDelivery(metric="spammed", **named))
    assert [row[:3] for row in await entries(room)] == [("ann@example.com", "spam_reports", "example.com")]
    assert (await (await another(post, 2)).deliver()).status == "suppressed"


async def test_what_is_to_be_tried_again_is_kept_back_when_its_address_has_come_onto_the_list(room: Room) -> None:
    post = await begin(room, campaign())
    await rules(room, faulty("soft_bounce", times=1))
    assert (await post.deliver()).status == "attempted"
    entry = SuppressedRow("ANN@Example.com", "invalid_emails", "", "by hand", "", START)
    async with room.db.transaction() as conn:
        await suppressed_addresses.add(conn, room.workspace_id, [entry])
    await room.move(minutes=10)
    await post.retry()
    delivery = await post.delivery()
    assert (delivery.status, delivery.failure_message) == ("suppressed", "Not delivering to invalid address")
    assert "suppressed" in delivery.metrics
    assert await post.due() == []


async def test_a_draft_is_a_draft_and_is_kept_back_when_it_is_let_go(room: Room) -> None:
    post = await begin(room, campaign(sending_state="draft"))
    entry = SuppressedRow("ann@example.com", "bounces", "example.com", "550", "", START)
    async with room.db.transaction() as conn:
        await suppressed_addresses.add(conn, room.workspace_id, [entry])
    assert (await post.deliver()).status == "drafted"
    drafts = Drafts(room.db, room.catalogs, Notifier(room.db.pool), LINKS)
    await drafts.send(room.workspace_id, (await post.delivery()).delivery_id, system_now())
    await post.retry()
    assert (await post.delivery()).status == "suppressed"
    assert await post.mailbox() == []


async def test_each_workspace_has_a_list_of_its_own(room: Room) -> None:
    async with room.db.transaction() as conn:
        others = [
            await workspaces.create(conn, name="live", sandbox=False, clock_now=None, delivery_key=b"l" * 32, now=START)
            for _ in range(2)
        ]
        entry = SuppressedRow("bob@shared.example", "bounces", "a.example", "550", "", START)
        await suppressed_addresses.add(conn, others[0], [entry])
        asked = [("BOB@shared.example", "a.example"), ("bob@shared.example", "b.example")]
        found = [
            set(await suppressed_addresses.matching(conn, number, asked)) for number in (*others, room.workspace_id)
        ]
    assert found == [{asked[0]}, set(), set()]
