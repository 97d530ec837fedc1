"""Facts of many people at once, for those who only ask: builds, searches, estimates, exports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from domain.condition_keys import Keys
from domain.facts import EventFact, Facts
from ingest.catalog import Catalog
from ingest.key_needs import need_of
from ingest.person import profile_of
from ingest.records import NO_RECORDS, read_records
from store import people
from store.database import Connection
from store.people import ReadPerson


async def read_facts(conn: Connection, catalog: Catalog, rows: Sequence[ReadPerson], keys: Keys) -> dict[int, Facts]:
    """What these keys look at of each of these people, by internal number; their rows may be locked or not."""
    workspace_id, ids = catalog.workspace_id, [row.person_id for row in rows]
    need = need_of(keys)
    events: dict[int, list[EventFact]] = defaultdict(list)
    if need.events:
        for person_id, event in await people.events_of(conn, workspace_id, dict.fromkeys(ids, need)):
            events[person_id].append(event)
    records = await read_records(conn, workspace_id, dict.fromkeys(ids, need.records)) if need.records else {}
    segments: dict[int, frozenset[int]] = {}
    if keys.segments:
        named = {catalog.segment_ids.get(ref, 0) if isinstance(ref, str) else ref for ref in keys.segments}
        segments = await people.segments_among(conn, workspace_id, ids, sorted(named))
    nothing: frozenset[int] = frozenset()
    found: dict[int, Facts] = {}
    for row in rows:
        has = records.get(row.person_id, NO_RECORDS)
        found[row.person_id] = Facts(
            attributes=profile_of(row),
            age_start=row.age_start,
            events=events.get(row.person_id, ()),
            segments=segments.get(row.person_id, nothing),
            segment_ids=catalog.segment_ids,
            devices=has.devices,
            related=has.related,
            messages=has.messages,
            directory=catalog.directory,
        )
    return found


__all__ = ["read_facts"]
