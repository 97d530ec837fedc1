"""Journeys: the rows that are the truth, their steps, and the wakes they put into the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from store import deltas
from store.database import Connection
from telemetry import figures, tracing

ACTIVE = "in_progress"
NOBODY = 0
"""The person of a journey whose subject is the payload of a webhook."""


@dataclass(slots=True)
class JourneyRow:
    """One journey (CMP-30); parked if and only if `wait` is set. `started_at`, `started_seq` are its position."""

    workspace_id: int
    journey_id: str
    workflow_id: str
    campaign_id: int
    person_id: int
    entry: str
    single: bool
    state: str
    version: int
    started_at: datetime
    started_seq: int
    created_at: datetime
    reason: str | None = None
    explanation: str | None = None
    block: str | None = None
    arrived_at: datetime | None = None
    arrived_seq: int = 0
    due_at: datetime | None = None
    wait: dict[str, Any] | None = None
    ended_at: datetime | None = None
    converted_at: datetime | None = None
    trigger: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    wanted: int = 0
    seen: int = 0
    steps: int = 0

    @property
    def active(self) -> bool:
        """Whether it is under way."""
        return self.state == ACTIVE

    @property
    def travelled(self) -> bool:
        """Whether somebody travels it; else its subject is a payload."""
        return self.person_id != NOBODY

    @property
    def awaits_answer(self) -> bool:
        """Whether it stands in a block whose delivery is not over yet, which nothing interrupts (CMP-16)."""
        return self.wait is not None and bool(self.wait.get("answer"))

    @property
    def parked(self) -> bool:
        """Whether it stands in a wait."""
        return self.wait is not None


@dataclass(slots=True)
class StepRow:
    """What happened at one block; `effect` is the effect chosen there."""

    workspace_id: int
    journey_id: str
    action_id: int
    started_at: datetime
    seq_num: int
    block: str
    output_type: str
    outcome: str
    effect: dict[str, Any]
    created_at: datetime
    explanation: str | None = None
    delivery_id: str | None = None
    draft: bool | None = None
    delay_ends_at: datetime | None = None
    branch_index: int | None = None
    path: str | None = None
    left_at: datetime | None = None


_JOURNEY = [column.name for column in fields(JourneyRow)]
_STEP = [column.name for column in fields(StepRow)]
_COLUMNS = ", ".join(_JOURNEY)
_TYPES = {
    "workspace_id": "int",
    "campaign_id": "int",
    "person_id": "bigint",
    "single": "bool",
    "version": "int",
    "started_seq": "bigint",
    "arrived_seq": "bigint",
    "wanted": "int",
    "seen": "int",
    "steps": "int",
    "wait": "jsonb",
    "trigger": "jsonb",
    "attributes": "jsonb",
    "action_id": "int",
    "seq_num": "int",
    "effect": "jsonb",
    "draft": "bool",
    "branch_index": "int",
}
_CHANGING = (
    "state",
    "reason",
    "explanation",
    "block",
    "arrived_at",
    "arrived_seq",
    "due_at",
    "wait",
    "ended_at",
    "converted_at",
    "attributes",
    "wanted",
    "seen",
    "steps",
)


def _type(name: str) -> str:
    if name in _TYPES:
        return _TYPES[name]
    return "timestamptz" if name.endswith(("_at",)) else "text"


def _arrays(names: Sequence[str], first: int = 1) -> str:
    return ", ".join(f"${index}::{_type(name)}[]" for index, name in enumerate(names, start=first))


def _row(record: Mapping[str, Any]) -> JourneyRow:
    return JourneyRow(**{name: record[name] for name in _JOURNEY})


async def get(conn: Connection, workspace_id: int, journey_id: str) -> JourneyRow | None:
    """One journey, or None."""
    query = f"SELECT {_COLUMNS} FROM journeys WHERE workspace_id = $1 AND journey_id = $2"
    record = await conn.fetchrow(query, workspace_id, journey_id)
    return _row(record) if record else None


async def hold(conn: Connection, workspace_id: int, journey_id: str) -> JourneyRow | None:
    """One journey, its person locked to the end of the transaction; None without either.

    Where the lock had to be waited for, the row is from before: read again what matters.
    """
    columns = ", ".join(f"j.{name}" for name in _JOURNEY)
    query = f"""SELECT {columns} FROM journeys j JOIN people p USING (workspace_id, person_id)
                WHERE workspace_id = $1 AND j.journey_id = $2 FOR NO KEY UPDATE OF p"""
    record = await conn.fetchrow(query, workspace_id, journey_id)
    return _row(record) if record else None


async def hold_payload(conn: Connection, workspace_id: int, journey_id: str) -> JourneyRow | None:
    """One journey in which nobody travels, locked itself to the end of the transaction; None where it is no such one."""
    query = f"""SELECT {_COLUMNS} FROM journeys
                WHERE workspace_id = $1 AND journey_id = $2 AND person_id = {NOBODY} FOR NO KEY UPDATE"""
    record = await conn.fetchrow(query, workspace_id, journey_id)
    return _row(record) if record else None


async def payloads_inside(
    conn: Connection,
    workspace_id: int,
    campaign_id: int,
    *,
    after: str = "",
    limit: int,
    blocks: Sequence[str] | None = None,
    up_to: int | None = None,
) -> list[JourneyRow]:
    """The next journeys of a campaign under way in which nobody travels, locked.

    With `blocks` those standing there, with `up_to` those that a fact up to this one began.
    """
    query = f"""SELECT {_COLUMNS} FROM journeys
                WHERE workspace_id = $1 AND person_id = {NOBODY} AND campaign_id = $2 AND state = 'in_progress'
                  AND journey_id > $3 AND ($5::text[] IS NULL OR block = ANY($5::text[]))
                  AND ($6::bigint IS NULL OR started_seq <= $6)
                ORDER BY journey_id LIMIT $4 FOR NO KEY UPDATE"""
    standing = None if blocks is None else list(blocks)
    records = await conn.fetch(query, workspace_id, campaign_id, after, limit, standing, up_to)
    return [_row(record) for record in records]


async def held(conn: Connection, workspace_id: int, journey_id: str) -> JourneyRow | None:
    """One journey under way, locked against wakes by the clock; its person's lock is held already."""
    query = f"""SELECT {_COLUMNS} FROM journeys
                WHERE workspace_id = $1 AND journey_id = $2 AND state = 'in_progress' FOR NO KEY UPDATE"""
    record = await conn.fetchrow(query, workspace_id, journey_id)
    return _row(record) if record else None


async def active_of(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[JourneyRow]:
    """Journeys under way of these people, oldest first, locked: a wake by the clock takes no lock of a person."""
    query = f"""SELECT {_COLUMNS} FROM journeys
                WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) AND state = 'in_progress'
                ORDER BY journey_id FOR NO KEY UPDATE"""
    return [_row(record) for record in await conn.fetch(query, workspace_id, list(person_ids))]


async def history_of(
    conn: Connection, workspace_id: int, campaign_ids: Sequence[int], person_ids: Sequence[int]
) -> list[JourneyRow]:
    """Every journey, over or not, of these people in these campaigns."""
    query = f"""SELECT {_COLUMNS} FROM journeys
                WHERE workspace_id = $1 AND campaign_id = ANY($2::int[]) AND person_id = ANY($3::bigint[])"""
    return [_row(record) for record in await conn.fetch(query, workspace_id, list(campaign_ids), list(person_ids))]


async def all_of(conn: Connection, workspace_id: int, person_id: int) -> list[JourneyRow]:
    """Every journey of one person, over or not, oldest first."""
    query = f"""SELECT {_COLUMNS} FROM journeys WHERE workspace_id = $1 AND person_id = $2 ORDER BY journey_id"""
    return [_row(record) for record in await conn.fetch(query, workspace_id, person_id)]


async def hand_over(conn: Connection, workspace_id: int, giver: int, taker: int, renamed: Mapping[str, str]) -> None:
    """Make somebody's journeys somebody else's; `renamed` are new entry numbers of those whose own are taken."""
    await conn.execute(
        """UPDATE journeys j SET person_id = $3, entry = COALESCE(
               (SELECT n.entry FROM unnest($4::text[], $5::text[]) AS n (journey_id, entry)
                WHERE n.journey_id = j.journey_id), j.entry)
           WHERE j.workspace_id = $1 AND j.person_id = $2""",
        workspace_id,
        giver,
        taker,
        list(renamed),
        list(renamed.values()),
    )


async def insert(conn: Connection, rows: Sequence[JourneyRow]) -> None:
    """Store new journeys."""
    if rows:
        await conn.execute(
            f"INSERT INTO journeys ({_COLUMNS}) SELECT * FROM unnest({_arrays(_JOURNEY)})",
            *[[getattr(row, name) for row in rows] for name in _JOURNEY],
        )
        figures.JOURNEYS_STARTED.inc(len(rows))


async def save(conn: Connection, rows: Sequence[JourneyRow]) -> None:
    """Write back what may change of journeys; the caller holds their people's locks.

    Where one has ended and a date waits for that, the clock asks for it now, or for what it was to ask before (CMP-05).
    """
    if not rows:
        return
    names = ("workspace_id", "journey_id", *_CHANGING)
    changes = ", ".join(f"{name} = n.{name}" for name in _CHANGING)
    await conn.execute(
        f"""WITH saved AS (
                UPDATE journeys j SET {changes} FROM unnest({_arrays(names)}) AS n ({", ".join(names)})
                WHERE j.workspace_id = n.workspace_id AND j.journey_id = n.journey_id
                RETURNING j.workspace_id, j.person_id, j.campaign_id, j.single, j.ended_at)
            INSERT INTO memberships AS m (workspace_id, person_id, kind, ref_id, member, since, flips_at)
            SELECT s.workspace_id, s.person_id, 'trigger', s.campaign_id, false, max(s.ended_at), max(s.ended_at)
            FROM saved s JOIN entry_retries r USING (workspace_id, person_id, campaign_id)
            WHERE s.single AND s.ended_at IS NOT NULL AND r.until IS NULL
            GROUP BY s.workspace_id, s.person_id, s.campaign_id
            ON CONFLICT (workspace_id, person_id, kind, ref_id)
            DO UPDATE SET flips_at = LEAST(m.flips_at, EXCLUDED.flips_at)""",
        *[[getattr(row, name) for row in rows] for name in names],
    )


_COUNTED = "CASE WHEN outcome = 'branched' AND path IS NOT NULL THEN 'branched/' || path ELSE outcome END"
"""Under which name a step that is over counts in the totals of its block; whoever waits is counted where they stand."""


async def add_steps(conn: Connection, rows: Sequence[StepRow]) -> None:
    """Record what happened at blocks, and count it; one that is recorded already stays as it is."""
    if rows:
        await conn.execute(
            f"""WITH put AS (
                    INSERT INTO journey_steps ({", ".join(_STEP)}) SELECT * FROM unnest({_arrays(_STEP)})
                    ON CONFLICT DO NOTHING RETURNING workspace_id, action_id, outcome, path)
                INSERT INTO metric_deltas (workspace_id, kind, ref_id, metric, amount)
                SELECT workspace_id, 'block', action_id, {_COUNTED}, count(*)
                FROM put WHERE outcome <> 'waiting' GROUP BY workspace_id, action_id, {_COUNTED}""",
            *[[getattr(row, name) for row in rows] for name in _STEP],
        )


async def save_step(conn: Connection, row: StepRow) -> None:
    """Replace what is known of one step; what it counts as follows."""
    changes = [name for name in _STEP if name not in ("workspace_id", "journey_id", "action_id", "started_at")]
    places = ", ".join(f"{name} = ${index}" for index, name in enumerate(changes, start=5))
    this = "workspace_id = $1 AND journey_id = $2 AND action_id = $3 AND started_at = $4"
    await conn.execute(
        f"""WITH before AS (SELECT outcome, path FROM journey_steps WHERE {this}),
                put AS (UPDATE journey_steps SET {places} WHERE {this} RETURNING outcome, path)
            INSERT INTO metric_deltas (workspace_id, kind, ref_id, metric, amount)
            SELECT $1, 'block', $3, {_COUNTED}, sum(amount)
            FROM (SELECT outcome, path, -1 AS amount FROM before UNION ALL SELECT outcome, path, 1 FROM put) changed
            WHERE outcome <> 'waiting' GROUP BY {_COUNTED} HAVING sum(amount) <> 0""",
        row.workspace_id,
        row.journey_id,
        row.action_id,
        row.started_at,
        *[getattr(row, name) for name in changes],
    )


async def steps_of(conn: Connection, journey: JourneyRow) -> list[StepRow]:
    """The steps of one journey, in order."""
    records = await conn.fetch(
        f"""SELECT {", ".join(_STEP)} FROM journey_steps
            WHERE workspace_id = $1 AND journey_id = $2 AND started_at = $3 ORDER BY seq_num""",
        journey.workspace_id,
        journey.journey_id,
        journey.started_at,
    )
    return [StepRow(**dict(record)) for record in records]


async def steps_of_many(conn: Connection, journeys: Sequence[JourneyRow]) -> list[StepRow]:
    """The steps of journeys of one workspace, those of one together and in order."""
    records = await conn.fetch(
        f"""SELECT {", ".join(f"s.{name}" for name in _STEP)}
            FROM unnest($1::int[], $2::text[], $3::timestamptz[]) WITH ORDINALITY
              AS j (workspace_id, journey_id, started_at, place)
            JOIN journey_steps s USING (workspace_id, journey_id, started_at) ORDER BY j.place, s.seq_num""",
        [row.workspace_id for row in journeys],
        [row.journey_id for row in journeys],
        [row.started_at for row in journeys],
    )
    return [StepRow(**dict(record)) for record in records]


async def close_open_steps(
    conn: Connection, rows: Sequence[JourneyRow], explanation: str | None, now: datetime
) -> None:
    """Mark the step in which each of these journeys was waiting as left early."""
    if rows:
        await conn.execute(
            """WITH put AS (
                   UPDATE journey_steps s
                   SET outcome = 'exited', left_at = $4, explanation = COALESCE($5, s.explanation)
                   FROM unnest($1::int[], $2::text[], $3::timestamptz[]) AS j (workspace_id, journey_id, started_at)
                   WHERE s.workspace_id = j.workspace_id AND s.journey_id = j.journey_id
                     AND s.started_at = j.started_at AND s.outcome = 'waiting'
                   RETURNING s.workspace_id, s.action_id)
               INSERT INTO metric_deltas (workspace_id, kind, ref_id, metric, amount)
               SELECT workspace_id, 'block', action_id, 'exited', count(*) FROM put GROUP BY 1, 3""",
            [row.workspace_id for row in rows],
            [row.journey_id for row in rows],
            [row.started_at for row in rows],
            now,
            explanation,
        )


async def enqueue(
    conn: Connection,
    kind: str,
    rows: Sequence[JourneyRow],
    why: str,
    *,
    lane: str = "live",
    traces: Sequence[str | None] | None = None,
) -> None:
    """Put a `start` or a `wake` of each journey into the outbox; `traces` are what each comes of."""
    if rows:
        await conn.execute(
            """INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why,
                                   traceparent)
               SELECT workspace_id, $6, $7, journey_id, workflow_id, campaign_id, person_id, $8, traceparent
               FROM unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::bigint[], $9::text[])
                 AS j (workspace_id, journey_id, workflow_id, campaign_id, person_id, traceparent)""",
            [row.workspace_id for row in rows],
            [row.journey_id for row in rows],
            [row.workflow_id for row in rows],
            [row.campaign_id for row in rows],
            [row.person_id for row in rows],
            lane,
            kind,
            why,
            [tracing.current()] * len(rows) if traces is None else list(traces),
        )


def mark_ended(row: JourneyRow, *, state: str, reason: str, explanation: str | None, now: datetime) -> None:
    """Turn a journey into one that is over; its attributes go with it."""
    row.state, row.reason, row.explanation, row.ended_at = state, reason, explanation, now
    row.wait = row.due_at = None
    row.attributes = {}


def ended_deltas(rows: Iterable[JourneyRow]) -> list[deltas.Delta]:
    """The changes of the campaigns' totals when journeys end."""
    found = []
    for row in rows:
        figures.JOURNEYS_ENDED.labels(row.reason or row.state).inc()
        metric = "completed" if row.state == "finished" else "exited_early"
        found.append(deltas.Delta(row.workspace_id, "campaign", row.campaign_id, metric))
    return found


async def end(
    conn: Connection,
    workspace_id: int,
    journey_ids: Sequence[str],
    *,
    reason: str,
    explanation: str,
    now: datetime,
    why: str,
) -> list[JourneyRow]:
    """End journeys that are under way early, wake their workflows; returns those that were.

    The caller holds their people's locks.
    """
    query = f"""SELECT {_COLUMNS} FROM journeys
                WHERE workspace_id = $1 AND journey_id = ANY($2::text[]) AND state = 'in_progress' FOR NO KEY UPDATE"""
    rows = [_row(record) for record in await conn.fetch(query, workspace_id, list(journey_ids))]
    for row in rows:
        mark_ended(row, state="exited_early", reason=reason, explanation=explanation, now=now)
        row.wanted += 1
    await save(conn, rows)
    await close_open_steps(conn, rows, explanation, now)
    await enqueue(conn, "wake", rows, why)
    await deltas.insert(conn, ended_deltas(rows))
    return rows


_WAKE = """
    WITH found AS (
        SELECT journey_id FROM journeys
        WHERE workspace_id = $1 AND {which} AND state = 'in_progress' AND seen = wanted
        ORDER BY journey_id FOR NO KEY UPDATE {others}),
    woken AS (
        UPDATE journeys j SET wanted = wanted + 1 FROM found f
        WHERE j.workspace_id = $1 AND j.journey_id = f.journey_id
        RETURNING j.workspace_id, j.journey_id, j.workflow_id, j.campaign_id, j.person_id),
    put AS (
        INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why)
        SELECT workspace_id, $3, 'wake', journey_id, workflow_id, campaign_id, person_id, $4
        FROM woken ORDER BY journey_id RETURNING 1)
    SELECT count(*) FROM put"""


async def wake(conn: Connection, workspace_id: int, journey_ids: Sequence[str], why: str, lane: str = "live") -> int:
    """Have journeys under way planned again; one with a wake outstanding gets no second. Returns how many were woken."""
    query = _WAKE.format(which="journey_id = ANY($2::text[])", others="")
    count: int = await conn.fetchval(query, workspace_id, list(journey_ids), lane, why)
    return count


async def wake_due(conn: Connection, workspace_id: int, now: datetime, why: str = "timer") -> int:
    """Wake every parked journey whose instant has come, in order of creation; returns how many.

    One held by another transaction stays due and is found the next time: nobody's lock protects this caller's order.
    """
    query = _WAKE.format(which="due_at <= $2", others="SKIP LOCKED")
    count: int = await conn.fetchval(query, workspace_id, now, "live", why)
    return count


__all__ = [
    "ACTIVE",
    "NOBODY",
    "JourneyRow",
    "StepRow",
    "active_of",
    "add_steps",
    "close_open_steps",
    "end",
    "ended_deltas",
    "enqueue",
    "get",
    "held",
    "history_of",
    "hold",
    "hold_payload",
    "insert",
    "mark_ended",
    "save",
    "save_step",
    "steps_of",
    "steps_of_many",
    "wake",
    "wake_due",
]
