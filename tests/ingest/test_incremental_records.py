"""Memberships kept up fact by fact are those that the conditions give by themselves, whatever they look at (PPL-41)."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clock import system_now
from domain.condition_keys import messages_that
from domain.conditions import decide
from domain.deliveries import delivery_id, microseconds
from domain.operations import (
    AddDevice,
    AnonymousEvent,
    BindAnonymous,
    ChangeRelationships,
    DeleteDevice,
    DeleteObject,
    DeletePerson,
    Edge,
    Identifier,
    Identify,
    IdentifyObject,
    MergePeople,
    ObjectRef,
    ParkGroup,
    ReportDelivery,
    SegmentMember,
    TrackEvent,
    Unsubscribe,
)
from ingest.reading import read_facts
from ingest.unit import Unit
from store import builds, deliveries
from store.database import Database
from store.deliveries import DeliveryRow
from tests.support.building import Building
from tests.support.database import START, Room
from tests.support.live import campaign, on_event
from tests.support.moments import delay

NOW = int(START.timestamp())
COMPANIES = {"kind": "object_type", "key": "companies", "name": "Companies", "singular_name": "Company"}
BIG = {"field": "size", "operator": "gt", "value": 5}


def message(status: str, **body: Any) -> dict[str, Any]:
    return {"message": {"channel": "email", "status": status, **body}}


LEAVES: dict[str, Any] = {
    "ios": {"device": {"where": {"field": "platform", "value": "ios"}}},
    "lately": {"device": {"where": {"field": "last_used", "operator": "after", "value": {"ago": "PT2H"}}}},
    "own-plan": {"device": {"where": {"field": "tier", "value": {"from": "customer.plan"}}}},
    "no-device": {"device": {"inverse": True}},
    "big": {"related": {"to": "companies", "object": BIG}},
    "admin": {"related": {"to": "companies", "object": BIG, "relationship": {"field": "role", "value": "admin"}}},
    "renews": {
        "related": {"to": "companies", "object": {"field": "due", "operator": "before", "value": {"from_now": "PT1H"}}}
    },
    "alone": {"related": {"to": "companies", "inverse": True}},
    "read": message("opened", human_only=True),
    "twice": message("opened", times={"at_least": 2}, within="PT3H"),
    "silent": message("opened", within="PT2H", inverse=True),
    "link": message("clicked", link="pricing", of={"campaign": "mail"}),
    "left": {"or": [message("unsubscribed"), {"attribute": {"field": "unsubscribed", "value": True}}]},
    "got-one": message("recipient", times={"exactly": 1}),
    "mixed": {"and": [{"device": {}}, {"not": message("clicked")}, {"performed": {"event": "go", "within": "PT3H"}}]},
    "quiet": {"performed": {"event": "go", "within": "PT2H", "inverse": True}},
    "made-of": {"or": [{"segment": "ios"}, {"and": [{"segment": "hand"}, {"not": {"segment": "quiet"}}]}]},
}
MAIL = campaign("mail", on_event("never"), "rest", {"rest": delay("P1D")})
HAND = {"kind": "segment", "key": "hand", "name": "Hand", "type": "manual"}
SEGMENTS = [{"kind": "segment", "key": key, "name": key, "conditions": leaf} for key, leaf in LEAVES.items()]
PEOPLE = ("1", "2", "3")


class Made(int):
    """A message to somebody is made, by number in `PEOPLE`."""


def who(value: str) -> Identifier:
    return Identifier(kind="id", value=value)


def thing(name: str) -> ObjectRef:
    return ObjectRef(object_type_id=1, object_id=name)


def number_of(room: Room, person: str, which: int = 0) -> str:
    return delivery_id(b"k" * 32, f"{room.workspace_id}/{person}/{which}")


def edge(person: str, company: str, role: str | None) -> Edge:
    return Edge(person=who(person), object=thing(company), attributes={} if role is None else {"role": role})


def reported(person: str, metric: str, ago: int, machine: Any, href: str) -> ReportDelivery:
    details = {"href": href, **({"machine": True} if machine else {})}
    return ReportDelivery(delivery_id=person, metric=metric, timestamp=NOW - ago, details=details)


people = st.sampled_from(PEOPLE)
companies = st.sampled_from(["x", "y"])
tokens = st.sampled_from(["a", "b"])
hours = st.integers(-5, 3).map(lambda n: NOW + n * 3600)
facts = st.one_of(
    st.builds(
        lambda p, v: Identify(subject=who(p), attributes={"plan": v}), people, st.sampled_from(["pro", "free", ""])
    ),
    st.builds(
        lambda p, t, platform, tier, used: AddDevice(
            subject=who(p), token=t, platform=platform, attributes={"tier": tier}, last_used=used
        ),
        people,
        tokens,
        st.sampled_from(["ios", "android"]),
        st.sampled_from(["pro", "free", ""]),
        st.none() | hours,
    ),
    st.builds(lambda p, t: DeleteDevice(subject=who(p), token=t), people, tokens),
    st.builds(
        lambda edges, action: ChangeRelationships(action=action, edges=edges),
        st.lists(
            st.builds(edge, people, companies, st.sampled_from([None, "admin", "member"])), min_size=1, max_size=3
        ),
        st.sampled_from(["add", "add", "delete"]),
    ),
    st.builds(
        lambda c, values: IdentifyObject(object=thing(c), attributes=values),
        companies,
        st.fixed_dictionaries({}, optional={"size": st.sampled_from([1, 9, ""]), "due": hours}),
    ),
    companies.map(lambda c: DeleteObject(object=thing(c))),
    st.builds(
        reported,
        people,
        st.sampled_from(["opened", "clicked", "delivered", "bounced"]),
        st.integers(-2, 4).map(lambda n: n * 1800),
        st.booleans(),
        st.sampled_from(["https://x.io/pricing", "https://x.io/"]),
    ),
    st.builds(lambda p, on: Unsubscribe(person_id=0, delivery_id=p, unsubscribe=on), people, st.booleans()),
    st.builds(lambda p, at: TrackEvent(subject=who(p), name="go", data={}, timestamp=at), people, st.none() | hours),
    st.builds(
        lambda a, at: AnonymousEvent(anonymous_id=a, name="go", data={}, timestamp=at), tokens, st.none() | hours
    ),
    st.builds(
        lambda a, c: ParkGroup(anonymous_id=a, object=thing(c), attributes=None, relationship={}), tokens, companies
    ),
    st.builds(lambda p, a: BindAnonymous(subject=who(p), anonymous_id=a), people, tokens),
    st.builds(lambda p, on: SegmentMember(subject=who(p), segment_id=0, member=on), people, st.booleans()),
    st.builds(lambda a, b: MergePeople(primary=who(a), secondary=who(b)), people, people),
    people.map(lambda p: DeletePerson(subject=who(p))),
)
steps = st.lists(
    st.lists(facts, min_size=1, max_size=4) | st.integers(1, 240) | st.integers(0, 2).map(Made), min_size=3, max_size=10
)


async def make(room: Room, person: str, which: int) -> None:
    """A message to somebody, written down as those who deliver do."""
    async with room.db.transaction() as conn:
        catalog = await room.catalogs.get(conn, room.workspace_id)
        found = await conn.fetchval(
            "SELECT person_id FROM people WHERE workspace_id = $1 AND id = $2", room.workspace_id, person
        )
        if found is None:
            return
        now = catalog.now(system_now())
        unit = await Unit.load(conn, catalog, [found], now, real_now=system_now())
        row = DeliveryRow(
            room.workspace_id,
            number_of(room, person, which),
            "email",
            "sent",
            now,
            person_id=found,
            campaign_id=1 + which % 2,
            action_id=11,
            metrics={"created": microseconds(now), "sent": microseconds(now)},
        )
        await deliveries.insert(conn, row, {})
        await unit.changed([found], messages_that("recipient"), messages_that("sent"))
        await unit.flush()


def located(room: Room, fact: Any, hand: int) -> Any:
    """The fact with the numbers that only the room knows."""
    if isinstance(fact, (ReportDelivery, Unsubscribe)):
        return fact.model_copy(update={"delivery_id": number_of(room, fact.delivery_id)})
    return fact.model_copy(update={"segment_id": hand}) if isinstance(fact, SegmentMember) else fact


async def expected(room: Room) -> dict[str, list[str]]:
    """Who the conditions say is in each segment, everybody looked at afresh."""
    async with room.db.transaction() as conn:
        catalog = await room.catalogs.get(conn, room.workspace_id)
        ids = await conn.fetch("SELECT person_id FROM people WHERE workspace_id = $1", room.workspace_id)
        rows = await builds.hold(conn, room.workspace_id, [row["person_id"] for row in ids])
        seen = await read_facts(conn, catalog, rows, catalog.compiled.keys)
        now = catalog.now(system_now())
    conditions = {segment.key: segment.condition for segment in catalog.segments.values()}
    return {
        key: sorted(row.id or "" for row in rows if decide(condition, seen[row.person_id], now)[0])
        for key, condition in conditions.items()
    }


@settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(steps=steps)
async def test_what_is_kept_is_what_the_conditions_say(database: Database, steps: list[Any]):
    room = await Room.make(database)
    await room.define(COMPANIES, MAIL, HAND, *SEGMENTS)
    [hand] = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND key = 'hand'")
    await room.apply(*(Identify(subject=who(person), attributes={}) for person in PEOPLE))
    await room.apply(IdentifyObject(object=thing("x"), attributes={"size": 9}))
    await room.apply(ChangeRelationships(edges=[edge("1", "x", "admin"), edge("2", "x", None)]))
    for person in PEOPLE:
        await make(room, person, 0)
    building = Building(room)
    for place, step in enumerate(steps, 1):
        if isinstance(step, Made):
            await make(room, PEOPLE[step], place)
        elif isinstance(step, int):
            await room.move(minutes=step)
        else:
            await room.accept(*(located(room, fact, hand["definition_id"]) for fact in step))
        await building.catch_up()
        assert {key: await room.members(key) for key in LEAVES} == await expected(room)
