"""Instants as people write them, and short words for what tests of behaviour look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.support.live import Workspace


def utc(text: str) -> int:
    """Unix seconds of a UTC instant such as `2026-03-10T09:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


async def mails(workspace: Workspace, **which: Any) -> list[tuple[int, str]]:
    """When each captured message left, and its subject, oldest first."""
    return [(mail["at"], mail["rendered"]["fields"]["subject"]) for mail in await workspace.mailbox(**which)]


async def subjects(workspace: Workspace, **which: Any) -> list[str]:
    """The subjects of what was captured, oldest first."""
    return [subject for _, subject in await mails(workspace, **which)]


async def segments(workspace: Workspace, person: str) -> set[str]:
    """The keys of the segments somebody is in."""
    found = await workspace.get(f"/v1/customers/{person}/segments")
    return {segment["key"] for segment in found["segments"]}


async def members(workspace: Workspace, segment: str, people: list[str]) -> list[str]:
    """Who of these people is in a segment."""
    return [person for person in people if segment in await segments(workspace, person)]


async def attributes(workspace: Workspace, person: str, **which: Any) -> dict[str, str]:
    """Somebody's attributes, every value as text."""
    return (await workspace.get(f"/v1/customers/{person}/attributes", **which))["customer"]["attributes"]


async def person(workspace: Workspace, name: str, **which: Any) -> dict[str, Any]:
    """Somebody as the API shows them."""
    return (await workspace.get(f"/v1/customers/{name}/attributes", **which))["customer"]


async def timeline(workspace: Workspace, name: str, *types: str, **which: Any) -> list[dict[str, Any]]:
    """What happened to somebody, oldest first."""
    query = {**({"types": ",".join(types)} if types else {}), "limit": 100, **which}
    return (await workspace.get(f"/v1/customers/{name}/timeline", **query))["timeline"][::-1]


async def activities(workspace: Workspace, name: str, kind: str) -> list[dict[str, Any]]:
    """The activities of one type of somebody, oldest first."""
    found = await timeline(workspace, name, "activity")
    return [entry["data"]["data"] for entry in found if entry["data"]["type"] == kind]


async def messages(workspace: Workspace, **which: Any) -> list[dict[str, Any]]:
    """Deliveries or drafts, oldest first."""
    return (await workspace.get("/v1/messages", **which))["messages"][::-1]


async def only_journey(workspace: Workspace, **which: Any) -> dict[str, Any]:
    """The one journey there is, with its steps."""
    (journey,) = await workspace.journeys(**which)
    return await workspace.journey(journey["id"])


def ended(journey: dict[str, Any]) -> tuple[str, str | None, int | None]:
    """How and when a journey ended."""
    return journey["state"], journey["reason"], journey["ended_at"]


def standing(journey: dict[str, Any]) -> tuple[str, int, int | None]:
    """Where somebody stands, since when, and until when."""
    position = journey["position"]
    return position["block"], position["arrived_at"], position["due_at"]


def walked(journey: dict[str, Any]) -> list[tuple[str, str]]:
    """Block and outcome of each step."""
    return [(step["block"], step["outcome"]) for step in journey["steps"]]


def attribute(name: str, value: Any = None, operator: str | None = None, **more: Any) -> dict[str, Any]:
    """A condition on an attribute."""
    body = {"field": name, **({} if operator is None else {"operator": operator}), **more}
    return {"attribute": body if value is None else {**body, "value": value}}


def segment(key: str, conditions: Any, **fields: Any) -> dict[str, Any]:
    """A segment document."""
    return {"kind": "segment", "key": key, "name": key.title(), "conditions": conditions, **fields}


def delay(duration: str, following: str | None = None, **fields: Any) -> dict[str, Any]:
    """A delay block."""
    return {"type": "time_delay", "duration": duration, **({} if following is None else {"next": following}), **fields}
