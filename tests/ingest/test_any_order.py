"""Whatever is said about a few people, in batches or one by one, once or twice, by one process or several: one outcome."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clock import system_now
from domain.operations import (
    AnonymousEvent,
    AnyOperation,
    BindAnonymous,
    DeletePerson,
    Identifier,
    Identify,
    MergePeople,
    SuppressPerson,
    TrackEvent,
    UnsuppressPerson,
)
from ingest.apply import Applier
from ingest.claim import LOOK_AHEAD
from store.database import Database
from store.notify import Notifier
from tests.ingest.test_interleaving import PacedDatabase, Turns
from tests.ingest.test_merging import BUYERS, ROMANS, waiting
from tests.support.database import Room

NAMES = ("1", "2", "3", "a@x.io", "b@x.io")
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _who(name: str) -> Identifier:
    return Identifier(kind="email" if "@" in name else "id", value=name)


people = st.sampled_from(NAMES).map(_who)
anonymous = st.sampled_from(("z1", "z2"))
attributes = st.fixed_dictionaries(
    {},
    optional={
        "city": st.sampled_from(("Rome", "Oslo", "")),
        "plan": st.sampled_from(("pro", None)),
        "email": st.sampled_from(("a@x.io", "B@x.io", "c@x.io")),
        "id": st.sampled_from(("1", "2")),
    },
)
operations = st.lists(
    st.one_of(
        st.builds(Identify, subject=people, attributes=attributes, update_only=st.booleans()),
        st.builds(TrackEvent, subject=people, name=st.sampled_from(("purchase", "look"))),
        st.builds(AnonymousEvent, anonymous_id=anonymous, name=st.just("purchase")),
        st.builds(BindAnonymous, subject=people, anonymous_id=anonymous),
        st.builds(MergePeople, primary=people, secondary=people),
        st.builds(DeletePerson, subject=people),
        st.builds(SuppressPerson, subject=people),
        st.builds(UnsuppressPerson, subject=people),
    ),
    min_size=2,
    max_size=12,
)


async def _prepared(database: Database) -> Room:
    room = await Room.make(database)
    by_city = {
        **waiting("rome", "-"),
        "trigger": {"type": "segment", "conditions": {"segment": {"key": "romans"}}},
        "frequency": {"mode": "every"},
    }
    await room.define(BUYERS, ROMANS, waiting("bought", "purchase"), by_city)
    await room.run_campaign("bought")
    await room.run_campaign("rome")
    return room


async def _state(room: Room) -> dict[str, Any]:
    """Everything people would see of the workspace, without internal numbers."""
    who = "COALESCE(p.id, '') || '/' || COALESCE(p.email, '')"
    queries = {
        "people": "SELECT id, email, attributes FROM people WHERE workspace_id = $1",
        "names": f"""SELECT i.kind, i.value_key, {who} AS who FROM identities i LEFT JOIN people p
                     USING (workspace_id, person_id) WHERE i.workspace_id = $1""",
        "events": f"""SELECT {who} AS who, e.name FROM events e LEFT JOIN people p USING (workspace_id, person_id)
                      WHERE e.workspace_id = $1""",
        "members": f"""SELECT {who} AS who, m.kind, m.ref_id FROM memberships m LEFT JOIN people p
                       USING (workspace_id, person_id) WHERE m.workspace_id = $1 AND m.member""",
        "journeys": f"""SELECT {who} AS who, j.campaign_id, j.state, j.reason, j.entry FROM journeys j LEFT JOIN people p
                        USING (workspace_id, person_id) WHERE j.workspace_id = $1 AND j.campaign_id = 2""",
        "begun": f"""SELECT {who} AS who, j.campaign_id, j.state, j.reason FROM journeys j LEFT JOIN people p
                     USING (workspace_id, person_id) WHERE j.workspace_id = $1""",
        "anonymous": "SELECT anonymous_id, name FROM anonymous_facts WHERE workspace_id = $1",
        "bound": f"""SELECT a.anonymous_id, {who} AS who FROM anonymous_ids a LEFT JOIN people p
                     USING (workspace_id, person_id) WHERE a.workspace_id = $1""",
        "suppressed": "SELECT kind FROM suppressions WHERE workspace_id = $1",
        "figures": """SELECT kind, ref_id, metric, sum(amount) AS total FROM metric_deltas
                      WHERE workspace_id = $1 AND kind IN ('segment', 'workspace') GROUP BY 1, 2, 3
                      HAVING sum(amount) <> 0""",
        "holders": """SELECT name, sum(holders) AS total FROM data_name_deltas
                      WHERE workspace_id = $1 AND kind = 'attribute' GROUP BY 1 HAVING sum(holders) <> 0""",
        "outcomes": "SELECT op, CASE outcome WHEN 'erased' THEN '' ELSE outcome END AS outcome FROM ingest_log WHERE workspace_id = $1",
    }
    return {name: sorted(map(repr, await room.rows(query))) for name, query in queries.items()}


def _named(said: list[AnyOperation]) -> list[AnyOperation]:
    """The same with event ids, so that a repeat can be told."""
    return [
        one.model_copy(update={"event_id": f"e{place}"}) if isinstance(one, TrackEvent | AnonymousEvent) else one
        for place, one in enumerate(said)
    ]


@given(said=operations)
@EXAMPLES
async def test_a_batch_comes_to_what_the_same_calls_come_to_one_by_one(database: Database, said: list[AnyOperation]):
    alone, together = await _prepared(database), await _prepared(database)
    for operation in said:
        await alone.apply(operation)
    await together.apply(*said)
    assert await _state(together) == await _state(alone)


@given(said=operations)
@EXAMPLES
async def test_several_processes_come_to_what_one_comes_to(database: Database, said: list[AnyOperation]):
    alone, shared = await _prepared(database), await _prepared(database)
    await alone.apply(*said)
    await shared.accept(*said)
    appliers = [Applier(database, shared.catalogs, Notifier(database.pool)) for _ in range(3)]

    async def work(applier: Applier) -> None:
        while await applier._batch(shared.workspace_id, 2, system_now()):
            pass

    while await shared.rows("SELECT 1 AS one FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL LIMIT 1"):
        await asyncio.gather(*(work(applier) for applier in appliers))
    assert await _state(shared) == await _state(alone)


@given(said=operations)
@EXAMPLES
async def test_a_fact_said_twice_changes_nothing(database: Database, said: list[AnyOperation]):
    once, twice = await _prepared(database), await _prepared(database)
    for operation in _named(said):
        await once.apply(operation)
        await twice.apply(operation, operation)
    first, second = await _state(once), await _state(twice)
    for state in (first, second):
        state.pop("outcomes")
    assert second == first


@pytest.mark.parametrize("stop_at", range(1, 30, 2))
async def test_two_names_of_one_person_are_one_order(database: Database, stop_at: int):
    room = await _prepared(database)
    await room.apply(Identify(subject=_who("1"), attributes={"email": "a@x.io"}))
    await room.accept(
        Identify(subject=_who("a@x.io"), attributes={"city": "Oslo"}),
        # As many as one process looks at: what comes after is free for another.
        *(Identify(subject=_who(f"somebody else {place}")) for place in range(2 * LOOK_AHEAD - 1)),
        Identify(subject=_who("1"), attributes={"city": "Rome"}),
    )
    turns = Turns(stop_at)
    paused = Applier(PacedDatabase(database, turns), room.catalogs, Notifier(database.pool))  # type: ignore[arg-type]
    one = asyncio.create_task(paused._batch(room.workspace_id, 2, system_now()))
    stopped = asyncio.create_task(turns.reached.wait())
    await asyncio.wait({one, stopped}, return_when=asyncio.FIRST_COMPLETED)
    other = asyncio.create_task(room.applier.apply_once(system_now()))
    await asyncio.wait({other}, timeout=1)
    turns.go_on.set()
    stopped.cancel()
    await asyncio.gather(one, other)
    await room.apply()
    assert [p["attributes"] for p in await room.people() if p["id"] == "1"] == [{"city": "Rome"}]
