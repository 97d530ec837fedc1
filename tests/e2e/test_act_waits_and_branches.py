"""Waits, branches, exits and changes of the person: which way people go, and when (ACT-09 to ACT-12, ACT-16, ACT-24)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.support.live import START, Workspace, campaign, email, on_event
from tests.support.moments import (
    attribute,
    attributes,
    delay,
    ended,
    mails,
    only_journey,
    segment,
    standing,
    subjects,
    utc,
    walked,
)

HOUR = 3_600
DAY = 86_400
S = segment("s", attribute("in_s", "yes"))


def holding(*paths: dict[str, Any], join: str | None = "mail", **blocks: Any) -> dict[str, Any]:
    """Blocks: a wait with these paths, and a mail where they join."""
    return {
        "hold": {"type": "wait_until", "paths": list(paths), **({} if join is None else {"join": join})},
        "mail": email("Released"),
        **blocks,
    }


async def hold(workspace: Workspace, *paths: dict[str, Any], data: dict[str, Any] | None = None, **person: Any) -> None:
    """Somebody arriving at such a wait."""
    await workspace.define(S, campaign("hold", on_event("order"), "hold", holding(*paths)))
    await workspace.start("hold")
    await workspace.identify("7", email="ann@example.com", **person)
    await workspace.track("7", "order", data or {})
    await workspace.settle()


async def path_taken(workspace: Workspace) -> tuple[str | None, int | None, int | None]:
    """Path and number of the wait's step, and when it was left."""
    step = (await only_journey(workspace))["steps"][0]
    return step["path"], step["branch_index"], step["left_at"]


@pytest.mark.parametrize("inverse", [False, True])
async def test_act_case_09_whoever_matches_on_arrival_does_not_wait(sandbox: Workspace, inverse: bool):
    path = {"key": "ready", "conditions": {"segment": {"key": "s", "inverse": inverse}}}
    await hold(sandbox, path, **({} if inverse else {"in_s": "yes"}))
    assert await mails(sandbox) == [(START, "Released")]
    assert await path_taken(sandbox) == ("ready", 0, START)


async def test_act_case_09_a_wait_for_leaving_a_segment(sandbox: Workspace):
    await hold(sandbox, {"key": "out", "conditions": {"segment": {"key": "s", "inverse": True}}}, in_s="yes")
    assert standing(await only_journey(sandbox)) == ("hold", START, None)
    await sandbox.advance("P30D")
    assert await mails(sandbox) == []
    await sandbox.identify("7", in_s="no")
    await sandbox.settle()
    assert await mails(sandbox) == [(START + 30 * DAY, "Released")]
    assert await path_taken(sandbox) == ("out", 0, START + 30 * DAY)


async def test_act_case_11_of_several_paths_the_first_in_order_wins(sandbox: Workspace):
    vip = segment("vip", attribute("vip", True))
    await sandbox.define(vip)
    paths = [{"key": "pro", "conditions": attribute("plan", "pro")}, {"key": "vip", "conditions": {"segment": "vip"}}]
    await hold(sandbox, *paths)
    await sandbox.identify("7", plan="pro", vip=True)
    await sandbox.settle()
    assert await path_taken(sandbox) == ("pro", 0, START)


async def test_act_09_a_path_once_true_stays_taken(sandbox: Workspace):
    await hold(sandbox, {"key": "pro", "conditions": attribute("plan", "pro")})
    await sandbox.identify("7", plan="pro")
    await sandbox.identify("7", plan="free")
    await sandbox.settle()
    assert await path_taken(sandbox) == ("pro", 0, START)
    assert await mails(sandbox) == [(START, "Released")]


async def test_act_09_conditions_within_a_path_are_all_needed(sandbox: Workspace):
    await hold(sandbox, {"key": "both", "conditions": [attribute("plan", "pro"), {"segment": "s"}]})
    await sandbox.identify("7", plan="pro")
    await sandbox.settle()
    assert standing(await only_journey(sandbox)) == ("hold", START, None)
    await sandbox.identify("7", in_s="yes")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "Released")]


async def test_act_09_a_relative_date_is_met_by_the_clock(sandbox: Workspace):
    soon = attribute("starts", {"from_now": "P1D"}, "before")
    await hold(
        sandbox, {"key": "soon", "conditions": soon}, {"key": "late", "max_time": "P30D"}, starts=START + 3 * DAY
    )
    assert standing(await only_journey(sandbox)) == ("hold", START, START + 2 * DAY + 1)
    await sandbox.advance("P5D")
    assert await mails(sandbox) == [(START + 2 * DAY + 1, "Released")]


async def test_act_11_the_longest_wait(sandbox: Workspace):
    await hold(sandbox, {"key": "pro", "conditions": attribute("plan", "pro")}, {"key": "late", "max_time": "P1D"})
    assert standing(await only_journey(sandbox)) == ("hold", START, START + DAY)
    await sandbox.advance("P2D")
    assert await mails(sandbox) == [(START + DAY, "Released")]
    assert await path_taken(sandbox) == ("late", 1, START + DAY)


@pytest.mark.parametrize(
    ("appointment", "leaves"),
    [("2026-06-14T12:00:00Z", "2026-06-13T12:00"), (1_781_956_800, "2026-06-18T12:00")],
)
async def test_act_case_13_the_time_of_the_event(begin: Begin, appointment: Any, leaves: str):
    workspace = await begin("2026-06-13T12:00")
    due = {"key": "due", "event_time": {"field": "appointment_time", "before": "P2D"}}
    await hold(workspace, due, data={"appointment_time": appointment})
    await workspace.advance("P30D")
    assert await mails(workspace) == [(utc(leaves), "Released")]
    assert await path_taken(workspace) == ("due", 0, utc(leaves))


@pytest.mark.parametrize("instant", [1_654_352_674, "2022-06-04T10:24:34-0400", "2022-06-04T14:24:34"])
async def test_act_case_14_the_spellings_of_an_instant(begin: Begin, instant: Any):
    workspace = await begin("2022-06-01T00:00")
    await hold(workspace, {"key": "due", "event_time": {"field": "at"}}, data={"at": instant})
    assert standing(await only_journey(workspace)) == ("hold", utc("2022-06-01T00:00"), 1_654_352_674)


@pytest.mark.parametrize("data", [{"at": "tomorrow"}, {}, {"at": 1_654_352_674_000}, {"at": ["2026-06-14"]}])
async def test_act_case_14_what_names_no_instant_never_comes(sandbox: Workspace, data: dict[str, Any]):
    await hold(
        sandbox,
        {"key": "pro", "conditions": attribute("plan", "pro")},
        {"key": "due", "event_time": {"field": "at"}},
        data=data,
    )
    journey = await only_journey(sandbox)
    assert standing(journey) == ("hold", START, None)
    assert journey["position"]["stuck"] is False
    await sandbox.advance("P365D")
    assert await mails(sandbox) == []
    await sandbox.identify("7", plan="pro")
    await sandbox.settle()
    assert await path_taken(sandbox) == ("pro", 0, START + 365 * DAY)


async def test_act_11_a_wait_that_nothing_can_end_is_called_stuck(sandbox: Workspace):
    await hold(sandbox, {"key": "due", "event_time": {"field": "at"}}, data={"at": "tomorrow"})
    assert (await only_journey(sandbox))["position"]["stuck"] is True


async def test_act_case_15_a_wait_compares_with_the_event_that_triggered(sandbox: Workspace):
    where = {"field": "appointment_id", "value": {"from": "event.appointment_id"}}
    cancelled = {"performed": {"event": "cancelled_appointment", "since": "wait_start", "where": where}}
    blocks = holding({"key": "cancelled", "conditions": cancelled})
    blocks["mail"] = email("Cancelled {{ event.appointment_id }} {{ event.why }}")
    await sandbox.define(campaign("hold", on_event("made_appointment"), "hold", blocks))
    await sandbox.start("hold")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "cancelled_appointment", {"appointment_id": 77})
    await sandbox.track("7", "made_appointment", {"appointment_id": 77, "why": "checkup"})
    await sandbox.settle()
    await sandbox.track("7", "cancelled_appointment", {"appointment_id": 78, "why": "ill"})
    await sandbox.settle()
    assert standing(await only_journey(sandbox)) == ("hold", START, None)
    await sandbox.track("7", "cancelled_appointment", {"appointment_id": 77, "why": "ill"})
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "Cancelled 77 checkup")]


@pytest.mark.parametrize(
    ("since", "timestamp", "released"),
    [
        ("trigger", None, True),
        ("trigger", START - 60, False),
        ("wait_start", START - 60, False),
        ("ever", START - 60, True),
    ],
)
async def test_act_10_since_when_an_event_counts(sandbox: Workspace, since: str, timestamp: int | None, released: bool):
    await hold(sandbox, {"key": "done", "conditions": {"performed": {"event": "purchase", "since": since}}})
    await sandbox.track("7", "purchase", **({} if timestamp is None else {"timestamp": timestamp}))
    await sandbox.settle()
    assert await mails(sandbox) == ([(START, "Released")] if released else [])


async def test_act_09_the_triggering_event_itself_satisfies_only_ever(sandbox: Workspace):
    again = {"performed": {"event": "order", "since": "trigger"}}
    twice = {"performed": {"event": "order", "times": {"at_least": 2}}}
    ever = {"performed": {"event": "order"}}
    blocks = {
        "hold": {
            "type": "wait_until",
            "paths": [
                {"key": "again", "conditions": again},
                {"key": "twice", "conditions": twice},
                {"key": "ever", "conditions": ever},
            ],
        }
    }
    await sandbox.define(campaign("hold", on_event("order"), "hold", blocks))
    await sandbox.start("hold")
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert await path_taken(sandbox) == ("ever", 2, START)


async def test_act_case_18_true_and_false(sandbox: Workspace):
    def branch(conditions: Any) -> dict[str, Any]:
        chosen = {} if conditions is None else {"conditions": conditions}
        return {
            "ask": {"type": "true_false", "then": "yes", "else": "no", **chosen},
            "yes": {"type": "update_person", "set": {"went": "then"}},
            "no": {"type": "exit", "name": "Not for you"},
        }

    both = [attribute("plan", "pro"), {"segment": "s"}]
    await sandbox.define(
        S,
        campaign("none", on_event("order"), "ask", branch(None)),
        campaign("both", on_event("order"), "ask", branch(both)),
    )
    await sandbox.start("none")
    await sandbox.start("both")
    await sandbox.identify("one", plan="pro")
    await sandbox.identify("two", plan="pro", in_s="yes")
    for name in ("one", "two"):
        await sandbox.track(name, "order")
    await sandbox.settle()
    went = {}
    for journey in await sandbox.journeys():
        whole = await sandbox.journey(journey["id"])
        step = whole["steps"][0]
        went[whole["campaign"], whole["customer_identifiers"]["id"]] = (
            step["path"],
            step["branch_index"],
            whole["reason"],
        )
    assert went == {
        ("none", "one"): ("else", 1, "exit_block"),
        ("none", "two"): ("else", 1, "exit_block"),
        ("both", "one"): ("else", 1, "exit_block"),
        ("both", "two"): ("then", 0, "completed"),
    }


async def test_act_12_or_has_no_place_in_a_true_false_branch(sandbox: Workspace):
    blocks = {
        "ask": {"type": "true_false", "conditions": {"or": [attribute("a", 1), attribute("b", 2)]}, "then": "mail"},
        "mail": email("x"),
    }
    document = campaign("both", on_event("order"), "ask", blocks)
    answer = await sandbox.call("PUT", "/v1/definitions/campaign/both", document, status=422)
    assert [(error["code"], error["pointer"]) for error in answer["errors"]] == [
        ("or_not_allowed", "/workflow/blocks/ask/conditions")
    ]


@pytest.mark.parametrize(
    ("operator", "value", "text", "matches"),
    [
        ("contains", "s*n", "sink", True),
        ("contains", "s*n", "sun", True),
        ("contains", "s*n", "lesson", True),
        ("contains", "s*n", "cat", False),
        ("contains", "person+gmail", "person2@gmail.com", True),
        ("contains", "person+gmail", "person@yahoo.com", False),
        ("eq", "s*n", "sun", False),
        ("eq", "s*n", "S*N", True),
        ("contains", r"\+1", "dial +1 now", True),
        ("contains", r"\+1", "dial 1 now", False),
        ("contains", "si*", "reside", True),
    ],
)
async def test_act_case_23_wildcards(sandbox: Workspace, operator: str, value: str, text: str, matches: bool):
    blocks = {
        "ask": {"type": "true_false", "conditions": attribute("text", value, operator), "then": "mail"},
        "mail": email("Matched"),
    }
    await sandbox.define(campaign("wild", on_event("order"), "ask", blocks))
    await sandbox.start("wild")
    await sandbox.identify("7", email="ann@example.com", text=text)
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert await subjects(sandbox) == (["Matched"] if matches else [])


async def test_act_16_an_exit_block_ends_a_path_and_the_rest_joins(sandbox: Workspace):
    blocks = {
        "ask": {
            "type": "true_false",
            "conditions": attribute("plan", "pro"),
            "then": "thank",
            "else": "stop",
            "join": "pause",
        },
        "thank": email("Thanks"),
        "stop": {"type": "exit"},
        "pause": delay("PT1H", "more"),
        "more": email("More"),
    }
    await sandbox.define(campaign("paths", on_event("order"), "ask", blocks))
    await sandbox.start("paths")
    for name, plan in (("pro", "pro"), ("free", "free")):
        await sandbox.identify(name, email=f"{name}@example.com", plan=plan)
        await sandbox.track(name, "order")
    await sandbox.advance("PT1H")
    (pro,), (free,) = [await sandbox.journeys(customer=name) for name in ("pro", "free")]
    assert ended(pro) == ("finished", "completed", START + HOUR)
    assert ended(free) == ("finished", "exit_block", START)
    assert free["explanation"] == "Reached the exit block 'stop'."
    assert await sandbox.steps(pro["id"]) == [
        ("ask", "branched"),
        ("thank", "done"),
        ("pause", "done"),
        ("more", "done"),
    ]
    assert await mails(sandbox) == [(START, "Thanks"), (START + HOUR, "More")]


async def test_act_24_all_values_come_from_the_state_before_the_block(sandbox: Workspace):
    blocks = {
        "tidy": {
            "type": "update_person",
            "set": {
                "first_name": {"from": "customer.frist_name"},
                "address.city": "Rome",
                "visits": {"liquid": "{{ customer.visits | plus: 1 }}"},
                "before": {"from": "customer.visits"},
                "total": {"from": "event.total"},
                "shape": {"static": {"a": [1, 2]}},
            },
            "remove": ["frist_name"],
            "next": "mail",
        },
        "mail": email(
            "{{ customer.first_name }} {{ customer.visits }} {{ customer.address.city }} {{ customer.address.zip }}"
        ),
    }
    await sandbox.define(campaign("tidy", on_event("order"), "tidy", blocks))
    await sandbox.start("tidy")
    await sandbox.identify("7", email="ann@example.com", frist_name="Ann", visits=3, address={"zip": "00100"})
    await sandbox.track("7", "order", {"total": 12.5})
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "Ann 4 Rome 00100")]
    found = await attributes(sandbox, "7")
    assert "frist_name" not in found
    assert (found["visits"], found["before"], found["total"]) == ("4", "3", "12.5")
    assert found["shape"].replace(" ", "") == '{"a":[1,2]}'


async def test_act_24_what_a_block_writes_starts_and_ends_other_journeys(sandbox: Workspace):
    blocks = {"mark": {"type": "update_person", "set": {"plan": "pro"}}}
    other = holding({"key": "pro", "conditions": attribute("plan", "pro")})
    await sandbox.define(
        campaign("mark", on_event("order"), "mark", blocks),
        campaign("hold", on_event("visit"), "hold", other),
        campaign(
            "match", {"type": "segment", "conditions": attribute("plan", "pro")}, "mail", {"mail": email("Matched")}
        ),
    )
    for key in ("mark", "hold", "match"):
        await sandbox.start(key)
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "visit")
    await sandbox.settle()
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert sorted(await mails(sandbox)) == [(START, "Matched"), (START, "Released")]


async def test_act_24_another_person_is_created(sandbox: Workspace):
    target = {"email": {"from": "event.invited"}}
    blocks = {"invite": {"type": "update_person", "target": target, "set": {"invited_by": {"from": "customer.id"}}}}
    await sandbox.define(campaign("invite", on_event("invited"), "invite", blocks))
    await sandbox.start("invite")
    await sandbox.track("7", "invited", {"invited": "New@Example.com"})
    await sandbox.track("8", "invited", {"invited": "nobody"})
    await sandbox.settle()
    (person,) = (await sandbox.get("/v1/customers", email="new@example.com"))["results"]
    assert person["id"] is None
    found = await attributes(sandbox, "new@example.com", id_type="email")
    assert found["invited_by"] == "7"
    done, failed = [await sandbox.journey(journey["id"]) for journey in await sandbox.journeys()]
    assert (walked(done), walked(failed)) == ([("invite", "done")], [("invite", "failed")])
    assert failed["state"] == "finished"
