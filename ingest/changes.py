"""What a transaction is going to write of people: kept in memory as it comes about, written set-wise at the end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.facts import EventFact, Position
from domain.ids import ulid, workflow_id
from domain.operations import AnyOperation, Name, Reevaluate
from domain.patterns import fold_name
from domain.row_outcomes import RowOutcome
from ingest.catalog import Campaign, Catalog
from ingest.entry_retries import Entries
from ingest.names_seen import NamesSeen
from ingest.person import NOT_KEPT, Membership, Person, microseconds
from store import data_names, deltas, import_rows, journeys, message_events, outbox, people
from store.database import Connection
from store.journeys import JourneyRow, StepRow
from store.log import LogEntry, append, entry_of
from store.message_events import MessageEvent
from store.notify import Channel, Notifier
from store.outbox import Lane
from store.people import ActivityRow, EventRow, Kept, MembershipRow
from telemetry import tracing

TOMBSTONES = timedelta(days=30)
OWN_SOURCE = "own change"
"""What the log calls the source of people to be looked at again because of what became of their belongings."""


class Changes:
    """What has come about of `people`, whose locks are held, until `flush` writes it."""

    def __init__(self, conn: Connection, catalog: Catalog, now: datetime, real_now: datetime) -> None:
        """`now` is the workspace's instant; the log's partitions follow `real_now`."""
        self.conn = conn
        self.catalog = catalog
        self.now = now
        self.real_now = real_now
        self.people: dict[int, Person] = {}
        self.names: dict[Name, int | None] = {}
        self.entries = Entries(conn, catalog.workspace_id, now)
        self.seen = NamesSeen()
        self.lane: Lane = "live"
        self._made = 0
        self._told: set[Channel] = set()
        self._clear()

    def _clear(self) -> None:
        """Begin anew: nothing is to be written."""
        self._changed_names: dict[Name, int | None] = {}
        self._freed: set[Name] = set()
        self._events: list[EventRow] = []
        self._memberships: dict[tuple[int, str, int], MembershipRow | None] = {}
        self._new_journeys: list[JourneyRow] = []
        self._entered: set[tuple[int, int, str]] = set()
        self._changed_journeys: dict[str, JourneyRow] = {}
        self._ended: dict[str, JourneyRow] = {}
        self._outbox: list[tuple[str, JourneyRow, str, str | None]] = []
        self._sends: list[tuple[str, int]] = []
        self._traces: list[str | None] = []
        self._activities: list[ActivityRow] = []
        self._deltas: list[deltas.Delta] = []
        self._steps: list[StepRow] = []
        self._changed_steps: dict[tuple[str, int], StepRow] = {}
        self._appended: list[LogEntry] = []
        self._touched: dict[int, set[str]] = {}
        self._happenings: list[MessageEvent] = []
        self._row_outcomes: list[RowOutcome] = []
        self._history: dict[tuple[int, int], list[JourneyRow]] = {}
        self._written_to: dict[int, set[int]] = {}

    def name(self, name: Name, owner: int | None) -> None:
        """Give a name to somebody, or set it free."""
        known = owner is None or self.names.get(name) is not None
        if known and name not in self._changed_names:
            # Somebody named by cio_id may lose a name that no call mentioned, so that it is not among those loaded.
            self._freed.add(name)
        self.names[name] = owner
        self._changed_names[name] = owner

    def add_event(self, person: Person, event: EventFact) -> None:
        """Record an event of the person."""
        person.events.append(event)
        person.last_seq = max(person.last_seq, event.seq)
        if event.at < person.row.age_start:
            person.row.age_start = event.at
            person.changed = True
        person.touch_history()
        self._events.append(EventRow(person.person_id, event, fold_name(event.name), self.now))

    def set_membership(self, person: Person, key: Membership, member: bool, flips_at: datetime | None) -> bool:
        """Keep what an evaluation said; returns whether the membership changed."""
        before = person.memberships.get(key)
        kept = Kept(member, flips_at)
        if kept == before != NOT_KEPT or (before is None and kept == NOT_KEPT):
            return False
        was = before is not None and before.member
        kind, ref = key
        place = (person.person_id, kind, ref)
        if member or flips_at is not None:
            since: datetime | None = self.now
            if before is not None and was == member:
                written = self._memberships.get(place)
                since = None if written is None else written.since
            person.memberships[key] = kept
            self._memberships[place] = MembershipRow(person.person_id, kind, ref, member, since, flips_at)
        else:
            person.memberships.pop(key, None)
            self._memberships[place] = None
        if was != member and kind == "segment":
            (person.segments.add if member else person.segments.discard)(ref)
            person.touch_history()
        return was != member

    def start_journey(
        self,
        person: Person,
        campaign: Campaign,
        *,
        entry: str,
        started: Position,
        trigger: dict[str, Any],
        journey_id: str | None = None,
    ) -> JourneyRow:
        """Make a journey and have its workflow started; `started` is the occurrence's position (CMP-15).

        `journey_id` is given where somebody has been told it already.
        """
        self._made += 1
        chance = (started.seq % 2**40).to_bytes(5, "big") + (self._made % 256).to_bytes(1, "big") + os.urandom(4)
        journey_id = journey_id or ulid(int(self.now.timestamp() * 1000), chance)
        journey = JourneyRow(
            workspace_id=self.catalog.workspace_id,
            journey_id=journey_id,
            workflow_id=workflow_id(campaign.id, person.person_id, journey_id),
            campaign_id=campaign.id,
            person_id=person.person_id,
            entry=entry,
            single=campaign.definition.trigger.single,
            state=journeys.ACTIVE,
            version=campaign.version,
            started_at=started.at,
            started_seq=started.seq,
            created_at=self.now,
            trigger=trigger,
            wanted=1,
        )
        person.journeys.append(journey)
        self._new_journeys.append(journey)
        self._entered.add((campaign.id, person.person_id, entry))
        if (campaign.id, person.person_id) in self._history:
            self._history[campaign.id, person.person_id].append(journey)
        self._outbox.append(("start", journey, "trigger", tracing.current()))
        self.count("campaign", campaign.id, "triggered")
        return journey

    def end_journey(
        self, person: Person, journey: JourneyRow, *, state: str, reason: str, explanation: str | None, why: str | None
    ) -> None:
        """End a journey; with `why` its workflow is woken to find that out."""
        parked = journey.parked
        journeys.mark_ended(journey, state=state, reason=reason, explanation=explanation, now=self.now)
        person.journeys = [other for other in person.journeys if other is not journey]
        if parked:
            self._ended[journey.journey_id] = journey
        if why is not None:
            self.wake(journey, why)
        self.changed_journey(journey)
        self._deltas += journeys.ended_deltas([journey])

    def wake(self, journey: JourneyRow, why: str) -> None:
        """Have a journey planned again, unless that is about to happen anyway."""
        if journey.wanted == journey.seen:
            journey.wanted += 1
            self._outbox.append(("wake", journey, why, tracing.current()))
            self.changed_journey(journey)

    def send(self, delivery_id: str, transactional_id: int) -> None:
        """Have a delivery sent that was asked for by a call."""
        self._sends.append((delivery_id, transactional_id))
        self._traces.append(tracing.current())

    def changed_journey(self, journey: JourneyRow) -> None:
        """Write the journey back at the end."""
        self._changed_journeys[journey.journey_id] = journey

    def record(self, person: Person | None, kind: str, name: str | None, data: Mapping[str, Any], at: Position) -> None:
        """Write a line of the activity log."""
        who = person.person_id if person is not None else None
        self._activities.append(ActivityRow(who, kind, name, data, at.at, self.now, at.seq))

    def note_row(self, outcome: RowOutcome | None) -> None:
        """Write what became of a row of a file."""
        if outcome is not None:
            self._row_outcomes.append(outcome)

    def count(self, kind: str, ref_id: int, metric: str, amount: int = 1) -> None:
        """Change a total."""
        self._deltas.append(deltas.Delta(self.catalog.workspace_id, kind, ref_id, metric, amount))

    def add_step(self, step: StepRow) -> None:
        """Record what happens at a block."""
        self._steps.append(step)

    def change_step(self, step: StepRow) -> None:
        """Write back a step that was recorded before."""
        if not any(step is fresh for fresh in self._steps):
            self._changed_steps[step.journey_id, step.action_id] = step

    def touch(self, person_id: int, *records: str) -> None:
        """Devices, related objects or messages of somebody have changed, in the words of `Keys.records`.

        Conditions that look at such are asked again by a fact of its own, which comes after all that is written here.
        """
        touched = self.catalog.compiled.watched_records.intersection(records)
        if touched:
            self._touched.setdefault(person_id, set()).update(touched)

    def happened(self, event: MessageEvent) -> None:
        """Write what became of a message by a fact."""
        self._happenings.append(event)

    def append(self, operation: AnyOperation, source: str, workspace_id: int | None = None) -> None:
        """Put a fact about somebody else into the log, of another workspace where one is named, to be applied in its turn."""
        self._appended.append(entry_of(workspace_id or self.catalog.workspace_id, operation, source))

    def tell(self, notifier: Notifier) -> None:
        """After the commit: have workflows started and woken, and facts about others applied, where there are any."""
        for channel in sorted(self._told):
            notifier.send(channel)

    async def flush(self) -> None:
        """Write everything that changed; what comes after is written by the next flush."""
        conn, workspace_id = self.conn, self.catalog.workspace_id
        found = sorted(self.people.values(), key=lambda person: person.person_id)
        oldest = microseconds(self.now - TOMBSTONES)
        for person in found:
            person.drop_tombstones(oldest)
        await people.insert(conn, workspace_id, [p.row for p in found if p.is_new])
        await people.update(conn, workspace_id, [p.row for p in found if p.changed and not p.is_new])
        await people.save_names(conn, workspace_id, self._freed, self._changed_names)
        await people.insert_events(conn, workspace_id, self._events)
        await people.save_memberships(
            conn,
            workspace_id,
            [row for row in self._memberships.values() if row is not None and row.since is not None],
            [key for key, row in self._memberships.items() if row is None],
        )
        await people.save_flips(
            conn, workspace_id, [row for row in self._memberships.values() if row is not None and row.since is None]
        )
        fresh = {journey.journey_id for journey in self._new_journeys}
        await journeys.insert(conn, self._new_journeys)
        await journeys.save(conn, [row for name, row in self._changed_journeys.items() if name not in fresh])
        await journeys.add_steps(conn, self._steps)
        for step in self._changed_steps.values():
            await journeys.save_step(conn, step)
        await journeys.close_open_steps(conn, list(self._ended.values()), None, self.now)
        await self._enqueue()
        if self._sends:
            await outbox.ask_sends(conn, workspace_id, self._sends, traces=self._traces)
        await people.insert_activities(conn, workspace_id, self._activities, self.now)
        await deltas.insert(conn, self._deltas)
        await self._write_happenings()
        for person_id, words in self._touched.items():
            look = Reevaluate(person_id=person_id, refs=[], records=sorted(words), why="records")
            self.append(look, OWN_SOURCE)
        await append(conn, self._appended, self.real_now)
        await self.entries.flush()
        await data_names.insert_deltas(conn, workspace_id, self.seen.taken(), self.now)
        await import_rows.save_outcomes(conn, workspace_id, self._row_outcomes)
        self._told |= {"outbox"} if self._outbox or self._sends else set()
        self._told |= {"ingest"} if self._appended else set()
        for person in found:
            person.is_new = person.changed = False
        self._clear()

    async def _write_happenings(self) -> None:
        rows, self._happenings = self._happenings, []
        await message_events.insert(self.conn, self.catalog.workspace_id, rows)

    async def _enqueue(self) -> None:
        batch: list[JourneyRow] = []
        traces: list[str | None] = []
        for index, (kind, journey, why, trace) in enumerate(self._outbox):
            batch.append(journey)
            traces.append(trace)
            following = self._outbox[index + 1] if index + 1 < len(self._outbox) else None
            if following is None or (following[0], following[2]) != (kind, why):
                await journeys.enqueue(self.conn, kind, batch, why, lane=self.lane, traces=traces)
                batch, traces = [], []


__all__ = ["OWN_SOURCE", "TOMBSTONES", "Changes"]
