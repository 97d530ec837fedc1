"""A document of every kind, each referred to by another one, and calls that write documents."""

from __future__ import annotations

from typing import Any

from domain.definitions import KINDS

SECRET = "hunter-two-and-a-half"
MAIL = {"subject": "Hi", "body": "<p>{{ snippets.legal }}</p>"}
EVERY_KIND: tuple[dict[str, Any], ...] = (
    {"kind": "settings", "key": "workspace", "timezone": "Europe/Rome"},
    {"kind": "object_type", "key": "company", "name": "Companies", "singular_name": "Company"},
    {"kind": "segment", "key": "paying", "name": "Paying", "tags": ["billing"], "conditions": {"segment": "staff"}},
    {"kind": "segment", "key": "staff", "name": "Staff", "conditions": {"related": {"to": "company"}}},
    {"kind": "segment", "key": "hand", "name": "By hand", "type": "manual"},
    {"kind": "collection", "key": "courses", "name": "courses", "data": [{"id": 1, "no": "no"}, {"id": 2}]},
    {"kind": "form", "key": "demo", "form_id": "demo", "fields": {"mail": {"identifier": "email"}}},
    {"kind": "snippet", "key": "legal", "name": "legal", "value": "Ours.\nAlways.\n"},
    {"kind": "layout", "key": "plain", "name": "Plain", "body": "<html>{{ content }}</html>"},
    {"kind": "sender", "key": "us", "name": "Us", "email": "us@mail.example.com"},
    {"kind": "domain", "key": "main", "domain": "mail.example.com", "use": "sending", "dkim_selector": "s1"},
    {
        "kind": "provider",
        "key": "relay",
        "channel": "email",
        "provider": "smtp",
        "config": {"host": "mail.example.com", "port": 587, "username": "us", "password": SECRET},
    },
    {
        "kind": "webhook",
        "key": "crm",
        "name": "CRM",
        "url": f"https://us:{SECRET}@crm.example.com/",
        "headers": {"X-Key": SECRET},
    },
    {"kind": "transactional", "key": "receipt", "name": "Receipt", "channel": "email", "message": MAIL},
    {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "description": "yes",
        "trigger": {"type": "form", "forms": ["demo"]},
        "filters": {"segment": "paying"},
        "workflow": {
            "start": "mail",
            "blocks": {
                "mail": {"type": "email", "message": {**MAIL, "sender": "us", "layout": "plain"}, "next": "call"},
                "call": {"type": "webhook", "request": {"webhook": "crm", "body": "{}"}, "next": "look"},
                "look": {
                    "type": "query_collection",
                    "collection": "courses",
                    "where": {"field": "id", "value": 1},
                    "store": {"journey": "course"},
                },
            },
        },
    },
    {
        "kind": "broadcast",
        "key": "news",
        "name": "News",
        "recipients": {"attribute": {"field": "team", "operator": "exists"}},
        "workflow": {"start": "mail", "blocks": {"mail": {"type": "email", "message": MAIL}}},
    },
)

assert {document["kind"] for document in EVERY_KIND} == set(KINDS), "one of every kind"


def bundle(*documents: dict[str, Any], source: str | None = None, prune: bool | None = None) -> dict[str, Any]:
    """The body that applies documents."""
    said: dict[str, Any] = {"source": source, "prune": prune}
    return {name: value for name, value in said.items() if value is not None} | {"definitions": list(documents)}


async def applied(workspace: Any, body: Any, query: str = "", **options: Any) -> list[tuple[str, str, str]]:
    """Apply a bundle; answers with the action, kind and key of each change."""
    answer = await workspace.call("PUT", f"/v1/definitions{query}", body, **options)
    assert answer.status_code == 200, answer.text
    return [(change["action"], change["kind"], change["key"]) for change in answer.json()["changes"]]


def segment(key: str, value: str = "pro", **fields: Any) -> dict[str, Any]:
    """A segment by an attribute."""
    conditions = {"attribute": {"field": "plan", "value": value}}
    return {"kind": "segment", "key": key, "name": key.capitalize(), "conditions": conditions, **fields}


def campaign(key: str, of: str | None = None, **fields: Any) -> dict[str, Any]:
    """A campaign that waits a day; `of` is the segment it takes people of."""
    trigger: dict[str, Any] = {"type": "event", "event": "go"}
    if of is not None:
        trigger = {"type": "segment", "conditions": {"segment": of}}
    workflow = {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P1D"}}}
    return {"kind": "campaign", "key": key, "name": key, "trigger": trigger, "workflow": workflow, **fields}
