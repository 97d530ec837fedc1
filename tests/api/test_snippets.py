"""Snippets over HTTP: as the vendor has them, and as documents (APP-16, MSG-15)."""

from __future__ import annotations

from typing import Any

import pytest

from api.app_api import snippets as shapes
from tests.api.conftest import Keys

SELF = "Snippets cannot contain Liquid code referencing other snippets."
HELLO = "{{ snippets.hello }}"


def sending(script: str) -> dict[str, Any]:
    return {"type": "send_event", "event": "done", "data": {"a": {"javascript": script}}}


async def call(workspace: Keys, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await workspace.call(method, path, body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def put(workspace: Keys, name: str, value: Any) -> dict[str, Any]:
    return (await call(workspace, "PUT", "/v1/snippets", {"name": name, "value": value}))["snippet"]


def told(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["source"]["pointer"], one["detail"], one["status"]) for one in answer["errors"]]


async def define(workspace: Keys, *documents: dict[str, Any], status: int = 200) -> Any:
    return await call(workspace, "PUT", "/v1/definitions", {"definitions": list(documents)}, status)


async def test_a_snippet_is_made_changed_listed_and_deleted(workspace: Keys):
    made = (await call(workspace, "POST", "/v1/snippets", {"name": " main address ", "value": "{{customer.id}}"}))[
        "snippet"
    ]
    shapes.SnippetAnswer.model_validate({"snippet": made})
    assert (made["key"], made["name"], made["value"]) == ("snippet-1", "main address", "{{customer.id}}")
    assert (await put(workspace, "main address", "Via Roma"))["value"] == "Via Roma"
    assert (await put(workspace, "hours", {"mon": "9-18"}))["value"] == '{"mon": "9-18"}'
    listed = (await call(workspace, "GET", "/v1/snippets"))["snippets"]
    assert [(one["key"], one["name"]) for one in listed] == [("snippet-1", "main address"), ("snippet-2", "hours")]
    await call(workspace, "DELETE", "/v1/snippets/main%20address", status=204)
    assert [one["name"] for one in (await call(workspace, "GET", "/v1/snippets"))["snippets"]] == ["hours"]
    gone = await call(workspace, "DELETE", "/v1/snippets/main%20address", status=404)
    assert gone["meta"]["error"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("/name", "name cannot be blank", "422"), ("/value", "value cannot be blank", "422")]),
        (
            {"name": " ", "value": "\n"},
            [("/name", "name cannot be blank", "422"), ("/value", "value cannot be blank", "422")],
        ),
        ({"name": "x" * 151, "value": "v"}, [("/name", "name cannot exceed 150 characters", "422")]),
        ({"name": "n", "value": "x" * 16_001}, [("/value", "value cannot exceed 16000 characters", "422")]),
        ({"name": "n", "value": "{{ snippets.other }}"}, [("/value", SELF, "422")]),
        ({"name": "n", "value": "{% if snippets[customer.x] %}{% endif %}"}, [("/value", SELF, "422")]),
        ({"name": "n", "value": 3}, [("/value", "value must be text, an object or a list", "422")]),
        ({"name": 3, "value": "v"}, [("/name", "name must be text", "422")]),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_what_is_refused(workspace: Keys, method: str, body: Any, expected: list[tuple[str, str, str]]):
    assert told(await call(workspace, method, "/v1/snippets", body, status=422)) == expected


async def test_a_name_that_is_taken_can_be_put_but_not_posted(workspace: Keys):
    await put(workspace, "n", "1")
    answer = await call(workspace, "POST", "/v1/snippets", {"name": "n", "value": "2"}, status=422)
    assert told(answer) == [("/name", "A snippet with that name already exists", "422")]
    assert answer["meta"]["error"] == "A snippet with that name already exists"


async def test_liquid_that_does_not_parse_is_refused(workspace: Keys):
    answer = await call(workspace, "PUT", "/v1/snippets", {"name": "n", "value": "{% if %}"}, status=422)
    assert answer["errors"][0]["source"] == {"pointer": "/value"}
    # Liquid inside a list stays as it is written, so nothing is wrong with it.
    assert (await put(workspace, "n", '["{% if %}"]'))["name"] == "n"
    assert (await put(workspace, "m", {"a": ["{% if %}"]}))["name"] == "m"


async def test_a_snippet_in_use_cannot_be_deleted(workspace: Keys):
    await put(workspace, "main address", "Via Roma")
    await define(
        workspace,
        {"kind": "layout", "key": "plain", "name": "Plain", "body": "{{ content }}{{ snippets['main address'] }}"},
    )
    answer = await call(workspace, "DELETE", "/v1/snippets/main%20address", status=400)
    assert answer["errors"][0]["detail"] == "unable to delete snippet in use"
    assert answer["errors"][0]["referents"] == [{"kind": "layout", "key": "plain", "pointer": "/body"}]
    refused = await call(workspace, "DELETE", "/v1/definitions/snippet/snippet-1", status=409)
    assert refused["errors"][0]["code"] == "in_use"
    await call(workspace, "DELETE", "/v1/definitions/layout/plain", status=204)
    await call(workspace, "DELETE", "/v1/snippets/main%20address", status=204)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (
            {"kind": "transactional", "channel": "sms", "message": {"body": "x", "languages": {"fr": {"body": HELLO}}}},
            "/message/languages/fr/body",
        ),
        (
            {"kind": "broadcast", "workflow": {"start": "e", "blocks": {"e": sending("return snippets.hello")}}},
            "/workflow/blocks/e/data/a/javascript",
        ),
        (
            {"kind": "broadcast", "workflow": {"start": "e", "blocks": {"e": sending("return snippets['hello'].a")}}},
            "/workflow/blocks/e/data/a/javascript",
        ),
    ],
)
async def test_variants_and_scripts_hold_a_snippet_in_place(workspace: Keys, document: dict[str, Any], pointer: str):
    await put(workspace, "hello", "Hello")
    await define(workspace, {"key": "user", "name": "User", **document})
    answer = await call(workspace, "DELETE", "/v1/snippets/hello", status=400)
    assert answer["errors"][0]["referents"] == [{"kind": document["kind"], "key": "user", "pointer": pointer}]


async def test_data_that_comes_back_as_the_text_it_was_answered_with_stays_data(workspace: Keys):
    await define(workspace, {"kind": "snippet", "key": "support", "value": {"phone": "011", "days": [1, 2]}})
    before = await call(workspace, "GET", "/v1/definitions/snippet/support")
    (shown,) = (await call(workspace, "GET", "/v1/snippets"))["snippets"]
    await call(workspace, "PUT", "/v1/snippets", shown)
    assert await call(workspace, "GET", "/v1/definitions/snippet/support") == before


async def test_documents_name_themselves_by_their_key_and_keep_their_name(workspace: Keys):
    await define(workspace, {"kind": "snippet", "key": "support", "value": {"phone": "+39 011"}})
    read = await call(workspace, "GET", "/v1/definitions/snippet/support")
    assert read["definition"] == {
        "kind": "snippet",
        "key": "support",
        "name": "support",
        "description": None,
        "tags": [],
        "value": {"phone": "+39 011"},
    }
    assert (await put(workspace, "support", "call us"))["key"] == "support"
    refused = await define(workspace, {"kind": "snippet", "key": "support", "name": "help", "value": "x"}, status=422)
    assert [(one["pointer"], one["code"]) for one in refused["errors"]] == [("/definitions/0/name", "immutable")]
    twice = await define(workspace, {"kind": "snippet", "key": "other", "name": "support", "value": "x"}, status=422)
    assert [(one["pointer"], one["code"]) for one in twice["errors"]] == [("/definitions/0/name", "duplicate")]


async def test_a_snippet_that_is_not_there_is_a_warning(workspace: Keys):
    layout = {
        "kind": "layout",
        "key": "l",
        "name": "L",
        "body": "{{ content }}{{ snippets.footer }}{{ snippets.footer }}",
    }
    answer = await define(workspace, layout)
    assert [(one["code"], one["pointer"]) for one in answer["warnings"]] == [
        ("unknown_reference", "/definitions/0/body")
    ]
    # One that comes along in the same bundle is there.
    answer = await define(workspace, {**layout, "name": "M"}, {"kind": "snippet", "key": "footer", "value": "F"})
    assert answer["warnings"] == []


async def test_msg_case_19_a_long_value_and_a_rename_are_refused(workspace: Keys):
    await put(workspace, "s", "x" * 16_000)
    too_long = await call(workspace, "PUT", "/v1/snippets", {"name": "s", "value": "x" * 16_001}, status=422)
    assert told(too_long) == [("/value", "value cannot exceed 16000 characters", "422")]
    renamed = await call(workspace, "PUT", "/v1/definitions/snippet/snippet-1", {"name": "t", "value": "x"}, status=422)
    assert renamed["errors"][0]["code"] == "immutable"
