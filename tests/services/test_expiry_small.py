"""Ended tasks, captures beyond the newest, paces of hosts and worn-out keys are deleted; what is in use stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clock import system_now
from services import expiry_small
from tests.store.rows import execute
from tests.support.database import START, Room

TASK = """INSERT INTO tasks (workspace_id, task_id, type, state, priority, payload, cursor, done, created_at, ended_at)
          VALUES ($1, $2, $3, $4, 'low', $5, 0, 0, $6, $7)"""
CAPTURE = """INSERT INTO mailbox (workspace_id, delivery_id, attempt, channel, outcome, purpose, "to", at, rendered)
             VALUES ($1, $2, 1, 'email', 'sent', 'send', '{}', $3, '{}')"""
OLD, NEW = START - timedelta(days=91), START - timedelta(days=89)


async def left(room: Room, table: str, column: str) -> list:
    return [row[column] for row in await room.rows(f"SELECT {column} FROM {table} WHERE workspace_id = $1 ORDER BY 1")]


async def test_ended_tasks_go_but_the_last_build_of_a_segment(room: Room):
    one, two = {"segment_id": 1}, {"segment_id": 2}
    for name, kind, state, payload, ended in (
        ("a", "segment_build", "succeeded", one, OLD),
        ("b", "segment_build", "failed", one, OLD),
        ("c", "segment_build", "succeeded", two, OLD),
        ("d", "export", "succeeded", {}, OLD),
        ("e", "export", "failed", {}, NEW),
        ("f", "export", "running", {}, None),
    ):
        await execute(room, TASK, name, kind, state, payload, OLD, ended)
    await expiry_small.expire(room.db, system_now())
    assert await left(room, "tasks", "task_id") == ["b", "c", "e", "f"]


async def test_the_mailbox_keeps_the_newest(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(expiry_small, "CAPTURES_KEPT", 3)
    monkeypatch.setattr(expiry_small, "PAGE", 2)
    for number in range(8):
        await execute(room, CAPTURE, f"d{number}", START)
    await expiry_small.expire(room.db, system_now())
    assert await left(room, "mailbox", "delivery_id") == ["d5", "d6", "d7"]


async def test_paces_and_keys_that_are_over_go(room: Room):
    ago = timedelta(days=2)
    for host, at in (("old", START - ago), ("new", START)):
        await execute(room, "INSERT INTO endpoint_turns (workspace_id, host, next_at) VALUES ($1, $2, $3)", host, at)
        query = (
            "INSERT INTO endpoint_answers (workspace_id, host, minute, succeeded, throttled) VALUES ($1, $2, $3, 1, 1)"
        )
        await execute(room, query, host, at)
    for key, until in (("current", None), ("old", START), ("older", START + ago)):
        query = (
            "INSERT INTO signing_keys (workspace_id, purpose, key, created_at, expires_at) VALUES ($1, 'p', $2, $3, $4)"
        )
        await execute(room, query, key, START - ago, until)
    await expiry_small.expire(room.db, system_now())
    assert await left(room, "endpoint_turns", "host") == ["new"]
    assert await left(room, "endpoint_answers", "host") == ["new"]
    assert await left(room, "signing_keys", "key") == ["current", "older"]
