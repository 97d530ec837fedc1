"""Filters over people: what they take, what they refuse and where (CHN-17, PPL-44)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.conditions import decide
from domain.facts import Facts
from domain.people_filters import parse_people_filter
from domain.problems import from_validation_error
from domain.values import EPOCH

PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
KNOWN = {"attribute": {"field": "email", "operator": "exists"}}
MEMBER = {"segment": {"id": 3}}


def matches(raw: Any, attributes: dict[str, Any], *segments: int) -> bool:
    facts = Facts(attributes=attributes, age_start=EPOCH, segments=frozenset(segments))
    return decide(parse_people_filter(raw), facts, EPOCH)[0]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (PRO, True),
        ({"not": PRO}, False),
        ({"and": [PRO, KNOWN]}, False),
        ({"or": [PRO, KNOWN]}, True),
        ({"and": [MEMBER, {"not": KNOWN}]}, True),
        ({"attribute": {"field": "vip", "operator": "eq", "value": True}}, True),
        ({"not": {"attribute": {"field": "missing", "operator": "eq", "value": "x"}}}, True),
        ({"attribute": {"field": "seats", "operator": "gt", "value": 2}}, True),
        ({"and": [{"segment": {"id": 4, "inverse": True}}, {"performed": {"event": "x", "inverse": True}}]}, True),
    ],
)
def test_filters_are_conditions(raw: Any, expected: bool):
    assert matches(raw, {"plan": "Pro", "vip": "true", "seats": 3}, 3) == expected


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ([PRO], ""),
        ({}, ""),
        ({"and": [PRO], "or": [PRO]}, ""),
        ({"performed": {"event": "x", "since": "trigger"}}, "/performed/since"),
        ({"event": {"field": "x"}}, "/event"),
        ({"and": [PRO, {"segment": "No Key"}]}, "/and/1/segment"),
        ({"and": [PRO, {"attribute": {"field": "_x"}}]}, "/and/1/attribute/field"),
        ({"and": []}, "/and"),
        ({"and": PRO}, "/and"),
        ({"not": [PRO]}, "/not"),
        ({"segment": {"id": 0}}, "/segment/id"),
        ({"segment": {"id": 3, "name": "x"}}, "/segment/name"),
        ({"attribute": {"field": "x", "operator": "like", "value": 1}}, "/attribute/operator"),
        ({"attribute": {"field": "x", "value": {"from": "trigger.y"}}}, "/attribute/value"),
        ({"attribute": {"field": "x", "operator": "eq"}}, "/attribute/value"),
        ({"attribute": {"field": "x", "operator": "exists", "value": 1}}, "/attribute/value"),
        ({"attribute": {"operator": "exists"}}, "/attribute/field"),
    ],
)
def test_what_the_grammar_does_not_know_is_pointed_at(raw: Any, pointer: str):
    with pytest.raises(ValidationError) as caught:
        parse_people_filter(raw)
    assert pointer in [problem.pointer for problem in from_validation_error(caught.value, raw)]


def test_nesting_has_an_end():
    raw: Any = PRO
    for _ in range(200):
        raw = {"not": raw}
    with pytest.raises(ValidationError):
        parse_people_filter(raw)
