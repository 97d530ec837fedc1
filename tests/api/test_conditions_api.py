"""Trying conditions over HTTP: on one person, leaf by leaf, and on everybody (PPL-41)."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from api.management import conditions as shapes
from clock import system_now
from console.app import main
from domain.ids import cio_id
from domain.samples import Estimate
from ingest.builds import build_page
from ingest.catalog import Catalogs
from services.looking.conditions import estimated
from store import people, workspaces
from tests.support.looking import PAYING, START, UNIX, WELCOME, Scene

DAY = 86_400
PRO = {"attribute": {"field": "plan", "value": "pro"}}
COURSES = {
    "kind": "object_type",
    "key": "courses",
    "name": "Online courses",
    "singular_name": "Online course",
    "object_type_id": 3,
}


@pytest.fixture
async def here(workspace) -> Scene:
    """A workspace whose clock stands at `START`."""
    made = Scene(workspace.db, workspace.id)
    async with workspace.db.transaction() as conn:
        await workspaces.set_clock(conn, workspace.id, START)
    await made.define(WELCOME, PAYING, COURSES)
    return made


async def post(workspace, what: str, body: Any, status: int = 200) -> Any:
    answer = await workspace.call("POST", f"/v1/conditions/{what}", body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def tried(workspace, condition: Any, **context: Any) -> Any:
    answer = await post(workspace, "evaluate", {"condition": condition, "context": context})
    shapes.Verdict.model_validate(answer)
    return answer


async def refused(workspace, what: str, body: Any, status: int = 422) -> list[tuple[str, str]]:
    answer = await post(workspace, what, body, status)
    return [(error["code"], error["pointer"]) for error in answer["errors"]]


async def event(here: Scene, person: int, name: str, seq: int, days_ago: float, **data: Any) -> None:
    fact = people.EventFact(name, START - timedelta(days=days_ago), seq, data)
    async with here.db.transaction() as conn:
        await people.insert_events(conn, here.workspace_id, [people.EventRow(person, fact, name, START)])


async def test_every_leaf_says_what_it_saw_and_when_it_turns(workspace, here):
    ann = await here.person("7", "ann@example.com", plan="Pro", renews_at=UNIX + 10 * DAY)
    await here.member(ann, "paying")
    await event(here, ann, "bought", 1, 2, price=30)
    await event(here, ann, "bought", 2, 1, price=10)
    tree = {
        "and": [
            PRO,
            {"attribute": {"field": "renews_at", "operator": "after", "value": {"ago": "P1D"}}},
            {
                "or": [
                    {"segment": {"key": "paying", "inverse": True}},
                    {
                        "performed": {
                            "event": "bought",
                            "within": "P7D",
                            "where": {"field": "price", "operator": "gt", "value": 20},
                        }
                    },
                ]
            },
            {"not": {"attribute": {"field": "city"}}},
            {"performed": {"event": "cancelled", "within": "P30D", "inverse": True}},
        ]
    }
    answer = await tried(workspace, tree, customer={"id": "7"})
    assert [(leaf["pointer"], leaf["result"], leaf["actual"], leaf["next_check_at"]) for leaf in answer["leaves"]] == [
        ("/condition/and/0/attribute", True, "Pro", None),
        ("/condition/and/1/attribute", True, UNIX + 10 * DAY, UNIX + 11 * DAY),
        ("/condition/and/2/or/0/segment", False, True, None),
        ("/condition/and/2/or/1/performed", True, 1, UNIX + 5 * DAY),
        ("/condition/and/3/not/attribute", False, None, None),
        ("/condition/and/4/performed", False, 0, UNIX + 30 * DAY),
    ]
    assert answer["leaves"][4]["note"] == "city is missing"
    assert "2592000 s are needed" in answer["leaves"][5]["note"]
    assert (answer["result"], answer["at"]) == (False, UNIX)
    assert answer["reason"].startswith("not met: has not performed event cancelled")
    assert answer["next_check_at"] == UNIX + 30 * DAY


async def test_names_of_one_person_lead_to_them(workspace, here):
    ann = await here.person("7", "ann@example.com", plan="pro")
    await here.person("8", "bob@example.com")
    for customer in ({"id": "7"}, {"email": "ANN@example.com"}, {"cio_id": cio_id(ann)}):
        assert (await tried(workspace, PRO, customer=customer))["result"] is True, customer
    assert (await tried(workspace, PRO, customer={"id": "7", "email": "ann@example.com"}))["result"] is True
    assert (await tried(workspace, PRO, customer={"id": None, "email": "bob@example.com"}))["result"] is False
    body = {"condition": PRO, "context": {"customer": {"id": "7", "email": "bob@example.com"}}}
    assert await refused(workspace, "evaluate", body) == [("not_applicable", "/context/customer")]
    body = {"condition": PRO, "context": {"customer": {"id": "nobody"}}}
    assert await refused(workspace, "evaluate", body, 404) == [("not_found", "")]


async def test_attributes_stand_before_those_that_are_stored(workspace, here):
    await here.person("7", plan="basic", seats=3)
    both = [PRO, {"attribute": {"field": "seats", "operator": "gte", "value": 3}}]
    assert (await tried(workspace, both, customer={"id": "7"}))["result"] is False
    assert (await tried(workspace, both, customer={"id": "7"}, attributes={"plan": "pro"}))["result"] is True
    assert (await tried(workspace, both, customer={"id": "7"}, attributes={"plan": "pro", "seats": None}))[
        "result"
    ] is False
    alone = await tried(workspace, both, attributes={"plan": "pro", "seats": "5"})
    assert (alone["result"], [leaf["actual"] for leaf in alone["leaves"]]) == (True, ["pro", "5"])
    nothing = await tried(workspace, {"performed": {"event": "x", "within": "P1D", "inverse": True}})
    assert (nothing["result"], nothing["next_check_at"]) == (False, UNIX + DAY), "somebody just made up is new here"


async def test_only_the_clock_is_moved(workspace, here):
    await here.person("7", trial_ends=UNIX + 10 * DAY)
    soon = {"attribute": {"field": "trial_ends", "operator": "before", "value": {"from_now": "P7D"}}}
    now = await tried(workspace, soon, customer={"id": "7"})
    assert (now["result"], now["next_check_at"]) == (False, UNIX + 3 * DAY + 1)
    then = await tried(workspace, soon, customer={"id": "7"}, at=now["next_check_at"])
    assert (then["result"], then["at"], then["next_check_at"]) == (True, now["next_check_at"], None)
    before = await tried(workspace, soon, customer={"id": "7"}, at=now["next_check_at"] - 1)
    assert before["result"] is False


async def test_what_a_journey_knows(workspace, here):
    ann = await here.person("7", score=5)
    await event(here, ann, "bought", 9, 0)
    in_event = {"event": {"field": "total", "operator": "gt", "value": 10}}
    since = {"performed": {"event": "bought", "since": "trigger"}}
    assert (await tried(workspace, in_event, event={"name": "order", "data": {"total": 11}}))["result"] is True
    assert (await tried(workspace, in_event, customer={"id": "7"}))["result"] is False
    late = {"customer": {"id": "7"}, "event": {"timestamp": UNIX, "data": {}}}
    early = {"customer": {"id": "7"}, "event": {"timestamp": UNIX - 5, "data": {}}}
    assert [(await tried(workspace, since, **context))["result"] for context in (late, early)] == [False, True]
    for root in ("journey", "trigger"):
        read = {"attribute": {"field": "score", "value": {"from": f"{root}.wanted"}}}
        assert (await tried(workspace, read, customer={"id": "7"}, **{root: {"wanted": 5}}))["result"] is True, root
        assert (await tried(workspace, read, customer={"id": "7"}))["result"] is False, root


async def test_a_past_journey_gives_everything(workspace, here):
    ann = await here.person("7", plan="pro")
    journey = await here.ended(ann, "goal", data={"plan": "gold"}, attributes={"wanted": "pro"})
    tree = [
        {"event": {"field": "plan", "value": "gold"}},
        {"attribute": {"field": "plan", "value": {"from": "journey.wanted"}}},
    ]
    assert (await tried(workspace, tree, journey_id=journey.journey_id))["result"] is True
    other = await tried(workspace, tree, journey_id=journey.journey_id, event={"data": {"plan": "tin"}})
    assert [leaf["result"] for leaf in other["leaves"]] == [False, True]
    body = {"condition": tree, "context": {"journey_id": "nothing"}}
    assert await refused(workspace, "evaluate", body, 404) == [("not_found", "")]


async def test_objects_out_of_thin_air(workspace, here):
    ann = await here.person("7")
    teaches = {
        "related": {
            "to": "courses",
            "object": {"field": "title", "value": "Calculus"},
            "relationship": {"field": "role", "value": "teacher"},
        }
    }
    calculus = {"title": "Calculus", "relationship": {"role": "teacher"}}
    context = {"customer": {"cio_id": cio_id(ann)}}
    assert (await tried(workspace, teaches, **context, objects={"online_courses": [calculus]}))["result"] is True
    other = [{"title": "Calculus"}, {"title": "Algebra", "relationship": {"role": "teacher"}}]
    assert (await tried(workspace, teaches, **context, objects={"online_courses": other}))["result"] is False
    assert (await tried(workspace, teaches, **context))["result"] is False
    body = {"condition": teaches, "context": {"objects": {"houses": []}}}
    assert await refused(workspace, "evaluate", body) == [("unknown_reference", "/context/objects/houses")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("required", "/condition")]),
        ([], [("type", "")]),
        ({"condition": {}}, [("type", "/condition")]),
        ({"condition": {"segment": 99}}, [("unknown_reference", "/condition/segment")]),
        ({"condition": [PRO, {"segment": {"key": "nope"}}]}, [("unknown_reference", "/condition/1/segment")]),
        ({"condition": {"related": {"to": "houses"}}}, [("unknown_reference", "/condition/related/to")]),
        (
            {"condition": {"message": {"of": {"campaign": "nope"}, "status": "sent"}}},
            [("unknown_reference", "/condition/message/of/campaign")],
        ),
        ({"condition": {"attribute": {"field": "_x"}}}, [("internal_attribute", "/condition/attribute/field")]),
        ({"condition": PRO, "what": 1}, [("unknown_field", "/what")]),
        ({"condition": PRO, "context": {"what": 1}}, [("unknown_field", "/context/what")]),
        ({"condition": PRO, "context": {"customer": {}}}, [("required", "/context/customer")]),
        ({"condition": PRO, "context": {"customer": {"id": 7}}}, [("type", "/context/customer/id")]),
        ({"condition": PRO, "context": {"event": {"when": 1}}}, [("unknown_field", "/context/event/when")]),
        ({"condition": PRO, "context": {"at": "now"}}, [("type", "/context/at")]),
        ({"condition": PRO, "context": {"at": -1}}, [("range", "/context/at")]),
        ({"condition": PRO, "context": {"at": 10**11}}, [("range", "/context/at")]),
        ({"condition": PRO, "context": {"attributes": [1]}}, [("type", "/context/attributes")]),
        ({"condition": PRO, "context": {"trigger": "x"}}, [("type", "/context/trigger")]),
    ],
)
async def test_what_cannot_be_tried_is_pointed_at(workspace, here, body, expected):
    assert await refused(workspace, "evaluate", body) == expected


def nested(levels: int) -> Any:
    tree: Any = PRO
    for _ in range(levels):
        tree = {"not": tree}
    return tree


@pytest.mark.parametrize("what", ["evaluate", "estimate"])
async def test_conditions_have_an_end(workspace, what):
    assert await refused(workspace, what, {"condition": nested(11)}) == [("too_complex", "/condition")]
    assert await refused(workspace, what, {"condition": [PRO] * 201}) == [("too_complex", "/condition")]
    assert await refused(workspace, what, b'{"condition": ' + b'{"not": ' * 3_000 + b"1", 400) == [("invalid_json", "")]
    deep = await workspace.call("POST", f"/v1/conditions/{what}", {"condition": nested(60)})
    assert (deep.status_code, deep.json()["errors"][0]["code"]) == (422, "too_complex")
    zero = {"condition": {"attribute": {"field": "plan", "value": "\x00"}}}
    assert await refused(workspace, what, zero, 400) == [("invalid_json", "")]


async def test_names_with_strange_characters_name_nobody(workspace):
    body = {"condition": PRO, "context": {"customer": {"email": "'; DROP TABLE people"}}}
    assert await refused(workspace, "evaluate", body, 404) == [("not_found", "")]


async def test_addresses_name_nobody_where_only_ids_do(workspace):
    document = {"kind": "settings", "key": "workspace", "identifiers": "id_only"}
    assert (await workspace.call("PUT", "/v1/definitions/settings/workspace", document)).status_code in (200, 201)
    body = {"condition": PRO, "context": {"customer": {"email": "ann@example.com"}}}
    assert await refused(workspace, "evaluate", body) == [("not_applicable", "/context/customer/email")]


async def test_an_estimate_counts_and_shows_the_same_people_each_time(workspace, here):
    numbers = [await here.person(str(n), plan="pro" if n % 3 else "basic") for n in range(60)]
    answer = await post(workspace, "estimate", {"condition": PRO})
    shapes.Estimated.model_validate(answer)
    figures = {name: answer[name] for name in ("count", "total", "percent", "complete", "looked_at")}
    assert figures == {"count": 40, "total": 60, "percent": 66.67, "complete": True, "looked_at": 60}
    shown = [person["id"] for person in answer["sample"]]
    assert len(set(shown)) == 10
    assert all(int(name) % 3 for name in shown)
    assert any(int(name) > 30 for name in shown), "not only those who came first"
    assert answer == await post(workspace, "estimate", {"condition": PRO, "sample": 10})
    one = await post(workspace, "estimate", {"condition": {"attribute": {"field": "id", "value": "8"}}, "sample": 50})
    assert one["sample"] == [{"cio_id": cio_id(numbers[8]), "id": "8", "email": None}]
    none = await post(workspace, "estimate", {"condition": PRO, "sample": 0})
    assert (none["count"], none["sample"]) == (40, [])


async def test_nobody_is_no_percent(workspace):
    answer = await post(workspace, "estimate", {"condition": PRO})
    assert (answer["count"], answer["total"], answer["percent"], answer["complete"]) == (0, 0, 0, True)


@pytest.mark.parametrize(
    "condition",
    [
        PRO,
        {"not": PRO},
        {"or": [{"segment": "paying"}, {"attribute": {"field": "seats", "operator": "lt", "value": 2}}]},
        {"performed": {"event": "bought", "within": "P7D"}},
        {"performed": {"event": "bought", "within": "P7D", "inverse": True}},
        [
            {"not": {"performed": {"event": "bought"}}},
            {"attribute": {"field": "plan", "operator": "contains", "value": "o"}},
        ],
    ],
)
async def test_an_estimate_is_what_a_built_segment_counts(workspace, here, condition):
    for n in range(12):
        plans = {0: {"plan": "pro"}, 1: {"plan": "PRO", "seats": n}, 2: {}}[n % 3]
        number = await here.person(str(n), None, **plans)
        if n % 2:
            await event(here, number, "bought", n + 1, n)
        if n % 4 == 0:
            await here.member(number, "paying")
    estimate = await post(workspace, "estimate", {"condition": condition, "sample": 50})
    await here.define({**PAYING, "key": "tried", "name": "Tried", "conditions": condition})
    async with workspace.db.transaction() as conn:
        catalog = await Catalogs().get(conn, workspace.id)
        await build_page(conn, catalog, "segment", here.segments["tried"], after=0, since=START, now=START)
        members = await conn.fetch(
            """SELECT p.id FROM memberships m JOIN people p USING (workspace_id, person_id)
               WHERE m.workspace_id = $1 AND m.kind = 'segment' AND m.ref_id = $2 AND m.member ORDER BY person_id""",
            workspace.id,
            here.segments["tried"],
        )
    assert [person["id"] for person in estimate["sample"]] == [member["id"] for member in members]
    assert estimate["count"] == len(members)


async def test_when_the_time_is_up_it_says_how_far_it_came(workspace, here, monkeypatch):
    monkeypatch.setattr("services.looking.matching.SPANS", (7, 7))
    for n in range(20):
        await here.person(str(n), plan="pro" if n % 2 else "basic")
    wanted = Estimate.model_validate({"condition": PRO})
    answer = await estimated(workspace.db, Catalogs(), workspace.id, wanted, real_now=system_now(), seconds=0)
    answer.pop("sample")
    assert answer == {"count": 3, "total": 20, "percent": 42.86, "complete": False, "looked_at": 7}
    whole = await estimated(workspace.db, Catalogs(), workspace.id, wanted, real_now=system_now())
    assert (whole["count"], whole["looked_at"], whole["complete"]) == (10, 20, True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"condition": {"performed": {"event": "x", "since": "trigger"}}},
            ("since_not_allowed", "/condition/performed/since"),
        ),
        ({"condition": {"event": {"field": "x"}}}, ("root_not_allowed", "/condition/event")),
        (
            {"condition": {"attribute": {"field": "x", "value": {"from": "journey.x"}}}},
            ("root_not_allowed", "/condition/attribute/value"),
        ),
        ({"condition": {"segment": "nope"}}, ("unknown_reference", "/condition/segment")),
        ({"condition": PRO, "sample": 51}, ("range", "/sample")),
        ({"condition": PRO, "sample": -1}, ("range", "/sample")),
        ({"condition": PRO, "sample": "5"}, ("type", "/sample")),
        ({"condition": PRO, "context": {}}, ("unknown_field", "/context")),
    ],
)
async def test_an_estimate_takes_what_a_segment_takes(workspace, here, body, expected):
    assert await refused(workspace, "estimate", body) == [expected]


async def test_leaves_of_messages_and_devices_say_what_they_saw(workspace, here):
    ann = await here.person("7", "ann@example.com")
    await here.delivery("D", ann, at=START - timedelta(seconds=2), campaign_id=here.campaigns["welcome"])
    tree = [
        {"message": {"channel": "email", "status": "delivered", "within": "P7D"}},
        {"device": {"inverse": True}},
        {"device": {"where": {"field": "platform", "value": "ios"}}},
    ]
    answer = await tried(workspace, tree, customer={"id": "7"})
    assert [(leaf["result"], leaf["next_check_at"]) for leaf in answer["leaves"]] == [
        (True, UNIX + 7 * DAY),
        (True, None),
        (False, None),
    ]


class TestCommands:
    """The same from the command line."""

    @staticmethod
    async def run(workspace, server, capsys, *arguments: str, status: int = 0) -> str:
        target = ("--url", server.url, "--key", workspace.app_key)
        ended = await asyncio.to_thread(main, ["conditions", *arguments, *target])
        printed = "".join(capsys.readouterr())
        assert ended == status, printed
        return printed

    async def test_a_condition_in_a_file_is_tried_and_counted(self, workspace, server, here, capsys, tmp_path):
        await here.person("7", plan="pro")
        await here.person("8", plan="basic")
        file = tmp_path / "pro.yaml"
        file.write_text("attribute: {field: plan, value: pro}\n")
        segment = tmp_path / "paying.json"
        segment.write_text(json.dumps(PAYING))
        said = await self.run(workspace, server, capsys, "evaluate", str(file), "--customer", "7")
        assert said.startswith("met met: attribute plan")
        assert '"pro"' in said
        told = await self.run(workspace, server, capsys, "evaluate", str(segment), "--at", str(UNIX), "--json")
        assert (json.loads(told)["result"], json.loads(told)["at"]) == (False, UNIX)
        assert await self.run(workspace, server, capsys, "estimate", str(segment)) == "1 of 2 people (50.0 %)\n7\n"
        both = tmp_path / "both.yaml"
        both.write_text("a: 1\n---\nb: 2\n")
        assert "2 documents" in await self.run(workspace, server, capsys, "estimate", str(both), status=1)
        both.write_text("segment: nope\n")
        assert "/condition/segment" in await self.run(workspace, server, capsys, "estimate", str(both), status=1)
