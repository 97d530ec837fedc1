"""Reading only what a batch can need of people's past decides everything as reading all of it does."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.operations import AnyOperation, Identifier, Identify, Reevaluate, TrackEvent, Unsubscribe
from ingest.apply import Applier
from store.database import Database
from store.notify import Notifier
from tests.support.database import START, Room
from tests.support.driver import Driver

EVENTS = ("a", "b", "c", "d", "e", "f", "g")
PEOPLE = ("1", "2")
NOW = int(START.timestamp())
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Every example is two workspaces, so that shrinking would take minutes."""


def combined(leaf: Any) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaf,
        lambda node: st.one_of(
            st.lists(node, min_size=2, max_size=3).map(lambda nodes: {"and": nodes}),
            st.lists(node, min_size=2, max_size=3).map(lambda nodes: {"or": nodes}),
            node.map(lambda inner: {"not": inner}),
        ),
        max_leaves=3,
    )


attribute = st.one_of(
    st.builds(
        lambda f, v: {"attribute": {"field": f, "value": v}}, st.sampled_from(["x", "y", "y.z"]), st.integers(1, 2)
    ),
    st.just({"attribute": {"field": "email"}}),
    st.just({"attribute": {"field": "unsubscribed", "value": True}}),
    st.just({"attribute": {"field": "x", "operator": "lt", "value": {"from": "customer._last_visit"}}}),
)
performed = st.builds(
    lambda what, rest: {"performed": {**what, **rest}},
    st.sampled_from([*({"event": name} for name in (*EVENTS, "a|b", "c*")), {"page": "*shop*"}]),
    st.sampled_from(
        [
            {},
            {"inverse": True},
            {"times": {"at_least": 2}},
            {"times": {"at_least": 2}, "within": "PT2H"},
            {"within": "PT1H", "inverse": True},
            {"where": {"field": "n", "operator": "gt", "value": {"from": "customer.x"}}},
            {"times": {"at_least": 2}, "since": "trigger"},
        ]
    ),
)
ever = performed.filter(lambda node: "since" not in node["performed"])


def in_segments(count: int) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda n, inverse: {"segment": {"key": f"s{n}", "inverse": inverse}}, st.integers(0, count - 1), st.booleans()
    )


@st.composite
def documents(draw: Any) -> list[dict[str, Any]]:
    """Three segments of facts, two that are made of these, and campaigns."""
    conditions = [draw(combined(attribute | ever)) for _ in range(3)]
    conditions += [draw(st.tuples(in_segments(3), combined(attribute | ever | in_segments(3)))) for _ in range(2)]
    segments = [
        {"kind": "segment", "key": f"s{n}", "name": f"S{n}", "conditions": list(c) if isinstance(c, tuple) else c}
        for n, c in enumerate(conditions)
    ]
    return [*segments, *[draw(campaign(f"c{number}")) for number in range(3)]]


@st.composite
def campaign(draw: Any, key: str) -> dict[str, Any]:
    by_event = draw(st.booleans())
    wait = combined(attribute | performed | in_segments(5))
    paths = [{"key": f"p{n}", "conditions": draw(wait)} for n in range(draw(st.integers(1, 2)))]
    positive = attribute | in_segments(5).filter(lambda node: not node["segment"]["inverse"])
    trigger = {"type": "segment", "conditions": [draw(positive), draw(combined(attribute | in_segments(5)))]}
    document = {
        "kind": "campaign",
        "key": key,
        "name": key,
        "frequency": draw(st.sampled_from([{"mode": "every"}, {"mode": "once"}])),
        "exit": draw(st.sampled_from(["filters", "goal", "goal_or_filters", "never"])),
        "workflow": {
            "start": "wait",
            "blocks": {"wait": {"type": "wait_until", "paths": [*paths, {"key": "late", "max_time": "P1D"}]}},
        },
    }
    if by_event:
        trigger = {"type": "event", "event": draw(st.sampled_from([*EVENTS, "c*"]))}
        if draw(st.booleans()):
            document["filters"] = draw(combined(in_segments(5)))
    if "goal" in document["exit"]:
        document["goal"] = draw(
            st.sampled_from(
                [{"event": "d"}, {"enters_segment": "s1"}, {"leaves_segment": "s4"}, {"enters_segment": "s3"}]
            )
        )
    return {**document, "trigger": trigger}


people = st.sampled_from(PEOPLE)
by_id = people.map(lambda value: Identifier(kind="id", value=value))
by_email = people.map(lambda value: Identifier(kind="email", value=f"p{value}@x.io"))
attributes = st.fixed_dictionaries(
    {},
    optional={
        "x": st.sampled_from([1, 2, ""]),
        "y": st.sampled_from([1, 2, {"z": 1}, {"z": 2}]),
        "unsubscribed": st.booleans(),
        "cio_subscription_preferences.topics.t": st.booleans(),
    },
)
timestamps = st.none() | st.integers(-3, 1).map(lambda hours: NOW + hours * 3600)
operations = st.one_of(
    st.builds(lambda who, body: Identify(subject=who, attributes=body), by_id | by_email, attributes),
    people.map(lambda v: Identify(subject=Identifier(kind="id", value=v), attributes={"email": f"p{v}@x.io"})),
    st.builds(
        lambda who, name, n, at: TrackEvent(subject=who, name=name, data={"n": n}, timestamp=at),
        by_id | by_email,
        st.sampled_from([*EVENTS, "A ", "cc"]),
        st.integers(0, 3),
        timestamps,
    ),
    by_id.map(lambda who: TrackEvent(subject=who, name="my shop", type="page")),
    st.tuples(st.sampled_from(["unsubscribe", "segment", "trigger"]), people, st.integers(0, 4)),
)
batches = st.lists(st.lists(operations, min_size=1, max_size=2), min_size=4, max_size=8)


def past() -> list[AnyOperation]:
    """What everybody has done before: where it is not read, most conditions answer otherwise."""
    found: list[AnyOperation] = []
    for value in PEOPLE:
        who = Identifier(kind="id", value=value)
        found.append(Identify(subject=who, attributes={"email": f"p{value}@x.io", "x": 1}))
        for name in EVENTS:
            found += [TrackEvent(subject=who, name=name, data={"n": n}) for n in (1, 2)]
        found.append(TrackEvent(subject=who, name="shop", type="page"))
    return found


async def outcome(database: Database, defined: list[dict[str, Any]], facts: list[list[Any]], *, narrow: bool) -> Any:
    room = await Room.make(database)
    if not narrow:
        room.applier = Applier(database, room.catalogs, Notifier(database.pool), keys=lambda compiled, _: compiled.keys)
    await room.define(*defined)
    for document in defined:
        if document["kind"] == "campaign":
            await room.run_campaign(document["key"])
    driver = Driver(room)
    seen: list[Any] = []
    for batch in [past(), *facts]:
        await room.apply(*[operation for one in batch if (operation := await meant(room, one)) is not None])
        seen.append(await state(room))
        await driver.step()
        seen.append(await state(room))
        await room.move(minutes=40)
    return seen


async def meant(room: Room, one: Any) -> AnyOperation | None:
    """The operation, or the one of our own making that is about somebody's internal number in this room."""
    if not isinstance(one, tuple):
        return one
    kind, who, number = one
    found = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1 AND id = $2", who)
    if not found:
        return None
    person_id = found[0]["person_id"]
    if kind == "unsubscribe":
        return Unsubscribe(delivery_id="none", person_id=person_id)
    wanted = ("segment", f"s{number}") if kind == "segment" else ("campaign", f"c{number % 3}")
    rows = await room.rows(
        "SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = $2 AND key = $3", *wanted
    )
    return Reevaluate(person_id=person_id, refs=[(kind, rows[0]["definition_id"])])


async def state(room: Room) -> Any:
    members = await room.rows(
        """SELECT m.kind, d.key, p.id, p.email, m.member, m.since, m.flips_at FROM memberships m
           JOIN people p USING (workspace_id, person_id)
           JOIN definitions d ON d.workspace_id = m.workspace_id AND d.definition_id = m.ref_id
                AND d.kind = CASE m.kind WHEN 'segment' THEN 'segment' ELSE 'campaign' END
           WHERE m.workspace_id = $1 ORDER BY 1, 2, 3, 4"""
    )
    journeys = await room.rows(
        """SELECT d.key, p.id, p.email, j.state, j.reason, j.block, j.wait ->> 'released' AS released, j.due_at,
                  j.started_at, j.ended_at, j.wanted, j.seen
           FROM journeys j JOIN people p USING (workspace_id, person_id)
           JOIN definitions d ON d.workspace_id = j.workspace_id AND d.definition_id = j.campaign_id
                AND d.kind = 'campaign'
           WHERE j.workspace_id = $1 ORDER BY d.key, p.person_id, j.started_seq, j.started_at"""
    )
    logged = await room.rows(
        """SELECT a.type, a.name, p.id, a.data ->> 'reason' AS reason FROM activities a
           LEFT JOIN people p USING (workspace_id, person_id) WHERE a.workspace_id = $1 ORDER BY 1, 2, 3, 4"""
    )
    return members, journeys, logged


@settings(max_examples=40, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(defined=documents(), facts=batches)
async def test_a_narrow_batch_decides_as_a_wide_one(
    database: Database, defined: list[dict[str, Any]], facts: list[list[Any]]
) -> None:
    narrow = await outcome(database, defined, facts, narrow=True)
    assert narrow == await outcome(database, defined, facts, narrow=False)
