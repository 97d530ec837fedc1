"""A source of a workspace, and Pipelines calls from it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import httpx

from tests.api.conftest import Keys

SUCCESS = {"success": True}
STRICT = {"X-Strict-Mode": "1"}


def basic(key: str, *, tail: str = ":") -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{key}{tail}'.encode()).decode()}"}


@dataclass
class Source:
    """A write key."""

    workspace: Keys
    id: int
    key: str
    name: str

    async def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        """A call as server libraries make it; `strict=True` asks for strictness."""
        headers = basic(self.key) | (STRICT if options.pop("strict", False) else {}) | options.pop("headers", {})
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.workspace.http.post(path, content=content, headers=headers, **options)

    async def take(self, path: str, body: Any, **options: Any) -> None:
        """The same, where it is answered with success."""
        answer = await self.post(path, body, **options)
        assert (answer.status_code, answer.json()) == (200, SUCCESS), answer.text

    async def refused(self, path: str, body: Any, **options: Any) -> dict[str, Any]:
        """The same in strict mode, where it is answered with 400."""
        answer = await self.post(path, body, strict=True, **options)
        assert answer.status_code == 400, answer.text
        refusal: dict[str, Any] = answer.json()
        assert refusal["code"]
        assert refusal["message"]
        return refusal

    async def rejected(self) -> list[dict[str, Any]]:
        """What the Data In log keeps of calls without effect, oldest first."""
        async with self.workspace.db.connection() as conn:
            rows = await conn.fetch(
                "SELECT source, path, status, errors FROM rejected_calls WHERE workspace_id = $1 ORDER BY rejected_id",
                self.workspace.id,
            )
        return [dict(row) for row in rows]


async def make_source(workspace: Keys, name: str = "Web", **more: Any) -> Source:
    body = {"kind": "pipelines", "name": name, **more}
    path = f"/v1/workspaces/{workspace.id}/credentials"
    answer = await workspace.http.post(path, headers=workspace.admin, json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return Source(workspace, made["id"], made["write_key"], name)


async def define_settings(workspace: Keys, **settings: Any) -> None:
    document = {"kind": "settings", "key": "workspace", **settings}
    answer = await workspace.call("PUT", "/v1/definitions/settings/workspace", document)
    assert answer.status_code in (200, 201), answer.text
