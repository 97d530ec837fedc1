"""The gate before a message (SUB-01, SUB-02, OUT-26)."""

from __future__ import annotations

import pytest

from domain.consent import GONE, SWITCHED_OFF, UNSUBSCRIBED, effective, refusal


@pytest.mark.parametrize("value", [True, "true", "True", "TRUE", 1, "1"])
def test_unsubscribed_people_get_no_message(value: object) -> None:
    assert refusal("email", "subscribed", {"unsubscribed": value}) == UNSUBSCRIBED
    assert refusal("email", "everyone", {"unsubscribed": value}) is None
    assert refusal("slack", "subscribed", {"unsubscribed": value}) is None


@pytest.mark.parametrize(
    "attributes", [{}, *({"unsubscribed": value} for value in (False, "false", 0, "0", "yes", ""))]
)
def test_everybody_else_does(attributes: dict) -> None:
    assert refusal("email", "subscribed", attributes) is None


def test_nobody_and_a_silent_workspace_come_first() -> None:
    assert refusal("email", "everyone", None) == GONE
    assert refusal("email", "everyone", {}, "never") == SWITCHED_OFF


def test_a_message_follows_its_campaign_unless_it_says_otherwise() -> None:
    assert effective("inherit", "everyone") == "everyone"
    assert effective("subscribed", "everyone") == "subscribed"
