"""Journeys that objects and relationships began: waits, branches, templates, starts with what is there (CMP-07, CMP-08)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import InvalidInput
from domain.operations import IdentifyObject, TrackEvent
from services import campaigns, definitions
from tests.support.belonging import (
    COMPANIES,
    begun,
    known,
    lines,
    on_object,
    on_relationship,
    part,
    put,
    ref,
    relate,
    remove,
    who,
)
from tests.support.database import START, Room
from tests.support.driver import Driver
from tests.support.live import campaign, on_event, on_match
from tests.support.moments import attribute, delay

UNIX = int(START.timestamp())
HOUR = 3_600
PREMIUM = {"field": "plan", "value": "premium"}
ADMIN = {"relationship": {"field": "role", "value": "admin"}}
CLASSES = {"kind": "object_type", "key": "classes", "name": "Online Classes", "singular_name": "Online Class"}


def saying(**templates: str) -> dict[str, Any]:
    """A block that writes down what templates say."""
    return {"type": "update_person", "set": {name: {"liquid": text} for name, text in templates.items()}}


def noting(trigger: dict[str, Any], key: str = "c", **templates: str) -> dict[str, Any]:
    """A campaign that writes down what templates say."""
    return campaign(key, trigger, "note", {"note": saying(**templates)}, exit="never")


async def ready(room: Room, *documents: dict[str, Any]) -> Driver:
    """The object type and these definitions, the campaigns running."""
    await room.define(COMPANIES, *documents)
    for document in documents:
        if document["kind"] == "campaign":
            await room.run_campaign(document["key"])
    return Driver(room)


async def happens(room: Room, driver: Driver, *operations: Any) -> None:
    """Facts, and what follows from them."""
    await room.accept(*operations)
    for _ in range(3):
        await driver.step()


async def moved(room: Room, driver: Driver, **span: float) -> None:
    """The clock is moved and those whose turn has come are planned again."""
    await room.move(**span)
    async with room.db.transaction() as conn:
        await conn.execute(
            """WITH due AS (UPDATE journeys SET wanted = wanted + 1 WHERE workspace_id = $1 AND state = 'in_progress'
                            AND due_at <= $2 RETURNING *)
               INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why)
               SELECT workspace_id, 'live', 'wake', journey_id, workflow_id, campaign_id, person_id, 'due' FROM due""",
            room.workspace_id,
            room.now,
        )
    await driver.step()


async def said(room: Room, person: str) -> dict[str, Any]:
    """Somebody's attributes."""
    return next(row["attributes"] for row in await room.people() if row["id"] == person)


async def paths(room: Room) -> list[tuple[str, str | None]]:
    """Who took which path at the one branch there is."""
    rows = await room.rows(
        """SELECT p.id, s.path FROM journey_steps s JOIN journeys j USING (workspace_id, journey_id)
           JOIN people p USING (workspace_id, person_id)
           WHERE s.workspace_id = $1 AND s.outcome = 'branched' ORDER BY p.id, j.journey_id"""
    )
    return [(row["id"], row["path"]) for row in rows]


async def test_templates_read_what_triggered_and_who_gets_it(room: Room):
    trigger = on_relationship(where={"field": "role", "value": "new"}, audience=ADMIN)
    hello = "{{ customer.first_name }}: {{ trigger.customer.first_name }} joined {{ trigger.company.name }}"
    document = noting(
        trigger,
        hello=hello,
        role="{{ trigger.relationship.role }}",
        mine="{{ customer._relationship.role }}",
        then="{{ trigger.company.object_id }}/{{ trigger.company._created_in_customerio_at }}",
    )
    driver = await ready(room, document)
    await happens(room, driver, known("jeff", first_name="Jeff"), known("ali", first_name="Ali"))
    await happens(room, driver, put("calc", name="Calculus 1A"), relate("calc", "jeff", role="admin"))
    await happens(room, driver, relate("calc", "ali", role="new"))
    found = await said(room, "jeff")
    assert found["hello"] == "Jeff: Ali joined Calculus 1A"
    assert (found["role"], found["mine"], found["then"]) == ("new", "admin", f"calc/{UNIX}")


async def test_values_take_the_object_as_it_is_now_and_the_trigger_as_it_was(room: Room):
    block = {
        "type": "update_person",
        "set": {
            "now": {"from": "object.seats"},
            "then": {"from": "trigger.company.seats"},
            "role": {"from": "relationship.role"},
        },
    }
    document = campaign("c", on_object(PREMIUM), "wait", {"wait": delay("PT1H", "note"), "note": block}, exit="never")
    driver = await ready(room, document)
    await happens(room, driver, relate("acme", "ann", role="boss"), put("acme", plan="premium", seats=3))
    await happens(room, driver, put("acme", seats=4))
    await moved(room, driver, hours=1)
    found = await said(room, "ann")
    assert (found["now"], found["then"], found["role"]) == (4, 3, "boss")


@pytest.mark.parametrize("word", ["customer", "relationship"])
async def test_a_type_that_is_named_like_what_is_there_anyhow_gets_an_underscore(room: Room, word: str):
    kind = {"kind": "object_type", "key": "things", "name": "Things", "singular_name": word.title()}
    trigger = {"type": "relationship", "change": "added", "object_type": "things"}
    document = noting(
        trigger,
        thing=f"{{{{ trigger._{word}.object_id }}}}",
        who="{{ trigger.customer.id }}",
        role="{{ trigger.relationship.role }}",
    )
    await room.define(kind, document)
    await room.run_campaign("c")
    await happens(room, Driver(room), relate("acme", "ann", role="admin"))
    found = await said(room, "ann")
    assert (found["thing"], found["who"], found["role"]) == ("acme", "ann", "admin")


async def test_templates_list_the_ten_newest_objects_of_each_type(room: Room):
    text = "{% for one in objects.companies %}{{ one.object_id }}{{ one.relationship.role }} {% endfor %}"
    document = noting(
        on_event("go"),
        list=text,
        first="{{ objects.companies[0].name }}",
        none="{% if objects.online_classes.size == 0 %}sign up{% endif %}",
    )
    driver = await ready(room, CLASSES, document)
    for number in range(12):
        await happens(room, driver, put(f"c{number}", name=f"Company {number}"))
    # When somebody was related to them does not matter.
    await happens(room, driver, *[relate(f"c{number}", "ann", role="r") for number in reversed(range(12))])
    await room.accept(relate("c3", "bob", role="x"))
    await happens(room, driver, TrackEvent(subject=who("ann"), name="go"), TrackEvent(subject=who("bob"), name="go"))
    ann, bob = await said(room, "ann"), await said(room, "bob")
    assert ann["list"].split() == [f"c{number}r" for number in range(11, 1, -1)]
    assert (ann["first"], ann["none"]) == ("Company 11", "sign up")
    assert bob["list"].split() == ["c3x"]


async def test_waits_end_by_the_object_by_a_relationship_and_by_a_date_of_the_object(room: Room):
    wait = {
        "type": "wait_until",
        "paths": [
            {"key": "open", "conditions": {"object": {"field": "open", "value": "true"}}},
            {"key": "owner", "conditions": {"relationship": {"field": "role", "value": "owner"}}},
            {
                "key": "other",
                "conditions": {"related": {"to": "companies", "object": {"field": "vip", "value": "true"}}},
            },
            {
                "key": "soon",
                "conditions": {"object": {"field": "starts_at", "operator": "before", "value": {"from_now": "P7D"}}},
            },
        ],
    }
    driver = await ready(room, campaign("c", on_object(PREMIUM), "wait", {"wait": wait}, exit="never"))
    day = 86_400
    await happens(room, driver, *[relate(name, name) for name in ("a", "b", "c", "d", "e")])
    names = ("a", "b", "c", "d", "e")
    await happens(room, driver, *[put(name, plan="premium", starts_at=UNIX + 9 * day) for name in names])
    assert await paths(room) == []
    await happens(room, driver, put("a", open=True), relate("b", "b", role="owner"))
    await happens(room, driver, put("vip", vip=True), relate("vip", "c"))
    assert await paths(room) == [("a", "open"), ("b", "owner"), ("c", "other")]
    # The date is brought nearer for one, and the clock moves to it for the other.
    await happens(room, driver, put("e", starts_at=UNIX + day))
    assert (await paths(room))[3:] == [("e", "soon")]
    await moved(room, driver, days=1)
    assert len(await paths(room)) == 4
    await moved(room, driver, days=1, seconds=1)
    assert ("d", "soon") in await paths(room)


async def test_branches_see_the_object_that_is_there_and_nothing_of_one_that_is_gone(room: Room):
    branch = {"type": "true_false", "conditions": {"object": {"field": "plan", "value": "premium"}}}
    blocks = {"wait": delay("PT1H", "ask"), "ask": branch}
    driver = await ready(room, campaign("c", on_object(PREMIUM), "wait", blocks, exit="never"))
    await happens(room, driver, *[relate(name, name) for name in ("a", "b", "c")])
    await happens(room, driver, *[put(name, plan="premium") for name in ("a", "b", "c")])
    await happens(room, driver, part("b", "b"), remove("c"))
    await moved(room, driver, hours=1)
    assert await paths(room) == [("a", "then"), ("b", "then"), ("c", "else")]


async def test_a_start_with_what_is_there_counts_each_object_and_a_restart_takes_them_again(room: Room):
    driver = await ready(room)
    await room.define({**campaign("c", on_object(PREMIUM), "stay", {"stay": delay("P30D")}), "kind": "campaign"})
    await happens(
        room, driver, relate("a", "ann", "bob"), relate("b", "ann"), relate("x", "cleo"), put("x", plan="basic")
    )
    await happens(room, driver, put("a", plan="premium"), put("b", plan="premium"))
    await start(room, driver, "start", audience="current_and_future")
    assert await begun(room) == ["ann", "ann", "bob"]
    await happens(room, driver, put("x", plan="premium"))
    assert await begun(room) == ["ann", "ann", "bob", "cleo"]
    await campaigns.stop(room.db, room.workspace_id, "c", {"journeys": "exit"}, system_now())
    await start(room, driver, "restart", audience="current_and_future")
    assert await begun(room) == ["ann"] * 4 + ["bob"] * 2 + ["cleo"] * 2


async def test_a_start_for_the_future_takes_in_only_what_changes_from_then_on(room: Room):
    driver = await ready(room)
    await room.define(campaign("c", on_object(PREMIUM), "stay", {"stay": delay("P30D")}))
    await happens(room, driver, relate("a", "ann"), put("a", plan="premium"))
    await start(room, driver, "start")
    assert await begun(room) == []
    await happens(room, driver, put("a", plan="basic"), put("a", plan="premium"))
    assert await begun(room) == ["ann"]


@pytest.mark.parametrize(
    ("audience", "expected"), [("person", ["ann", "bob"]), ("everyone", ["ann", "ann", "bob", "bob", "cleo", "cleo"])]
)
async def test_a_start_with_relationships_that_are_there(room: Room, audience: str, expected: list[str]):
    driver = await ready(room)
    trigger = on_relationship(where=ADMIN["relationship"], audience=audience)
    await room.define(noting(trigger, whose="{{ trigger.customer.id }}"))
    await happens(room, driver, relate("a", "ann", "bob", role="admin"), relate("a", "cleo", role="member"))
    await start(room, driver, "start", audience="current_and_future")
    assert await begun(room) == expected
    if audience == "person":
        assert [(await said(room, one))["whose"] for one in ("ann", "bob")] == ["ann", "bob"]
    assert await lines(room, "failed_object_journeys") == []


async def start(room: Room, driver: Driver, verb: str, **body: Any) -> None:
    """Start the campaign and see it running."""
    begin = campaigns.start if verb == "start" else campaigns.restart
    await begin(room.db, room.workspace_id, "c", body, system_now())
    for _ in range(6):
        await driver.step()
    [row] = await room.rows("SELECT state FROM definitions WHERE workspace_id = $1 AND kind = 'campaign'")
    assert row["state"] == "running"


@pytest.mark.parametrize(
    ("trigger", "text", "refused"),
    [
        (on_match([attribute("plan", "pro")]), "{{ event.x }}", True),
        (on_match([attribute("plan", "pro")]), "{{ trigger.x }}", True),
        (
            on_match([attribute("plan", "pro")]),
            "{{ event.x | default: 'y' }}{% if trigger.x %}{{ trigger.x }}{% endif %}",
            False,
        ),
        (on_event("go"), "{{ event.x }}{{ event_name }}", False),
        (on_event("go"), "{{ trigger.x }}", True),
        (on_object(PREMIUM), "{{ trigger.company.x }}{{ objects.companies[0].x }}", False),
        (on_object(PREMIUM), "{{ event_id }}", True),
    ],
)
async def test_templates_that_cannot_do_without_another_trigger_are_refused(
    room: Room, trigger: dict[str, Any], text: str, refused: bool
):
    document = noting(trigger, note=text)
    if not refused:
        await room.define(COMPANIES, document)
        return
    with pytest.raises(InvalidInput) as error:
        await definitions.apply(room.db, room.workspace_id, {"definitions": [COMPANIES, document]}, now=system_now())
    [problem] = error.value.problems
    assert (problem.code, problem.pointer) == (
        "liquid_root",
        "/definitions/1/workflow/blocks/note/set/note/liquid",
    )


async def test_triggers_compare_with_fixed_values_only_where_there_is_nobody(room: Room):
    where = {"field": "owner", "value": {"from": "customer.id"}}
    with pytest.raises(InvalidInput) as error:
        await room.define(COMPANIES, noting(on_object(where), note="x"))
    assert [problem.code for problem in error.value.problems] == ["root_not_allowed"]
    await room.define(COMPANIES, noting(on_relationship(where=where), note="x"))


async def test_what_happens_while_it_starts_begins_once(room: Room):
    """At one instant: what is written after the start, before anybody looked at what was there."""
    driver = await ready(room)
    stay = {"stay": delay("P30D")}
    await room.define(campaign("o", on_object(PREMIUM), "stay", stay))
    await room.define(campaign("r", on_relationship("changed", where=ADMIN["relationship"]), "stay", stay))
    await room.define(campaign("e", on_relationship(where=ADMIN["relationship"], audience="everyone"), "stay", stay))
    await happens(room, driver, relate("a", "ann"), relate("b", "bob"), put("b", plan="premium"))
    for key in ("o", "r", "e"):
        await campaigns.start(room.db, room.workspace_id, key, {"audience": "current_and_future"}, system_now())
    await room.apply(put("a", plan="premium"), relate("a", "ann", role="admin"), relate("a", "cleo", role="admin"))
    for _ in range(12):
        await driver.step()
    assert await begun(room, "o") == ["ann", "bob", "cleo"]
    assert await begun(room, "r") == ["ann", "cleo"]
    # Each of the two relationships is for both of them.
    assert await begun(room, "e") == ["ann", "ann", "cleo", "cleo"]


async def test_what_waits_for_the_filters_while_it_starts_waits_once(room: Room):
    driver = await ready(room)
    filters = {"object": {"field": "open", "value": "true"}}
    await room.define(campaign("c", on_object(PREMIUM), "stay", {"stay": delay("P30D")}, filters=filters, exit="never"))
    await happens(room, driver, relate("a", "ann"))
    await campaigns.start(room.db, room.workspace_id, "c", {"audience": "current_and_future"}, system_now())
    await room.apply(put("a", plan="premium"))
    for _ in range(6):
        await driver.step()
    await happens(room, driver, put("a", open=True))
    assert await begun(room) == ["ann"]


async def test_a_start_takes_in_an_object_whose_clock_is_ahead(room: Room):
    driver = await ready(room)
    await room.define(campaign("c", on_object(PREMIUM), "stay", {"stay": delay("P30D")}))
    ahead = IdentifyObject(object=ref("a"), attributes={"plan": "premium"}, timestamp=UNIX + 60)
    await happens(room, driver, relate("a", "ann"), ahead)
    await start(room, driver, "start", audience="current_and_future")
    assert await begun(room) == ["ann"]
