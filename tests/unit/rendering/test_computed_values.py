"""Values of data blocks (ACT-21), and what templates can read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from domain.data_values import Value
from rendering.context import CampaignNames, MessageNames, message_context
from rendering.errors import RenderError
from rendering.liquid import render
from rendering.values import compute

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VALUE: TypeAdapter = TypeAdapter(Value)
CONTEXT = message_context(
    customer={"id": "7", "plan": "pro", "zip": "01234"},
    event={"name": "bought", "id": "e1", "timestamp": 1767261600, "data": {"total": 12.5, "items": [1, 2, 3]}},
    journey={"score": 3},
    journey_id="01J",
    campaign=CampaignNames(4, "welcome", "Welcome", "event"),
    message=MessageNames(9, "Hello", "email_action"),
    delivery_id="d1",
)


@pytest.mark.parametrize(
    ("authored", "value"),
    [
        ("{{ customer.plan }}", "{{ customer.plan }}"),
        (3, 3),
        (None, None),
        ([1, {"a": 2}], [1, {"a": 2}]),
        ({"static": {"a": 1}}, {"a": 1}),
        ({"from": "event.total"}, 12.5),
        ({"from": "event.items"}, [1, 2, 3]),
        ({"from": "journey.score"}, 3),
        ({"from": "customer.nothing"}, None),
        ({"from": "trigger.nothing"}, None),
        ({"liquid": "{{ event.total | times: 2 }}"}, 25),
        ({"liquid": " {{ event.items }} "}, 123),
        ({"liquid": "{{ event.items | to_json }}"}, [1, 2, 3]),
        ({"liquid": "{{ customer.zip }}"}, "01234"),
        ({"liquid": "{{ customer.zip | to_json }}"}, "01234"),
        ({"liquid": "{% if false %}x{% endif %}"}, None),
        ({"liquid": '{{ "now" | date: "%s" }}'}, 1767225600),
    ],
)
async def test_compute(authored: object, value: object) -> None:
    assert await compute({"a": VALUE.validate_python(authored)}, CONTEXT, NOW) == {"a": value}


async def test_a_template_that_fails_fails_the_value() -> None:
    with pytest.raises(RenderError, match=r"customer\.nick"):
        await compute({"a": VALUE.validate_python({"liquid": "{{ customer.nick }}"})}, CONTEXT, NOW)


async def test_scripts_stand_among_the_others_and_undefined_leaves_a_name_out() -> None:
    authored = {
        "a": {"javascript": "return event.total * 2"},
        "b": 1,
        "c": {"javascript": "return customer.nothing"},
        "d": {"javascript": "return null"},
    }
    values = {name: VALUE.validate_python(value) for name, value in authored.items()}
    assert await compute(values, CONTEXT, NOW) == {"a": 25, "b": 1, "d": None}


@pytest.mark.parametrize(
    "source", ["{{ '\"\\u0000\"' }}", "{% for i in (1..70) %}[{% endfor %}{% for i in (1..70) %}]{% endfor %}"]
)
async def test_what_no_database_keeps_fails_the_value(source: str) -> None:
    with pytest.raises(RenderError):
        await compute({"a": VALUE.validate_python({"liquid": source})}, CONTEXT, NOW)


def test_metadata() -> None:
    source = (
        "{{campaign.id}} {{campaign.name}} {{campaign.type}} {{message.id}} {{message.name}} {{message.type}} "
        "{{message.journey_id}} {{delivery_id}} {{event_name}} {{event_id}} {{event_timestamp}}"
    )
    expected = "4 Welcome transactional 9 Hello email_action 01J d1 bought e1 1767261600"
    assert render(source, CONTEXT, now=NOW) == expected


def test_without_an_event_there_is_none() -> None:
    context = message_context(
        customer={}, event=None, journey={}, journey_id=None, campaign=CampaignNames(1, "a", "A", "segment")
    )
    with pytest.raises(RenderError, match=r"event\.total"):
        render("{{ event.total }}", context, now=NOW)
    assert render("{{ delivery_id }} {{ campaign.type }}", context, now=NOW) == "unsent behavioral"
