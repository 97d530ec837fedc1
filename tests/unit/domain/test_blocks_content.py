"""What messages say and what data blocks write, as authored."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.content import EmailMessage
from domain.data_values import JavascriptValue, LiquidValue, StaticValue, Value, read_rendered, roots_of
from domain.lookups import Lookup

BASE = {"subject": "s", "body": "b"}
VALUE = TypeAdapter(Value)


def message(**fields):
    return EmailMessage.model_validate({**BASE, **fields})


def refusals(model, document):
    with pytest.raises(ValidationError) as caught:
        model(document)
    return [("/".join(map(str, e["loc"])), e["type"]) for e in caught.value.errors()]


def test_defaults_of_an_email():
    email = message()
    assert (email.to, email.fake_bcc, email.open_tracking, email.link_tracking) == (
        "{{customer.email}}",
        True,
        True,
        True,
    )
    assert (email.editor, email.liquid_version, email.css_inlining, email.headers) == ("code", "latest", None, ())


@pytest.mark.parametrize(
    ("given", "reference", "by_workspace"),
    [
        ({}, None, True),
        ({"layout": None}, None, False),
        ({"layout": "plain"}, "plain", False),
        ({"layout": 3}, 3, False),
    ],
)
def test_a_layout_is_absent_none_or_named(given, reference, by_workspace):
    email = message(**given)
    assert (email.layout_reference, email.uses_workspace_layout) == (reference, by_workspace)
    dumped = email.model_dump(mode="json")
    assert {name: dumped[name] for name in dumped if name == "layout"} == given
    assert EmailMessage.model_validate(dumped) == email


def test_absent_layout_and_no_layout_are_not_the_same():
    assert message() != message(layout=None)


def test_everything_goes_back_to_the_wire():
    document = {
        **BASE,
        "preheader": "p",
        "title": "t",
        "body_plain": "plain",
        "liquid_version": "legacy",
        "from": "Team <team@example.com>",
        "to": "{{ customer.work_email }}",
        "reply_to": "r@example.com",
        "bcc": "crm@example.com",
        "fake_bcc": False,
        "headers": [{"name": "X-Campaign", "value": ""}],
        "layout": "plain",
        "editor": "design_studio",
        "editor_document": {"any": [1, None]},
        "css_inlining": False,
        "open_tracking": False,
        "link_tracking": False,
        "url_parameters": {"utm_campaign": "welcome"},
    }
    assert EmailMessage.model_validate(document).model_dump(mode="json") == document


@pytest.mark.parametrize("name", ["X-MAILER", "message-id", "Subject", "Content-Type", "cc"])
def test_reserved_headers(name):
    assert refusals(EmailMessage.model_validate, {**BASE, "headers": [{"name": name, "value": "x"}]}) == [
        ("headers/0/name", "reserved_header")
    ]


@pytest.mark.parametrize(
    ("more", "where", "code"),
    [
        ({"headers": [{"name": "X Y", "value": ""}]}, "headers/0/name", "format"),
        ({"headers": [{"name": f"X-{i}", "value": ""} for i in range(11)]}, "headers", "too_long"),
        ({"languages": None}, "languages", "type"),
        ({"cc": "a@b.c"}, "cc", "extra_forbidden"),
        ({"attachments": {}}, "attachments", "extra_forbidden"),
        ({"sender": 1, "from": "a@b.c"}, "from", "not_applicable"),
        ({"layout": ""}, "layout", "format"),
        ({"sender": None}, "sender", "type"),
        ({"subject": None}, "subject", "string_type"),
        ({"from_": "a@b.c"}, "from_", "extra_forbidden"),
    ],
)
def test_email_refusals(more, where, code):
    assert refusals(EmailMessage.model_validate, {**BASE, **more}) == [(where, code)]


def test_subject_and_body_are_required():
    assert refusals(EmailMessage.model_validate, {}) == [("subject", "missing"), ("body", "missing")]


@pytest.mark.parametrize("literal", ["gold", "{{ not rendered }}", 3, 2.5, True, None, [1, [2]], ""])
def test_literals_stay_as_they_are(literal):
    read = VALUE.validate_python(literal)
    assert read == literal
    assert type(read) is type(literal)
    assert VALUE.dump_python(read, mode="json") == literal


@pytest.mark.parametrize(
    ("document", "form"),
    [
        ({"static": {"a": None}}, StaticValue),
        ({"static": None}, StaticValue),
        ({"from": "event.total"}, Lookup),
        ({"from": "trigger[0].x"}, Lookup),
        ({"liquid": "{{ event.total | times: 2 }}"}, LiquidValue),
        ({"javascript": "return 1;"}, JavascriptValue),
    ],
)
def test_computed_values_are_carried_as_data(document, form):
    read = VALUE.validate_python(document)
    assert isinstance(read, form)
    assert VALUE.dump_python(read, mode="json") == document


@pytest.mark.parametrize(
    ("document", "where", "code"),
    [
        ({}, "", "type"),
        ({"a": 1}, "", "type"),
        ({"static": 1, "from": "event.x"}, "", "type"),
        ({"from": "nowhere.x"}, "from", "format"),
        ({"from": "event"}, "from", "format"),
        ({"liquid": ""}, "liquid", "string_too_short"),
        ({"javascript": 3}, "javascript", "string_type"),
    ],
)
def test_other_objects_are_no_values(document, where, code):
    assert refusals(VALUE.validate_python, document) == [(where, code)]


def test_roots_are_those_of_paths_only():
    values = {
        name: VALUE.validate_python(v)
        for name, v in {"a": {"from": "event.x"}, "b": "event.x", "c": {"liquid": "x"}}.items()
    }
    assert list(roots_of(values)) == [("a", "event")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("  gold ", "gold"),
        ("3", 3),
        ("2.50", 2.5),
        ("true", True),
        ("null", None),
        ("", None),
        ("  \n", None),
        ('"02134"', "02134"),
        ("[1, 2]", [1, 2]),
        ('{"a": {"b": 1}}', {"a": {"b": 1}}),
        ("{broken", "{broken"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("[" * 100_000, "[" * 100_000),
        ("9" * 5000, "9" * 5000),
        ("shoes, socks", "shoes, socks"),
    ],
)
def test_rendered_text_becomes_json_where_it_is_json(text, value):
    read = read_rendered(text)
    assert read == value
    assert type(read) is type(value)
