"""The mailbox: what was captured instead of sent, what the development SMTP server received, and the fault rules."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from domain.captured import ACCEPTED, CALLED, REFUSING, CapturedMail, FaultRule, Taken
from domain.received import read
from store import deliveries
from store.database import Connection

logger = logging.getLogger("sojourn.mailbox")

_LOCK_CLASS = 0x4D42
_KEPT = """INSERT INTO mailbox (workspace_id, delivery_id, attempt, channel, outcome, purpose, "to", sender, at, person_id,
                     campaign, block, rendered, raw)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::jsonb, $14)"""


async def take(conn: Connection, mail: CapturedMail) -> Taken:
    """Keep one hand-over and say which rule decided it; the same key, purpose and attempt is kept, and decided, once."""
    if mail.delivery_id is not None:
        before = await _already(conn, mail, "outcome")
        if before is not None:
            return Taken(None if before == ACCEPTED else await _rule_like(conn, mail, before))
    rule = await _use_rule(conn, mail.workspace_id, lambda rule: rule.fits(mail.channel, mail.recipients))
    outcome = rule.outcome if rule is not None and rule.outcome in REFUSING else ACCEPTED
    await _keep(conn, mail, outcome)
    return Taken(rule)


async def _already(conn: Connection, mail: CapturedMail, what: str) -> Any:
    """What is kept of the same attempt already, None where nothing is."""
    return await conn.fetchval(
        f"""SELECT {what} FROM mailbox
            WHERE workspace_id = $1 AND delivery_id = $2 AND purpose = $3 AND attempt = $4""",
        mail.workspace_id,
        mail.delivery_id,
        mail.purpose,
        mail.attempt,
    )


async def _keep(conn: Connection, mail: CapturedMail, outcome: str) -> None:
    await conn.execute(
        f"{_KEPT} ON CONFLICT DO NOTHING",
        mail.workspace_id,
        mail.delivery_id,
        mail.attempt,
        mail.channel,
        outcome,
        mail.purpose,
        list(mail.recipients),
        mail.sender,
        mail.at,
        mail.person_id,
        mail.campaign,
        mail.block,
        _json(mail.rendered),
        mail.raw,
    )


async def take_call(conn: Connection, mail: CapturedMail, url: str, *, usual: Any = None) -> FaultRule:
    """Keep one call of an address and say how it is answered; the same attempt is kept, and answered, once.

    Without a rule the answer is `200` with the `usual` body, `{}`. Calls of channels without rules of their own follow
    those of webhooks.
    """
    channel = mail.channel if mail.channel in CALLED else "webhook"
    before = await _already(conn, mail, "rendered -> 'answer'")
    if before is not None:
        return FaultRule.model_validate({"channel": channel, **before})
    rule = await _use_rule(
        conn, mail.workspace_id, lambda rule: rule.fits_call(url, channel, mail.recipients)
    ) or FaultRule.model_validate({"channel": channel, "outcome": "answer", "status": 200, "body": usual or {}})
    answer = {name: value for name in ("outcome", "status", "body") if (value := getattr(rule, name)) is not None}
    outcome = rule.outcome if rule.refuses_call else ACCEPTED
    await _keep(conn, replace(mail, rendered={**mail.rendered, "answer": answer}), outcome)
    return rule


async def rule_for_call(conn: Connection, workspace_id: int, url: str) -> FaultRule | None:
    """The rule by which a call of an address is answered or let through; it loses one of its uses."""
    return await _use_rule(conn, workspace_id, lambda rule: rule.fits_call(url))


async def _use_rule(conn: Connection, workspace_id: int, fits: Callable[[FaultRule], bool]) -> FaultRule | None:
    """The first rule that fits and has uses left, which it loses one of."""
    records = await conn.fetch(
        """SELECT position, rule, uses_left FROM mailbox_faults
           WHERE workspace_id = $1 AND (uses_left IS NULL OR uses_left > 0) ORDER BY position FOR UPDATE""",
        workspace_id,
    )
    for record in records:
        rule = FaultRule.model_validate(record["rule"])
        if fits(rule):
            if record["uses_left"] is not None:
                await conn.execute(
                    "UPDATE mailbox_faults SET uses_left = uses_left - 1 WHERE workspace_id = $1 AND position = $2",
                    workspace_id,
                    record["position"],
                )
            return rule
    return None


async def _rule_like(conn: Connection, mail: CapturedMail, outcome: str) -> FaultRule:
    """The rule by which an earlier hand-over of the same attempt was refused, in its words if it is still there."""
    for rule in await _rules(conn, mail.workspace_id):
        if rule.outcome == outcome and rule.fits(mail.channel, mail.recipients):
            return rule
    status = {"status": 503} if outcome == "http_status" else {}
    return FaultRule.model_validate({"channel": mail.channel, "outcome": outcome, **status})


async def _rules(conn: Connection, workspace_id: int) -> list[FaultRule]:
    records = await conn.fetch(
        "SELECT rule FROM mailbox_faults WHERE workspace_id = $1 ORDER BY position", workspace_id
    )
    return [FaultRule.model_validate(record["rule"]) for record in records]


async def replace_faults(conn: Connection, workspace_id: int, rules: Sequence[FaultRule]) -> None:
    """Put these rules, with all their uses, in place of those that were there."""
    await conn.execute("SELECT pg_advisory_xact_lock($1, $2)", _LOCK_CLASS, workspace_id)
    await conn.execute("DELETE FROM mailbox_faults WHERE workspace_id = $1", workspace_id)
    await conn.executemany(
        "INSERT INTO mailbox_faults (workspace_id, position, rule, uses_left) VALUES ($1, $2, $3, $4)",
        [
            (workspace_id, position, rule.model_dump(mode="json", exclude_defaults=True), rule.times)
            for position, rule in enumerate(rules)
        ],
    )


async def clear(conn: Connection, workspace_id: int) -> None:
    """Empty the mailbox of a workspace."""
    await conn.execute("DELETE FROM mailbox WHERE workspace_id = $1", workspace_id)


async def record_received(
    pool: asyncpg.Pool[Any], raw: bytes, _mail_from: str, rcpt_tos: list[str], now: datetime
) -> None:
    """Keep a message that really came in over SMTP, under the workspace of the delivery it names.

    Every receipt is a row of its own, so that a message that came twice is seen to have come twice. One that names no
    delivery of ours belongs to nobody and is not kept.
    """
    received = read(raw)
    async with pool.acquire() as conn, conn.transaction():
        if received.delivery_id is None:
            row = None
        else:
            row = await deliveries.find(conn, received.delivery_id)
        if row is None:
            logger.warning("A message names no delivery of ours and is not kept.")
            return
        purpose = "fake_bcc" if received.copy else "delivery"
        await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('mailbox/' || $1, 0))", row.delivery_id)
        earlier = await conn.fetchval(
            """SELECT COALESCE(max(attempt), 0) FROM mailbox
               WHERE workspace_id = $1 AND delivery_id = $2 AND purpose = $3""",
            row.workspace_id,
            row.delivery_id,
            purpose,
        )
        campaign = await conn.fetchval(
            "SELECT key FROM definitions WHERE workspace_id = $1 AND kind = 'campaign' AND definition_id = $2",
            row.workspace_id,
            row.campaign_id,
        )
        await conn.execute(
            _KEPT,
            row.workspace_id,
            row.delivery_id,
            earlier + 1,
            row.channel,
            ACCEPTED,
            purpose,
            rcpt_tos,
            received.sender,
            now,
            row.person_id,
            campaign,
            row.block,
            _json(received.rendered),
            raw,
        )


def _json(document: Any) -> str:
    return orjson.dumps(dict(document)).decode()


__all__ = ["clear", "record_received", "replace_faults", "rule_for_call", "take", "take_call"]
