"""Removing a person from every table; what stays (figures, the course of journeys) names nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.deliveries import microseconds
from store.database import Connection

_NUMBERS = """(SELECT $2::bigint UNION SELECT person_id FROM merged_people
               WHERE workspace_id = $1 AND merged_into = $2)"""
"""The person, and everybody who was merged into them."""

_GONE = tuple(
    f"DELETE FROM {table} WHERE workspace_id = $1 AND person_id = $2"
    for table in (
        "events",
        "memberships",
        "entry_retries",
        "entry_refusals",
        "devices",
        "relationships",
        "anonymous_ids",
        "mailbox",
        "export_lines",
        "broadcast_recipients",
        "identities",
        "people",
    )
)
_REDACTED = (
    f"""UPDATE ingest_log SET body = ''::bytea, note = NULL, outcome = 'erased'
        WHERE workspace_id = $1 AND person_id IN {_NUMBERS}""",
    # What stays of the log is that something happened, and when.
    f"""UPDATE activities SET data = '{{"forgotten": true}}', name = CASE WHEN type IN ('event', 'screen') THEN name END
        WHERE workspace_id = $1 AND person_id IN {_NUMBERS}""",
    """UPDATE journey_steps s SET effect = '{}', explanation = NULL FROM journeys j
       WHERE j.workspace_id = $1 AND j.person_id = $2 AND s.workspace_id = $1 AND s.journey_id = j.journey_id""",
    # Journeys of others that the person's relationship triggered hold who they were.
    f"""UPDATE journeys SET trigger = trigger #- '{{data,customer}}' #- '{{data,relationship}}'
        WHERE workspace_id = $1 AND trigger ? 'person'
          AND trigger -> 'person' IN (SELECT to_jsonb(person_id) FROM {_NUMBERS} AS numbers (person_id))""",
    f"""UPDATE entry_retries SET trigger = trigger #- '{{data,customer}}' #- '{{data,relationship}}'
        WHERE workspace_id = $1 AND trigger ? 'person'
          AND trigger -> 'person' IN (SELECT to_jsonb(person_id) FROM {_NUMBERS} AS numbers (person_id))""",
    "UPDATE journeys SET trigger = '{}', attributes = '{}', wait = NULL WHERE workspace_id = $1 AND person_id = $2",
)
_DELIVERIES = (
    """DELETE FROM due u USING deliveries d WHERE u.workspace_id = $1 AND u.kind IN ('delivery', 'webhook_retry', 'transactional')
       AND d.workspace_id = $1 AND d.person_id = $2 AND u.ref = d.delivery_id""",
    """DELETE FROM mailbox m USING deliveries d
       WHERE m.workspace_id = $1 AND d.workspace_id = $1 AND d.person_id = $2 AND m.delivery_id = d.delivery_id""",
    """DELETE FROM message_events e USING deliveries d
       WHERE e.workspace_id = $1 AND d.workspace_id = $1 AND d.person_id = $2 AND e.delivery_id = d.delivery_id""",
    """DELETE FROM delivery_contents c USING deliveries d
       WHERE c.workspace_id = $1 AND d.workspace_id = $1 AND d.person_id = $2 AND c.delivery_id = d.delivery_id""",
    """DELETE FROM delivery_requests r USING deliveries d
       WHERE r.workspace_id = $1 AND d.workspace_id = $1 AND d.person_id = $2 AND r.delivery_id = d.delivery_id""",
    """UPDATE delivery_attempts a SET answer = NULL FROM deliveries d
       WHERE a.workspace_id = $1 AND d.workspace_id = $1 AND d.person_id = $2 AND a.delivery_id = d.delivery_id""",
)
_UNSENT = """UPDATE deliveries SET status = 'undeliverable', draft = false, held_until = NULL,
             metrics = metrics || jsonb_build_object('undeliverable', $3::bigint)
             WHERE workspace_id = $1 AND person_id = $2 AND status IN ('drafted', 'queued', 'attempted')
             RETURNING campaign_id, action_id, transactional_id"""
_NAMELESS = """UPDATE deliveries SET person_id = NULL, recipient = NULL, subject = NULL, failure_message = NULL,
               trigger_event_id = NULL, provider_ref = NULL WHERE workspace_id = $1 AND person_id = $2"""


async def erase(
    conn: Connection,
    workspace_id: int,
    person_id: int,
    *,
    keys: Sequence[int],
    values: Sequence[str],
    now: datetime,
) -> list[tuple[int | None, int | None, int | None]]:
    """Remove somebody whose journeys have ended. `keys` order facts about them, `values` are their identifiers.

    Returns campaign, action and transactional message of each message that has become undeliverable.
    """
    for statement in (*_REDACTED, *_DELIVERIES):
        await conn.execute(statement, workspace_id, person_id)
    unsent = await conn.fetch(_UNSENT, workspace_id, person_id, microseconds(now))
    await conn.execute(_NAMELESS, workspace_id, person_id)
    # Facts about several people or about nobody have no owner: the names they mention tell whether they are concerned.
    await conn.execute(
        """UPDATE ingest_log SET body = ''::bytea, note = NULL, outcome = 'erased'
           WHERE workspace_id = $1 AND person_id IS NULL AND applied_at IS NOT NULL AND keys && $2::bigint[]""",
        workspace_id,
        list(keys),
    )
    await conn.execute(
        "DELETE FROM import_rows WHERE workspace_id = $1 AND name_keys && $2::bigint[] AND outcome IS NOT NULL",
        workspace_id,
        list(keys),
    )
    await conn.execute(
        """DELETE FROM anonymous_facts
           WHERE workspace_id = $1 AND anonymous_id = '' AND data ->> 'recipient' = ANY($2::text[])""",
        workspace_id,
        [value for value in values if value],
    )
    await conn.execute(
        """UPDATE rejected_calls SET body = '', path = '', errors = '[]' WHERE workspace_id = $1
           AND EXISTS (SELECT 1 FROM unnest($2::text[]) AS u (value)
                       WHERE position(u.value IN body) > 0 OR position(u.value IN path) > 0)""",
        workspace_id,
        [value for value in values if value],
    )
    # Error reports of broadcasts list names that were missing, or are those of several people.
    await conn.execute(
        r"""UPDATE broadcast_errors SET message = 'somebody who was named here has been erased' WHERE workspace_id = $1
            AND string_to_array(lower(regexp_replace(regexp_replace(message, ' and \d+ more$', ''),
                                '^.*?(are missing|more than one person): ', '') COLLATE "C"), ', ')
                && ($3::text[] || ARRAY(SELECT lower((attributes ->> 'email') COLLATE "C") FROM people
                                        WHERE workspace_id = $1 AND person_id = $2 AND attributes ? 'email'))""",
        workspace_id,
        person_id,
        [value.lower() for value in values if value],
    )
    for statement in _GONE:
        await conn.execute(statement, workspace_id, person_id)
    return [(record["campaign_id"], record["action_id"], record["transactional_id"]) for record in unsent]


__all__ = ["erase"]
