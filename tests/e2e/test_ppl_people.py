"""Who is who, what is stored, which events count: from the call to what is read back (PPL-02 to PPL-15, API-03 to API-14)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.support.live import DAY, START, Workspace, campaign, email, on_event
from tests.support.moments import (
    activities,
    attribute,
    attributes,
    delay,
    mails,
    members,
    person,
    segment,
    segments,
    standing,
    timeline,
    utc,
)

HOUR = 3_600
BY_CIO_ID = {"kind": "settings", "key": "workspace", "email_update_by": "cio_id"}


async def ids(workspace: Workspace, address: str) -> list[str | None]:
    """The ids of everybody with an email address."""
    return [found["id"] for found in (await workspace.get("/v1/customers", email=address))["results"]]


async def exists(workspace: Workspace, name: str, **which: Any) -> bool:
    """Whether there is such a person."""
    answer = await workspace.request("GET", f"/v1/customers/{name}/attributes", params=which)
    assert answer.status_code in (200, 404), answer.text
    return answer.status_code == 200


async def test_ppl_case_01_ids_have_case_and_emails_have_none(sandbox: Workspace):
    await sandbox.identify("ab100", which="small")
    await sandbox.identify("AB100", which="large")
    await sandbox.identify("Ann@x.io", first=1)
    await sandbox.identify("ann@X.io", second=2)
    await sandbox.settle()
    assert [(await attributes(sandbox, name))["which"] for name in ("ab100", "AB100")] == ["small", "large"]
    ann = await person(sandbox, "ann@x.io", id_type="email")
    assert (ann["attributes"]["first"], ann["attributes"]["second"]) == ("1", "2")
    assert ann["identifiers"]["email"] == "Ann@x.io"
    assert await ids(sandbox, "ANN@x.io") == [None]


async def test_ppl_case_02_a_missing_identifier_is_set(sandbox: Workspace):
    await sandbox.identify("a@x.io")
    await sandbox.settle()
    before = await person(sandbox, "a@x.io", id_type="email")
    assert before["identifiers"]["id"] is None
    await sandbox.identify("a@x.io", id="7")
    await sandbox.settle()
    after = await person(sandbox, "7")
    assert after["identifiers"] == {**before["identifiers"], "id": "7"}


async def test_ppl_case_03_an_email_that_only_a_call_by_cio_id_may_change(sandbox: Workspace):
    await sandbox.define(BY_CIO_ID)
    await sandbox.identify("7", email="a@x.io")
    await sandbox.identify("7", email="b@x.io", plan="pro")
    await sandbox.settle()
    seven = await person(sandbox, "7")
    assert (seven["identifiers"]["email"], seven["attributes"]["plan"]) == ("a@x.io", "pro")
    (failed,) = await activities(sandbox, "7", "failed_attribute_change")
    assert failed["reasons"] == {"email": "An email that is set changes only in calls that name the person by cio_id."}
    await sandbox.identify(f"cio_{seven['identifiers']['cio_id']}", email="b@x.io", plan="pro")
    await sandbox.settle()
    assert (await person(sandbox, "7"))["identifiers"]["email"] == "b@x.io"
    assert (await ids(sandbox, "a@x.io"), await ids(sandbox, "b@x.io")) == ([], ["7"])


async def test_ppl_03_ids_change_by_cio_id_only_and_emails_by_id_too(sandbox: Workspace):
    await sandbox.identify("7", email="a@x.io")
    await sandbox.identify("7", email="b@x.io")
    await sandbox.identify("b@x.io", id="8", plan="pro")
    await sandbox.settle()
    seven = await person(sandbox, "7")
    assert (seven["identifiers"]["email"], seven["attributes"]["plan"]) == ("b@x.io", "pro")
    assert not await exists(sandbox, "8")
    await sandbox.identify(f"cio_{seven['identifiers']['cio_id']}", id="8")
    await sandbox.settle()
    assert (await person(sandbox, "8"))["identifiers"]["cio_id"] == seven["identifiers"]["cio_id"]
    assert not await exists(sandbox, "7")


async def test_ppl_03_one_of_the_names_stays(sandbox: Workspace):
    await sandbox.identify("7", email="a@x.io")
    await sandbox.identify("7", email="")
    await sandbox.identify("7", id=None, plan="pro")
    await sandbox.settle()
    seven = await person(sandbox, "7")
    assert (seven["identifiers"]["id"], seven["identifiers"]["email"]) == ("7", None)
    assert seven["attributes"]["plan"] == "pro"
    assert len(await activities(sandbox, "7", "failed_attribute_change")) == 1


async def test_api_03_two_people_in_one_call_are_not_merged_where_that_is_not_wanted(sandbox: Workspace):
    await sandbox.define({"kind": "settings", "key": "workspace", "multi_identifier_merge": False})
    await sandbox.identify("7", plan="free")
    await sandbox.identify("b@x.io", city="Rome")
    await sandbox.identify("7", email="b@x.io", plan="pro")
    await sandbox.settle()
    assert (await person(sandbox, "7"))["identifiers"]["email"] is None
    assert (await attributes(sandbox, "7"))["plan"] == "pro"
    assert (await attributes(sandbox, "b@x.io", id_type="email"))["city"] == "Rome"
    (failed,) = await activities(sandbox, "7", "failed_attribute_change")
    assert list(failed["reasons"]) == ["email"]


async def test_api_case_01_identify_by_id_then_by_email(sandbox: Workspace):
    await sandbox.identify("5", email="Bob@x.io", plan="basic")
    await sandbox.identify("bob@X.IO", plan="pro")
    await sandbox.settle()
    assert await ids(sandbox, "bob@x.io") == ["5"]
    assert (await attributes(sandbox, "5"))["plan"] == "pro"


async def test_api_case_03_an_email_alone_gets_an_id(sandbox: Workspace):
    await sandbox.identify("lead@x.io")
    await sandbox.identify("u1", email="lead@x.io")
    await sandbox.settle()
    assert await ids(sandbox, "lead@x.io") == ["u1"]


async def test_api_cases_06_and_07_nobody_is_created(sandbox: Workspace):
    await sandbox.identify("cio_deadbeef", x=1)
    await sandbox.track("cio_deadbeef", "order")
    await sandbox.identify("new", _update=True, x=1)
    await sandbox.settle()
    assert not await exists(sandbox, "new")
    assert not await exists(sandbox, "cio_deadbeef")
    await sandbox.identify("new", x=1)
    await sandbox.identify("new", _update=True, x=2)
    await sandbox.settle()
    found = await attributes(sandbox, "new")
    assert found["x"] == "2"
    assert "_update" not in found


async def test_api_case_10_ids_are_percent_decoded_once(sandbox: Workspace):
    await sandbox.identify("a/b+c@x.com", from_="python")
    answer = await sandbox.client.put("/api/v1/customers/a+b@x.com", json={"from": "go"}, headers=sandbox.track_auth)
    assert answer.status_code == 200
    await sandbox.settle()
    assert await ids(sandbox, "a/b+c@x.com") == [None]
    assert await ids(sandbox, "a+b@x.com") == [None]


async def test_ppl_case_10_blank_removes(sandbox: Workspace):
    await sandbox.define(segment("planned", attribute("plan", operator="exists")))
    for blank in ("", None):
        await sandbox.identify("7", plan="pro")
        await sandbox.settle()
        assert await segments(sandbox, "7") == {"planned"}
        await sandbox.identify("7", plan=blank)
        await sandbox.settle()
        assert await segments(sandbox, "7") == set()
        assert "plan" not in await attributes(sandbox, "7")
    found = await timeline(sandbox, "7", "segment")
    assert [entry["data"]["change"] for entry in found] == ["entered", "left"] * 2


async def test_ppl_04_the_last_write_wins_by_its_own_time(sandbox: Workspace):
    await sandbox.identify("7", plan="new", _timestamp=START - 60)
    await sandbox.identify("7", plan="old", city="Rome", _timestamp=START - 120)
    await sandbox.identify("7", plan="")
    await sandbox.identify("7", plan="older", _timestamp=START - 1)
    await sandbox.settle()
    found = await attributes(sandbox, "7")
    assert (found.get("plan"), found["city"]) == (None, "Rome")
    skipped = await activities(sandbox, "7", "skipped_update")
    assert [entry["attributes"] for entry in skipped] == [["plan"], ["plan"]]


@pytest.mark.parametrize("ahead", [301, 10 * DAY, 9 * 10**10])
async def test_api_19_an_instant_far_ahead_counts_as_now(sandbox: Workspace, ahead: int):
    await sandbox.identify("7", plan="future", _timestamp=START + ahead)
    await sandbox.identify("7", plan="now")
    await sandbox.identify("8", plan="soon", _timestamp=START + 300)
    await sandbox.identify("8", plan="now")
    await sandbox.settle()
    assert [(await attributes(sandbox, name))["plan"] for name in ("7", "8")] == ["now", "soon"]


async def test_ppl_case_11_who_counts_as_unsubscribed(sandbox: Workspace):
    await sandbox.define(campaign("news", on_event("order"), "mail", {"mail": email("To {{ customer.id }}")}))
    await sandbox.start("news")
    gone = {"true": True, "tRUe": "tRUe", "one": 1, "one-text": "1"}
    here = {"yes": "yes", "zero": 0, "false-text": "false", "two": 2}
    for number, (name, value) in enumerate({**gone, **here}.items()):
        await sandbox.identify(name, email=f"{number}@example.com", unsubscribed=value)
        await sandbox.track(name, "order")
    await sandbox.identify("other-case", email="other-case@example.com", Unsubscribed=True)
    await sandbox.track("other-case", "order")
    await sandbox.settle()
    reached = {mail["customer_identifiers"]["id"] for mail in await sandbox.mailbox()}
    assert reached == {*here, "other-case"}
    assert [(await person(sandbox, name))["unsubscribed"] for name in (*gone, *here)] == [True] * 4 + [False] * 4


async def test_ppl_case_13_an_event_id_counts_once(sandbox: Workspace):
    twice = {"performed": {"event": "order", "times": {"at_least": 2}}}
    await sandbox.define(
        segment("twice", twice), campaign("order", on_event("order"), "mail", {"mail": email("Order {{ event.n }}")})
    )
    await sandbox.start("order")
    await sandbox.identify("7", email="ann@example.com")
    for n in (1, 2):
        await sandbox.track("7", "order", {"n": n}, id="01BX5ZZKBKACTAV9WEVGEMMVRY")
    await sandbox.track("8", "order", {"n": 3}, id="01BX5ZZKBKACTAV9WEVGEMMVRY")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "Order 1")]
    assert await segments(sandbox, "7") == set()
    assert not await exists(sandbox, "8")
    (event,) = [entry for entry in await timeline(sandbox, "7", "activity") if entry["name"] == "order"]
    assert (event["data"]["data"], event["data"]["event_id"]) == ({"n": 1}, "01BX5ZZKBKACTAV9WEVGEMMVRY")


async def test_ppl_case_14_names_of_events(sandbox: Workspace):
    blocks = {"mail": email("Hello")}
    await sandbox.define(
        segment("signed-up", {"performed": {"event": "sign_up"}}),
        campaign("visit", on_event("visit"), "mail", blocks, goal={"event": "sign_up"}),
    )
    await sandbox.start("visit")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "visit")
    await sandbox.settle()
    await sandbox.track("7", "  Sign_Up ")
    await sandbox.settle()
    assert (await timeline(sandbox, "7", "activity"))[-1]["name"] == "Sign_Up"
    assert await segments(sandbox, "7") == {"signed-up"}
    assert (await sandbox.journeys())[0]["converted_at"] is None
    await sandbox.track("7", "sign_up")
    await sandbox.settle()
    assert (await sandbox.journeys())[0]["converted_at"] == START


async def test_ppl_case_15_how_old_an_event_may_be_to_trigger(begin: Begin):
    workspace = await begin("2026-03-01T00:00")
    plain = campaign("plain", on_event("order"), "note", {"note": {"type": "update_person", "set": {"x": 1}}})
    led = campaign("led", on_event("order"), "pause", {"pause": delay("P4D", "mail"), "mail": email("Led")})
    await workspace.define(plain, led)
    await workspace.start("plain")
    await workspace.start("led")
    await workspace.advance("P10D")
    now = utc("2026-03-11T00:00")
    for hours in (71, 73, 95, 97):
        await workspace.track(f"p{hours}", "order", timestamp=now - hours * HOUR)
    await workspace.track("early", "order", timestamp=utc("2026-02-28T23:59:59"))
    await workspace.settle()

    async def entered(key: str) -> list[str]:
        return [journey["customer_identifiers"]["id"] for journey in await workspace.journeys(campaign=key)]

    assert await entered("plain") == ["p71"]
    assert sorted(await entered("led")) == ["p71", "p73", "p95"]
    (held,) = await workspace.journeys(customer="p95")
    assert standing(held) == ("pause", now - 95 * HOUR, now + HOUR)


async def test_ppl_15_an_event_before_the_start_and_one_from_the_future(sandbox: Workspace):
    await sandbox.define(campaign("order", on_event("order"), "mail", {"mail": email("Order {{ event.n }}")}))
    await sandbox.start("order")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "order", {"n": 1}, timestamp=START - 1)
    await sandbox.track("7", "order", {"n": 2}, timestamp=START + 300)
    await sandbox.track("7", "order", {"n": 3}, timestamp=START + 301)
    await sandbox.settle()
    started = {journey["trigger"]["event"]["data"]["n"]: journey["started_at"] for journey in await sandbox.journeys()}
    assert started == {2: START + 300, 3: START}


async def test_api_13_and_14_entities_and_batches(sandbox: Workspace):
    async def send(path: str, body: Any) -> Any:
        return await sandbox.client.post(path, json=body, headers=sandbox.track_auth)

    await sandbox.define(
        segment("pros", attribute("plan", "pro")),
        campaign("order", on_event("order"), "mail", {"mail": email("Order {{ event.n }}")}),
    )
    await sandbox.start("order")
    someone = {"type": "person", "identifiers": {"id": "7"}}
    attrs = {"email": "ann@example.com", "plan": "free"}
    answer = await send("/api/v2/entity", {**someone, "action": "identify", "attributes": attrs})
    assert (answer.status_code, answer.json()) == (200, {})
    batch = [
        {**someone, "action": "identify", "attributes": {"plan": "basic"}},
        {**someone, "action": "levitate"},
        {**someone, "action": "event", "name": "order", "attributes": {"n": 1}, "id": "01BX5ZZKBKACTAV9WEVGEMMVRY"},
        {
            "type": "person",
            "identifiers": {"email": "ANN@example.com"},
            "action": "identify",
            "attributes": {"plan": "pro"},
        },
    ]
    answer = await send("/api/v2/batch", {"batch": batch})
    assert answer.status_code == 207
    assert [(e["batch_index"], e["reason"]) for e in answer.json()["errors"]] == [(1, "unknown_action")]
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"pros"}
    assert await mails(sandbox) == [(START, "Order 1")]
    changes = [entry.get("plan") for entry in await activities(sandbox, "7", "attribute_change")]
    assert changes == ["free", "basic", "pro"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "", "data": {}}, "event name must not be blank"),
        ({"name": "e", "data": ""}, "event data must be a hash"),
        ({"name": "n" * 101}, "event name cannot be longer than 100 bytes"),
    ],
)
async def test_api_case_11_events_that_are_refused_leave_nothing(sandbox: Workspace, body: Any, text: str):
    answer = await sandbox.client.post("/api/v1/customers/7/events", json=body, headers=sandbox.track_auth)
    assert (answer.status_code, answer.json()) == (400, {"meta": {"error": text, "errors": [text]}})
    await sandbox.settle()
    assert not await exists(sandbox, "7")


async def test_ppl_13_a_pages_visit_moves_the_last_visit(sandbox: Workspace):
    await sandbox.define(segment("readers", {"performed": {"page": "https://example.com/docs*"}}))
    await sandbox.track("7", "https://example.com/docs/start", type="page", timestamp=START - DAY)
    await sandbox.track("8", "https://example.com/blog", type="page")
    await sandbox.settle()
    assert await members(sandbox, "readers", ["7", "8"]) == ["7"]
