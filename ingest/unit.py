"""People under lock with everything conditions can see of them, changed in memory and written back set-wise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Self

from domain.condition_keys import OBJECTS, RELATED, Keys, kind_of_records
from domain.facts import Facts
from domain.operations import Identifier, Name
from domain.subjects import Moment
from ingest.belongings import no_objects, read_objects, read_triggering, thing_of
from ingest.catalog import Campaign, Catalog
from ingest.changes import OWN_SOURCE, TOMBSTONES, Changes
from ingest.journey_views import event_snapshot, journey_context, step_of, trigger_event, wait_state
from ingest.key_needs import need_of
from ingest.numbers import Numbers
from ingest.person import NAMES, NOT_KEPT, Erased, Membership, Person, microseconds
from ingest.records import NO_RECORDS, read_records
from store import conversions, journey_entries, journeys, people
from store.database import Connection
from store.journeys import JourneyRow
from store.people import NOTHING, Need, PersonRow


class Unit(Changes):
    """A unit of work over some people of one workspace, inside the caller's transaction.

    The people's rows are locked, ascending, before anything is read; what `keys` mention of their events is loaded.
    """

    def __init__(self, conn: Connection, catalog: Catalog, now: datetime, real_now: datetime | None = None) -> None:
        super().__init__(conn, catalog, now, real_now or now)
        self.moment = Moment.of(now)
        self.suppressed: set[Name] = set()
        self.numbers = Numbers(conn)
        self.source = ""
        self.erased: list[Erased] = []
        self._positions = True

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
            unit.seat_nobody().objects = no_objects(catalog)
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
            await unit._add_retries({person_id: person})
        elif (row := await journeys.held(conn, workspace_id, journey.journey_id)) is not None:
            person.journeys.append(row)
        need = need_of(keys)
        found = await people.events_of(conn, workspace_id, {person_id: need})
        person.events += [event for _, event in found]
        unit.people[person_id] = person
        await read_triggering(conn, workspace_id, [person])
        await unit._read({person_id: need.records})
        return unit

    @classmethod
    async def for_page(
        cls, conn: Connection, catalog: Catalog, person_ids: Collection[int], now: datetime, keys: Keys, *, locked: bool
    ) -> Self:
        """People with no more than what `keys` mention of them, for those who change nothing of them (CHN-15).

        Where they are not `locked`, whoever writes anything that comes of it looks whether they are still the same.
        """
        unit = cls(conn, catalog, now)
        ids, workspace_id = sorted(set(person_ids)), catalog.workspace_id
        rows = await (people.load_locked if locked else people.load)(conn, workspace_id, ids)
        unit.people = {row.person_id: Person(row) for row in rows}
        if keys.segments:
            await unit._add_memberships(unit.people)
        need = need_of(keys)
        for person_id, event in await people.events_of(conn, workspace_id, dict.fromkeys(unit.people, need)):
            unit.people[person_id].events.append(event)
        if need.records:
            await unit._read(dict.fromkeys(unit.people, need.records))
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
        await self._add_retries(found)
        for journey in await journeys.active_of(self.conn, workspace_id, ids):
            found[journey.person_id].journeys.append(journey)
        await read_triggering(self.conn, workspace_id, found.values())
        wanted = dict.fromkeys(ids, need) if needs is None else {number: needs.get(number, NOTHING) for number in ids}
        for person_id, event in await people.events_of(self.conn, workspace_id, wanted):
            found[person_id].events.append(event)
        if self._positions:
            for person_id, seq in (await people.last_sequences(self.conn, workspace_id, ids)).items():
                found[person_id].last_seq = seq
        self.people |= found
        await self._read({number: one.records for number, one in wanted.items() if one.records})

    async def renew(self, person_ids: Collection[int], kinds: frozenset[str]) -> None:
        """Read anew what was read of these people, so that later facts of this transaction see what has changed."""
        known = {
            number: person.read & kinds for number in person_ids if (person := self.people.get(number)) is not None
        }
        stale = {number: read for number, read in known.items() if read}
        if RELATED in kinds:
            await read_triggering(self.conn, self.catalog.workspace_id, [self.people[number] for number in known])
        if stale:
            await self._write_happenings()
            await self._read(stale)

    async def changed(self, person_ids: Collection[int], *records: str) -> None:
        """`touch` and `renew` people whose records of these words have been written."""
        for person_id in person_ids:
            self.touch(person_id, *records)
        await self.renew(person_ids, frozenset(map(kind_of_records, records)))

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
        return replace(self.facts_of(person), journey=journey_context(journey, thing_of(person, journey), paths))

    def create_person(self, person_id: int) -> Person:
        """A new person, without any name yet."""
        row = PersonRow(person_id, None, None, {}, {}, self.now, self.now)
        # There is nothing yet that could be read of them.
        person = Person(row, is_new=True, fresh=True, read=self.catalog.compiled.keys.record_kinds)
        self.people[person_id] = person
        return person

    def forget(self, person_id: int) -> None:
        """Somebody has left the table of people: nothing more is written of them, and their names are nobody's."""
        self.people.pop(person_id, None)
        for name, owner in self.names.items():
            if owner == person_id:
                self.names[name] = None

    def is_suppressed(self, name: Identifier) -> bool:
        """Whether the identifier must not come back."""
        return name.name in self.suppressed

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

    async def has_entered(self, person: Person, campaign: Campaign, entry: str) -> bool:
        """Whether an occurrence has begun a journey of the person in the campaign."""
        if (campaign.id, person.person_id, entry) in self._entered:
            return True
        workspace_id = self.catalog.workspace_id
        return not person.is_new and await journey_entries.has_entry(
            self.conn, workspace_id, campaign.id, person.person_id, entry
        )

    async def read_histories(self, campaign: Campaign) -> None:
        """Read the journeys in the campaign of everybody of the unit at once, for `history`."""
        stored: dict[int, list[JourneyRow]] = {
            number: [] for number, person in self.people.items() if not person.is_new
        }
        here = {row.journey_id: row for person in self.people.values() for row in person.journeys}
        for row in await journeys.history_of(self.conn, self.catalog.workspace_id, [campaign.id], list(stored)):
            stored[row.person_id].append(here.get(row.journey_id, row))
        self._history |= {(campaign.id, number): rows for number, rows in stored.items()}

    async def was_written_to(self, person: Person, campaign: Campaign) -> bool:
        """Whether the campaign has made any delivery to the person, found out for all people of the unit at once."""
        if person.person_id not in self._written_to:
            asked = [number for number in self.people if number not in self._written_to]
            self._written_to |= {number: set() for number in asked}
            goals = [goal.id for goal in self.catalog.compiled.with_goal]
            for number, campaign_id in await conversions.written_to(self.conn, self.catalog.workspace_id, asked, goals):
                self._written_to[number].add(campaign_id)
        return campaign.id in self._written_to[person.person_id]

    async def _read(self, wanted: Mapping[int, frozenset[str]]) -> None:
        """Read these kinds of records of people who are loaded."""
        records = await read_records(self.conn, self.catalog.workspace_id, wanted)
        for person_id, kinds in wanted.items():
            self.people[person_id].take(records.get(person_id, NO_RECORDS), kinds)
        if listing := [self.people[person_id] for person_id, kinds in wanted.items() if OBJECTS in kinds]:
            await read_objects(self.conn, self.catalog, listing)

    async def _add_retries(self, found: Mapping[int, Person]) -> None:
        if self.catalog.compiled.retries:
            await self.entries.load(found)

    async def _add_memberships(self, found: Mapping[int, Person]) -> None:
        for person_id, kind, kept, refs in await people.memberships_of(
            self.conn, self.catalog.workspace_id, list(found)
        ):
            person = found[person_id]
            person.memberships |= {(kind, ref): kept for ref in refs}
            if kept.member and kind == "segment":
                person.segments.update(refs)


__all__ = [
    "NAMES",
    "NOT_KEPT",
    "OWN_SOURCE",
    "TOMBSTONES",
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
