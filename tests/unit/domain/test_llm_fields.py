"""The fields that a language model fills in: how they may be written, and which answers fit them (ACT-34)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.blocks import AnyBlock
from domain.llm_fields import LlmField, read_output, schema_of

BLOCK = {"type": "llm", "provider": "p", "model": "m", "prompt": "x"}


def field(kind: str, name: str = "a", **more: Any) -> LlmField:
    return LlmField.model_validate({"name": name, "type": kind, **more})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", ["", "a"], [1, ["a"]]),
        ("number", [1, 1.5, -2], ["1", True, float("inf")]),
        ("integer", [1, 2.0], [1.5, "1", True, 2**63]),
        ("boolean", [True, False], [0, "true"]),
        ("date", ["2026-03-31"], ["2026-02-30", "31.3.2026", "2026-03-31T00:00:00Z"]),
        ("datetime", ["2026-03-31T14:30:00Z", "2026-03-31T14:30:00.5+02:00"], ["2026-03-31", "2026-03-31T14:30:00"]),
        ("time", ["14:30:00", "00:00:00"], ["14:30", "25:00:00"]),
        ("list", [[], ["a", "a"]], ["a", [1]]),
    ],
)
def test_what_fits_a_field(kind: str, good: list[Any], bad: list[Any]):
    one = field(kind)
    for value in good:
        assert read_output([one], {"a": value}) == ({"a": value}, None)
    for value in bad:
        values, why = read_output([one], {"a": value})
        assert (values, bool(why)) == ({}, True)


def test_choices():
    one, some = field("select", options=["x", "y"]), field("multi_select", "b", options=["x", "y"])
    assert read_output([one, some], {"a": "x", "b": ["y", "x"]})[1] is None
    assert read_output([one], {"a": "z"}) == ({}, "'a': 'z' is none of the options")
    assert read_output([some], {"b": ["x", "z"]}) == ({}, "'b': 'z' is none of the options")


def test_what_is_required_has_to_be_there_and_what_is_not_may_be_left_out_or_null():
    fields = [field("text"), field("text", "b", required=False)]
    assert read_output(fields, {"a": "x"}) == ({"a": "x"}, None)
    assert read_output(fields, {"a": "x", "b": None}) == ({"a": "x"}, None)
    assert read_output(fields, {"b": "x"}) == ({}, "'a' is missing")
    assert read_output(fields, {"a": "x", "c": 1}) == ({}, "'c' was not asked for")
    for strange in (None, [], "x"):
        assert read_output(fields, strange) == ({}, "the answer is no object")


def test_the_schema_of_an_answer():
    fields = [
        field("select", options=["x"], description="Which"),
        field("date", "b", required=False, description="When"),
    ]
    assert schema_of(fields) == {
        "type": "object",
        "properties": {
            "a": {"type": "string", "enum": ["x"], "description": "Which"},
            "b": {"type": "string", "format": "date", "description": "When A date like 2026-03-31."},
        },
        "required": ["a"],
        "additionalProperties": False,
    }
    strict = schema_of([*fields, field("select", "c", options=["y"], required=False)], all_required=True)
    assert strict["required"] == ["a", "b", "c"]
    assert strict["properties"]["b"]["type"] == ["string", "null"]
    assert strict["properties"]["c"] == {"type": ["string", "null"], "enum": ["y", None]}


@pytest.mark.parametrize(
    ("fields", "code", "at"),
    [
        ([], "length", ("fields",)),
        ([{"name": "a"}], "missing", ("fields", 0, "type")),
        ([{"name": "a", "type": "poem"}], "literal_error", ("fields", 0, "type")),
        ([{"name": "", "type": "text"}], "string_too_short", ("fields", 0, "name")),
        ([{"name": "ä" * 65, "type": "text"}], "length", ("fields", 0, "name")),
        ([{"name": "_a", "type": "text", "target": "customer"}], "internal_attribute", ("fields", 0, "name")),
        ([{"name": "a", "type": "select"}], "required", ("fields", 0, "options")),
        ([{"name": "a", "type": "select", "options": []}], "length", ("fields", 0, "options")),
        ([{"name": "a", "type": "select", "options": ["x", "x"]}], "duplicate", ("fields", 0, "options", 1)),
        ([{"name": "a", "type": "text", "options": ["x"]}], "not_applicable", ("fields", 0, "options")),
        ([{"name": "a", "type": "integer", "fallback": "x"}], "type", ("fields", 0, "fallback")),
        ([{"name": "a", "type": "select", "options": ["x"], "fallback": "y"}], "type", ("fields", 0, "fallback")),
    ],
)
def test_fields_that_cannot_be(fields: list[Any], code: str, at: tuple[Any, ...]):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(AnyBlock).validate_python({**BLOCK, "fields": fields})
    found = [(error["type"], error["loc"]) for error in caught.value.errors()]
    assert [(kind, loc[-len(at) :]) for kind, loc in found] == [(code, at)]


def test_null_is_no_fallback_and_no_options():
    one = field("text", options=None, fallback=None)
    assert (one.options, one.fallback) == (None, None)


def test_a_name_is_given_once_and_customers_are_needed_for_their_attributes():
    given = [{"name": "a", "type": "text"}, {"name": "a", "type": "text", "target": "customer"}]
    block = TypeAdapter(AnyBlock).validate_python({**BLOCK, "fields": given})
    assert [(problem.code, problem.pointer) for problem in block.check("/b", "event")] == [
        ("duplicate", "/b/fields/1/name")
    ]
    assert block.needs_person() is not None
    assert TypeAdapter(AnyBlock).validate_python({**BLOCK, "fields": given[:1]}).needs_person() is None
