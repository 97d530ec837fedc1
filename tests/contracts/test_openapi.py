"""The API description: whole, valid, and true about who may call and how refusals look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.app import create_app
from api.deps import Parts
from api.errors import STATUSES
from api.paths import Dialect, dialect_of
from domain.problems import STATUS_OF

OPEN = {
    "/v1/health/live",
    "/v1/health/ready",
    "/metrics",
    "/unsubscribe/{delivery_id}",
    "/view/{delivery_id}",
    "/v1/projects/{write_key}/settings",
}
OPEN |= {"/api/v1/metrics", "/api/v1/push/events", "/forms/submit_action"}
OPEN |= {"/v1/exports/files/{token}", "/v1/webhooks/campaigns/{token}", "/view/{delivery_id}"}
BODIES = {"post", "put", "patch"}
BODILESS = {("post", "/v1/data_in/{call}/resend"), ("post", "/v1/journeys/{journey_id}/end")}
BODILESS |= {("post", f"/v1/segments/{{segment}}/{word}") for word in ("archive", "rebuild", "unarchive")}
BODILESS |= {("post", f"/v1/campaigns/{{campaign}}/{word}") for word in ("archive", "unarchive")}
BODILESS |= {("post", f"/v1/broadcasts/{{broadcast}}/{word}") for word in ("start", "stop", "archive", "unarchive")}
BODILESS |= {
    ("post", f"/v1/broadcasts/{{broadcast}}/triggers/{{trigger_id}}/{word}") for word in ("pause", "resume", "cancel")
}
BODILESS |= {
    ("post", "/v1/domains/{domain}/verify"),
    ("post", "/v1/esp/suppression/{suppression_type}/{email_address}"),
}
BODILESS |= {("post", f"/api/v1/customers/{{identifier}}/{word}") for word in ("suppress", "unsuppress")}
BODILESS |= {("post", "/v1/tasks/{task_id}/cancel"), ("post", "/v1/messages/{message_id}/send")}
BODILESS |= {("post", "/v1/messages/{message_id}/cancel"), ("post", "/v1/transactional/{transactional}/cancel")}
PARTS: Any = dict.fromkeys(("db", "notifier", "acceptor", "access", "catalogs", "health"))
DESCRIPTION: dict[str, Any] = create_app(Parts(**PARTS, base_url="http://localhost", version="test")).openapi()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


ALL = [pytest.param(*found, id=f"{found[0]} {found[1]}") for found in operations()]


def test_names_are_used_once() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)


def test_references_lead_somewhere() -> None:
    for reference in re.findall(r"'\$ref': '([^']+)'", str(DESCRIPTION)):
        here: Any = DESCRIPTION
        for step in reference.removeprefix("#/").split("/"):
            here = here[step]


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
def test_each_operation_says_what_it_does(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    if method in BODIES and path not in OPEN and (method, path) not in BODILESS:
        assert operation["requestBody"]["content"]["application/json"]["schema"]
    assert len(operation["responses"]) > 1 or path in OPEN or method == "get"


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
def test_each_operation_says_who_may_call(method: str, path: str, operation: dict[str, Any]) -> None:
    schemes = {name for item in operation.get("security", []) for name in item}
    if path in OPEN:
        assert schemes == set()
    elif dialect_of(method.upper(), path) in (Dialect.MANAGEMENT, Dialect.SENDS):
        assert schemes <= {"AppKey", "AccountToken"}
        assert schemes
    elif dialect_of(method.upper(), path) is Dialect.PIPELINES:
        assert schemes == {"WriteKey"}
    else:
        assert schemes == {"TrackPair"}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "/v1/clock", "read"),
        ("post", "/v1/clock/advance", "write:live"),
        ("post", "/v1/campaigns/{campaign}/start", "write:live"),
        ("get", "/v1/definitions/{kind}", "read"),
    ],
)
def test_scopes_are_described(method: str, path: str, scope: str) -> None:
    assert DESCRIPTION["paths"][path][method]["security"] == [{"AppKey": [scope]}]


def test_every_code_has_a_status() -> None:
    assert STATUS_OF.items() <= STATUSES.items()
    assert all(400 <= status < 600 for status in STATUSES.values())
