"""What is told of a condition, so that few are looked at: enough of it, and nothing where nothing is known (PPL-41)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.conditions import parse_condition
from domain.narrowing import Did, Either, Equal, Every, Member, Owns, Present, narrowing


def attribute(field: str, **body: Any) -> dict[str, Any]:
    return {"attribute": {"field": field, **body}}


def performed(event: str, **body: Any) -> dict[str, Any]:
    return {"performed": {"event": event, **body}}


PRO = Equal("plan", ("pro",), ())


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        (attribute("plan", value="Pro"), PRO),
        (attribute("plan", value="5.0"), Equal("plan", ("5.0",), (5,))),
        (attribute("plan", value=True), Equal("plan", ("true",), ())),
        (attribute("plan", operator="in", value=["b", "A"]), Equal("plan", ("a", "b"), ())),
        (attribute("plan", value=2**53), Present(("plan",))),
        (attribute("plan", value="1e-07"), Present(("plan",))),
        (attribute("plan", value="[1]"), Present(("plan",))),
        (attribute("plan", value={"from": "customer.x"}), Present(("plan",))),
        (attribute("plan"), Present(("plan",))),
        (attribute("plan", operator="contains", value="pro"), Present(("plan",))),
        (attribute("due", operator="before", value={"from_now": "P1D"}), Present(("due",))),
        (attribute("a.b", value="x"), Present(("a", "a.b"))),
        (attribute("list[].x", value="x"), Present(("list", "list[].x"))),
        (attribute("plan", value="pro", inverse=True), None),
        ({"not": attribute("plan", value="pro")}, None),
        ({"not": attribute("plan", value="pro", inverse=True)}, Present(("plan",))),
        (attribute("email", operator="exists"), None),
        (attribute("id", value="7"), None),
        (performed("Bought"), Did("event", ("bought",), 1, None)),
        (performed("a|b", times={"at_least": 3}, within="P1D"), Did("event", ("a", "b"), 3, 86_400)),
        (performed("a*", times={"exactly": 2}), Did("event", None, 2, None)),
        (performed("a", times={"at_most": 2}, inverse=True), Did("event", ("a",), 3, None)),
        (performed("a", times={"at_most": 2}), None),
        (performed("a", inverse=True), None),
        ({"not": performed("a", inverse=True)}, Did("event", ("a",), 1, None)),
        ({"not": performed("a", inverse=True, within="P1D")}, None),
        ({"segment": "vip"}, Member("vip")),
        ({"segment": {"id": 4, "inverse": True}}, None),
        ({"not": {"segment": {"id": 4, "inverse": True}}}, Member(4)),
        ({"device": {}}, Owns("device")),
        ({"device": {"inverse": True}}, None),
        ({"related": {"to": "companies"}}, Owns("related")),
        ({"message": {"channel": "email", "status": "opened"}}, Owns("message")),
        ({"message": {"channel": "email", "status": "opened", "inverse": True}}, None),
        ({"and": [attribute("plan", value="pro"), performed("a", inverse=True)]}, PRO),
        ({"and": [attribute("plan", value="pro"), {"segment": 4}]}, Every((PRO, Member(4)))),
        ({"or": [attribute("plan", value="pro"), {"segment": 4}]}, Either((PRO, Member(4)))),
        ({"or": [attribute("plan", value="pro"), performed("a", inverse=True)]}, None),
        ({"not": {"or": [attribute("x", inverse=True), performed("a")]}}, Present(("x",))),
        ({"not": {"and": [attribute("x", inverse=True), {"segment": {"id": 4, "inverse": True}}]}}, "either"),
    ],
)
def test_what_is_told_of_a_condition(condition: Any, hint: Any) -> None:
    found = narrowing(parse_condition(condition))
    assert found == (Either((Present(("x",)), Member(4))) if hint == "either" else hint)
