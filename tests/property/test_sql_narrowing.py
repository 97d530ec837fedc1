"""Whom SQL leaves out does not match, and will not by the clock alone (PPL-41)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.conditions import decide, parse_condition
from domain.narrowing import narrowing
from domain.patterns import fold_name
from ingest.reading import read_facts
from store import builds
from store.database import Database
from tests.support.database import START, Room

NOW = int(START.timestamp())
MOST_FLIPS = 40
TEXTS = (
    *(
        "pro",
        "PRO",
        "Pro ",
        "K",
        "k",
        "\u212a",
        "straße",
        "STRASSE",
        "ﬁ",
        "fi",
        "\u017f",
        "s",
        "é",
        "É",
        "true",
        "False",
    ),
    *(
        "5",
        "5.0",
        "05",
        " 5",
        "-5",
        "5.",
        "\u0665",
        "1e-07",
        "1E-07",
        "0.0000001",
        "1e+22",
        "nan",
        "inf",
        "9007199254740993",
    ),
    *("[1]", "[1,2]", '["a"]', '{"a":1}', "{}", "null", "5" * 310, "", "\\", "'"),
)
NUMBERS = (0, 5, 5.0, -5, 4.9999999999999999999, 0.1, 1e-7, 1e21, 1e22, 2**53 + 1, float(2**53), 1e30, NOW, NOW + 60)
scalars = st.sampled_from([*TEXTS, *NUMBERS, True, False, None])
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("ab"), scalars, max_size=2)
operands = st.sampled_from([*(text for text in TEXTS if text), *NUMBERS, True, False])
fields = st.sampled_from(
    ["f", "g", "g.a", "l[]", "f?", "g[0]", '["f"]', "email", "id", "cio_id", "h", "_created_in_customerio_at"]
)
spans = st.sampled_from(["PT1M", "PT1H", "P1D", "P30D"])
inverse = st.booleans()


def comparison(named: Any, *, looked_up: str = "customer.g") -> st.SearchStrategy[dict[str, Any]]:
    instants = st.integers(-90, 90).map(lambda n: NOW + n) | spans.flatmap(
        lambda span: st.sampled_from([{"ago": span}, {"from_now": span}])
    )
    return st.one_of(
        st.fixed_dictionaries({"field": named, "value": operands}, optional={"inverse": inverse}),
        st.fixed_dictionaries({"field": named, "value": st.just({"from": looked_up})}, optional={"inverse": inverse}),
        st.fixed_dictionaries(
            {"field": named, "operator": st.just("in"), "value": st.lists(operands, min_size=1, max_size=3)},
            optional={"inverse": inverse},
        ),
        st.fixed_dictionaries(
            {"field": named, "operator": st.sampled_from(["exists", "is_timestamp"])}, optional={"inverse": inverse}
        ),
        st.fixed_dictionaries(
            {"field": named, "operator": st.just("contains"), "value": st.sampled_from(["p", "5", "k*", "a|s"])},
            optional={"inverse": inverse},
        ),
        st.fixed_dictionaries(
            {"field": named, "operator": st.sampled_from(["gt", "lte"]), "value": st.integers(-5, 5)},
            optional={"inverse": inverse},
        ),
        st.fixed_dictionaries(
            {"field": named, "operator": st.sampled_from(["before", "after"]), "value": instants},
            optional={"inverse": inverse},
        ),
    )


times = st.one_of(
    st.integers(1, 3).map(lambda n: {"at_least": n}),
    st.integers(0, 2).map(lambda n: {"at_most": n}),
    st.integers(0, 2).map(lambda n: {"exactly": n}),
)
counted = {"times": times, "inverse": inverse}
named_events = st.sampled_from(
    [
        {"event": "a"},
        {"event": "A|b"},
        {"event": "b*"},
        {"event": "straße"},
        {"page": "/x*"},
        {"page": "/x"},
        {"form": "f"},
    ]
)
performed = st.builds(
    lambda what, rest, within: {"performed": {**what, **rest, **within}},
    named_events,
    st.fixed_dictionaries({}, optional={**counted, "where": comparison(st.sampled_from(["f", "n"]))}),
    st.sampled_from([{}, {"between": [NOW - 3600, NOW + 60]}]) | spans.map(lambda span: {"within": span}),
)
message = st.builds(
    lambda rest, within: {"message": {"channel": "email", "status": "opened", **rest, **within}},
    st.fixed_dictionaries({}, optional=counted),
    st.just({}) | spans.map(lambda span: {"within": span}),
)
leaf = st.one_of(
    comparison(fields).map(lambda body: {"attribute": body}),
    performed,
    st.sampled_from([{"segment": 7}, {"segment": {"id": 7, "inverse": True}}, {"segment": "nothing"}]),
    message,
    st.fixed_dictionaries({}, optional={"inverse": inverse, "where": comparison(st.just("platform"))}).map(
        lambda body: {"device": body}
    ),
    st.fixed_dictionaries(
        {"to": st.sampled_from([1, 2])}, optional={"inverse": inverse, "object": comparison(st.just("n"))}
    ).map(lambda body: {"related": body}),
)
conditions = st.recursive(
    leaf,
    lambda node: st.one_of(
        st.lists(node, min_size=2, max_size=3).map(lambda nodes: {"and": nodes}),
        st.lists(node, min_size=2, max_size=3).map(lambda nodes: {"or": nodes}),
        node.map(lambda inner: {"not": inner}),
    ),
    max_leaves=4,
)
events = st.tuples(
    st.sampled_from([("event", "a"), ("event", "A"), ("event", "bb"), ("event", "STRASSE"), ("page", "/x")]),
    st.sampled_from([-(40 * 86_400), -86_400, -3600, -59, 0, 90]),
    st.fixed_dictionaries({}, optional={"f": scalars, "n": scalars}),
)
people = st.fixed_dictionaries(
    {
        "attributes": st.dictionaries(st.sampled_from(["f", "g", "g.a", "l", "h"]), values, max_size=3),
        "email": st.none() | st.sampled_from(["k@x.io", "pro"]),
        "known": st.sampled_from([0, 60, 3600, 40 * 86_400]),
        "events": st.lists(events, max_size=4),
        "device": st.booleans(),
        "related": st.booleans(),
        "opened": st.none() | st.sampled_from([-3600, -30, 60]),
        "member": st.booleans(),
    }
)


async def store_person(conn: Any, room: Room, number: int, person: dict[str, Any]) -> None:
    attributes = {name: value for name, value in person["attributes"].items() if value is not None}
    person_id = await conn.fetchval(
        """INSERT INTO people (workspace_id, id, email, attributes, attribute_times, created_at, age_start)
           VALUES ($1, $2, $3, $4, '{}', $5, $5) RETURNING person_id""",
        room.workspace_id,
        f"p{number}",
        person["email"],
        attributes,
        START - timedelta(seconds=person["known"]),
    )
    for seq, ((kind, name), offset, data) in enumerate(person["events"], start=1):
        await conn.execute(
            """INSERT INTO events (workspace_id, person_id, at, seq, name, name_key, type, data, processed_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $3)""",
            *(room.workspace_id, person_id, START + timedelta(seconds=offset), seq, name, fold_name(name), kind, data),
        )
    where = (room.workspace_id, person_id)
    if person["device"]:
        await conn.execute(
            """INSERT INTO devices (workspace_id, token, person_id, platform, last_used, last_status, attributes, created_at)
               VALUES ($1, 't' || $2::bigint, $2, 'ios', $3, '', '{}', $3)""",
            *where,
            START,
        )
    if person["related"]:
        await conn.execute(
            """WITH made AS (INSERT INTO objects (workspace_id, object_type_id, object_id, attributes, attribute_times, created_at)
                   VALUES ($1, 1, 'o' || $2::bigint, '{"n": 5}', '{}', $3) RETURNING object_no)
               INSERT INTO relationships (workspace_id, person_id, object_no, attributes, created_at)
               SELECT $1, $2, object_no, '{}', $3 FROM made""",
            *where,
            START,
        )
    if person["opened"] is not None:
        at = START + timedelta(seconds=person["opened"])
        await conn.execute(
            """INSERT INTO deliveries (workspace_id, delivery_id, channel, status, person_id, metrics, attempts, ambiguous,
                                       draft, holdout, edited, forgotten, created_at)
               VALUES ($1, 'd' || $2::bigint, 'email', 'sent', $2, $4, 1, false, false, false, false, false, $3)""",
            *where,
            START,
            {"opened": int(at.astimezone(UTC).timestamp() * 1_000_000)},
        )
    if person["member"]:
        await conn.execute(
            """INSERT INTO memberships (workspace_id, person_id, kind, ref_id, member, since)
               VALUES ($1, $2, 'segment', 7, true, $3)""",
            *where,
            START,
        )


def comes_to_match(condition: Any, facts: Any, now: datetime) -> datetime | None:
    """When somebody matches, now or at a flip."""
    for _ in range(MOST_FLIPS):
        matched, flips_at = decide(condition, facts, now)
        if matched:
            return now
        if flips_at is None:
            return None
        now = flips_at
    return None


@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(who=st.lists(people, min_size=10, max_size=20), raws=st.lists(conditions, min_size=20, max_size=40))
async def test_nobody_who_matches_is_lost_by_the_hint(
    database: Database, who: list[dict[str, Any]], raws: list[Any]
) -> None:
    room = await Room.make(database)
    async with database.transaction() as conn:
        for number, person in enumerate(who):
            await store_person(conn, room, number, person)
        catalog = await room.catalogs.get(conn, room.workspace_id)
        everybody = await conn.fetch("SELECT person_id FROM people WHERE workspace_id = $1", room.workspace_id)
        rows = await builds.hold(conn, room.workspace_id, [record["person_id"] for record in everybody])
        for raw in raws:
            condition = parse_condition(raw)
            facts = await read_facts(conn, catalog, rows, condition.keys)
            found = await builds.candidates(
                conn,
                room.workspace_id,
                ("segment", 1),
                narrowing(condition),
                {},
                after=0,
                until=rows[-1].person_id,
                limit=1_000,
                now=START,
            )
            for row in rows:
                at = comes_to_match(condition, facts[row.person_id], START)
                assert at is None or row.person_id in found, (json.dumps(raw), row, at)
