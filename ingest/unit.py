"""People under lock with everything conditions can see of them, changed in memory and written back set-wise."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

from domain.condition_keys import Keys, kind_of_records
from domain.facts import EventFact, Facts, Position, RelatedFact
from domain.ids import ulid
from domain.operations import AnyOperation, Identifier, Name, Reevaluate
from domain.patterns import fold_name
from domain.row_outcomes import RowOutcome
from domain.subjects import Moment
from ingest.catalog import Campaign, Catalog
from ingest.journey_views import event_snapshot, journey_context, step_of, trigger_event, wait_state
from ingest.key_needs import need_of
from ingest.names_seen import NamesSeen
from ingest.numbers import Numbers
from ingest.person import NAMES, NOT_KEPT, Erased, Membership, Person, microseconds
from ingest.records import NO_RECORDS, read_records
from store import conversions, data_names, deltas, import_rows, journeys, message_events, people
from store.database import Connection
from store.journeys import JourneyRow, StepRow
from store.log import LogEntry, append, entry_of
from store.message_events import MessageEvent
from store.notify import Channel, Notifier
from store.people import NOTHING, ActivityRow, EventRow, Kept, MembershipRow, Need, PersonRow

TOMBSTONES = timedelta(days=30)
OWN_SOURCE = "own change"
"""What the log calls the source of people to be looked at again because of what became of their belongings."""


class Unit:
    """A unit of work over some people of one workspace, inside the caller's transaction.

    The people's rows are locked, ascending, before anything is read; what `keys` mention of their events is loaded.
    """

    def __init__(self, conn: Connection, catalog: Catalog, now: datetime, real_now: datetime | None = None) -> None:
        self.conn = conn
        self.catalog = catalog
        self.now = now
        self.moment = Moment.of(now)
        self.real_now = real_now or now
        self.people: dict[int, Person] = {}
        self.names: dict[Name, int | None] = {}
        self.suppressed: set[Name] = set()
        self.numbers = Numbers(conn)
        self.source = ""
        self.seen = NamesSeen()
        self.erased: list[Erased] = []
        self._positions = True
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
        self._changed_journeys: dict[str, JourneyRow] = {}
        self._ended: dict[str, JourneyRow] = {}
        self._outbox: list[tuple[str, JourneyRow, str]] = []
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

    @classmethod
    async def load(
        cls,
        conn: Connection,
        catalog: Catalog,
        person_ids: Collection[int],
        now: datetime,
        *,
        keys: Keys | None = None,
        needs: Mapping[int, Need] | None = None,
        real_now: datetime | None = None,
        positions: bool = True,
    ) -> Self:
        """Lock and load people; `now` is the workspace's instant. People who do not exist are left out.

        What is read of their events is what `keys` mention, or what `needs` say of each.
        `real_now` is needed where facts may be appended to the log, whose partitions follow real time. Without
        `positions` nobody's latest sequence is read, which takes all their events: only plans need it.
        """
        unit = cls(conn, catalog, now, real_now)
        unit._positions = positions
        await unit.add(person_ids, need_of(keys or Keys()), needs)
        return unit

    @classmethod
    async def for_plan(
        cls, conn: Connection, catalog: Catalog, journey: JourneyRow, now: datetime, *, real_now: datetime
    ) -> Self:
        """What planning one journey needs of its person, whose lock the caller holds.

        A campaign none of whose blocks writes to people settles nothing, so that only what its conditions mention is read.
        """
        keys = catalog.keys_for(journey.campaign_id)
        unit = cls(conn, catalog, now, real_now)
        if not journey.travelled:
            row = await journeys.held(conn, catalog.workspace_id, journey.journey_id)
            unit.seat_nobody().journeys += [] if row is None else [row]
            return unit
        workspace_id, person_id = catalog.workspace_id, journey.person_id
        loaded = await people.load_held(conn, workspace_id, person_id)
        if loaded is None:
            return unit
        person = Person(loaded[0], last_seq=loaded[1])
        writes = catalog.writes(journey.campaign_id)
        if writes or keys.segments:
            await unit._add_memberships({person_id: person})
        if writes:
            person.journeys += await journeys.active_of(conn, workspace_id, [person_id])
        elif (row := await journeys.held(conn, workspace_id, journey.journey_id)) is not None:
            person.journeys.append(row)
        need = need_of(keys)
        found = await people.events_of(conn, workspace_id, {person_id: need})
        person.events += [event for _, event in found]
        unit.people[person_id] = person
        await unit._read({person_id: need.records})
        return unit

    async def reload(self, person_ids: Collection[int]) -> None:
        """Write what is to be written, then load these people anew, with everything conditions may ask of them.

        For operations that change rows directly. Who does not exist any more is forgotten.
        """
        await self.flush()
        for person_id in person_ids:
            self.people.pop(person_id, None)
        await self.add(person_ids, need_of(self.catalog.compiled.keys))

    async def add(
        self, person_ids: Collection[int], need: Need = NOTHING, needs: Mapping[int, Need] | None = None
    ) -> None:
        """Lock and load these people with what is needed of them: the same of all, or what `needs` say of each."""
        workspace_id = self.catalog.workspace_id
        rows = await people.load_locked(self.conn, workspace_id, person_ids)
        found = {row.person_id: Person(row) for row in rows}
        if not found:
            return
        ids = list(found)
        await self._add_memberships(found)
        for journey in await journeys.active_of(self.conn, workspace_id, ids):
            found[journey.person_id].journeys.append(journey)
        wanted = dict.fromkeys(ids, need) if needs is None else {number: needs.get(number, NOTHING) for number in ids}
        for person_id, event in await people.events_of(self.conn, workspace_id, wanted):
            found[person_id].events.append(event)
        if self._positions:
            for person_id, seq in (await people.last_sequences(self.conn, workspace_id, ids)).items():
                found[person_id].last_seq = seq
        self.people |= found
        await self._read({number: one.records for number, one in wanted.items() if one.records})

    async def _read(self, wanted: Mapping[int, frozenset[str]]) -> None:
        """Read these kinds of records of people who are loaded."""
        records = await read_records(self.conn, self.catalog.workspace_id, wanted)
        for person_id, kinds in wanted.items():
            self.people[person_id].take(records.get(person_id, NO_RECORDS), kinds)

    async def _add_memberships(self, found: Mapping[int, Person]) -> None:
        for person_id, kind, kept, refs in await people.memberships_of(
            self.conn, self.catalog.workspace_id, list(found)
        ):
            person = found[person_id]
            person.memberships |= {(kind, ref): kept for ref in refs}
            if kept.member and kind == "segment":
                person.segments.update(refs)

    def facts_of(self, person: Person) -> Facts:
        """What conditions can see of the person, outside any journey."""
        if person.facts is None:
            if person.seen is None:
                person.seen = person.profile
            person.facts = Facts(
                attributes=person.seen,
                age_start=person.row.age_start,
                events=tuple(person.events),
                segments=frozenset(person.segments),
                segment_ids=self.catalog.segment_ids,
                devices=person.records.devices,
                related=person.records.related,
                messages=person.records.messages,
                directory=self.catalog.directory,
            )
        return person.facts

    def nobody(self) -> Facts:
        """What conditions could see of somebody before they were made."""
        return Facts(
            attributes={},
            age_start=self.now,
            segment_ids=self.catalog.segment_ids,
            directory=self.catalog.directory,
        )

    def seat_nobody(self) -> Person:
        """Who stands for the subject of journeys in which nobody travels: without names, attributes or past."""
        if journeys.NOBODY not in self.people:
            row = PersonRow(journeys.NOBODY, None, None, {}, {}, self.now, self.now)
            self.people[journeys.NOBODY] = Person(row, read=self.catalog.compiled.keys.record_kinds)
        return self.people[journeys.NOBODY]

    def journey_facts(self, person: Person, journey: JourneyRow, paths: Mapping[str, str] | None = None) -> Facts:
        """The same, seen from inside a journey that has taken these `paths` at its branches."""
        context = journey_context(journey, self._thing(person, journey), paths)
        return replace(self.facts_of(person), journey=context)

    def _thing(self, person: Person, journey: JourneyRow) -> RelatedFact | None:
        """The triggering object with what is said of the person's relationship to it, as they are now."""
        number = journey.trigger.get("object")
        return next((thing for thing in person.records.related if thing.object_no == number), None)

    def forget(self, person_id: int) -> None:
        """Somebody has left the table of people: nothing more is written of them, and their names are nobody's."""
        self.people.pop(person_id, None)
        for name, owner in self.names.items():
            if owner == person_id:
                self.names[name] = None

    def is_suppressed(self, name: Identifier) -> bool:
        """Whether the identifier must not come back."""
        return name.name in self.suppressed

    def note_row(self, outcome: RowOutcome | None) -> None:
        """Write what became of a row of a file."""
        if outcome is not None:
            self._row_outcomes.append(outcome)

    def create_person(self, person_id: int) -> Person:
        """A new person, without any name yet."""
        row = PersonRow(person_id, None, None, {}, {}, self.now, self.now)
        # There is nothing yet that could be read of them.
        person = Person(row, is_new=True, fresh=True, read=self.catalog.compiled.keys.record_kinds)
        self.people[person_id] = person
        return person

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

    async def history(self, person: Person, campaign: Campaign) -> list[JourneyRow]:
        """Every journey of the person in the campaign, those of this transaction included."""
        key = (campaign.id, person.person_id)
        if key not in self._history:
            here = {row.journey_id: row for row in [*person.journeys, *self._ended.values()]}
            if person.is_new:
                stored: list[JourneyRow] = []
            else:
                stored = await journeys.history_of(
                    self.conn, self.catalog.workspace_id, [campaign.id], [person.person_id]
                )
            known = {row.journey_id for row in stored}
            made = [row for row in self._new_journeys if (row.campaign_id, row.person_id) == key]
            self._history[key] = [here.get(row.journey_id, row) for row in stored]
            self._history[key] += [row for row in made if row.journey_id not in known]
        return self._history[key]

    async def was_written_to(self, person: Person, campaign: Campaign) -> bool:
        """Whether the campaign has made any delivery to the person, found out for all people of the unit at once."""
        if person.person_id not in self._written_to:
            asked = [number for number in self.people if number not in self._written_to]
            self._written_to |= {number: set() for number in asked}
            goals = [goal.id for goal in self.catalog.compiled.with_goal]
            for number, campaign_id in await conversions.written_to(self.conn, self.catalog.workspace_id, asked, goals):
                self._written_to[number].add(campaign_id)
        return campaign.id in self._written_to[person.person_id]

    def start_journey(
        self, person: Person, campaign: Campaign, *, entry: str, started: Position, trigger: dict[str, Any]
    ) -> JourneyRow:
        """Make a journey and have its workflow started; `started` is the occurrence's position (CMP-15)."""
        self._made += 1
        chance = (started.seq % 2**40).to_bytes(5, "big") + (self._made % 256).to_bytes(1, "big") + os.urandom(4)
        journey = JourneyRow(
            workspace_id=self.catalog.workspace_id,
            journey_id=ulid(int(self.now.timestamp() * 1000), chance),
            workflow_id=f"journey/{campaign.id}/{person.person_id}/{entry}",
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
        if (campaign.id, person.person_id) in self._history:
            self._history[campaign.id, person.person_id].append(journey)
        self._outbox.append(("start", journey, "trigger"))
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
            self._outbox.append(("wake", journey, why))
            self.changed_journey(journey)

    def changed_journey(self, journey: JourneyRow) -> None:
        """Write the journey back at the end."""
        self._changed_journeys[journey.journey_id] = journey

    def record(self, person: Person | None, kind: str, name: str | None, data: Mapping[str, Any], at: Position) -> None:
        """Write a line of the activity log."""
        who = person.person_id if person is not None else None
        self._activities.append(ActivityRow(who, kind, name, data, at.at, self.now, at.seq))

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

    async def renew(self, person_ids: Collection[int], kinds: frozenset[str]) -> None:
        """Read anew what was read of these people, so that later facts of this transaction see what has changed."""
        known = {
            number: person.read & kinds for number in person_ids if (person := self.people.get(number)) is not None
        }
        stale = {number: read for number, read in known.items() if read}
        if stale:
            await self._write_happenings()
            await self._read(stale)

    async def changed(self, person_ids: Collection[int], *records: str) -> None:
        """`touch` and `renew` people whose records of these words have been written."""
        for person_id in person_ids:
            self.touch(person_id, *records)
        await self.renew(person_ids, frozenset(map(kind_of_records, records)))

    def happened(self, event: MessageEvent) -> None:
        """Write what became of a message by a fact."""
        self._happenings.append(event)

    async def _write_happenings(self) -> None:
        rows, self._happenings = self._happenings, []
        await message_events.insert(self.conn, self.catalog.workspace_id, rows)

    def append(self, operation: AnyOperation, source: str) -> None:
        """Put a fact about somebody else into the log, to be applied in its turn."""
        self._appended.append(entry_of(self.catalog.workspace_id, operation, source))

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
        await people.insert_activities(conn, workspace_id, self._activities, self.now)
        await deltas.insert(conn, self._deltas)
        await self._write_happenings()
        for person_id, words in self._touched.items():
            look = Reevaluate(person_id=person_id, refs=[], records=sorted(words), why="records")
            self.append(look, OWN_SOURCE)
        await append(conn, self._appended, self.real_now)
        await data_names.insert_deltas(conn, workspace_id, self.seen.taken(), self.now)
        await import_rows.save_outcomes(conn, workspace_id, self._row_outcomes)
        self._told |= {"outbox"} if self._outbox else set()
        self._told |= {"ingest"} if self._appended else set()
        for person in found:
            person.is_new = person.changed = False
        self._clear()

    async def _enqueue(self) -> None:
        batch: list[JourneyRow] = []
        for index, (kind, journey, why) in enumerate(self._outbox):
            batch.append(journey)
            following = self._outbox[index + 1] if index + 1 < len(self._outbox) else None
            if following is None or (following[0], following[2]) != (kind, why):
                await journeys.enqueue(self.conn, kind, batch, why)
                batch = []


__all__ = [
    "NAMES",
    "NOT_KEPT",
    "Erased",
    "Membership",
    "Person",
    "Unit",
    "event_snapshot",
    "journey_context",
    "microseconds",
    "step_of",
    "trigger_event",
    "wait_state",
]
