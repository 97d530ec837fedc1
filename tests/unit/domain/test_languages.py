"""Contents in several languages: their shape, their variants, which one somebody gets (MSG-31, MSG-32)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.content import EmailMessage
from domain.definitions import read_definition
from domain.definitions.snippet import LONGEST_VALUE, MOST_BYTES, SnippetDefinition
from domain.definitions.transactional import CONTENTS
from domain.languages import choose
from domain.problems import from_validation_error

SAID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "email": (
        {"subject": "s", "body": "b", "preheader": "p", "body_amp": "a", "layout": None, "to": "x@example.com"},
        {"subject": "S", "body": "B"},
    ),
    "sms": ({"body": "b", "image_url": "u", "from": "+15551230000"}, {"body": "B"}),
    "push": ({"message": "m", "title": "t", "link": "l", "custom_data": {"a": "1"}}, {"message": "M"}),
    "in_app": ({"body": "b", "priority": "high"}, {"body": "B"}),
    "inbox": ({"properties": {"a": 1}, "type": "news"}, {"properties": {"b": "{{ x }}"}}),
    "whatsapp": ({"template": {"name": "a", "language": "en"}, "from": "+15551230000"}, {"template": {"name": "b"}}),
}


def problems(said: dict[str, Any], shape: Any = EmailMessage) -> list[tuple[str, str]]:
    try:
        shape.model_validate(said)
    except ValidationError as error:
        return [(problem.pointer, problem.code) for problem in from_validation_error(error, said)]
    return []


@pytest.mark.parametrize("channel", SAID)
def test_a_variant_brings_all_that_is_translated_and_the_rest_is_the_message_s(channel: str) -> None:
    own, texts = SAID[channel]
    shape = CONTENTS[channel]
    content = shape.model_validate({**own, "languages": {"fr-CA": texts}})
    kept = {name: value for name, value in own.items() if name not in shape.spoken.model_fields}
    code, variant = content.variants["fr-ca"]
    assert code == "fr-CA"
    assert variant == shape.model_validate({**kept, **texts})
    assert choose(content, ["de", "FR-ca"]) == (variant, "fr-CA")
    assert choose(content, ["fr", "fr_CA", None, 3]) == (content, None)
    assert shape.model_validate(content.model_dump(mode="json")) == content


@pytest.mark.parametrize("channel", SAID)
def test_fields_of_the_message_are_no_fields_of_a_variant(channel: str) -> None:
    own, texts = SAID[channel]
    said = {**own, "languages": {"fr": {**texts, "to": "x"}}}
    assert problems(said, CONTENTS[channel]) == [("/languages/fr/to", "unknown_field")]


@pytest.mark.parametrize("code", ["es", "fil-PH", "az-Cyrl-AZ", "en-029", "zh-CHS", "es-LA", "ZH-hans"])
def test_codes_of_the_shape_are_taken(code: str) -> None:
    assert problems({"subject": "", "body": "", "languages": {code: {"subject": "", "body": ""}}}) == []


@pytest.mark.parametrize("code", ["", "e", "en_US", "english", "en-", "fr-C", "fr\n", "1a"])
def test_other_codes_are_not(code: str) -> None:
    said = {"subject": "", "body": "", "languages": {code: {"subject": "", "body": ""}}}
    assert problems(said) == [(f"/languages/{code}", "format")]


def test_a_language_is_there_once() -> None:
    texts = {"subject": "", "body": ""}
    said = {"subject": "", "body": "", "languages": {"fr-CA": texts, "es": texts, "FR-ca": texts}}
    assert problems(said) == [("/languages/FR-ca", "duplicate")]


def test_no_languages_are_as_if_left_out() -> None:
    assert "languages" not in EmailMessage.model_validate({"subject": "", "body": "", "languages": {}}).model_dump()


def test_a_copy_has_variants_of_its_own() -> None:
    said = {"subject": "", "body": "", "languages": {"fr": {"subject": "F", "body": ""}}}
    content = EmailMessage.model_validate(said)
    assert content.variants["fr"][1].to == "{{customer.email}}"
    assert content.model_copy(update={"to": "x@example.com"}).variants["fr"][1].to == "x@example.com"
    assert content.variants["fr"][1].variants == {}


def test_templates_of_variants_have_their_places() -> None:
    said = {"subject": "a", "body": "b", "languages": {"fr": {"subject": "c", "body": "d", "title": "e"}}}
    assert list(EmailMessage.model_validate(said).texts()) == [
        (("subject",), "a"),
        (("body",), "b"),
        (("languages", "fr", "subject"), "c"),
        (("languages", "fr", "body"), "d"),
        (("languages", "fr", "title"), "e"),
    ]


@pytest.mark.parametrize(
    ("where", "pointer"),
    [("message", "/message/languages"), ("ab_test", "/ab_test/message/languages")],
)
def test_what_is_said_in_several_languages_is_not_tested(where: str, pointer: str) -> None:
    plain = {"subject": "", "body": ""}
    spoken = {**plain, "languages": {"fr": plain}}
    block = {
        "type": "email",
        "message": spoken if where == "message" else plain,
        "ab_test": {"message": spoken if where == "ab_test" else plain},
    }
    document = {
        "kind": "campaign", "key": "c", "name": "C", "trigger": {"type": "event", "event": "e"},
        "workflow": {"start": "a", "blocks": {"a": block}},
    }  # fmt: skip
    _, found = read_definition(document)
    assert [(p.pointer, p.code) for p in found] == [(f"/workflow/blocks/a{pointer}", "ab_with_languages")]


def snippet(value: Any, **more: Any) -> SnippetDefinition:
    return SnippetDefinition.model_validate({"kind": "snippet", "key": "s", "value": value, **more})


class Others:
    """A workspace that has these snippets besides."""

    def __init__(self, *others: SnippetDefinition) -> None:
        self._others = list(others)

    def others(self, _kind: str, _key: str) -> Any:
        return self._others


def test_a_snippet_is_named_by_its_key_unless_it_has_a_name() -> None:
    assert snippet("v").name == "s"
    assert snippet("v", name=" main address ").name == "main address"
    assert snippet("v").wire()["name"] == "s"


@pytest.mark.parametrize(
    ("value", "templates"),
    [
        ("{{ a }}", [("/value", "{{ a }}")]),
        ({"a": "x", "b": {"c": "y"}, "d": ["z"]}, [("/value/a", "x"), ("/value/b/c", "y")]),
        (["x"], []),
        ('["x"]', []),
        ('{"a": "x", "n": 1}', [("/value", "x")]),
        ("[not json", [("/value", "[not json")]),
    ],
)
def test_the_templates_of_a_snippet(value: Any, templates: list[tuple[str, str]]) -> None:
    assert list(snippet(value).templates()) == templates


@pytest.mark.parametrize(("value", "code"), [(3, "type"), (None, "type"), ("x" * (LONGEST_VALUE + 1), "length")])
def test_values_that_are_refused(value: Any, code: str) -> None:
    said = {"kind": "snippet", "key": "s", "value": value}
    assert problems(said, SnippetDefinition) == [("/value", code)]


def test_names_are_limited() -> None:
    said = {"kind": "snippet", "key": "s", "value": "v", "name": "x" * 151}
    assert problems(said, SnippetDefinition) == [("/name", "length")]


def test_all_snippets_together_are_limited() -> None:
    full = [snippet("x" * LONGEST_VALUE, key=f"s{n}") for n in range(MOST_BYTES // LONGEST_VALUE)]
    room = MOST_BYTES - sum(one.size for one in full)
    around: Any = Others(*full)
    assert list(snippet("x" * room, key="t").check(around)) == []
    assert [p.code for p in snippet("x" * (room + 1), key="t").check(around)] == ["length"]


def test_names_are_used_once() -> None:
    around: Any = Others(snippet("v", key="other", name="s"))
    assert [(p.pointer, p.code) for p in snippet("v").check(around)] == [("/name", "duplicate")]
