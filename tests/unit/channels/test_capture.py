"""The capture provider answers as its fault rules say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from channels.base import Refused, Throttled, Unavailable, Undeliverable
from channels.capture import failure_of
from domain.captured import FaultRule
from domain.problems import from_validation_error


@pytest.mark.parametrize(
    ("outcome", "status", "failure"),
    [
        ("soft_bounce", None, Undeliverable),
        ("hard_bounce", None, Undeliverable),
        ("unregistered_token", None, Undeliverable),
        ("opt_out", None, Undeliverable),
        ("reject", None, Refused),
        ("timeout", None, Unavailable),
        ("http_status", 200, None),
        ("http_status", 429, Throttled),
        ("http_status", 503, Unavailable),
        ("http_status", 409, Unavailable),
        ("http_status", 400, Refused),
        ("complaint", None, None),
    ],
)
def test_outcomes(outcome: str, status: int | None, failure: type | None) -> None:
    rule = FaultRule.model_validate({"channel": "email", "outcome": outcome, "status": status or 500})
    found = failure_of(rule)
    assert (found is None) if failure is None else type(found) is failure
    assert getattr(found, "soft", False) is (outcome == "soft_bounce")


def test_a_rule_says_what_the_provider_answers() -> None:
    rule = FaultRule.model_validate({"channel": "email", "outcome": "hard_bounce", "reply": "550 5.1.1 Nobody"})
    found = failure_of(rule)
    assert found is not None
    assert found.answer == "550 5.1.1 Nobody"


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({"channel": "email", "outcome": "answer"}, "not_applicable", "/outcome"),
        ({"channel": "email", "outcome": "http_status"}, "required", "/status"),
        ({"channel": "email", "outcome": "timeout", "url": "https://x"}, "not_applicable", "/url"),
        ({"channel": "email", "outcome": "nonsense"}, "enum", "/outcome"),
        ({"channel": "email", "outcome": "timeout", "times": 0}, "range", "/times"),
        ({"outcome": "timeout"}, "required", "/channel"),
    ],
)
def test_rules_are_checked(document: dict, code: str, pointer: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FaultRule.model_validate(document)
    problems = from_validation_error(caught.value, document)
    assert [(problem.code, problem.pointer) for problem in problems] == [(code, pointer)]


def test_recipients_are_compared_without_case() -> None:
    rule = FaultRule.model_validate({"channel": "email", "outcome": "timeout", "to": "Ann@Example.com"})
    assert rule.fits("email", ("ann@example.com",))
    assert not rule.fits("email", ("bob@example.com",))
