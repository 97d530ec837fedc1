"""A running stack and workspaces in it, driven as their users do: over HTTP, with keys."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import httpx

from stack.description import StackDescription

START = 1_767_261_600
"""2026-01-01T10:00:00Z, a Thursday."""
DAY = 86_400


class Workspace:
    """One workspace through its keys; every method asserts that the call was accepted unless it says otherwise."""

    def __init__(self, client: httpx.AsyncClient, made: dict[str, Any]) -> None:
        self.client = client
        self.id: int = made["workspace"]["id"]
        keys = {key["kind"]: key for key in made["credentials"]}
        self.site_id: str = keys["track"]["site_id"]
        self.api_key: str = keys["track"]["api_key"]
        self.app_key: str = keys["app"]["app_key"]
        self.track_auth = basic(self.site_id, self.api_key)
        self.app_auth = {"Authorization": f"Bearer {self.app_key}"}

    @classmethod
    async def create(cls, stack: StackDescription, client: httpx.AsyncClient, **body: Any) -> Workspace:
        """A new workspace, a sandbox at `START` unless the body says otherwise."""
        asked = {"name": "test", "sandbox": True, **({"now": START} if body.get("sandbox", True) else {}), **body}
        headers = {"Authorization": f"Bearer {stack.admin_token}"}
        answer = await client.post("/v1/workspaces", json=asked, headers=headers)
        assert answer.status_code == 201, answer.text
        return cls(client, answer.json())

    async def request(self, method: str, path: str, **kw: Any) -> httpx.Response:
        """One call with the App key."""
        return await self.client.request(method, path, headers={**self.app_auth, **kw.pop("headers", {})}, **kw)

    async def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """One call with the App key that must be answered with this status; the JSON of the answer."""
        answer = await self.request(method, path, **({} if body is None else {"json": body}))
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, **params: Any) -> Any:
        """What a read answers."""
        answer = await self.request("GET", path, params=params)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def define(self, *documents: dict[str, Any]) -> dict[str, Any]:
        """Apply definitions and wait until segments are built."""
        answer = await self.call("PUT", "/v1/definitions", {"definitions": list(documents)})
        await self.settle()
        return answer

    async def start(self, campaign: str) -> dict[str, Any]:
        """Start a campaign and wait until it runs."""
        answer = await self.call("POST", f"/v1/campaigns/{campaign}/start", {})
        await self.settle()
        return answer

    async def identify(self, identifier: str, /, **attributes: Any) -> None:
        """PUT a person."""
        path = f"/api/v1/customers/{quote(identifier, safe='')}"
        answer = await self.client.put(path, json=attributes, headers=self.track_auth)
        assert (answer.status_code, answer.json()) == (200, {}), answer.text

    async def track(self, identifier: str, name: str, /, data: dict[str, Any] | None = None, **fields: Any) -> None:
        """POST an event."""
        path = f"/api/v1/customers/{quote(identifier, safe='')}/events"
        body = {"name": name, **({} if data is None else {"data": data}), **fields}
        answer = await self.client.post(path, json=body, headers=self.track_auth)
        assert (answer.status_code, answer.json()) == (200, {}), answer.text

    async def settle(self, seconds: int = 30) -> dict[str, Any]:
        """Wait until nothing is runnable."""
        return await self.call("POST", "/v1/clock/settle", {"timeout_seconds": seconds})

    async def advance(self, by: str | int | None = None, *, to: int | None = None) -> dict[str, Any]:
        """Move the clock by a duration, or to Unix seconds."""
        return await self.call("POST", "/v1/clock/advance", {"by": by} if to is None else {"to": to})

    async def mailbox(self, **params: Any) -> list[dict[str, Any]]:
        """What was captured, oldest first."""
        answer = await self.get("/v1/mailbox", **params)
        found = answer["messages"] if "messages" in answer else next(v for v in answer.values() if isinstance(v, list))
        return sorted(found, key=lambda message: (message["at"], message["id"]))

    async def journeys(self, **params: Any) -> list[dict[str, Any]]:
        """Journeys, oldest first."""
        return (await self.get("/v1/journeys", **params))["journeys"][::-1]

    async def journey(self, journey_id: str) -> dict[str, Any]:
        """One journey with its steps."""
        return (await self.get(f"/v1/journeys/{journey_id}"))["journey"]

    async def steps(self, journey_id: str) -> list[tuple[str, str]]:
        """Block and outcome of each step."""
        return [(step["block"], step["outcome"]) for step in (await self.journey(journey_id))["steps"]]


def basic(user: str, password: str) -> dict[str, str]:
    """A Basic authorization header."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def email(subject: str, body: str = "<p>Hello</p>", **fields: Any) -> dict[str, Any]:
    """An automatic email block; message fields may be given in `message`."""
    message = {"subject": subject, "body": body, **fields.pop("message", {})}
    return {"type": "email", "sending_state": "automatic", "message": message, **fields}


def campaign(key: str, trigger: dict[str, Any], start: str, blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A campaign document."""
    return {
        "kind": "campaign",
        "key": key,
        "name": key.title(),
        "trigger": trigger,
        "workflow": {"start": start, "blocks": blocks},
        **fields,
    }


def on_event(name: str, **fields: Any) -> dict[str, Any]:
    """An event trigger."""
    return {"type": "event", "event": name, **fields}


def on_match(conditions: Any) -> dict[str, Any]:
    """A segment trigger."""
    return {"type": "segment", "conditions": conditions}


DOMAIN = {"kind": "domain", "key": "main", "domain": "example.com", "use": "sending"}
"""What normal workspaces send from."""
SENDER = {"kind": "sender", "key": "team", "name": "Team", "email": "team@example.com", "default": True}
