"""What becomes of a message whose Liquid fails, and what templates know of the message they are in (MSG-01, MSG-04)."""

from __future__ import annotations

from clock import system_now
from domain.operations import Identifier, Identify
from services.drafts import Drafts
from store.notify import Notifier
from tests.services.posting import LINKS, begin, campaign
from tests.support.database import Room


async def test_msg_case_01_a_missing_attribute_fails_the_delivery_for_good(room: Room) -> None:
    post = await begin(room, campaign(message={"body": "Hi {{customer.nick}}!"}))
    assert (await post.deliver()).outcome == "failed"
    row = await post.delivery()
    assert (row.status, row.failure_message) == ("failed", "Variable 'customer.nick' is missing (in body)")
    assert await post.mailbox() == []
    assert await post.due() == []


async def test_msg_case_02_fixed_and_tried_again_the_same_delivery_is_sent(room: Room) -> None:
    post = await begin(room, campaign(message={"body": "Hi {{customer.nick}}!"}))
    await post.deliver()
    failed = await post.delivery()
    await room.apply(Identify(subject=Identifier(kind="id", value="7"), attributes={"nick": "Al"}))
    handling = Drafts(room.db, room.catalogs, Notifier(room.db.pool), LINKS)
    await handling.retry(room.workspace_id, failed.delivery_id, {}, system_now())
    await post.retry()
    row = await post.delivery()
    assert (row.delivery_id, row.status) == (failed.delivery_id, "delivered")
    (mail,) = await post.mailbox()
    assert mail["rendered"]["html"] == "Hi Al!"


async def test_templates_know_the_message_they_are_in(room: Room) -> None:
    body = (
        "{{campaign.type}} {{campaign.name}} {{message.type}} {{message.subject}} {{message.send_to_unsubs}} {{editor}} "
        "{{ message.journey_id | size }}{% if delivery_id == 'unsent' %}?{% endif %}"
    )
    post = await begin(room, campaign(message={"subject": "Hello", "body": body}))
    await post.deliver()
    (mail,) = await post.mailbox()
    assert mail["rendered"]["html"].startswith("transactional C email_action Hello false html ")
    assert not mail["rendered"]["html"].endswith("?")
