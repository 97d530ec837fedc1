"""Finding people over HTTP: by filters and by what stands in an email box (PPL-44, CHN-17, APP-09)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from api.management import customers as shapes
from clock import system_now
from domain.ids import cio_id
from ingest.catalog import Catalogs
from services.looking.people_search import by_email, by_filter
from store import people, workspaces
from tests.support.looking import PAYING, START, WELCOME, Scene

PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
EVERYBODY = {"not": {"attribute": {"field": "nothing", "operator": "exists"}}}
ID_ONLY = {"kind": "settings", "key": "workspace", "identifiers": "id_only"}


@pytest.fixture
async def here(workspace) -> Scene:
    """A workspace whose clock stands at `START`."""
    made = Scene(workspace.db, workspace.id)
    async with workspace.db.transaction() as conn:
        await workspaces.set_clock(conn, workspace.id, START)
    await made.define(WELCOME, PAYING)
    return made


async def found(workspace, asked: Any, status: int = 200, **params: Any) -> Any:
    answer = await workspace.call("POST", "/v1/customers", {"filter": asked}, params=params)
    assert answer.status_code == status, answer.text
    if status == 200:
        shapes.FoundPeople.model_validate(answer.json())
    return answer.json()


async def ids(workspace, asked: Any) -> list[str]:
    return (await found(workspace, asked, limit=1000))["ids"]


async def box(workspace, text: str, status: int = 200, **params: Any) -> Any:
    answer = await workspace.call("GET", "/v1/people/search", params={"email": text, **params})
    assert answer.status_code == status, answer.text
    return answer.json()


async def walked(ask: Any) -> list[list[str]]:
    """The ids of page after page."""
    listed, start = [], ""
    while True:
        page = await ask(start)
        listed.append(page["ids"])
        start = page["next"]
        if not start:
            return listed


async def id_only(workspace) -> None:
    answer = await workspace.call("PUT", "/v1/definitions/settings/workspace", ID_ONLY)
    assert answer.status_code in (200, 201), answer.text


async def some(here: Scene) -> None:
    """Ann, a paying member who bought; Bob without plan; Cid with an address alone; Dee, who left."""
    ann = await here.person("ann", "ann@acme.com", plan="Pro", vip=True, seats=5)
    await here.member(ann, "paying")
    await here.person("bob", "bob@example.com", vip="true")
    await here.person(None, "cid@example.com", plan="basic", seats="12")
    dee = await here.person("dee", None, plan="")
    for number, days in ((ann, 3), (dee, 60)):
        fact = people.EventFact("bought", START - timedelta(days=days), days, {"price": days})
        async with here.db.transaction() as conn:
            await people.insert_events(conn, here.workspace_id, [people.EventRow(number, fact, "bought", START)])
    await here.delivery("D", ann, campaign_id=here.campaigns["welcome"])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (PRO, ["ann"]),
        ({"not": PRO}, ["bob", "", "dee"]),
        ({"attribute": {"field": "plan", "operator": "exists"}}, ["ann", ""]),
        ({"not": {"attribute": {"field": "email", "operator": "exists"}}}, ["dee"]),
        ({"attribute": {"field": "vip", "operator": "eq", "value": True}}, ["ann", "bob"]),
        ({"or": [PRO, {"attribute": {"field": "id", "operator": "eq", "value": "dee"}}]}, ["ann", "dee"]),
        ({"and": [{"segment": {"key": "paying"}}, PRO]}, ["ann"]),
        ({"and": [{"not": {"segment": {"key": "paying"}}}, {"or": [PRO, EVERYBODY]}]}, ["bob", "", "dee"]),
        ({"segment": {"key": "paying", "inverse": True}}, ["bob", "", "dee"]),
        ({"attribute": {"field": "seats", "operator": "gt", "value": 5}}, [""]),
        ({"performed": {"event": "bought"}}, ["ann", "dee"]),
        ({"performed": {"event": "bought", "within": "P30D"}}, ["ann"]),
        ({"performed": {"event": "bought", "inverse": True}}, ["bob", ""]),
        ({"message": {"channel": "email", "status": "delivered"}}, ["ann"]),
        ({"message": {"channel": "email", "status": "clicked"}}, []),
    ],
)
async def test_filters_over_everything_that_is_known(workspace, here, asked, expected):
    await some(here)
    assert await ids(workspace, asked) == expected


async def test_the_example_of_the_documentation(workspace, here):
    await some(here)
    number = here.segments["paying"]
    other = {"or": [PRO, {"not": {"attribute": {"field": "email", "operator": "exists"}}}]}
    answer = await found(workspace, {"and": [{"segment": {"id": number}}, other]})
    (ann,) = answer["identifiers"]
    assert answer == {"identifiers": [ann], "ids": ["ann"], "next": ""}
    assert ann == {"cio_id": ann["cio_id"], "id": "ann", "email": "ann@acme.com"}


async def test_pages_are_walked_to_an_empty_end(workspace, here):
    for n in range(120):
        await here.person(str(n))
    pages = await walked(lambda start: found(workspace, EVERYBODY, start=start))
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [name for page in pages for name in page] == [str(n) for n in range(120)]
    assert [len(page) for page in await walked(lambda start: found(workspace, EVERYBODY, start=start, limit=60))] == [
        60,
        60,
    ]
    assert len((await found(workspace, EVERYBODY, limit=10**6))["ids"]) == 120
    assert len((await found(workspace, EVERYBODY, limit=-3))["ids"]) == 1


async def test_when_the_time_is_up_the_next_page_goes_on(workspace, here, monkeypatch):
    monkeypatch.setattr("services.looking.matching.SPANS", (4, 4))
    for n in range(10):
        await here.person(str(n), plan="pro" if n in (1, 9) else "basic")

    async def ask(start: str) -> Any:
        body, now = {"filter": {"not": {"not": PRO}}}, system_now()
        return await by_filter(workspace.db, Catalogs(), workspace.id, body, start=start, real_now=now, seconds=0)

    assert await walked(ask) == [["1"], [], ["9"], []]


async def test_an_address_that_is_an_attribute_is_no_name(workspace, here):
    await id_only(workspace)
    await here.person("1", None, email="Ann@Example.com")
    await here.person("2", None, email="ann@example.com ")
    await here.person("3", None, email=5)
    (first, second) = (
        await found(workspace, {"attribute": {"field": "email", "operator": "contains", "value": "ann"}})
    )["identifiers"]
    assert (first, second["id"]) == ({"cio_id": first["cio_id"], "id": "1"}, "2")
    answer = await workspace.call("GET", "/v1/customers", params={"email": "ANN@example.com"})
    assert answer.json()["results"] == [
        {"id": "1", "email": "Ann@Example.com", "cio_id": first["cio_id"]},
        {"id": "2", "email": "ann@example.com ", "cio_id": second["cio_id"]},
    ]
    nobody = await workspace.call("GET", "/v1/customers", params={"email": "nobody@example.com"})
    assert nobody.json() == {"results": []}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], [""]),
        ({}, ["/filter"]),
        ({"filter": PRO, "limit": 5}, ["/limit"]),
        ({"filter": [PRO]}, ["/filter"]),
        ({"filter": {}}, ["/filter"]),
        ({"filter": {**PRO, "segment": {"id": 1}}}, ["/filter"]),
        ({"filter": {"and": []}}, ["/filter/and"]),
        ({"filter": {"not": [PRO]}}, ["/filter/not"]),
        ({"filter": {"likes": 1}}, ["/filter/likes"]),
        ({"filter": {"attribute": {"field": "x", "operator": "eq"}}}, ["/filter/attribute/value"]),
        ({"filter": {"attribute": {"field": "x", "operator": "like", "value": 1}}}, ["/filter/attribute/operator"]),
        ({"filter": {"or": [PRO, {"segment": {"id": 99}}]}}, ["/filter/or/1/segment"]),
        (
            {"filter": {"and": [{"segment": {"id": 0}}, {"attribute": {}}]}},
            ["/filter/and/0/segment/id", "/filter/and/1/attribute/field"],
        ),
        ({"filter": {"performed": {"event": "x", "since": "trigger"}}}, ["/filter/performed/since"]),
        ({"filter": {"related": {"to": "houses"}}}, ["/filter/related/to"]),
    ],
)
async def test_a_filter_that_makes_no_sense_is_pointed_at(workspace, body, pointers):
    answer = await workspace.call("POST", "/v1/customers", body)
    assert answer.status_code == 400, answer.text
    refusal = answer.json()
    assert [error["pointer"] for error in refusal["errors"]] == pointers
    assert {(error["code"], error["status"]) for error in refusal["errors"]} == {("invalid_parameter", "400")}
    assert all(pointer in refusal["meta"]["error"] for pointer in pointers)


async def test_filters_have_an_end(workspace):
    deep: Any = PRO
    for _ in range(40):
        deep = {"not": deep}
    assert (await found(workspace, deep, 400))["errors"][0]["pointer"] == "/filter"
    body = b'{"filter": ' + b'{"not": ' * 5_000
    answer = await workspace.call("POST", "/v1/customers", body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_json")
    zero = await found(workspace, {"attribute": {"field": "plan", "operator": "eq", "value": "a\x00b"}}, 400)
    assert zero["errors"][0]["code"] == "invalid_json"
    assert (await found(workspace, PRO, 400, start="e30"))["errors"][0]["pointer"] == "/start"


async def test_only_keys_of_the_workspace_find_people(workspace, server, live, here):
    await some(here)
    answer = await server.http.post("/v1/customers", json={"filter": PRO})
    assert answer.status_code == 401
    assert await ids(live, EVERYBODY) == []


ADDRESSES = (
    "tweety@acmecorp.com",
    "bird.tweety@acmecorp.com",
    "Tweet@Example.org",
    "tweety@sub.acmecorp.com",
    "ÉMILE@été.fr",
)
BOXES = [
    ("tweety", ["0", "3"]),
    ("TWEETY@acme", ["0"]),
    ("tw", ["0", "2", "3"]),
    ("@acmecorp.com", ["0", "1"]),
    ("@ACMECORP.com ", ["0", "1"]),
    ("@corp.com", []),
    ("émile", ["4"]),
    ("@ÉTÉ.fr", ["4"]),
    ("bird.tweety@acmecorp.com", ["1"]),
    ("tweety%", []),
    ("_weety", []),
    ("\U0010ffff", []),
    ("\ud7ff", []),
]


@pytest.mark.parametrize(("text", "expected"), BOXES)
async def test_the_email_box(workspace, here, text, expected):
    for n, address in enumerate(ADDRESSES):
        await here.person(str(n), address)
    answer = await box(workspace, text)
    shapes.FoundPeople.model_validate(answer)
    assert (sorted(answer["ids"]), answer["next"]) == (expected, "")
    assert all(person["email"] for person in answer["identifiers"])


@pytest.mark.parametrize(("text", "expected"), BOXES)
async def test_the_email_box_where_addresses_are_attributes(workspace, here, text, expected):
    await id_only(workspace)
    for n, address in enumerate(ADDRESSES):
        await here.person(str(n), None, email=address)
    await here.person("5", None, name="tweety@acmecorp.com")
    answer = await box(workspace, text)
    assert (answer["ids"], answer["next"]) == (expected, "")
    assert all(person["email"] for person in answer["identifiers"])


@pytest.mark.parametrize("mode", ["names", "attributes"])
@pytest.mark.parametrize("text", ["person", "@example.com"])
async def test_pages_of_the_email_box(workspace, here, monkeypatch, mode, text):
    monkeypatch.setattr("services.looking.people_search.SCAN", 7)
    if mode == "attributes":
        await id_only(workspace)
    for n in range(30):
        address = f"person{n:02}@example.com" if n % 2 else f"other{n:02}@example.org"
        await here.person(
            str(n), *([address] if mode == "names" else []), **({} if mode == "names" else {"email": address})
        )
    pages = await walked(lambda start: box(workspace, text, start=start, limit=4))
    assert [len(page) for page in pages] == [4, 4, 4, 3]
    assert [name for page in pages for name in page] == [str(n) for n in range(1, 30, 2)]

    async def hurried(start: str) -> Any:
        return await by_email(workspace.db, workspace.id, text, start=start, limit=4, seconds=0)

    assert [name for page in await walked(hurried) for name in page] == [str(n) for n in range(1, 30, 2)]


@pytest.mark.parametrize("text", ["", " ", "@", " @@ ", "a" * 513])
async def test_an_empty_or_endless_box_is_refused(workspace, text):
    (error,) = (await box(workspace, text, 400))["errors"]
    assert (error["code"], error["pointer"]) == ("invalid_parameter", "/email")


async def test_no_address_has_the_character_that_none_can_have(workspace, here):
    await here.person("1", "ann@example.com")
    assert (await by_email(workspace.db, workspace.id, "ann\x00"))["ids"] == []
    await box(workspace, "ann\x00", 400)


async def test_somebody_found_by_address_is_named_as_everywhere(workspace, here):
    number = await here.person(None, "Ann@Example.com")
    answer = await box(workspace, "ann@")
    assert answer == {
        "identifiers": [{"cio_id": cio_id(number), "id": None, "email": "Ann@Example.com"}],
        "ids": [""],
        "next": "",
    }
    await box(workspace, "ann", 400, start="e30")
