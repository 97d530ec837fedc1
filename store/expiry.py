"""What expires by the clock of its workspace and is deleted in pages: anonymous facts, ids remembered, refusals."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from store.database import Connection


async def anonymous_facts(conn: Connection, real_now: datetime, kept: timedelta, limit: int) -> int:
    """Delete up to `limit` anonymous facts received longer ago than they are kept; returns how many."""
    statement = """DELETE FROM anonymous_facts f USING (
               SELECT a.workspace_id, a.anonymous_id, a.seq FROM workspaces w CROSS JOIN LATERAL (
                   SELECT workspace_id, anonymous_id, seq FROM anonymous_facts
                   WHERE workspace_id = w.workspace_id
                     AND received_at < COALESCE(w.clock_now, $1::timestamptz) - $2::interval
                   ORDER BY received_at LIMIT $3) a LIMIT $3) old
           WHERE f.workspace_id = old.workspace_id AND f.anonymous_id = old.anonymous_id AND f.seq = old.seq"""
    return await _deleted(conn, statement, real_now, kept, limit)


async def entry_retries(conn: Connection, real_now: datetime, grace: timedelta, limit: int) -> int:
    """Delete up to `limit` occurrences that have waited for filters in vain, so long after their end; returns how many."""
    statement = """DELETE FROM entry_retries r USING (
               SELECT e.* FROM workspaces w CROSS JOIN LATERAL (
                   SELECT workspace_id, person_id, campaign_id, entry, until FROM entry_retries
                   WHERE workspace_id = w.workspace_id
                     AND until < COALESCE(w.clock_now, $1::timestamptz) - $2::interval
                   ORDER BY until LIMIT $3) e LIMIT $3) old
           WHERE r.workspace_id = old.workspace_id AND r.person_id = old.person_id AND r.campaign_id = old.campaign_id
             AND r.entry = old.entry AND r.until = old.until"""
    return await _deleted(conn, statement, real_now, grace, limit)


async def entry_refusals(conn: Connection, real_now: datetime, kept: timedelta, limit: int) -> int:
    """Delete up to `limit` reasons of refusal written down longer ago than they are kept; returns how many."""
    statement = """DELETE FROM entry_refusals r USING (
               SELECT e.* FROM workspaces w CROSS JOIN LATERAL (
                   SELECT workspace_id, campaign_id, person_id, seq, occurrence FROM entry_refusals
                   WHERE workspace_id = w.workspace_id
                     AND at < COALESCE(w.clock_now, $1::timestamptz) - $2::interval
                   ORDER BY at LIMIT $3) e LIMIT $3) old
           WHERE r.workspace_id = old.workspace_id AND r.campaign_id = old.campaign_id AND r.person_id = old.person_id
             AND r.seq = old.seq AND r.occurrence = old.occurrence"""
    return await _deleted(conn, statement, real_now, kept, limit)


async def dedupe_keys(conn: Connection, real_now: datetime, grace: timedelta, limit: int) -> int:
    """Delete up to `limit` ids that ceased to make anything a repeat longer ago than the grace; returns how many."""
    statement = """DELETE FROM dedupe_keys d USING (
               SELECT k.workspace_id, k.scope, k.key_hash FROM workspaces w CROSS JOIN LATERAL (
                   SELECT workspace_id, scope, key_hash FROM dedupe_keys
                   WHERE workspace_id = w.workspace_id
                     AND expires_at <= COALESCE(w.clock_now, $1::timestamptz) - $2::interval
                   ORDER BY expires_at LIMIT $3) k LIMIT $3) old
           WHERE d.workspace_id = old.workspace_id AND d.scope = old.scope AND d.key_hash = old.key_hash
             AND d.expires_at <= (SELECT COALESCE(w.clock_now, $1::timestamptz) - $2::interval FROM workspaces w
                                  WHERE w.workspace_id = d.workspace_id)"""
    return await _deleted(conn, statement, real_now, grace, limit)


async def _deleted(conn: Connection, statement: str, *arguments: Any) -> int:
    """How many rows a statement has deleted."""
    gone: str = await conn.execute(statement, *arguments)
    return int(gone.rsplit(" ", 1)[1])


__all__ = ["anonymous_facts", "dedupe_keys", "entry_refusals", "entry_retries"]
