"""Rows put straight into tables, for what is not about how they came there."""

from __future__ import annotations

from tests.support.database import Room

JOURNEY = """INSERT INTO journeys (workspace_id, journey_id, workflow_id, campaign_id, person_id, entry, single, state,
               version, block, arrived_seq, due_at, started_at, started_seq, trigger, attributes, created_at,
               wanted, seen, steps)
             VALUES ($1, 'J', 'w', 1, 1, '1', false, $2, 1, 'b', 0, $3, $4, 0, '{}', '{}', $4, $5, $6, 0)"""
DELIVERY = """INSERT INTO deliveries (workspace_id, delivery_id, channel, status, metrics, attempts, ambiguous, draft,
                holdout, edited, forgotten, created_at) VALUES ($1, 'D', 'email', $2, '{}', 0, false, $3, false, false, false, $4)"""
FLIP = """INSERT INTO memberships (workspace_id, person_id, kind, ref_id, member, since, flips_at)
          VALUES ($1, 1, 'segment', 1, true, $2, $3)"""
DUE = "INSERT INTO due (workspace_id, kind, ref, due_at) VALUES ($1, 'delivery', 'D', $2)"
OUTBOX = """INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why)
            VALUES ($1, 'live', 'wake', 'J', 'w', 1, 1, 'x')"""
CAMPAIGN = """INSERT INTO definitions (workspace_id, kind, definition_id, key, name, document, revision, version, state,
                actions, removed_blocks, created_at, updated_at)
              VALUES ($1, 'campaign', 1, 'c', 'C', '{}', 1, 1, $2, '{}', '{}', $3, $3)"""


async def execute(room: Room, query: str, *arguments) -> None:
    async with room.db.transaction() as conn:
        await conn.execute(query, room.workspace_id, *arguments)
