from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from domain.conditions import (
    Condition,
    EventMatch,
    Keys,
    Where,
    evaluate,
    evaluate_where,
    keys_of,
    parse_condition,
    segment_refs,
)
from domain.facts import EventFact, Facts
from domain.values import from_unix

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def person(attributes: Any = None, events: Any = (), age_start: Any = NOW - 100 * DAY, **more: Any) -> Facts:
    return Facts(attributes=attributes or {}, age_start=age_start, events=events, **more)


def holds(condition: Any, facts: Facts, now: Any = NOW) -> bool:
    return evaluate(parse_condition(condition), facts, now).matched


def attribute(field: Any, operator: str | None = None, value: Any = None, *, inverse: Any = False) -> dict[str, Any]:
    body = {"field": field}
    if operator:
        body["operator"] = operator
    if value is not None:
        body["value"] = value
    if inverse:
        body["inverse"] = True
    return {"attribute": body}


def flip_of(condition: Any, facts: Facts, now: Any = NOW) -> datetime | None:
    return evaluate(parse_condition(condition), facts, now).flips_at


# ---------------------------------------------------------------- acceptance cases


def test_ppl_case_10_null_and_empty_do_not_exist() -> None:
    assert not holds(attribute("plan"), person({"plan": ""}))
    assert not holds(attribute("plan"), person({"plan": None}))
    assert not holds(attribute("plan"), person())


def test_ppl_case_14_event_names_ignore_case_and_space() -> None:
    assert holds({"performed": {"event": "sign_up"}}, person(events=[EventFact("Sign_Up", NOW, 1, {})]))


def test_ppl_case_18_is_a_timestamp() -> None:
    assert holds(attribute("v", "is_timestamp"), person({"v": 1461866400}))
    for value in (1461866400000, "2016-04-28T18:00:00Z", -5, 99999999):
        assert not holds(attribute("v", "is_timestamp"), person({"v": value}))


def test_ppl_case_19_reminder() -> None:
    due = int(NOW.timestamp())
    reminder = attribute("next_payment_date", "before", {"from_now": "P7D"})
    facts = person({"next_payment_date": due})
    out = evaluate(parse_condition(reminder), facts, NOW - 7 * DAY - timedelta(seconds=1))
    assert not out.matched
    assert out.flips_at == NOW - 7 * DAY + timedelta(seconds=1)
    assert holds(reminder, facts, out.flips_at)
    assert holds(reminder, facts, NOW + 30 * DAY)
    moved = person({"next_payment_date": due + 30 * 86400})
    assert not holds(reminder, moved, NOW)
    assert flip_of(reminder, moved, NOW) == NOW + 23 * DAY + timedelta(seconds=1)


def test_ppl_case_21_between_inclusive() -> None:
    between = attribute("v", "between", [1575158400, 1577750400])
    inside = [holds(between, person({"v": v})) for v in (1575158400, 1577750400, 1577750401, 1575158399)]
    assert inside == [True, True, False, False]


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("[]", "eq", "toronto", True),
        ("[]", "eq", "Toro", False),
        ("[]", "contains", "Toro", True),
        ("[0]", "contains", "Toronto", False),
        ("", "contains", "Toronto", True),
        ("", "eq", "Toronto", False),
    ],
)
def test_ppl_case_22_arrays(path: str, operator: str, value: Any, expected: Any) -> None:
    facts = person({"shopper_history": {"stores_visited": ["Winnipeg", "Toronto", "Vancouver"]}})
    assert holds(attribute(f"shopper_history.stores_visited{path}", operator, value), facts) is expected
    assert (
        holds(attribute(f"shopper_history.stores_visited{path}", operator, value, inverse=True), facts) is not expected
    )


def test_ppl_case_23_nested() -> None:
    coupons = [{"coupon_code": "AXXXXX"}, {"coupon_code": "BXXXXX"}]
    facts = person({"purchases": [{"coupons_applied": coupons}, {"name": "Mouse"}]})
    assert holds(attribute("purchases[].coupons_applied[].coupon_code", "eq", "BXXXXX"), facts)
    assert holds(attribute("purchases[]", "eq", "BXXXXX"), facts)
    assert holds(attribute("purchases[].name", "eq", "Mouse"), facts)
    assert holds(attribute("purchases?.name", "eq", "Mouse"), facts)
    assert holds(attribute("purchases?.name", "eq", "Mouse"), person({"purchases": {"name": "Mouse"}}))


def test_ppl_case_25_missing_and_negative() -> None:
    assert holds(attribute("email_verified", "eq", True, inverse=True), person())
    assert not holds(attribute("email_verified", "eq", True), person())
    assert not holds(attribute("score", "lt", 95), person())


def test_ppl_case_26_count_window() -> None:
    views = [EventFact("view", NOW + n * DAY, n, {}) for n in range(5)]
    condition = {"performed": {"event": "view", "times": {"at_least": 5}, "within": "P7D"}}
    assert not holds(condition, person(events=views[:4]), NOW + 3 * DAY)
    assert holds(condition, person(events=views), NOW + 4 * DAY)
    assert flip_of(condition, person(events=views), NOW + 4 * DAY) == NOW + 7 * DAY
    assert not holds(condition, person(events=views), NOW + 7 * DAY)


def test_ppl_case_27_negative_window_age() -> None:
    condition = {"performed": {"event": "purchase", "within": "P7D", "inverse": True}}
    new = person(age_start=NOW)
    assert not holds(condition, new, NOW + 6 * DAY)
    assert flip_of(condition, new, NOW + 6 * DAY) == NOW + 7 * DAY
    assert holds(condition, new, NOW + 7 * DAY)
    aged = person(age_start=NOW - 10 * DAY, events=[EventFact("other", NOW - 10 * DAY, 1, {})])
    assert holds(condition, aged)
    bought = person(age_start=NOW, events=[EventFact("purchase", NOW + 8 * DAY, 2, {})])
    assert not holds(condition, bought, NOW + 8 * DAY)
    assert flip_of(condition, bought, NOW + 8 * DAY) == NOW + 15 * DAY
    assert holds(condition, bought, NOW + 15 * DAY)
    assert holds({"performed": {"event": "purchase", "inverse": True}}, new)


def test_ppl_case_29_a_never_member_is_not_in() -> None:
    assert holds({"segment": {"key": "s", "inverse": True}}, person(segment_ids={"s": 3}))
    assert holds({"not": {"segment": 3}}, person())


def test_act_case_22_history_counts_without_a_window() -> None:
    assert holds(
        {"performed": {"event": "purchase"}}, person(events=[EventFact("purchase", NOW - 3 * 365 * DAY, 1, {})])
    )


def test_act_case_23_pattern_characters() -> None:
    def contains(value: Any, pattern: str) -> bool:
        return holds(attribute("v", "contains", pattern), person({"v": value}))

    assert [contains(v, "s*n") for v in ("sink", "sun", "lesson", "cat")] == [True, True, True, False]
    assert contains("person2@gmail.com", "person+gmail")
    assert not contains("person@yahoo.com", "person+gmail")
    assert not holds(attribute("v", "eq", "s*n"), person({"v": "sun"}))
    assert contains("call +1 555", r"\+1")
    assert not contains("call 1 555", r"\+1")


def test_cmp_37_only_after_lets_people_leave_by_clock() -> None:
    facts = person({"ts": int(NOW.timestamp())})
    leaves = {}
    for operator in ("before", "after"):
        for word in ("ago", "from_now"):
            condition = attribute("ts", operator, {word: "P1D"})
            states = [holds(condition, facts, NOW + n * DAY) for n in range(-3, 4)]
            leaves[operator, word] = any(now and not later for now, later in itertools.pairwise(states))
    assert leaves == {
        ("before", "ago"): False,
        ("before", "from_now"): False,
        ("after", "ago"): True,
        ("after", "from_now"): True,
    }


# ---------------------------------------------------------------- wire forms


class Model(BaseModel):
    conditions: Condition
    where: Where | None = None


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ({"attribute": {"field": "a"}}, {"attribute": {"field": "a", "operator": "exists"}}),
        ({"attribute": {"field": "a", "value": 1}}, {"attribute": {"field": "a", "operator": "eq", "value": 1}}),
        (
            {"attribute": {"field": "a", "value": False}},
            {"attribute": {"field": "a", "operator": "eq", "value": False}},
        ),
        ([{"segment": "s"}], {"segment": {"key": "s"}}),
        (
            [{"segment": 1}, {"segment": {"id": 2, "inverse": True}}],
            {"and": [{"segment": {"id": 1}}, {"segment": {"id": 2, "inverse": True}}]},
        ),
        ({"and": [{"segment": 1}]}, {"and": [{"segment": {"id": 1}}]}),
        ({"not": {"or": [{"segment": 1}]}}, {"not": {"or": [{"segment": {"id": 1}}]}}),
        ({"segment": {"key": "s", "inverse": False}}, {"segment": {"key": "s"}}),
        (
            {"performed": {"event": "e", "since": "ever", "inverse": False, "within": 60, "where": [{"field": "a"}]}},
            {"performed": {"event": "e", "within": 60, "where": {"field": "a", "operator": "exists"}}},
        ),
        (
            {"performed": {"page": "p", "between": [1, 2], "times": {"exactly": 0}, "since": "trigger"}},
            {"performed": {"page": "p", "between": [1, 2], "times": {"exactly": 0}, "since": "trigger"}},
        ),
        (
            {"attribute": {"field": "a", "operator": "between", "value": [{"ago": "P1D"}, {"from": "customer.b"}]}},
            {"attribute": {"field": "a", "operator": "between", "value": [{"ago": "P1D"}, {"from": "customer.b"}]}},
        ),
        (
            {"attribute": {"field": "a", "operator": "in", "value": ["x", 1, True], "inverse": True}},
            {"attribute": {"field": "a", "operator": "in", "value": ["x", 1, True], "inverse": True}},
        ),
        (
            {"event": {"field": "a", "value": {"from": "journey.b"}}},
            {"event": {"field": "a", "operator": "eq", "value": {"from": "journey.b"}}},
        ),
    ],
)
def test_every_form_becomes_canonical_and_stays(raw: Any, canonical: Any) -> None:
    model = Model.model_validate({"conditions": raw})
    assert model.model_dump()["conditions"] == canonical
    assert model.model_dump(mode="json", by_alias=True)["conditions"] == canonical
    assert Model.model_validate_json(model.model_dump_json()) == model
    assert model.conditions.dump() == canonical


@pytest.mark.parametrize(
    ("raw", "errors"),
    [
        (1, [("type", ())]),
        ([], [("length", ())]),
        ({}, [("type", ())]),
        ({"and": []}, [("length", ("and",))]),
        ({"or": {"segment": 1}}, [("type", ("or",))]),
        ({"and": [{"segment": 1}], "or": [{"segment": 1}]}, [("type", ())]),
        ({"not": [{"segment": 1}]}, [("type", ("not",))]),
        ({"and": [[{"segment": 1}]]}, [("type", ("and", 0))]),
        ({"sms_opt_out": {"sender": "main"}}, [("enum", ("sms_opt_out",))]),
        ({"message": {"status": "sent"}}, [("required", ("message", "channel"))]),
        ({"message": {"channel": "email"}}, [("missing", ("message", "status"))]),
        (
            {"message": {"channel": "pigeon", "status": "read"}},
            [("literal_error", ("message", "channel")), ("literal_error", ("message", "status"))],
        ),
        ({"device": {"where": {}}}, [("missing", ("device", "where", "field"))]),
        ({"device": {"platform": "ios"}}, [("extra_forbidden", ("device", "platform"))]),
        ({"device": []}, [("model_type", ("device",))]),
        ({"related": {}}, [("missing", ("related", "to"))]),
        ({"related": {"to": "account", "object": []}}, [("length", ("related", "object"))]),
        ({"attribute": {"field": "a"}, "segment": "s"}, [("type", ())]),
        ({"attribute": {"field": "a"}, "x": 1}, [("unknown_field", ("x",))]),
        ({"attribute": "plan"}, [("type", ("attribute",))]),
        ({"attribute": {}}, [("missing", ("attribute", "field"))]),
        ({"attribute": {"field": ""}}, [("string_too_short", ("attribute", "field"))]),
        ({"attribute": {"field": "a", "operator": "matches", "value": 1}}, [("enum", ("attribute", "operator"))]),
        ({"attribute": {"field": "a", "operator": ["eq"], "value": 1}}, [("enum", ("attribute", "operator"))]),
        ({"attribute": {"field": "a", "operator": "eq"}}, [("missing", ("attribute", "value"))]),
        (
            {"attribute": {"field": "a", "operator": "exists", "value": "x"}},
            [("extra_forbidden", ("attribute", "value"))],
        ),
        ({"attribute": {"field": "a", "value": ""}}, [("length", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "value": None}}, [("type", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "value": [1]}}, [("type", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "value": {"form": "x"}}}, [("type", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "value": {"from": "nowhere.x"}}}, [("format", ("attribute", "value", "from"))]),
        ({"attribute": {"field": "a", "operator": "gt", "value": "cheap"}}, [("format", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "gt", "value": True}}, [("type", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "in", "value": []}}, [("length", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "in", "value": [1] * 101}}, [("length", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "in", "value": "x"}}, [("type", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "contains", "value": 5}}, [("type", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "contains", "value": ""}}, [("length", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "contains", "value": "+|"}}, [("length", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "in", "value": ["x", ""]}}, [("length", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "gt", "value": ""}}, [("format", ("attribute", "value"))]),
        (
            {"attribute": {"field": "a", "operator": "before", "value": {"ago": "P1M"}}},
            [("format", ("attribute", "value"))],
        ),
        ({"attribute": {"field": "a", "operator": "before", "value": "yesterday"}}, [("type", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "before", "value": -1}}, [("range", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "operator": "between", "value": [1]}}, [("length", ("attribute", "value"))]),
        ({"attribute": {"field": "a", "inverse": "yes"}}, [("bool_type", ("attribute", "inverse"))]),
        ({"segment": "No Key"}, [("format", ("segment",))]),
        ({"segment": 0}, [("range", ("segment",))]),
        ({"segment": True}, [("type", ("segment",))]),
        ({"segment": {}}, [("required", ("segment",))]),
        ({"segment": {"id": 1, "key": "a"}}, [("type", ("segment",))]),
        ({"performed": {}}, [("required", ("performed",))]),
        ({"performed": {"event": "a", "page": "b"}}, [("type", ("performed",))]),
        ({"performed": {"event": "a", "within": 1, "between": [1, 2]}}, [("type", ("performed",))]),
        ({"performed": {"event": " | "}}, [("length", ("performed", "event"))]),
        ({"performed": {"event": "a" * 101}}, [("string_too_long", ("performed", "event"))]),
        ({"performed": {"event": "a", "times": {"at_least": 0}}}, [("range", ("performed", "times", "at_least"))]),
        ({"performed": {"event": "a", "times": {"at_least": 1, "at_most": 2}}}, [("length", ("performed", "times"))]),
        ({"performed": {"event": "a", "times": {"often": 1}}}, [("unknown_field", ("performed", "times", "often"))]),
        ({"performed": {"event": "a", "since": "birth"}}, [("literal_error", ("performed", "since"))]),
        (
            {"performed": {"event": "a", "where": {"field": "x", "operator": "q"}}},
            [("enum", ("performed", "where", "operator"))],
        ),
        (
            {"or": [{"attribute": {"field": "a", "value": ""}}, {"segment": 1}, {"not": {"attribute": {"value": 1}}}]},
            [("length", ("or", 0, "attribute", "value")), ("missing", ("or", 2, "not", "attribute", "field"))],
        ),
    ],
)
def test_each_wrong_part_is_one_error_at_its_place(raw: Any, errors: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Model.model_validate({"conditions": raw})
    assert [(e["type"], e["loc"]) for e in refused.value.errors()] == [(t, ("conditions", *at)) for t, at in errors]


def test_the_message_lists_the_roots_that_are_known() -> None:
    with pytest.raises(ValidationError, match="attribute, segment, performed, message, device, related, journey"):
        parse_condition({"mood": {"field": "b", "value": "p"}})


def test_bottomless_nesting_is_refused_not_followed() -> None:
    raw: Any = {"segment": 1}
    for _ in range(5000):
        raw = {"and": [raw]}
    with pytest.raises(ValidationError) as refused:
        parse_condition(raw)
    assert [e["type"] for e in refused.value.errors()] == ["too_complex"]


def test_schemas_can_be_written() -> None:
    schema = Model.model_json_schema()
    assert "performed" in str(schema["properties"]["conditions"])


# ---------------------------------------------------------------- explanations, keys, references


def test_explanations_point_at_the_leaves_as_they_were_written() -> None:
    condition = parse_condition(
        [
            {"attribute": {"field": "plan", "value": "pro"}},
            {"or": [{"segment": "vip"}, {"performed": {"event": "buy"}}]},
        ]
    )
    facts = person({"plan": "free"}, [EventFact("buy", NOW, 1, {})])
    verdict = evaluate(condition, facts, NOW, explain=True)
    assert verdict.reason == "not met: attribute plan eq pro"
    assert [(r.pointer, r.result, r.actual) for r in verdict.leaves] == [
        ("/0/attribute", False, "free"),
        ("/1/or/0/segment", False, False),
        ("/1/or/1/performed", True, 1),
    ]
    assert evaluate(condition, facts, NOW).leaves == ()


def test_a_missing_value_is_named() -> None:
    verdict = evaluate(parse_condition(attribute("plan")), person(), NOW, explain=True)
    assert (verdict.leaves[0].actual, verdict.leaves[0].note) == (None, "plan is missing")


def test_an_age_that_is_lacking_is_named() -> None:
    condition = parse_condition({"performed": {"event": "buy", "within": 100, "inverse": True}})
    verdict = evaluate(condition, person(age_start=NOW - timedelta(seconds=40)), NOW, explain=True)
    assert verdict.leaves[0].note == "0 matching events; known for 40 s, 100 s are needed"


class Poisoned(dict[str, Any]):
    def __contains__(self, key: Any) -> bool:
        raise RuntimeError(key)


def test_a_failing_leaf_is_not_met_and_says_so() -> None:
    verdict = evaluate(parse_condition(attribute("a")), person(Poisoned(a=1)), NOW, explain=True)
    assert not verdict.matched
    assert verdict.leaves[0].note == "could not be evaluated (RuntimeError), so it is not met"


def test_keys_are_everything_a_condition_looks_at() -> None:
    condition = parse_condition(
        [
            {"attribute": {"field": "a.b", "operator": "before", "value": {"ago": 1}}},
            {"attribute": {"field": "c", "value": {"from": "customer.d[0]"}}},
            {"not": {"segment": "vip"}},
            {
                "or": [
                    {"segment": 3},
                    {"performed": {"event": "x|y", "where": {"field": "z", "value": {"from": "customer.e"}}}},
                ]
            },
            {"performed": {"page": "p*", "within": "P1D", "inverse": True}},
        ]
    )
    assert keys_of(condition) == Keys(
        attributes=frozenset({"a", "a.b", "c", "d", "d[0]", "e"}),
        events=(EventMatch("event", "x|y"), EventMatch("page", "p*")),
        segments=frozenset({"vip", 3}),
        clock=True,
        age=True,
    )
    assert [match.exact_names() for match in keys_of(condition).events] == [["x", "y"], None]
    assert segment_refs(condition) == [("/2/not/segment", "vip"), ("/3/or/0/segment", 3)]


def test_keys_know_what_touches_them() -> None:
    keys = keys_of(
        parse_condition(
            [{"attribute": {"field": "a.b"}}, {"segment": "vip"}, {"segment": 3}, {"performed": {"event": " Buy "}}]
        )
    )
    buy, page = EventFact("BUY", NOW, 1, {}), EventFact("buy", NOW, 1, {}, "page")
    assert keys.touched_by({"a"}, [], set(), {})
    assert keys.touched_by({"a.b"}, [], set(), {})
    assert not keys.touched_by({"b"}, [page], {4, 5}, {"vip": 6})
    assert keys.touched_by(set(), [page, buy], set(), {})
    assert keys.touched_by(set(), [], {3}, {})
    assert keys.touched_by(set(), [], {6}, {"vip": 6})
    assert not keys.clock
    assert not keys.touched_by(set(), [], set(), {}, aged=True)


def test_whatever_ages_a_person_touches_negative_windows() -> None:
    keys = keys_of(parse_condition({"performed": {"event": "buy", "within": 60, "inverse": True}}))
    other = EventFact("other", NOW, 1, {})
    assert keys.touched_by(set(), [other], set(), {})
    assert keys.touched_by(set(), [other], set(), {}, aged=True)
    assert not keys.touched_by(set(), [other], set(), {}, aged=False)


def test_wheres_look_at_one_record() -> None:
    where = Model.model_validate(
        {"conditions": {"segment": 1}, "where": {"or": [{"field": "a", "value": 1}, {"not": {"field": "b"}}]}}
    ).where
    assert where is not None
    assert evaluate_where(where, {"a": "1", "b": 2}, person(), NOW).matched
    assert evaluate_where(where, {}, person(), NOW).matched
    verdict = evaluate_where(where, {"b": 2}, person(), NOW)
    assert (verdict.matched, verdict.flips_at) == (False, None)
    assert verdict.reason == "not met: b exists"
    assert not evaluate_where(Where.parse({"field": "a"}), Poisoned(a=1), person(), NOW).matched
    assert where.dump() == {
        "or": [{"field": "a", "operator": "eq", "value": 1}, {"not": {"field": "b", "operator": "exists"}}]
    }


def test_no_flip_beyond_the_calendar() -> None:
    far = parse_condition(attribute("ts", "after", {"ago": "P36525D"}))
    assert evaluate(far, person({"ts": 99999999999}), NOW).flips_at == from_unix(99999999999 + 36525 * 86400)


def test_a_single_window_is_counted_once_whatever_the_order_of_events() -> None:
    events = [EventFact("view", NOW - n * DAY, n, {}) for n in (3, 0, 5, 1)]
    condition = {"performed": {"event": "view", "times": {"at_least": 3}, "within": "P4D"}}
    assert holds(condition, person(events=events))
    assert flip_of(condition, person(events=events)) == NOW + DAY
