"""Messages on all channels as they are authored, their arms and holdouts (ACT-17, ACT-19, CHN-30 to CHN-40)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.blocks import AnyBlock
from domain.contents.expiry import LONGEST, expires_at
from domain.effects import Deliver, Goto
from domain.facts import Facts, JourneyFacts, Position

ADAPTER = TypeAdapter(AnyBlock)
NOW = datetime(2026, 6, 13, 12, tzinfo=UTC)
SAID = {
    "email": {"subject": "s", "body": "b"},
    "sms": {"body": "b"},
    "push": {"message": "m"},
    "in_app": {"body": "b"},
    "inbox": {"properties": {"title": "t"}},
    "whatsapp": {"template": {"name": "t"}},
    "line": {"text": "t"},
}
TESTED = ("email", "sms", "push")


def block(kind="sms", **fields):
    return ADAPTER.validate_python({"type": kind, **fields})


def refusals(document):
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python(document)
    return [("/".join(map(str, error["loc"])), error["type"]) for error in caught.value.errors()]


def planned(subject, journey_id="j"):
    journey = JourneyFacts(journey_id=journey_id, started=Position(NOW, 3))
    return subject.plan(
        "here", Position(NOW, 4), NOW, None, Facts(attributes={}, age_start=NOW, journey=journey)
    ).effect


@pytest.mark.parametrize("kind", SAID)
def test_only_what_is_measured_need_not_say_anything(kind):
    assert block(kind, message=SAID[kind]).message is not None
    assert block(kind, holdout=True).message is None
    assert refusals({"type": kind}) == [("message", "missing")]
    assert refusals({"type": kind, "holdout": False}) == [("message", "missing")]
    assert refusals({"type": kind, "message": None}) == [("message", "type")]


@pytest.mark.parametrize("kind", SAID)
def test_only_some_channels_are_tested(kind):
    document = {"type": kind, "message": SAID[kind], "ab_test": {"message": SAID[kind]}}
    if kind in TESTED:
        assert len(ADAPTER.validate_python(document).arms) == 2
    else:
        assert refusals(document) == [("ab_test", "extra_forbidden")]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"type": "sms", "message": {}}, [("message/body", "missing")]),
        (
            {"type": "sms", "message": {"body": "b", "languages": {"fr": {}}}},
            [("message/languages/fr/body", "missing")],
        ),
        ({"type": "sms", "message": {"body": "b", "sender": "a", "from": "b"}}, [("message/from", "not_applicable")]),
        ({"type": "sms", "message": {"body": "b", "colour": 1}}, [("message/colour", "extra_forbidden")]),
        ({"type": "push", "message": {"title": "t"}}, [("message/message", "required")]),
        ({"type": "push", "message": {"custom_payload": {}}}, [("message/custom_payload", "length")]),
        (
            {"type": "push", "message": {"message": "m", "custom_data": {"a": 1}}},
            [("message/custom_data/a", "string_type")],
        ),
        ({"type": "in_app", "message": {"body": "b", "expires": "soon"}}, [("message/expires", "format")]),
        ({"type": "in_app", "message": {"body": "b", "expires": True}}, [("message/expires", "type")]),
        (
            {"type": "in_app", "message": {"body": "b", "page_rules": [{"rule": "include"}]}},
            [("message/page_rules/0/platform", "missing"), ("message/page_rules/0/value", "missing")],
        ),
        ({"type": "inbox", "message": {"properties": {}}}, [("message/properties", "length")]),
        (
            {"type": "inbox", "message": {"properties": {"a": 1}, "topics": [""]}},
            [("message/topics/0", "string_too_short")],
        ),
        ({"type": "whatsapp", "message": {"template": {}}}, [("message/template/name", "missing")]),
        ({"type": "line", "message": {}}, [("message/text", "required")]),
        ({"type": "sms", "message": {"body": "b"}, "ab_test": {"percent": 20}}, [("ab_test/message", "missing")]),
        (
            {"type": "sms", "message": {"body": "b"}, "ab_test": {"percent": 101, "holdout": True}},
            [("ab_test/percent", "less_than_equal")],
        ),
        (
            {"type": "sms", "message": {"body": "b"}, "ab_test": {"percent": 2.5, "holdout": True}},
            [("ab_test/percent", "int_type")],
        ),
    ],
)
def test_what_is_refused_and_where(document, expected):
    assert refusals(document) == expected


def test_templates_and_references_are_told_with_their_paths():
    subject = block(
        message={"body": "{{ a }}", "sender": "number"},
        ab_test={"message": {"body": "{{ b }}", "link_domain": "short"}},
    )
    assert dict(subject.texts()) == {("message", "body"): "{{ a }}", ("ab_test", "message", "body"): "{{ b }}"}
    assert list(subject.references()) == [
        (("message", "sender"), "sender", "number"),
        (("ab_test", "message", "link_domain"), "domain", "short"),
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("P14D", NOW + timedelta(days=14)),
        (3600, NOW + timedelta(hours=1)),
        ("3600", NOW + timedelta(hours=1)),
        (int(NOW.timestamp()) + 60, NOW + timedelta(minutes=1)),
        ("2026-06-20T12:00:00+02:00", datetime(2026, 6, 20, 10, tzinfo=UTC)),
        ("P90D", NOW + LONGEST),
        (99_999_999_999, NOW + LONGEST),
        ("", None),
        ("soon", None),
    ],
)
def test_until_when_a_message_is_seen(written, expected):
    assert expires_at(written, NOW) == expected


def test_act_case_25_of_an_untouched_test_everybody_gets_the_original():
    subject = block(message={"body": "A"}, ab_test={"message": {"body": "B"}})
    assert {subject.arm_of(f"journey-{n}", "here").variant for n in range(1000)} == {"a"}


@pytest.mark.parametrize("percent", [20, 50, 100])
def test_arms_are_drawn_by_their_share_and_stay_drawn(percent):
    subject = block(message={"body": "A"}, ab_test={"percent": percent, "message": {"body": "B"}})
    drawn = [subject.arm_of(f"journey-{n}", "here").variant for n in range(4000)]
    assert [subject.arm_of(f"journey-{n}", "here").variant for n in range(4000)] == drawn
    assert drawn.count("b") / 4000 == pytest.approx(percent / 100, abs=0.03)


def test_two_tests_of_a_journey_are_drawn_by_themselves():
    subject = block(message={"body": "A"}, ab_test={"percent": 50, "message": {"body": "B"}})
    pairs = {(subject.arm_of(f"j{n}", "one").variant, subject.arm_of(f"j{n}", "two").variant) for n in range(100)}
    assert len(pairs) == 4


def test_an_arm_has_a_sending_behaviour_of_its_own_or_the_blocks():
    own = block(sending_state="automatic", message={"body": "A"}, ab_test={"message": {"body": "B"}})
    assert [arm.sending_state for arm in own.arms] == ["automatic", "automatic"]
    off = block(
        sending_state="automatic",
        next="on",
        message={"body": "A"},
        ab_test={"percent": 100, "message": {"body": "B"}, "sending_state": "off"},
    )
    effect = planned(off)
    assert isinstance(effect, Goto)
    assert (effect.next, effect.outcome, effect.path) == ("on", "skipped", "b")
    assert effect.explanation == "The sending behaviour of variation B is off."
    assert isinstance(planned(own), Deliver)


def test_what_leaves_by_itself():
    assert block(holdout=True, sending_state="automatic").leaving == frozenset()
    half = block(sending_state="automatic", message={"body": "A"}, ab_test={"holdout": True, "sending_state": "draft"})
    assert half.leaving == {"automatic"}
