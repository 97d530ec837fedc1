"""Messages in several languages, snippets and layouts as people get them (MSG-15, MSG-16, MSG-31)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from domain.errors import DomainError, InvalidInput
from domain.operations import Identifier, Identify, TrackEvent
from services import definitions
from tests.services.posting import ANN, SENDER, begin, campaign
from tests.support.database import START, Room
from tests.support.driver import Driver
from tests.support.sends import Desk, template
from tests.support.tasks import Tasks
from tests.support.walking import Walk

LANGUAGE = {"kind": "settings", "key": "workspace", "language_attribute": "language"}
CODES = ("es", "nl", "fr-CA")
SPOKEN = {code: {"subject": code, "body": "<p>{{ customer.id }}</p>"} for code in CODES}


def said(**more: Any) -> dict[str, Any]:
    return {"subject": "Default", "body": "<p>d</p>", "preheader": "only here", "languages": SPOKEN, **more}


@pytest_asyncio.fixture(loop_scope="session")
async def walk(room: Room) -> AsyncIterator[Walk]:
    made = Walk(room)
    yield made
    await made.close()


async def arrive(room: Room, *people: tuple[str, Any]) -> None:
    """People with their languages, who all go."""
    for who, language in people:
        subject = Identifier(kind="id", value=who)
        attributes = {"email": f"{who}@example.com"} | ({} if language is None else {"language": language})
        await room.apply(Identify(subject=subject, attributes=attributes), TrackEvent(subject=subject, name="go"))


async def subjects(walk: Walk) -> dict[str, str]:
    """What everybody got, by their address."""
    rows = await walk.deliveries("hello")
    assert {row["subject"] for row in rows} <= {"Default", *CODES}
    assert all(row["language"] == (None if row["subject"] == "Default" else row["subject"]) for row in rows)
    return {row["recipient"].partition("@")[0]: row["subject"] for row in rows}


async def test_msg_case_22_a_variant_is_chosen_by_its_code_but_for_case(room: Room, walk: Walk):
    await room.define(SENDER, LANGUAGE, campaign(message=said()))
    await room.run_campaign("c")
    wanted = ("ES", "nl-BE", "fr", "fr_ca", None, "FR-ca", 7, "", ["es"])
    await arrive(room, *((f"p{index}", language) for index, language in enumerate(wanted)))
    await walk.go()
    got = await subjects(walk)
    assert [got[f"p{index}"] for index in range(len(wanted))] == [
        "es", "Default", "Default", "Default", "Default", "fr-CA", "Default", "Default", "Default"
    ]  # fmt: skip
    # A variant is complete in itself: what it does not say is not said.
    shown = {mail["to"][0]: mail["rendered"]["html"] for mail in await walk.mailbox()}
    assert "only here" in shown["p1@example.com"]
    assert "only here" not in shown["p0@example.com"]


async def test_msg_case_22_who_waits_for_a_variant_that_is_deleted_gets_the_default(room: Room, walk: Walk):
    document = campaign(message=said())
    document["workflow"]["blocks"]["wait"] = {"type": "time_delay", "duration": "PT1H", "next": "hello"}
    document["workflow"]["start"] = "wait"
    await room.define(SENDER, LANGUAGE, document)
    await room.run_campaign("c")
    await arrive(room, ("ann", "es"), ("bob", "nl"))
    await walk.go()
    del document["workflow"]["blocks"]["hello"]["message"]["languages"]
    kept = {code: texts for code, texts in SPOKEN.items() if code != "es"}
    document["workflow"]["blocks"]["hello"]["message"]["languages"] = kept
    await room.define(document)
    await room.move(hours=1)
    for journey in await room.journeys():
        await walk.one(journey["journey_id"])
    assert await subjects(walk) == {"ann": "Default", "bob": "nl"}


async def test_without_the_setting_everybody_gets_the_default(room: Room, walk: Walk):
    await room.define(SENDER, campaign(message=said()))
    await room.run_campaign("c")
    await arrive(room, ("ann", "es"))
    await walk.go()
    assert await subjects(walk) == {"ann": "Default"}


async def test_msg_case_23_a_call_may_ask_for_a_language(room: Room):
    desk = Desk(room)
    await room.define(SENDER, LANGUAGE, template(message=said()))
    await room.apply(Identify(subject=Identifier(kind="id", value="ann"), attributes={"language": "es"}))
    for asked, expected in (("de", "es"), ("fr-CA", "fr-CA"), ("FR-CA", "fr-CA")):
        sent = await desk.delivery(await desk.send(transactional_message_id="receipt", language=asked))
        assert (sent["subject"], sent["language"]) == (expected, expected)
    await room.apply(Identify(subject=Identifier(kind="id", value="ann"), attributes={"language": "pt"}))
    sent = await desk.delivery(await desk.send(transactional_message_id="receipt", language="de"))
    assert (sent["subject"], sent["language"]) == ("Default", None)
    await desk.close()


async def test_drafts_follow_an_edit_of_their_language(room: Room):
    document = campaign(sending_state="draft", message=said())
    post = await begin(room, LANGUAGE, document, person={**ANN, "language": "es"})
    await post.prepare()
    assert (await post.delivery()).subject == "es"
    spoken = {**SPOKEN, "es": {"subject": "Hola {{ customer.first_name }}", "body": "x"}}
    changed = campaign(sending_state="draft", message=said(languages=spoken))
    answer = await room.define(changed)
    assert answer["changes"][0]["effects"]["drafts_rerendered"] == 1
    await room.rows("UPDATE tasks SET state = 'queued' WHERE workspace_id = $1 RETURNING 1 AS one")
    await Tasks(room.db, room.catalogs).drain()
    assert ((await post.delivery()).subject, (await post.delivery()).language) == ("Hola Ann", "es")


async def test_drafts_follow_an_edit_of_their_layout(room: Room):
    layout = {"kind": "layout", "key": "l", "name": "L", "body": "<b>{{ content }}</b>", "default": True}
    post = await begin(room, layout, campaign(sending_state="draft", message={"body": "<p>x</p>"}))
    await post.prepare()
    await room.define({**layout, "body": "<i>{{ content }}</i>"})
    queued = await room.rows(
        "UPDATE tasks SET state = 'queued' WHERE workspace_id = $1 AND type = 'rerender_drafts' RETURNING payload"
    )
    assert len(queued) == 1
    await Tasks(room.db, room.catalogs).drain()
    (kept,) = await room.rows("SELECT * FROM delivery_contents WHERE workspace_id = $1")
    assert "<i>" in str(kept)
    # Nothing that anybody sees has changed.
    await room.define({**layout, "body": "<i>{{ content }}</i>", "description": "new"})
    assert not await room.rows(
        "SELECT 1 FROM tasks WHERE workspace_id = $1 AND type = 'rerender_drafts' AND state = 'queued'"
    )


async def test_msg_case_19_a_snippet_sees_the_person_and_no_variables_of_the_message(room: Room):
    body = '{% assign a="1" %}{{snippets.s}}|{{ snippets["main address"].city }}|{% for g in snippets.list %}{{ g }}{% endfor %}'
    post = await begin(
        room,
        {"kind": "snippet", "key": "s", "value": "{{customer.id}}{% if a %}X{% endif %}"},
        {
            "kind": "snippet",
            "key": "address",
            "name": "main address",
            "value": {"city": "{{customer.first_name}}ville"},
        },
        {"kind": "snippet", "key": "list", "value": '["{{a}}", "b"]'},
        campaign(message={"body": body}),
    )
    await post.deliver()
    (mail,) = await post.mailbox()
    assert mail["rendered"]["html"] == "7|Annville|{{a}}b"


async def test_a_snippet_that_is_not_there_fails_the_message(room: Room):
    post = await begin(room, campaign(message={"body": "{{ snippets.footer }}"}))
    await post.prepare()
    row = await post.delivery()
    assert (row.status, row.failure_message) == ("failed", "Variable 'snippets.footer' is missing (in body)")
    assert await post.mailbox() == []


async def test_scripts_read_snippets(room: Room):
    block = {"type": "send_event", "event": "done", "data": {"phone": {"javascript": "return snippets.support.phone"}}}
    document = campaign()
    document["workflow"] = {"start": "s", "blocks": {"s": block}}
    await room.define(document, {"kind": "snippet", "key": "support", "value": {"phone": "011"}})
    await room.run_campaign("c")
    driver = Driver(room)
    await room.accept(Identify(subject=Identifier(kind="id", value="ann"), attributes={}))
    await room.accept(TrackEvent(subject=Identifier(kind="id", value="ann"), name="go"))
    for _ in range(4):
        await driver.step()
    events = await room.rows("SELECT data FROM events WHERE workspace_id = $1 AND name = 'done'")
    assert [row["data"] for row in events] == [{"phone": "011"}]


LAYOUT = {"kind": "layout", "key": "l", "name": "L", "body": "<h1>L</h1>{{ content }}"}


def refused(error: pytest.ExceptionInfo[InvalidInput]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.code) for problem in error.value.problems]


async def test_msg_case_21_an_archived_layout_goes_on_and_is_not_chosen_anew(room: Room):
    post = await begin(room, LAYOUT, campaign(message={"layout": "l", "body": "<p>x</p>"}))
    await room.define({**LAYOUT, "archived": True})
    await post.deliver()
    (mail,) = await post.mailbox()
    assert mail["rendered"]["html"] == "<h1>L</h1><p>x</p>"
    # Its campaign can still be changed, and so can it be.
    await room.define(campaign(message={"layout": "l", "body": "<p>y</p>"}))
    await room.define({**LAYOUT, "archived": True, "body": "<h2>L</h2>{{ content }}"})
    with pytest.raises(InvalidInput) as error:
        await room.define({**campaign(message={"layout": "l"}), "key": "other", "name": "Other"})
    assert refused(error) == [("/definitions/0/workflow/blocks/hello/message/layout", "unknown_reference")]
    await room.define({**LAYOUT, "archived": False})
    await room.define({**campaign(message={"layout": 1}), "key": "other", "name": "Other"})


async def test_msg_case_21_the_default_layout_is_not_archived(room: Room):
    await room.define({**LAYOUT, "default": True})
    with pytest.raises(InvalidInput) as error:
        await room.define({**LAYOUT, "default": True, "archived": True})
    assert refused(error) == [("/definitions/0/archived", "not_applicable")]
    with pytest.raises(InvalidInput) as error:
        await room.define({**LAYOUT, "body": "<h1>L</h1>"})
    assert refused(error) == [("/definitions/0/body", "format")]


async def test_the_default_layout_is_used_by_emails_that_name_none(room: Room):
    other = {**LAYOUT, "key": "second", "name": "S", "default": True}
    await room.define({**LAYOUT, "default": True}, other, campaign(message={"body": "<p>x</p>"}))
    with pytest.raises(DomainError) as error:
        await definitions.delete(room.db, room.workspace_id, "layout", "l", now=START)
    assert error.value.code == "in_use"
    assert [(one.kind, one.pointer) for one in error.value.problems[0].referents] == [
        ("campaign", "/workflow/blocks/hello/message")
    ]
    # Of several the oldest counts, so that nothing stands in the other.
    await definitions.delete(room.db, room.workspace_id, "layout", "second", now=START)
    await room.define(campaign(message={"body": "<p>x</p>", "layout": None}))
    await definitions.delete(room.db, room.workspace_id, "layout", "l", now=START)


async def test_msg_case_33_a_blank_subject_is_refused_in_every_language(room: Room):
    said = {"subject": "Hi", "body": "x", "languages": {"fr": {"subject": " ", "body": "x"}}}
    receipt = {"kind": "transactional", "key": "r", "name": "R", "channel": "email", "message": said}
    with pytest.raises(InvalidInput) as error:
        await room.define(receipt, campaign(message={"subject": ""}))
    assert [(one.pointer, one.message) for one in error.value.problems] == [
        ("/definitions/0/message/languages/fr/subject", "subject can not be blank"),
        ("/definitions/1/workflow/blocks/hello/message/subject", "subject can not be blank"),
    ]


async def test_a_transactional_message_never_has_an_event(room: Room):
    receipt = {"kind": "transactional", "key": "r", "name": "R", "channel": "sms", "message": {"body": "{{ event.x }}"}}
    with pytest.raises(InvalidInput) as error:
        await room.define(receipt)
    assert refused(error) == [("/definitions/0/message/body", "liquid_root")]
    await room.define({**receipt, "on_liquid_error": "blank"})
    await room.define({**receipt, "message": {"body": "{{ trigger.x }}{% if event.x %}{{ event.x }}{% endif %}"}})


async def test_scripts_of_broadcasts_are_checked(room: Room):
    block = {"type": "send_event", "event": "done", "data": {"a": {"javascript": "return ("}}}
    news = {"kind": "broadcast", "key": "n", "name": "N", "workflow": {"start": "s", "blocks": {"s": block}}}
    with pytest.raises(InvalidInput) as error:
        await room.define(news)
    assert refused(error) == [("/definitions/0/workflow/blocks/s/data/a/javascript", "javascript_syntax")]
