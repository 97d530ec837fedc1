"""Putting campaigns away, bringing them back, copying them (CMP-20)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput, NotFound
from domain.operations import Identifier, Identify, TrackEvent
from services import campaign_copy, campaign_life, campaigns, definitions, segment_life
from tests.support.database import Room
from tests.support.driver import Driver

WAIT = {"wait": {"type": "time_delay", "duration": "P1D"}}
BY_EVENT = {"type": "event", "event": "go"}


def campaign(trigger: dict[str, Any], blocks: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    blocks = blocks or WAIT
    return {
        "kind": "campaign",
        "key": "c",
        "name": "Spring",
        "trigger": trigger,
        "workflow": {"start": next(iter(blocks)), "blocks": blocks},
        **fields,
    }


def segment(key: str, conditions: Any) -> dict[str, Any]:
    return {"kind": "segment", "key": key, "name": key, "conditions": conditions}


def go(person: str) -> TrackEvent:
    return TrackEvent(subject=Identifier(kind="id", value=person), name="go")


async def verb(room: Room, which: Any, *body: Any, ref: str | int = "c") -> dict[str, Any]:
    answer: dict[str, Any] = await which(room.db, room.workspace_id, ref, *body, system_now())
    return answer


async def refused(room: Room, which: Any, *body: Any) -> str:
    with pytest.raises(DomainError) as refusal:
        await verb(room, which, *body)
    return refusal.value.code


async def running(room: Room, document: dict[str, Any] | None = None) -> None:
    await room.define(document or campaign(BY_EVENT))
    await verb(room, campaigns.start, None)


async def put(room: Room, document: dict[str, Any]) -> dict[str, Any]:
    answer, _ = await definitions.put_one(room.db, room.workspace_id, "campaign", "c", document, now=system_now())
    return answer


async def test_an_archived_campaign_lets_nobody_in_and_out(room: Room):
    await running(room)
    await room.apply(go("1"), go("2"))
    status = await verb(room, campaign_life.archive)
    assert (status["state"], status["active_journeys"], status["scheduled"]) == ("archived", 0, False)
    ended = [(row["state"], row["reason"], row["explanation"]) for row in await room.journeys()]
    assert ended == [("exited_early", "archived", "The campaign was archived.")] * 2
    await room.apply(go("3"))
    assert len(await room.journeys()) == 2
    driver = Driver(room)
    async with driver.running():
        await driver.settle()


async def test_its_document_is_read_only_and_still_found(room: Room):
    await running(room)
    await verb(room, campaign_life.archive)
    with pytest.raises(DomainError) as refusal:
        await put(room, campaign(BY_EVENT, name="Summer"))
    assert refusal.value.code == "locked"
    assert (await put(room, campaign(BY_EVENT)))["change"]["action"] == "unchanged"
    page = await definitions.list_page(room.db, room.workspace_id, "campaign", search="spring", state="archived")
    assert [one["definition"]["key"] for one in page["definitions"]] == ["c"]


async def test_which_verbs_fit_which_states(room: Room):
    await room.define(campaign(BY_EVENT))
    assert await refused(room, campaign_life.archive) == "invalid_state"
    assert await refused(room, campaign_life.unarchive) == "invalid_state"
    await verb(room, campaigns.start, None)
    await room.apply(go("1"))
    await verb(room, campaigns.stop, {"journeys": "finish"})
    assert await refused(room, campaigns.restart, None) == "invalid_state"
    await verb(room, campaign_life.archive)
    for which, body in (
        (campaign_life.archive, ()),
        (campaigns.start, (None,)),
        (campaigns.restart, (None,)),
        (campaigns.stop, ({"journeys": "exit"},)),
        (campaign_copy.duplicate, (None,)),
    ):
        assert await refused(room, which, *body) == "invalid_state"
    assert (await verb(room, campaign_life.unarchive))["state"] == "stopped"
    assert (await verb(room, campaigns.restart, None))["state"] == "running"
    with pytest.raises(NotFound):
        await verb(room, campaign_life.archive, ref="nobody")


async def test_unarchiving_brings_back_the_segments_it_is_made_of(room: Room):
    plan = {"attribute": {"field": "plan", "value": "pro"}}
    await room.define(
        segment("inner", plan),
        segment("outer", {"segment": "inner"}),
        segment("other", plan),
        campaign(BY_EVENT, filters={"segment": "outer"}),
    )
    await verb(room, campaigns.start, None)
    await room.apply(Identify(subject=Identifier(kind="id", value="1"), attributes={"plan": "pro"}))
    await verb(room, campaign_life.archive)
    for key in ("other", "outer", "inner"):
        await verb(room, segment_life.archive, ref=key)
    await verb(room, campaign_life.unarchive)
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    rows = await room.rows("SELECT key, state FROM definitions WHERE workspace_id = $1 AND kind = 'segment'")
    assert {row["key"]: row["state"] for row in rows} == {"inner": "ready", "outer": "ready", "other": "archived"}
    assert await room.members("outer") == ["1"]


async def test_a_copy_is_a_draft_of_its_own(room: Room):
    blocks = {
        "pause": {"type": "time_delay", "duration": "P1D", "next": "note", "renamed_from": "wait"},
        "note": {"type": "update_person", "set": {"a": 1}},
    }
    await room.define(campaign(BY_EVENT))
    await room.define(campaign(BY_EVENT, blocks, tags=["spring"], description="Text", exit="never"))
    await verb(room, campaigns.start, None)
    copy = await verb(room, campaign_copy.duplicate, None)
    document, status = copy["definition"], copy["status"]
    assert (document["name"], document["key"]) == ("[COPY] Spring", "copy-spring")
    assert (document["tags"], document["description"], document["exit"]) == (["spring"], "Text", "never")
    assert document["workflow"]["blocks"]["pause"].get("renamed_from") is None
    assert (status["state"], status["version"], status["revision"], status["first_started"]) == ("draft", 1, 1, None)
    original = (await definitions.get(room.db, room.workspace_id, "campaign", "c"))["status"]
    assert set(status["actions"]) == set(original["actions"])
    assert set(status["actions"].values()).isdisjoint(original["actions"].values())
    again = await verb(room, campaign_copy.duplicate, {"key": "summer", "name": "Summer"})
    assert (again["definition"]["key"], again["definition"]["name"]) == ("summer", "Summer")
    assert (await verb(room, campaign_copy.duplicate, None))["definition"]["key"] == "copy-spring-2"


async def test_act_case_38_a_copy_sends_as_its_original_and_what_is_added_to_a_running_one_is_a_draft(room: Room):
    """Blocks are carried over as parts of documents: only a block that says so sends by itself."""
    text = {"type": "sms", "sending_state": "automatic", "message": {"from": "+15551230000", "body": "Hello"}}
    await running(room, campaign(BY_EVENT, {"text": text}))
    copy = (await verb(room, campaign_copy.duplicate, None))["definition"]
    assert copy["workflow"]["blocks"]["text"]["sending_state"] == "automatic"
    added = {name: value for name, value in text.items() if name != "sending_state"}
    await put(room, campaign(BY_EVENT, {"text": {**text, "next": "again"}, "again": added}))
    saved = (await definitions.get(room.db, room.workspace_id, "campaign", "c"))["definition"]
    blocks = saved["workflow"]["blocks"]
    assert [blocks[key]["sending_state"] for key in ("text", "again")] == ["automatic", "draft"]


async def test_a_copy_is_not_started_by_the_clock_and_has_a_url_of_its_own(room: Room):
    later = int(room.now.timestamp()) + 3_600
    hook = campaign({"type": "webhook", "sample": {"a": 1}}, schedule={"start_at": later})
    await room.define(hook)
    copy = await verb(room, campaign_copy.duplicate, {})
    assert "schedule" not in copy["definition"]
    assert copy["definition"]["trigger"]["sample"] == {"a": 1}
    assert copy["status"]["scheduled"] is False
    original = await definitions.get(room.db, room.workspace_id, "campaign", "c")
    assert copy["status"]["webhook_url"] != original["status"]["webhook_url"]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"key": "c"}, "duplicate", "/key"),
        ({"key": "Not A Key"}, "format", "/key"),
        ({"name": ""}, "length", "/name"),
        ({"title": "x"}, "unknown_field", "/title"),
        ([], "type", ""),
    ],
)
async def test_copies_that_cannot_be_called_so(room: Room, body: Any, code: str, pointer: str):
    await room.define(campaign(BY_EVENT))
    with pytest.raises(InvalidInput) as refusal:
        await verb(room, campaign_copy.duplicate, body)
    assert (refusal.value.code, refusal.value.pointer) == (code, pointer)


async def test_the_longest_name_can_be_copied(room: Room):
    await room.define(campaign(BY_EVENT, name="n" * 190))
    assert len((await verb(room, campaign_copy.duplicate, None))["definition"]["name"]) == 190


async def test_the_trigger_type_stays_while_it_runs(room: Room):
    await running(room)
    other = campaign({"type": "form", "forms": ["demo"]})
    with pytest.raises(DomainError) as refusal:
        await put(room, other)
    assert (refusal.value.code, refusal.value.pointer) == ("locked", "/trigger/type")
    await verb(room, campaigns.stop, {"journeys": "exit"})
    assert (await put(room, other))["change"]["action"] == "update"


@pytest.mark.parametrize("state", ["draft", "running", "stopped", "archived"])
async def test_it_can_be_deleted_from_any_state(room: Room, state: str):
    await room.define(campaign(BY_EVENT))
    if state != "draft":
        await verb(room, campaigns.start, None)
        await room.apply(go("1"))
    if state == "stopped":
        await verb(room, campaigns.stop, {"journeys": "exit"})
    if state == "archived":
        await verb(room, campaign_life.archive)
    await definitions.delete(room.db, room.workspace_id, "campaign", "c", now=system_now())
    assert await room.rows("SELECT 1 FROM definitions WHERE workspace_id = $1") == []
    assert await room.rows("SELECT 1 FROM journeys WHERE workspace_id = $1 AND state = 'in_progress'") == []
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
