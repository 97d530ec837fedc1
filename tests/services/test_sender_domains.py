"""Whose name mail goes out under (MSG-18, MSG-19), and which server takes it (MSG-27)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clock import system_now
from domain.addresses import Address
from domain.errors import DomainError, InvalidInput
from rendering.rendered_email import RenderedEmail
from services import campaigns, definitions
from services.drafts import Drafts
from services.providers import provider_for
from services.sender_checks import may_send_from
from store.database import Database
from store.notify import Notifier
from tests.services.posting import LINKS, SENDER, begin, campaign
from tests.services.test_handing_over import live
from tests.support.database import Room
from tests.support.live import DOMAIN

NOT_OURS = "from address does not belong to a verified sending domain"
EVENT_FROM = {"from": "{{ event.manager | default: 'accounts@example.com' }}"}


def domain(key: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "domain", "key": key, "domain": name, "use": "sending", **fields}


def mail(key: str, **fields: Any) -> dict[str, Any]:
    config = {"host": "127.0.0.1", "port": 2525}
    return {"kind": "provider", "key": key, "channel": "email", "provider": "smtp", "config": config, **fields}


async def may(room: Room, *addresses: str) -> list[bool]:
    async with room.db.connection() as conn:
        catalog = await room.catalogs.get(conn, room.workspace_id)
    return [may_send_from(catalog, address) for address in addresses]


async def faults(room: Room, *documents: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        await definitions.apply(room.db, room.workspace_id, {"definitions": list(documents)}, now=system_now())
    except InvalidInput as refusal:
        return [(problem.pointer, problem.code) for problem in refusal.problems]
    return []


async def test_who_may_be_written_from(room: Room, database: Database) -> None:
    addresses = ("a@example.com", "Ann <a@MAIL.Example.com>", "a@notexample.com", "a@example.com.evil.example")
    assert await may(room, *addresses) == [True] * 4
    await room.define(domain("links", "links.example.com", use="tracking", sending_domain="main"), DOMAIN)
    assert await may(room, *addresses) == [True, True, False, False]
    async with live(database) as place:
        assert await may(place.room, *addresses) == [True, True, False, False]
        await definitions.delete(place.room.db, place.room.workspace_id, "domain", "main", now=system_now())
        assert await may(place.room, *addresses) == [False] * 4


async def test_an_international_domain_is_registered_in_ascii_and_written_either_way(room: Room) -> None:
    await room.define(domain("buecher", "xn--bcher-kva.example"))
    said = ("a@bücher.example", "B <a@NEWS.BÜCHER.example>", "a@xn--bcher-kva.example.", "a@bucher.example")
    assert await may(room, *said) == [True, True, True, False]
    assert await faults(room, domain("raw", "bücher.example")) == [("/definitions/0/domain", "format")]


async def test_msg_case_31_a_sender_outside_of_the_domains_is_undeliverable(room: Room) -> None:
    block = campaign(message=EVENT_FROM)
    post = await begin(room, DOMAIN, block, event={"manager": "rep@elsewhere.example"})
    recorded = await post.deliver()
    assert (recorded.outcome, recorded.status, recorded.explanation) == ("skipped", "undeliverable", NOT_OURS)
    assert await post.mailbox() == []
    assert await post.figures() == {"created": 1, "undeliverable": 1}


async def test_msg_case_31_the_fallback_is_sent_from(room: Room) -> None:
    post = await begin(room, DOMAIN, campaign(message=EVENT_FROM))
    assert (await post.deliver()).status == "delivered"
    assert [mail["sender"] for mail in await post.mailbox()] == ["accounts@example.com"]


async def test_a_draft_from_elsewhere_shows_why_and_goes_nowhere(room: Room) -> None:
    block = campaign(message=EVENT_FROM, sending_state="draft")
    post = await begin(room, DOMAIN, block, event={"manager": "rep@elsewhere.example"})
    recorded = await post.deliver()
    assert (recorded.status, recorded.explanation) == ("drafted", NOT_OURS)
    drafts = Drafts(room.db, room.catalogs, Notifier(room.db.pool), LINKS)
    await drafts.send(room.workspace_id, recorded.delivery_id, system_now())
    delivery = await post.delivery()
    assert (delivery.status, delivery.failure_message) == ("undeliverable", NOT_OURS)


async def test_a_campaign_from_elsewhere_does_not_start(database: Database) -> None:
    async with live(database) as place:
        room = place.room
        block = campaign(message={"from": "rep@elsewhere.example"})
        await room.define(SENDER, place.relay(), block)
        with pytest.raises(InvalidInput) as refusal:
            await campaigns.start(room.db, room.workspace_id, "c", {}, system_now())
        (problem,) = refusal.value.problems
        assert (problem.code, problem.pointer) == ("sender_not_verified", "/workflow/blocks/hello/message/from")
        await room.define(domain("elsewhere", "elsewhere.example"))
        await campaigns.start(room.db, room.workspace_id, "c", {}, system_now())


async def test_a_domain_is_kept_while_senders_use_it(room: Room) -> None:
    await room.define(DOMAIN, SENDER, campaign(message={"from": "a@mail.example.com"}))

    async def delete(kind: str, key: str) -> None:
        await definitions.delete(room.db, room.workspace_id, kind, key, now=system_now())

    with pytest.raises(DomainError) as refusal:
        await delete("domain", "main")
    assert refusal.value.code == "in_use"
    assert [(one.kind, one.key) for one in refusal.value.referents] == [("campaign", "c"), ("sender", "team")]
    await room.define(domain("mail", "mail.example.com"))
    await delete("campaign", "c")
    await delete("sender", "team")
    await delete("domain", "main")


async def test_what_a_domain_may_say(room: Room) -> None:
    await room.define(DOMAIN)
    track = domain("links", "links.example.com", use="tracking")
    assert await faults(room, track) == [("/definitions/0/sending_domain", "required")]
    assert await faults(room, {**track, "sending_domain": "none"}) == [
        ("/definitions/0/sending_domain", "unknown_reference")
    ]
    assert await faults(room, {**track, "sending_domain": "links"}) == [
        ("/definitions/0/sending_domain", "unknown_reference")
    ]
    assert await faults(room, domain("twin", "example.com")) == [("/definitions/0/domain", "duplicate")]
    assert await faults(room, domain("bad", "Example.com")) == [("/definitions/0/domain", "format")]
    assert await faults(room, domain("sub", "a.example.com", sending_domain="main")) == [
        ("/definitions/0/sending_domain", "not_applicable")
    ]
    assert await faults(room, {**track, "sending_domain": "main"}) == []


async def test_msg_case_27_servers_of_a_workspace(room: Room) -> None:
    assert await faults(room, mail("a", config={"host": "h", "port": 25})) == [("/definitions/0/config/port", "range")]
    await room.define(mail("a"))
    await room.define(mail("b"))
    documents = [mail("a"), mail("b")]
    assert await uses(room) == {"a": ["all"], "b": []}
    # Saying the same again changes nothing, whatever the order.
    await room.define(*reversed(documents))
    assert await uses(room) == {"a": ["all"], "b": []}
    assert await faults(room, mail("c", use_for=["all"])) == [("/definitions/0/use_for", "duplicate")]
    await room.define(mail("b", use_for=["transactional"]))
    assert await chosen(room, "transactional") == "b"
    assert await chosen(room, "newsletters") == "a"
    assert await faults(room, mail("a", use_for=["newsletters"])) == [("/definitions/0/use_for", "required")]
    assert await faults(room, mail("c", use_for=["transactional"])) == [("/definitions/0/use_for", "duplicate")]
    await room.define(*(mail(key) for key in "cdef"))
    assert await faults(room, mail("g")) == [("/definitions/0/channel", "length")]
    with pytest.raises(DomainError):
        await definitions.delete(room.db, room.workspace_id, "provider", "a", now=system_now())
    await room.define(mail("a", use_for=[]), mail("b", use_for=["all"]))
    await definitions.delete(room.db, room.workspace_id, "provider", "a", now=system_now())


async def test_a_server_of_its_own_for_a_sender_domain(room: Room) -> None:
    await room.define(mail("rest"), mail("shop", sender_domains=["example.com"]))
    await room.define(mail("vip", sender_domains=["vip.example.com"], use_for=["transactional"]))
    assert await uses(room) == {"rest": ["all"], "shop": [], "vip": ["transactional"]}
    assert await chosen(room, "event_triggered", "a@other.example") == "rest"
    assert await chosen(room, "transactional", "a@other.example") == "vip"
    assert await chosen(room, "transactional", "a@Example.com") == "shop"
    assert await chosen(room, "all", "a@mail.example.com") == "shop"
    assert await chosen(room, "all", "a@vip.example.com") == "vip"
    assert await chosen(room, "all", "a@eu.vip.example.com") == "vip"
    assert await faults(room, mail("twin", sender_domains=["b.example", "example.com"])) == [
        ("/definitions/0/sender_domains/1", "duplicate")
    ]
    await room.define(mail("shop", sender_domains=["example.com"], enabled=False))
    assert await chosen(room, "all", "a@example.com") == "rest"


async def uses(room: Room) -> dict[str, list[str]]:
    rows = await room.rows(
        "SELECT key, document->'use_for' AS uses FROM definitions WHERE workspace_id = $1 AND kind = 'provider'"
    )
    return {row["key"]: row["uses"] for row in rows}


async def chosen(room: Room, use: Any, sender: str = "team@other.example") -> str | None:
    """The server that a message would go to in a workspace that is no sandbox."""
    async with room.db.connection() as conn:
        catalog = await room.catalogs.get(conn, room.workspace_id)
    normal = replace(catalog, workspace=replace(catalog.workspace, sandbox=False))
    message = RenderedEmail(Address(sender), (Address("ann@example.com"),), "Hi", "<p>Hi</p>", "Hi")
    provider = provider_for(normal, "email", use, message)
    return None if provider is None else provider.key
