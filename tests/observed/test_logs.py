"""Log lines of a running stack at its most talkative."""

from __future__ import annotations

import pytest

from tests.observed.conftest import Observed
from tests.support.eventually import eventually
from tests.support.live import campaign, email, on_event
from tests.unit.test_log_fields import documented

pytestmark = pytest.mark.stack

VALUES = ("Theodora", "theodora-1", "theodora@example.com", "platinum-secret", "1815-12-10")


async def test_lines_have_documented_fields_and_say_nothing_of_people(observed: Observed):
    name, identifier, address, plan, born = VALUES
    blocks = {
        "note": {"type": "update_person", "set": {"seen": {"liquid": "{{ event.plan }}"}}, "next": "hello"},
        "hello": email("Hello {{ customer.first_name }}", "<p>{{ event.plan }}</p>", next="call"),
        "call": {
            "type": "webhook",
            "request": {"method": "POST", "url": "https://nowhere.invalid/{{ customer.id }}"},
        },
    }
    workspace = await observed.deployment.normal(campaign("logs", on_event("logged"), "note", blocks))
    await workspace.start("logs")
    await workspace.identify(identifier, email=address, first_name=name, born=born)
    await workspace.track(identifier, "logged", {"plan": plan})
    body = {
        "to": address,
        "identifiers": {"email": address},
        "from": "team@example.com",
        "subject": f"For {name}",
        "body": f"<p>{plan}</p>",
    }
    await workspace.call("POST", "/v1/send/email", body)
    refused = await workspace.client.put(
        f"/api/v1/customers/{identifier}", content=f'{{"first_name": "{name}"', headers=workspace.track_auth
    )
    assert refused.status_code == 400
    missing = await workspace.request("GET", f"/v1/customers/{address}/nothing")
    assert missing.status_code == 404
    await workspace.settle(60)
    given = await workspace.request("GET", "/v1/clock", headers={"X-Request-Id": "connects-1"})
    assert given.headers["x-request-id"] == "connects-1"

    async def told() -> bool:
        # A call is answered first and told of afterwards.
        return "connects-1" in {line.get("request") for line in observed.lines()}

    await eventually(told, "the call is told of under the id that it gave")
    lines = observed.lines()
    fields = {field for line in lines for field in line}
    assert fields <= documented()
    assert {"request", "route", "status", "ms", "trace_id", "roles", "port"} <= fields
    for path in observed.logs.glob("*.log"):
        if path.stem in ("api", "worker-ingest", "worker-journeys"):
            text = path.read_text()
            for value in VALUES:
                assert value not in text, f"{path.name} says {value}"
