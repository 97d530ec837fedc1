"""The workspace that made-up calls are made in: something of everything in it, and its tables seen from outside."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import asyncpg
import requests
from schemathesis import Case

from stack.description import StackDescription
from tests.support.live import SENDER, Workspace, basic, campaign, email, on_event
from tests.support.moments import delay, messages, segment

UNAPPLIED = "The fact could not be applied; the log of the worker says why."
TOKEN = "token-1"
BLOCKS = {"mail": email("Hello", next="pause"), "pause": delay("P1D")}
DOCUMENTS = (
    SENDER,
    segment("paying", {"attribute": {"field": "plan", "value": "pro"}}),
    {"kind": "segment", "key": "chosen", "name": "Chosen", "type": "manual"},
    campaign("welcome", on_event("joined"), "mail", BLOCKS),
)


class Rows:
    """Counts rows of one workspace from code that no event loop runs."""

    def __init__(self, database_url: str, workspace_id: int) -> None:
        self._url = database_url
        self._workspace_id = workspace_id
        self._loop = asyncio.new_event_loop()
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        self._connection: asyncpg.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.submit(self._end).result()
        self._thread.shutdown()

    def logged(self) -> int:
        """How many facts were ever accepted."""
        return int(self._ask("SELECT count(*) FROM ingest_log WHERE workspace_id = $1"))

    def unapplied(self) -> list[str]:
        """The facts that were accepted and could then not be applied."""
        found: list[str] | None = self._ask(
            """SELECT array_agg(op || ' ' || convert_from(body, 'UTF8') ORDER BY seq) FROM ingest_log
               WHERE workspace_id = $1 AND note = $2""",
            UNAPPLIED,
        )
        return found or []

    def pending(self) -> int:
        """How many facts are not applied yet."""
        return int(self._ask("SELECT count(*) FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL"))

    def _ask(self, query: str, *more: Any) -> Any:
        return self._thread.submit(self._run, query, more).result()

    def _run(self, query: str, more: tuple[Any, ...]) -> Any:
        return self._loop.run_until_complete(self._answer(query, more))

    async def _answer(self, query: str, more: tuple[Any, ...]) -> Any:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url)
        return await self._connection.fetchval(query, self._workspace_id, *more)

    def _end(self) -> None:
        if self._connection is not None:
            self._loop.run_until_complete(self._connection.close())
        self._loop.close()


@dataclass
class Ground:
    """Where calls go, with which credentials, and what may be named in them."""

    url: str
    workspace: Workspace
    write_key: str
    rows: Rows
    session: requests.Session
    known: dict[str, Any] = field(default_factory=dict)

    def headers(self, case: Case) -> dict[str, str]:
        """The credential that the operation asks for."""
        asked = case.operation.definition.raw.get("security") or []
        schemes: Mapping[str, Callable[[], dict[str, str]]] = {
            "TrackPair": lambda: self.workspace.track_auth,
            "WriteKey": lambda: self.source_auth,
        }
        names = [name for choice in asked for name in choice]
        return next((schemes[name]() for name in names if name in schemes), self.workspace.app_auth if names else {})

    @property
    def source_auth(self) -> dict[str, str]:
        """The credential of Pipelines calls."""
        return basic(self.write_key, "")

    def lead(self, case: Case) -> None:
        """Let every other call be about something that is there; which ones follows from what was made up."""
        for name, value in dict(case.path_parameters or {}).items():
            if name in self.known and len(repr(value)) % 2:
                case.path_parameters[name] = self.known[name]

    def refused(self) -> float:
        """How many Pipelines messages had no effect and were told of in the figures, so far."""
        text = self.session.get(f"{self.url}/metrics", timeout=30).text
        lines = [line for line in text.splitlines() if line.startswith("sojourn_pipelines_without_effect_total{")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


async def prepare(stack: StackDescription, workspace: Workspace) -> tuple[str, dict[str, Any]]:
    """Fill a fresh sandbox; the key of its source, and the names of things, by the parameters that take them."""
    await workspace.define(*DOCUMENTS)
    await workspace.start("welcome")
    await workspace.identify("7", email="ann@example.com", plan="pro")
    await workspace.identify("8", email="ben@example.com", cio_relationships=[])
    await workspace.track("7", "joined")
    device = {"device": {"id": TOKEN, "platform": "ios"}}
    await _post(workspace, "PUT", "/api/v1/customers/7/devices", device)
    group = {"type": "object", "action": "identify", "identifiers": {"object_type_id": "1", "object_id": "acme"}}
    people = [{"identifiers": {"id": "7"}}]
    await _post(workspace, "POST", "/api/v2/entity", {**group, "attributes": {"n": 1}, "cio_relationships": people})
    await workspace.call("POST", "/v1/collections", {"name": "hats", "data": [{"name": "Bowler"}]})
    await workspace.call("POST", "/v1/exports/customers", {})
    await workspace.settle()
    headers = {"Authorization": f"Bearer {stack.admin_token}"}
    asked = {"kind": "pipelines", "name": "Fuzz"}
    made = await workspace.client.post(f"/v1/workspaces/{workspace.id}/credentials", json=asked, headers=headers)
    assert made.status_code == 201, made.text
    (sent,) = await messages(workspace)
    (journey,) = await workspace.journeys()
    (mail,) = await workspace.mailbox()
    tasks = (await workspace.get("/v1/tasks"))["tasks"]
    segments = {found["name"]: found["id"] for found in (await workspace.get("/v1/segments"))["segments"]}
    known = {
        "identifier": "7",
        "customer": "7",
        "device_id": TOKEN,
        "token": TOKEN,
        "segment_id": segments["Chosen"],
        "segment": str(segments["Chosen"]),
        "kind": "segment",
        "key": "paying",
        "campaign": "welcome",
        "journey_id": journey["id"],
        "message_id": sent["id"],
        "delivery_id": sent["id"],
        "captured_id": mail["id"],
        "object_type": "1",
        "object_type_id": 1,
        "object_id": "acme",
        "collection": "1",
        "export_id": "1",
        "task_id": tasks[0]["id"],
        "name": "plan",
        "call": "1",
        "workspace_id": workspace.id,
        "credential_id": made.json()["id"],
        "write_key": made.json()["write_key"],
    }
    return made.json()["write_key"], known


async def _post(workspace: Workspace, method: str, path: str, body: Any) -> None:
    answer = await workspace.client.request(method, path, json=body, headers=workspace.track_auth)
    assert answer.status_code == 200, answer.text
