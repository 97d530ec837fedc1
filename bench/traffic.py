"""The definitions and the facts that ingestion is measured with: 50 segments, 10 campaigns, calls of a shop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

PLANS = ("free", "basic", "pro", "team")
CITIES = ("Leeds", "York", "Lyon", "Graz", "Turin", "Ghent")
EVENTS = ("viewed", "searched", "cart_updated", "purchased", "reviewed", "shared", "opened_app", "refunded")
RARE = 1000
"""One fact in so many begins a journey."""

PROBE_EVENT = "probed"
PROBE_SEGMENT = "probed-once"


def definitions() -> list[dict[str, Any]]:
    """All of it."""
    return [*_segments(), *_campaigns()]


def campaign_keys() -> list[str]:
    """The campaigns to start."""
    return [campaign["key"] for campaign in _campaigns()]


def facts(people: int, first: int, count: int) -> Iterator[dict[str, Any]]:
    """Operations of the second Track API, half of them identifies and half events, spread evenly over the people.

    As callers do, an identify names everything it knows of a person, of which little has changed since the last time.
    """
    for number in range(first, first + count):
        # A step that shares no factor with the number of people visits all of them before anybody twice.
        person = number * 7919 % people
        subject = {"id": f"p{person}"}
        if number // 2 % 2:
            known = attributes(person, number)
            yield {"type": "person", "action": "identify", "identifiers": subject, "attributes": known}
        else:
            yield {"type": "person", "action": "event", "identifiers": subject, **_event(number)}


def newcomers(people: int) -> Iterator[dict[str, Any]]:
    """An identify for each of the people, with all their attributes."""
    for person in range(people):
        known = attributes(person, 0)
        yield {"type": "person", "action": "identify", "identifiers": {"id": f"p{person}"}, "attributes": known}


def batches(operations: Iterator[dict[str, Any]], size: int) -> Iterator[bytes]:
    """Bodies of `POST /api/v2/batch` with so many operations each."""
    batch: list[dict[str, Any]] = []
    for operation in operations:
        batch.append(operation)
        if len(batch) == size:
            yield orjson.dumps({"batch": batch})
            batch = []
    if batch:
        yield orjson.dumps({"batch": batch})


def attributes(person: int, number: int) -> dict[str, Any]:
    """What is known of a person when fact `number` comes in: one plan in twenty changes, visits and pages move on."""
    upgraded = number % 20 == 3
    return {
        "email": f"p{person}@example.com",
        "since": 1_700_000_000 + person,
        "plan": "founder" if number % RARE == 3 else PLANS[(person + upgraded) % 4],
        "visits": person % 50 + number % 3,
        "city": CITIES[person // 4 % 6],
        "score": (person * 7 + number // 10_000) % 1000 / 10,
        "last_page": f"/plants/{number % 400}",
    }


def _event(number: int) -> dict[str, Any]:
    name = EVENTS[number // 4 % 8]
    amount = 5000 if number % RARE == 0 else number % 90
    return {"name": name, "attributes": {"sku": f"sku-{number % 300}", "amount": amount, "first": number % 7 == 0}}


def _attribute(field: str, **test: Any) -> dict[str, Any]:
    return {"attribute": {"field": field, **test}}


def _performed(event: str, **test: Any) -> dict[str, Any]:
    return {"performed": {"event": event, **test}}


def _segments() -> list[dict[str, Any]]:
    conditions: list[Any] = []
    conditions += [_attribute("plan", value=plan) for plan in PLANS]
    conditions += [_attribute("city", operator="contains", value=city[:3]) for city in CITIES]
    conditions += [_attribute("visits", operator="gte", value=visits) for visits in range(5, 50, 5)]
    conditions += [{"and": [_attribute("plan", value=p), _attribute("score", operator="gt", value=60)]} for p in PLANS]
    conditions += [{"or": [_attribute("city", value=c), {"not": _attribute("since")}]} for c in CITIES[:3]]
    conditions += [_performed(event) for event in EVENTS]
    conditions += [_performed(event, times={"at_least": 3}, within="P30D") for event in EVENTS]
    conditions += [_performed("purchased", where={"field": "amount", "operator": "gt", "value": n}) for n in (20, 50)]
    conditions += [_performed("viewed", within="P7D", inverse=True)]
    own = [_segment(f"segment-{number}", condition) for number, condition in enumerate(conditions)]
    nested = [
        _segment(
            f"of-segments-{n}", {"and": [{"segment": f"segment-{n}"}, _attribute("visits", operator="gt", value=3)]}
        )
        for n in range(50 - len(own) - 1)
    ]
    return [*own, *nested, _segment(PROBE_SEGMENT, _performed(PROBE_EVENT))]


def _segment(key: str, condition: Any) -> dict[str, Any]:
    return {"kind": "segment", "key": key, "name": key, "conditions": condition}


def _campaigns() -> list[dict[str, Any]]:
    by_event = [
        {
            "type": "event",
            "event": event,
            "where": {"field": "amount", "operator": "gt", "value": 1000},
        }
        for event in EVENTS[:6]
    ]
    by_match = [
        {"type": "segment", "conditions": {"and": [_attribute("plan", value="founder"), _attribute("city", value=c)]}}
        for c in CITIES[:4]
    ]
    return [_campaign(f"campaign-{number}", trigger) for number, trigger in enumerate([*by_event, *by_match])]


def _campaign(key: str, trigger: dict[str, Any]) -> dict[str, Any]:
    message = {"subject": "Hello {{customer.city}}", "body": "<p>Hello</p>{% unsubscribe %}"}
    paths = [
        {"key": "bought", "conditions": _performed("purchased", since="trigger"), "next": "letter"},
        {"key": "silent", "max_time": "P10D"},
    ]
    return {
        "kind": "campaign",
        "key": key,
        "name": key,
        "trigger": trigger,
        "frequency": {"mode": "every"} if trigger["type"] == "event" else {"mode": "once"},
        "goal": {"event": "reviewed", "within": "P7D", "of": "sent"},
        "exit": "goal",
        "workflow": {
            "start": "wait",
            "defaults": {"sending_state": "automatic"},
            "blocks": {
                "wait": {"type": "wait_until", "paths": paths},
                "letter": {"type": "email", "message": message},
            },
        },
    }


__all__ = [
    "PLANS",
    "PROBE_EVENT",
    "PROBE_SEGMENT",
    "attributes",
    "batches",
    "campaign_keys",
    "definitions",
    "facts",
    "newcomers",
]
