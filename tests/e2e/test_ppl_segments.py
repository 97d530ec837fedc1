"""Segments: who is in, since when, and what the clock alone changes (PPL-29 to PPL-41)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.support.live import DAY, START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import attribute, mails, members, segment, segments, timeline, utc

FIVE = {"performed": {"event": "view", "times": {"at_least": 5}, "within": "P7D"}}


async def moves(workspace: Workspace, person: str, key: str) -> list[tuple[int, str]]:
    """When somebody entered and left a segment."""
    found = await timeline(workspace, person, "segment")
    return [(entry["at"], entry["data"]["change"]) for entry in found if entry["name"] == key]


async def matching(workspace: Workspace, cases: dict[str, Any]) -> set[str]:
    """Which of these conditions somebody called 7 matches."""
    await workspace.define(*(segment(key, conditions) for key, conditions in cases.items()))
    return await segments(workspace, "7")


async def test_ppl_case_18_what_is_a_timestamp(sandbox: Workspace):
    await sandbox.define(segment("dated", attribute("at", operator="is_timestamp")))
    values = [
        1461866400,
        1461866400000,
        "2016-04-28T18:00:00Z",
        -5,
        99999999,
        "1461866400",
        100000000,
        True,
        1461866400.5,
    ]
    for number, value in enumerate(values):
        await sandbox.identify(str(number), at=value)
    await sandbox.settle()
    assert await members(sandbox, "dated", [str(number) for number in range(len(values))]) == ["0", "5"]


async def test_ppl_case_19_a_reminder_before_a_date(begin: Begin):
    workspace = await begin("2026-03-01T00:00")
    payment = utc("2026-03-20T12:00")
    await workspace.define(segment("due-soon", attribute("next_payment", {"from_now": "P7D"}, "before")))
    await workspace.identify("7", next_payment=payment)
    await workspace.settle()
    await workspace.advance(to=payment - 7 * DAY - 1)
    assert await segments(workspace, "7") == set()
    await workspace.advance(to=payment - 7 * DAY + 1)
    assert await segments(workspace, "7") == {"due-soon"}
    await workspace.advance(to=payment + 30 * DAY)
    assert await segments(workspace, "7") == {"due-soon"}
    assert await moves(workspace, "7", "due-soon") == [(payment - 7 * DAY + 1, "entered")]


async def test_ppl_case_19_the_next_date(begin: Begin):
    workspace = await begin("2026-03-20T12:00")
    now = utc("2026-03-20T12:00")
    await workspace.define(segment("due-soon", attribute("next_payment", {"from_now": "P7D"}, "before")))
    await workspace.identify("7", next_payment=now)
    await workspace.settle()
    await workspace.identify("7", next_payment=now + 30 * DAY)
    await workspace.settle()
    assert await segments(workspace, "7") == set()
    await workspace.advance("P40D")
    assert await moves(workspace, "7", "due-soon") == [
        (now, "entered"),
        (now, "left"),
        (now + 23 * DAY + 1, "entered"),
    ]


@pytest.mark.parametrize(
    ("operator", "value", "history"),
    [
        ("before", {"from_now": "P7D"}, [(3 * DAY + 1, "entered")]),
        ("before", {"ago": "P7D"}, [(17 * DAY + 1, "entered")]),
        ("after", {"from_now": "P7D"}, [(0, "entered"), (3 * DAY, "left")]),
        ("after", {"ago": "P7D"}, [(0, "entered"), (17 * DAY, "left")]),
    ],
)
async def test_ppl_33_when_each_relative_date_turns(
    sandbox: Workspace, operator: str, value: Any, history: list[tuple[int, str]]
):
    await sandbox.define(segment("dated", attribute("at", value, operator)))
    await sandbox.identify("7", at=START + 10 * DAY)
    await sandbox.settle()
    await sandbox.advance("P60D")
    assert [(at - START, change) for at, change in await moves(sandbox, "7", "dated")] == history


async def test_ppl_case_21_between_includes_both_ends(sandbox: Workspace):
    await sandbox.define(segment("december", attribute("at", [1575158400, 1577750400], "between")))
    for value in (1575158399, 1575158400, 1577750400, 1577750401):
        await sandbox.identify(str(value), at=value)
    await sandbox.settle()
    people = ["1575158399", "1575158400", "1577750400", "1577750401"]
    assert await members(sandbox, "december", people) == ["1575158400", "1577750400"]


async def test_ppl_case_22_arrays(sandbox: Workspace):
    await sandbox.identify("7", shopper_history={"stores_visited": ["Winnipeg", "Toronto", "Vancouver"]})
    path = "shopper_history.stores_visited"
    cases = {
        "any-eq": attribute(f"{path}[]", "toronto"),
        "any-part": attribute(f"{path}[]", "Toro"),
        "any-contains": attribute(f"{path}[]", "Toro", "contains"),
        "first-contains": attribute(f"{path}[0]", "Toronto", "contains"),
        "plain-contains": attribute(path, "Toronto", "contains"),
        "plain-eq": attribute(path, "Toronto"),
    }
    assert await matching(sandbox, cases) == {"any-eq", "any-contains", "plain-contains"}


async def test_ppl_case_23_nested_arrays_and_objects(sandbox: Workspace):
    coupons = [{"coupon_code": "AXXXXX"}, {"coupon_code": "BXXXXX"}]
    await sandbox.identify("7", purchases=[{"coupons_applied": coupons}, {"name": "Mouse"}])
    await sandbox.identify("8", purchases={"name": "Mouse"})
    cases = {
        "deep": attribute("purchases[].coupons_applied[].coupon_code", "BXXXXX"),
        "anywhere": attribute("purchases[]", "BXXXXX"),
        "name": attribute("purchases[].name", "Mouse"),
        "either": attribute("purchases?.name", "Mouse"),
    }
    assert await matching(sandbox, cases) == set(cases)
    assert await members(sandbox, "either", ["7", "8"]) == ["7", "8"]


async def test_ppl_case_25_what_is_missing(sandbox: Workspace):
    await sandbox.identify("7", other=1)
    cases = {
        "not-true": attribute("email_verified", True, inverse=True),
        "is-true": attribute("email_verified", True),
        "less": attribute("score", 95, "lt"),
        "missing": attribute("score", operator="exists", inverse=True),
        "not": {"not": attribute("score", 95, "lt")},
    }
    assert await matching(sandbox, cases) == {"not-true", "missing", "not"}


async def test_ppl_31_values_compare_without_case_and_numbers_as_numbers(sandbox: Workspace):
    await sandbox.identify("7", plan="PRO", count=5, price="5.50", flag=True, one="1")
    cases = {
        "case": attribute("plan", "pro"),
        "number": attribute("count", "5.0"),
        "price": attribute("price", 5.5),
        "flag": attribute("flag", "TRUE"),
        "one": attribute("one", True),
        "in": attribute("plan", ["free", "Pro"], "in"),
        "gt": attribute("price", 5, "gt"),
        "gte": attribute("count", 5, "gte"),
        "gt-text": attribute("plan", 5, "gt"),
        "name-case": attribute("Plan", "pro"),
    }
    assert await matching(sandbox, cases) == set(cases) - {"one", "gt-text", "name-case"}


async def test_ppl_case_26_a_count_within_a_window(sandbox: Workspace):
    await sandbox.define(segment("active", FIVE))
    for _ in range(4):
        await sandbox.track("7", "view")
        await sandbox.advance("P1D")
    assert await segments(sandbox, "7") == set()
    await sandbox.track("7", "view")
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"active"}
    await sandbox.advance("P10D")
    assert await moves(sandbox, "7", "active") == [(START + 4 * DAY, "entered"), (START + 7 * DAY, "left")]


async def test_ppl_case_27_has_not_within_needs_enough_history(sandbox: Workspace):
    quiet = {"performed": {"event": "purchase", "within": "P7D", "inverse": True}}
    never = {"performed": {"event": "purchase", "inverse": True}}
    plain = {"not": {"performed": {"event": "purchase", "within": "P7D"}}}
    await sandbox.define(segment("quiet", quiet), segment("never", never), segment("plain", plain))
    await sandbox.identify("7", x=1)
    await sandbox.identify("8", x=1)
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"never", "plain"}
    await sandbox.track("8", "other", timestamp=START - 10 * DAY)
    await sandbox.settle()
    assert await segments(sandbox, "8") == {"never", "plain", "quiet"}
    await sandbox.advance("P6D")
    assert "quiet" not in await segments(sandbox, "7")
    await sandbox.advance("P2D")
    await sandbox.track("7", "purchase")
    await sandbox.settle()
    assert await segments(sandbox, "7") == set()
    await sandbox.advance("P30D")
    assert await moves(sandbox, "7", "quiet") == [
        (START + 7 * DAY, "entered"),
        (START + 8 * DAY, "left"),
        (START + 15 * DAY, "entered"),
    ]
    assert await moves(sandbox, "8", "quiet") == [(START, "entered")]


async def test_ppl_case_29_segments_inside_segments(sandbox: Workspace):
    s1, s2 = segment("s1", attribute("plan", "pro")), segment("s2", [{"segment": "s1"}, attribute("vip", True)])
    await sandbox.define(s1, s2)
    deeper = segment("s1", [attribute("plan", "pro"), {"segment": "s3"}])
    answer = await sandbox.call(
        "PUT", "/v1/definitions", {"definitions": [deeper, segment("s3", attribute("x", 1))]}, status=422
    )
    assert {error["code"] for error in answer["errors"]} == {"nested_segment"}
    answer = await sandbox.call("DELETE", "/v1/definitions/segment/s1", status=409)
    assert answer["errors"][0]["code"] == "in_use"

    await sandbox.identify("7", vip=True)
    await sandbox.identify("7", plan="pro")
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"s1", "s2"}
    await sandbox.identify("7", plan="free")
    await sandbox.settle()
    assert await segments(sandbox, "7") == set()
    assert (await moves(sandbox, "7", "s2"), len(await moves(sandbox, "7", "s1"))) == (
        [(START, "entered"), (START, "left")],
        2,
    )


async def test_ppl_case_29_an_archived_segment_keeps_no_other_in_place(sandbox: Workspace):
    await sandbox.define(segment("s1", attribute("plan", "pro")), segment("s2", {"segment": "s1"}))
    await sandbox.identify("7", plan="pro")
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"s1", "s2"}
    assert (await sandbox.call("DELETE", "/v1/definitions/segment/s1", status=409))["errors"][0]["code"] == "in_use"
    await sandbox.call("POST", "/v1/segments/s2/archive")
    await sandbox.settle()
    await sandbox.call("DELETE", "/v1/definitions/segment/s1", status=204)


async def test_ppl_case_29_only_not_in_is_no_trigger(sandbox: Workspace):
    outside = {"segment": {"key": "s", "inverse": True}}
    documents = [
        segment("s", attribute("plan", "pro")),
        campaign("match", on_match(outside), "mail", {"mail": email("x")}),
    ]
    answer = await sandbox.call("PUT", "/v1/definitions", {"definitions": documents}, status=422)
    assert [error["code"] for error in answer["errors"]] == ["no_positive_condition"]


async def test_ppl_case_29_not_in_is_true_of_whoever_never_was(sandbox: Workspace):
    blocks = {"mail": email("To {{ customer.id }}", conditions={"segment": {"key": "staff", "inverse": True}})}
    await sandbox.define(
        segment("staff", attribute("staff", True)),
        segment("outside", {"segment": {"key": "staff", "inverse": True}}),
        campaign("news", on_event("order"), "mail", blocks, filters={"segment": {"key": "staff", "inverse": True}}),
    )
    await sandbox.start("news")
    for name in ("ann", "bob"):
        await sandbox.identify(name, email=f"{name}@example.com", staff=name == "bob")
        await sandbox.track(name, "order")
    await sandbox.settle()
    assert await members(sandbox, "outside", ["ann", "bob"]) == ["ann"]
    assert await mails(sandbox) == [(START, "To ann")]


async def test_ppl_case_31_an_edit_is_not_retroactive(sandbox: Workspace):
    await sandbox.define(
        segment("s", attribute("plan", "pro")),
        campaign("match", on_match({"segment": "s"}), "mail", {"mail": email("To {{ customer.id }}")}),
    )
    await sandbox.start("match")
    await sandbox.identify("bob", email="bob@example.com", plan="team")
    await sandbox.settle()
    await sandbox.define(segment("s", attribute("plan", ["pro", "team"], "in")))
    assert await segments(sandbox, "bob") == {"s"}
    await sandbox.identify("bob", city="Rome")
    await sandbox.identify("cat", email="cat@example.com", plan="team")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "To cat")]
    await sandbox.identify("bob", plan="free")
    await sandbox.identify("bob", plan="team")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "To cat"), (START, "To bob")]


async def test_ppl_41_a_new_segment_takes_in_who_is_there_and_starts_nobody(sandbox: Workspace):
    for number in range(5):
        await sandbox.identify(str(number), plan="pro" if number % 2 else "free")
    await sandbox.settle()
    answer = await sandbox.call(
        "PUT", "/v1/definitions/segment/pros", segment("pros", attribute("plan", "pro")), status=201
    )
    assert answer["status"]["state"] == "building"
    await sandbox.settle()
    assert (await sandbox.get("/v1/definitions/segment/pros"))["status"]["state"] == "ready"
    assert await members(sandbox, "pros", ["0", "1", "2", "3", "4"]) == ["1", "3"]


async def test_ppl_35_conditions_on_events(sandbox: Workspace):
    await sandbox.track("7", "Purchase", {"price": 25, "item": "hat"})
    await sandbox.track("7", "purchase", {"price": 5, "item": "scarf"}, timestamp=START - 40 * DAY)
    await sandbox.track("7", "seek")
    where = [{"field": "price", "operator": "gt", "value": 20}, {"field": "item", "value": "scarf"}]
    cases = {
        "once": {"performed": {"event": " PURCHASE "}},
        "twice": {"performed": {"event": "purchase", "times": {"exactly": 2}}},
        "recent-twice": {"performed": {"event": "purchase", "times": {"at_least": 2}, "within": "P30D"}},
        "same-event": {"performed": {"event": "purchase", "where": where}},
        "dear": {"performed": {"event": "purchase", "where": where[0]}},
        "pattern": {"performed": {"event": "pur*"}},
        "either": {"performed": {"event": "hide|seek"}},
        "between": {
            "performed": {"event": "purchase", "between": [START - 50 * DAY, START - 30 * DAY], "times": {"exactly": 1}}
        },
        "not-either": {"performed": {"event": "hide|seek", "inverse": True}},
        "at-most": {"performed": {"event": "purchase", "times": {"at_most": 1}}},
    }
    assert await matching(sandbox, cases) == {"once", "twice", "dear", "pattern", "either", "between"}


async def test_ppl_41_two_flips_at_one_instant_in_one_campaign(sandbox: Workspace):
    trigger = [attribute("start", {"ago": "P1D"}, "before"), attribute("end", {"ago": "P1D"}, "after")]
    await sandbox.define(campaign("match", on_match(trigger), "mail", {"mail": email("To {{ customer.id }}")}))
    await sandbox.start("match")
    for name, end in (("ann", START + 2 * DAY), ("bob", START + 1)):
        await sandbox.identify(name, email=f"{name}@example.com", start=START, end=end)
    await sandbox.settle()
    report = await sandbox.advance("P10D")
    assert await mails(sandbox) == [(START + DAY + 1, "To ann")]
    assert report["steps"][0]["at"] == START + DAY + 1
    assert [journey["customer_identifiers"]["id"] for journey in await sandbox.journeys()] == ["ann"]
