"""Leaves on messages, devices and related objects: their shape, their canonical form, what they look at and say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain.condition_keys import DEVICES, RELATED, Keys, messages_that
from domain.conditions import Named, evaluate, parse_condition, references
from domain.facts import DeviceFact, Directory, Facts, Happening, MessageFact, Position, RelatedFact

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def faults(body: Any) -> list[tuple[str, tuple[str | int, ...]]]:
    with pytest.raises(ValidationError) as caught:
        parse_condition({"message": body})
    return [(e["type"], e["loc"][1:]) for e in caught.value.errors()]


def message(**body: Any) -> dict[str, Any]:
    return {"channel": "email", "status": "clicked", **body}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "sent"}, [("required", ("channel",))]),
        (message(status="sent", human_only=True), [("not_applicable", ("human_only",))]),
        (message(status="opened", link="x"), [("not_applicable", ("link",))]),
        (message(status="sent", link="x", response="y"), [("not_applicable", (w,)) for w in ("link", "response")]),
        (message(link="|"), [("length", ("link",))]),
        (message(link=""), [("string_too_short", ("link",))]),
        (message(response=" "), [("length", ("response",))]),
        (message(mode="was"), [("literal_error", ("mode",))]),
        (message(within="P1D", between=[1, 2]), [("type", ())]),
        (message(between=[1]), [("length", ("between",))]),
        (message(times={"at_least": 0}), [("range", ("times", "at_least"))]),
        (message(of={}), [("length", ("of",))]),
        (message(of={"campaign": "a", "broadcast": "b"}), [("type", ("of",))]),
        (message(of={"newsletter": "a", "block": "b"}), [("not_applicable", ("of", "block"))]),
        (message(of={"campaign": "No Key"}), [("format", ("of", "campaign"))]),
        (message(of={"segment": "a"}), [("extra_forbidden", ("of", "segment"))]),
    ],
)
def test_what_a_message_leaf_cannot_be(body: Any, expected: Any) -> None:
    assert faults(body) == expected


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ({"device": {"inverse": False}}, {"device": {}}),
        ({"device": {"where": [{"field": "a"}]}}, {"device": {"where": {"field": "a", "operator": "exists"}}}),
        (
            {"related": {"to": 2, "relationship": {"field": "a", "value": 1}, "inverse": True}},
            {"related": {"to": 2, "relationship": {"field": "a", "operator": "eq", "value": 1}, "inverse": True}},
        ),
        (
            {"message": {"of": {"campaign": "c", "block": "b"}, "status": "opened", "mode": "has_ever", "within": 60}},
            {"message": {"of": {"campaign": "c", "block": "b"}, "status": "opened", "within": 60}},
        ),
        (
            {"message": message(human_only=True, link="a*b", between=(1, 2), times={"exactly": 2}, inverse=True)},
            {"message": message(human_only=True, link="a*b", between=[1, 2], times={"exactly": 2}, inverse=True)},
        ),
    ],
)
def test_the_canonical_form(raw: Any, canonical: Any) -> None:
    condition = parse_condition(raw)
    assert condition.dump() == canonical
    assert parse_condition(canonical) == condition


@pytest.mark.parametrize(
    ("raw", "keys"),
    [
        ({"device": {}}, Keys(records=frozenset({DEVICES}))),
        (
            {"device": {"where": {"field": "last_used", "operator": "after", "value": {"ago": 60}}}},
            Keys(clock=True, records=frozenset({DEVICES})),
        ),
        (
            {
                "related": {
                    "to": "account",
                    "object": {"field": "plan", "value": {"from": "customer.plan"}},
                    "relationship": {"field": "until", "operator": "before", "value": {"from_now": 60}},
                }
            },
            Keys(frozenset({"plan"}), clock=True, records=frozenset({RELATED})),
        ),
        ({"message": message()}, Keys(records=frozenset({messages_that("clicked")}))),
        ({"message": message(within=60)}, Keys(clock=True, records=frozenset({messages_that("clicked")}))),
        (
            {"message": message(within=60, times={"at_most": 1})},
            Keys(clock=True, age=True, records=frozenset({messages_that("clicked")})),
        ),
    ],
)
def test_what_leaves_look_at(raw: Any, keys: Keys) -> None:
    assert parse_condition(raw).keys == keys


def test_what_leaves_refer_to() -> None:
    condition = parse_condition(
        [
            {"segment": "vip"},
            {"not": {"related": {"to": 3}}},
            {"message": message(of={"campaign": "welcome", "block": "hello"})},
            {"message": message(of={"block": 7})},
            {"message": message(of={"transactional": 5})},
            {"message": message()},
        ]
    )
    assert references(condition) == [
        Named("segment", "vip", "/0/segment"),
        Named("object_type", 3, "/1/not/related/to"),
        Named("campaign", "welcome", "/2/message/of/campaign", "hello"),
        Named("campaign", None, "/3/message/of/block", 7),
        Named("transactional", 5, "/4/message/of/transactional"),
    ]


def test_explanations() -> None:
    at = Position(NOW, 4)
    facts = Facts(
        attributes={},
        age_start=NOW,
        devices=[DeviceFact("ios", 1, ""), DeviceFact("android", 1, "")],
        related=[RelatedFact(1, {"plan": "pro"}), RelatedFact(1, {}), RelatedFact(2, {})],
        messages=[MessageFact("email", 1, 2, [Happening("opened", at), Happening("opened", at)])],
        directory=Directory({("object_type", "account"): 1}),
    )
    condition = parse_condition(
        [
            {"device": {"where": {"field": "platform", "value": "ios"}}},
            {"related": {"to": "account", "object": {"field": "plan"}}},
            {"message": {"channel": "email", "status": "opened", "times": {"at_most": 5}, "within": "PT1M"}},
        ]
    )
    verdict = evaluate(condition, facts, NOW, explain=True)
    assert [(leaf.result, leaf.actual, leaf.note) for leaf in verdict.leaves] == [
        (True, 1, "1 of 2 devices fit"),
        (True, 1, "1 of 2 relationships to account fit"),
        (False, 2, "opened 2 times; known for 0 s, 60 s are needed"),
    ]
    assert verdict.reason == "not met: a message by email has ever opened at most 5 times within PT1M"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"device": {"inverse": True}}, "has no device"),
        ({"related": {"to": 1, "object": {"field": "a"}, "inverse": True}}, "not related to 1 with object a exists"),
        (
            {"message": message(of={"campaign": 3, "block": "b"}, human_only=True, link="x", inverse=True)},
            "a message by email of campaign 3 of block b has never clicked by a person on x",
        ),
        (
            {
                "message": {
                    "of": {"block": "b"},
                    "status": "clicked",
                    "mode": "is",
                    "response": "Yes",
                    "between": [1, 2],
                }
            },
            "a message of block b is clicked on the button Yes between 1 and 2",
        ),
    ],
)
def test_leaves_in_words(raw: Any, words: str) -> None:
    (leaf,) = parse_condition(raw).leaves
    assert leaf.body.words == words


def test_a_leaf_that_fails_is_not_met_and_says_so() -> None:
    class Broken(dict[str, Any]):
        def __contains__(self, key: object) -> bool:
            raise ValueError(key)

    facts = Facts(attributes={}, age_start=NOW, related=[RelatedFact(1, Broken())])
    verdict = evaluate(parse_condition({"related": {"to": 1, "object": {"field": "a"}}}), facts, NOW)
    assert not verdict.matched
    assert verdict.reason == "not met: related to 1 with object a exists could not be evaluated (ValueError)"
