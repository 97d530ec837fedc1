"""Who messages come from and how they leave: senders and providers of several channels (MSG-18, MSG-26)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.definitions import read_definition
from services.definition_checks import Checked, check
from tests.support.rows import definition_row

SMS = {"kind": "provider", "key": "texts", "channel": "sms", "provider": "capture"}
MAIL = {"kind": "provider", "key": "mail", "channel": "email", "provider": "capture"}
NUMBER = {"kind": "sender", "key": "number", "phone": "+15551230000"}
TEAM = {"kind": "sender", "key": "team", "email": "team@example.com"}


def found(document: dict[str, Any], *stored: dict[str, Any], sandbox: bool = True) -> Checked:
    return check([("", document)], [definition_row(one) for one in stored], sandbox=sandbox)


def errors(checked: Checked) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.code) for problem in checked.errors]


def texting(**message: Any) -> dict[str, Any]:
    block = {"type": "sms", "sending_state": "automatic", "message": {"body": "x", **message}}
    return {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": {"type": "event", "event": "go"},
        "workflow": {"start": "text", "blocks": {"text": block}},
    }


@pytest.mark.parametrize("channel", ["email", "sms", "push", "in_app", "inbox", "whatsapp", "line", "slack"])
def test_capture_carries_every_channel(channel):
    assert errors(found({**SMS, "channel": channel})) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"channel": "pigeon"}, [("/channel", "enum")]),
        ({"provider": "smtp"}, [("/config", "required"), ("/channel", "not_applicable")]),
        ({"provider": "smtp", "config": {"host": "h", "port": 25}}, [("/config/port", "range")]),
        ({"use_for": ["all", "newsletters"]}, [("/use_for", "not_applicable")]),
        ({"config": {"host": "h"}}, [("/config/host", "unknown_field")]),
        ({"provider": "slack", "channel": "slack", "config": {"host": "h"}},
         [("/config/bot_token", "required"), ("/config/host", "unknown_field")]),
    ],
)  # fmt: skip
def test_a_provider_carries_its_channel_and_is_configured_as_its_kind(change, expected):
    assert errors(found({**SMS, **change})) == expected


def test_one_enabled_provider_for_each_channel():
    other = {**SMS, "key": "other"}
    assert errors(found(other, SMS)) == [("/channel", "duplicate")]
    assert errors(found({**other, "enabled": False}, SMS)) == []
    assert errors(found({**other, "channel": "push"}, SMS, MAIL)) == []
    assert errors(found({**MAIL, "key": "other"}, MAIL)) == []
    assert errors(found({**MAIL, "key": "other", "use_for": ["all"]}, MAIL)) == [("/use_for", "duplicate")]


def test_without_a_provider_of_its_channel_a_campaign_does_not_start():
    checked = found(texting(), MAIL, sandbox=False)
    assert [(problem.code, problem.pointer, problem.stage) for problem in checked.errors] == [
        ("channel_disabled", "/workflow/blocks/text/type", "start")
    ]
    assert errors(found(texting(), SMS, sandbox=False)) == []
    holdout = texting()
    holdout["workflow"]["blocks"]["text"] = {"type": "sms", "holdout": True, "sending_state": "automatic"}
    assert errors(found(holdout, sandbox=False)) == [], "what never leaves needs no way out"


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        (NUMBER, []),
        ({**NUMBER, "phone": "{{ customer.our_number }}"}, []),
        ({**NUMBER, "phone": ""}, [("/phone", "length")]),
        ({**NUMBER, "phone": "{{ x"}, [("/phone", "liquid_syntax")]),
        ({**NUMBER, "email": "a@example.com"}, [("/phone", "not_applicable")]),
        ({"kind": "sender", "key": "nobody"}, [("/email", "required")]),
    ],
)
def test_a_sender_is_an_address_or_a_number(sender, expected):
    assert errors(found(sender)) == expected


def test_defaults_of_both_sorts_stand_side_by_side():
    assert found({**NUMBER, "default": True}, {**TEAM, "default": True}).warnings == []
    (warning,) = found({**NUMBER, "default": True}, {**NUMBER, "key": "other", "default": True}).warnings
    assert (warning.pointer, warning.code) == ("/default", "duplicate")


def test_text_messages_come_from_numbers():
    at = "/workflow/blocks/text/message/sender"
    assert errors(found(texting(sender="number"), NUMBER)) == []
    assert errors(found(texting(sender="team"), TEAM)) == [(at, "not_applicable")]
    assert errors(found(texting(sender="nobody"))) == [(at, "unknown_reference")]
    assert errors(found(texting(link_domain="short"))) == [
        ("/workflow/blocks/text/message/link_domain", "unknown_reference")
    ]


def test_a_number_is_read_back_as_it_was_written():
    definition, _ = read_definition(NUMBER)
    assert definition is not None
    assert definition.wire(compact=True) == NUMBER
