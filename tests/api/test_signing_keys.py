"""Signing keys over the API: replaced with an overlap, shown once (ACT-30)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.management.signing_keys import Rotated
from clock import system_now
from domain.values import to_unix
from services import signing_keys
from tests.api.conftest import Keys


def path(workspace: Keys, purpose: str = "webhook") -> str:
    return f"/v1/workspaces/{workspace.id}/signing_keys/{purpose}/rotate"


async def keys(workspace: Keys, at) -> tuple[str, ...]:
    async with workspace.db.transaction() as conn:
        return await signing_keys.keys_of(conn, workspace.id, "webhook", at)


async def test_a_key_is_made_once_and_replaced_with_an_overlap(workspace):
    now = await workspace_now(workspace)
    (first,) = await keys(workspace, now)
    assert (len(bytes.fromhex(first)), await keys(workspace, now)) == (32, (first,))
    answer = await workspace.call("POST", path(workspace), {"overlap": "PT1H"})
    assert answer.status_code == 200
    Rotated.model_validate(answer.json())
    second, until = answer.json()["signing_key"], answer.json()["previous_valid_until"]
    assert abs(until - to_unix(now) - 3600) < 60
    assert await keys(workspace, now) == (second, first)
    assert await keys(workspace, now + timedelta(hours=2)) == (second,)


async def test_without_an_overlap_the_old_key_is_gone(workspace):
    now = await workspace_now(workspace)
    await keys(workspace, now)
    answer = await workspace.call("POST", path(workspace), {"overlap": 0})
    assert list(answer.json()) == ["signing_key"]
    assert await keys(workspace, await workspace_now(workspace)) == (answer.json()["signing_key"],)


async def test_the_first_key_replaces_nothing(workspace):
    answer = await workspace.call("POST", path(workspace))
    assert (answer.status_code, list(answer.json())) == (200, ["signing_key"])


@pytest.mark.parametrize(
    ("body", "code"), [({"overlap": "P31D"}, "range"), ({"overlap": "soon"}, "format"), ({"x": 1}, "unknown_field")]
)
async def test_what_is_refused(workspace, body, code):
    answer = await workspace.call("POST", path(workspace), body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


async def test_only_ones_own_keys_of_known_purposes(workspace):
    assert (await workspace.call("POST", path(workspace, "letters"))).status_code == 404
    elsewhere = "/v1/workspaces/2147483647/signing_keys/webhook/rotate"
    assert (await workspace.call("POST", elsewhere)).status_code == 404


async def workspace_now(workspace: Keys):
    async with workspace.db.connection() as conn:
        row = await conn.fetchrow("SELECT clock_now FROM workspaces WHERE workspace_id = $1", workspace.id)
    return row["clock_now"] or system_now()
