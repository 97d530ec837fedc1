"""Short words for tests of copied blocks: small workflows, the copy, and what is saved of it (ACT-39)."""

from __future__ import annotations

from typing import Any

from clock import system_now
from services import block_copies, definitions
from tests.support.database import Room

BY_EVENT = {"type": "event", "event": "go"}
BY_MATCH = {"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}
WAIT = {"type": "time_delay", "duration": "P1D"}
SMS = {"type": "sms", "sending_state": "automatic", "message": {"from": "+15551230000", "body": "Hello"}}
NOTE = {"type": "update_person", "set": {"seen": True}}
SENDER = {"kind": "sender", "key": "team", "name": "Team", "email": "team@example.com"}
LAYOUT = {"kind": "layout", "key": "plain", "name": "Plain", "body": "<p>{{ content }}</p>"}
CANADA = {"attribute": {"field": "country", "value": "Canada"}}


def mail(**message: Any) -> dict[str, Any]:
    return {"type": "email", "sending_state": "automatic", "message": {"subject": "Hi", "body": "Hi", **message}}


def campaign(key: str, blocks: dict[str, Any], trigger: Any = BY_EVENT) -> dict[str, Any]:
    workflow = {"start": next(iter(blocks), None), "blocks": blocks} if blocks else {"blocks": {}}
    return {"kind": "campaign", "key": key, "name": key.upper(), "trigger": trigger, "workflow": workflow}


def chain(**blocks: dict[str, Any]) -> dict[str, Any]:
    """The blocks one after the other."""
    keys = [*blocks]
    return {
        key: {**block, "next": after} for (key, block), after in zip(blocks.items(), [*keys[1:], None], strict=True)
    }


FORK = {
    "first": {**WAIT, "next": "fork"},
    "fork": {"type": "true_false", "conditions": CANADA, "then": "near", "else": "draw", "join": "last"},
    "near": {**SMS, "next": None},
    "draw": {
        "type": "random_cohort",
        "paths": [{"key": "p", "percent": 50, "next": "far"}, {"key": "q", "percent": 50, "next": "stop"}],
        "join": "after",
    },
    "far": {**mail(), "next": None},
    "stop": {"type": "exit"},
    "after": {**NOTE, "conditions": {"cohort": {"block": "draw", "path": "p"}}},
    "last": {**mail(), "conditions": {"message": {"of": {"block": "near"}, "status": "sent"}}},
}


async def copy(room: Room, ref: str | int, *, dry_run: bool = False, **body: Any) -> dict[str, Any]:
    asked = block_copies.read({"from": body.pop("source"), "blocks": body.pop("blocks", "all"), **body})
    return await block_copies.copy_blocks(room.db, room.workspace_id, ref, asked, dry_run=dry_run, now=system_now())


async def saved(room: Room, key: str) -> dict[str, Any]:
    record = await definitions.get(room.db, room.workspace_id, "campaign", key)
    return dict(record["definition"]["workflow"])


def way(workflow: dict[str, Any]) -> list[str]:
    """The blocks at the top as they follow one another."""
    found, key = [], workflow.get("start")
    while key is not None:
        found.append(key)
        block = workflow["blocks"][key]
        key = block.get("join") if "join" in block else block.get("next")
    return found


def codes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """What is told of the copying itself, rather than of a workspace without senders."""
    usual = {"nothing_sends", "required"}
    return [(told["code"], told["pointer"]) for told in answer["warnings"] if told["code"] not in usual]


async def other(room: Room) -> Room:
    """Another sandbox of the same deployment."""
    return await Room.make(room.db)


__all__ = [
    "BY_EVENT",
    "BY_MATCH",
    "CANADA",
    "FORK",
    "LAYOUT",
    "NOTE",
    "SENDER",
    "SMS",
    "WAIT",
    "campaign",
    "chain",
    "codes",
    "copy",
    "mail",
    "other",
    "saved",
    "way",
]
