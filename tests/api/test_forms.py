"""Forms: submissions of backends and of browsers, forms that nobody knew, mapping (API-33)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from domain.definitions import FormDefinition, read_definition
from services.forms import may_lead_to

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def submit(workspace, form: str, data: Any, **options: Any) -> httpx.Response:
    return await workspace.track("POST", f"/api/v1/forms/{form}/submit", {"data": data}, **options)


async def forms(workspace) -> list[dict[str, Any]]:
    answer = await workspace.call("GET", "/v1/definitions/form")
    return [record["definition"] for record in answer.json()["definitions"]]


async def define(workspace, **fields: Any) -> None:
    document = {"kind": "form", "key": "demo", "form_id": "demo", **fields}
    answer = await workspace.call("PUT", "/v1/definitions/form/demo", document)
    assert answer.status_code in (200, 201), answer.text


async def facts(workspace) -> list[tuple[str, Any, Any]]:
    """Operation, whom it is about, and attributes or data."""
    return [
        (fact["op"], fact["subject"]["value"], fact.get("attributes") or fact.get("data"))
        for fact in await workspace.log()
    ]


def said(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    return answer.json()["meta"]["errors"]


async def test_api_case_37_an_identifier_under_another_name(workspace):
    refused = await submit(workspace, "f1", {"email_address": "a@x.io", "plan": "pro", "form_name": "mine"})
    assert said(refused) == ["data must hold email or id, or a field that is mapped to it"]
    assert await workspace.log() == []
    (form,) = await forms(workspace)
    assert (form["key"], form["form_id"], form["name"], form["connected"]) == ("f1", "f1", "f1", True)
    assert form["fields"] == {"email_address": {"attribute": "email_address"}, "plan": {"attribute": "plan"}}
    mapped = {**form, "fields": {**form["fields"], "email_address": {"identifier": "email"}}}
    assert (await workspace.call("PUT", "/v1/definitions/form/f1", mapped)).status_code == 200
    taken = await submit(workspace, "f1", {"email_address": "a@x.io", "plan": "pro", "form_name": "mine"})
    assert (taken.status_code, taken.content) == (204, b"")
    assert await facts(workspace) == [
        ("identify", "a@x.io", {"plan": "pro"}),
        (
            "event",
            "a@x.io",
            {
                "email_address": "a@x.io",
                "plan": "pro",
                "form_id": "f1",
                "form_key": "f1",
                "form_name": "f1",
                "form_type": "custom",
            },
        ),
    ]
    (_, event) = await workspace.log()
    assert (event["name"], event["source"]) == ("form_submit", "Form: f1")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"email": "a@x.io", "id": "1"}, "data must hold exactly one of email or id"),
        ({"email": "a@x.io", "age": 5}, "value for field 'age' must be formatted as a string"),
        ({"email": "a@x.io", "tags": ["a"]}, "value for field 'tags' must be formatted as a string"),
        ({"email": None}, "value for field 'email' must be formatted as a string"),
        ({"email": "nobody"}, "email is not a valid address"),
        ({"email": "   ", "plan": "pro"}, "data must hold email or id, or a field that is mapped to it"),
        ({"id": "x" * 151}, "id attribute cannot be longer than 150 bytes"),
        ({"id": "1", "note": "x" * 1001}, "value for attribute 'note' cannot be longer than 1000 bytes"),
        ({"id": "1", "x" * 151: "a"}, "field name cannot be longer than 150 bytes"),
        ({"id": "1", " ": "a"}, "field name cannot be blank"),
        ({"form_name": "x"}, "data must hold at least one field"),
        ({f"f{n}": "x" for n in range(301)}, "a form cannot have more than 300 fields"),
        ({}, "data must hold at least one field"),
        (["email"], "data must be present and hold the fields of the form"),
        (None, "data must be present and hold the fields of the form"),
    ],
)
async def test_api_case_37_what_is_refused(workspace, data, message):
    assert message in said(await submit(workspace, "f1", data))
    assert await workspace.log() == []


async def test_api_case_37_a_form_of_malformed_values_is_not_written_down(workspace):
    assert said(await submit(workspace, "f1", {"email": "a@x.io", "age": 5}))
    assert await forms(workspace) == []


async def test_a_body_that_is_no_object_and_a_caller_without_key(workspace):
    assert said(await workspace.track("POST", "/api/v1/forms/f/submit", b"[]"))
    assert said(await workspace.track("POST", "/api/v1/forms/f/submit", b'{"data":{"id":"\\u0000"}}'))
    answer = await workspace.http.post("/api/v1/forms/f/submit", json={"data": {"id": "1"}})
    assert answer.status_code == 401
    assert await forms(workspace) == []


async def test_mapping_event_only_and_fields_nobody_listed(workspace):
    await define(
        workspace,
        name="Ask for a demo",
        fields={
            "who": {"identifier": "id"},
            "msisdn": {"attribute": "phone"},
            "note": "event_only",
            "mail": {"attribute": "email"},
        },
    )
    answer = await submit(
        workspace, "demo", {"who": "7", "msisdn": "+39", "note": "hi", "other": "x", "empty": "", "cio_id": "zz"}
    )
    assert answer.status_code == 204
    (_, _, attributes), (_, _, data) = await facts(workspace)
    assert attributes == {"phone": "+39", "other": "x"}
    assert data["msisdn"] == "+39"
    assert (data["note"], data["empty"], data["cio_id"]) == ("hi", "", "zz")
    assert (data["form_name"], data["form_key"]) == ("Ask for a demo", "demo")
    answer = await submit(workspace, "demo", {"mail": "a@x.io"})
    assert (await workspace.log())[-1]["subject"] == {"kind": "email", "value": "a@x.io"}


async def test_parameters_of_the_address_stay_with_the_event(workspace):
    path = "/api/v1/forms/f/submit?utm_source=mail&plan=pro&form_type=x"
    answer = await workspace.track("POST", path, {"data": {"id": "1", "plan": "basic", "form_url": "http://evil"}})
    assert answer.status_code == 204
    (_, _, attributes), (_, _, data) = await facts(workspace)
    assert attributes == {"plan": "basic"}
    assert (data["utm_source"], data["plan"], data["form_type"]) == ("mail", "basic", "custom")
    assert data["form_url_params"] == ["utm_source"]
    assert "form_url" not in data


async def test_a_disconnected_form_takes_and_drops(workspace):
    await define(workspace, connected=False, fields={"id": {"identifier": "id"}})
    assert (await submit(workspace, "demo", {"id": "1"})).status_code == 204
    assert await workspace.log() == []
    await define(workspace, fields={"id": {"identifier": "id"}})
    assert (await submit(workspace, "demo", {"id": "1"})).status_code == 204
    assert len(await workspace.log()) == 2


async def test_an_email_is_an_attribute_where_ids_alone_identify(workspace):
    settings = {"kind": "settings", "key": "workspace", "identifiers": "id_only"}
    await workspace.call("PUT", "/v1/definitions/settings/workspace", settings)
    assert said(await submit(workspace, "f", {"email": "a@x.io"})) == [
        "data must hold id, or a field that is mapped to it"
    ]
    assert (await submit(workspace, "f", {"email": "a@x.io", "id": "1"})).status_code == 204
    assert (await facts(workspace))[0] == ("identify", "1", {"email": "a@x.io"})


async def test_ids_of_forms_are_any_text_and_become_keys(workspace):
    for form in ("Contact%20us", "contact-us", "%2F42", "na%C3%AFve"):
        assert (await submit(workspace, form, {"id": "1"})).status_code == 204
    assert {(form["form_id"], form["key"]) for form in await forms(workspace)} == {
        ("Contact us", "contact-us"),
        ("contact-us", "contact-us-2"),
        ("/42", "form-42"),
        ("naïve", "naive"),
    }
    assert said(await submit(workspace, "x" * 151, {"id": "1"})) == ["form_id must be a text of 1 to 150 characters"]


async def test_the_path_without_api_means_the_same(workspace):
    answer = await workspace.track("POST", "/v1/forms/f/submit", {"data": {"id": "1"}})
    assert answer.status_code == 204
    assert said(await workspace.track("POST", "/v1/forms/f/submit", {"data": {}}))


async def test_forms_sent_at_once_are_written_down_once(workspace):
    answers = await asyncio.gather(*(submit(workspace, "f", {"id": str(n), f"x{n}": "1"}) for n in range(8)))
    assert {answer.status_code for answer in answers} == {204}
    assert len(await forms(workspace)) == 1
    assert len(await workspace.log()) == 16


async def test_only_so_many_forms_come_by_themselves(workspace, monkeypatch):
    monkeypatch.setattr("services.forms.MOST_FORMS", 1)
    assert (await submit(workspace, "a", {"id": "1"})).status_code == 204
    assert said(await submit(workspace, "b", {"id": "1"})) == [
        "there is no such form, and the workspace has too many to make another"
    ]
    assert (await submit(workspace, "a", {"id": "1"})).status_code == 204


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"fields": {}}, "length", "/fields"),
        ({"fields": {"a": "never"}}, "enum", "/fields/a"),
        ({"fields": {"a": 5}}, "type", "/fields/a"),
        ({"fields": {"a": {"identifier": "phone"}}}, "enum", "/fields/a/identifier"),
        ({"fields": {"a": {"attribute": ""}}}, "length", "/fields/a/attribute"),
        ({"fields": {"a": {"attribute": "b", "more": 1}}}, "unknown_field", "/fields/a/more"),
        ({"fields": {"a": "event_only"}, "form_id": ""}, "length", "/form_id"),
        ({"fields": {"a": "event_only"}, "form_id": "taken"}, "duplicate", "/form_id"),
        ({"fields": {"a": "event_only"}, "success_hosts": ["https://x.io/y"]}, "format", "/success_hosts/0"),
    ],
)
async def test_what_a_form_document_must_say(workspace, fields, code, pointer):
    taken = {"kind": "form", "key": "taken", "form_id": "taken", "fields": {"id": {"identifier": "id"}}}
    assert (await workspace.call("PUT", "/v1/definitions/form/taken", taken)).status_code == 201
    document = {"kind": "form", "key": "demo", "form_id": "demo", **fields}
    answer = await workspace.call("PUT", "/v1/definitions/form/demo", document)
    assert answer.status_code == 422
    assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [(code, pointer)]


async def send(workspace, body: str | bytes, headers: dict[str, str] | None = None, **query: str) -> httpx.Response:
    params = {"site_id": workspace.site_id, "form_id": "demo", **query}
    return await workspace.http.post(
        "/forms/submit_action", params=params, content=body, headers={**FORM, **(headers or {})}
    )


async def test_a_page_sends_a_form_and_is_led_on(workspace):
    await define(workspace, fields={"email": {"identifier": "email"}}, success_hosts=["Shop.example"])
    body = "email=a%40x.io&job+title=Head+of+%22x%22&interest=a&interest=b"
    page = {"Referer": "https://shop.example/ask?utm_source=ad&email=other"}
    answer = await send(workspace, body, page, success_url="https://shop.example/thanks?x=1", lang="it")
    assert (answer.status_code, answer.headers["location"]) == (303, "https://shop.example/thanks?x=1")
    (_, who, attributes), (_, _, data) = await facts(workspace)
    assert (who, attributes) == ("a@x.io", {"job title": 'Head of "x"', "interest": "a, b"})
    assert data["form_url"] == page["Referer"]
    assert (data["utm_source"], data["lang"], data["email"]) == ("ad", "it", "a@x.io")
    assert data["form_url_params"] == ["lang", "utm_source"]


@pytest.mark.parametrize("address", ["", "https://evil.example/", "javascript:alert(1)", "//shop.example", "/thanks"])
async def test_a_page_is_led_to_known_hosts_only(workspace, address):
    await define(workspace, fields={"email": {"identifier": "email"}}, success_hosts=["shop.example"])
    answer = await send(workspace, "email=a%40x.io", success_url=address)
    assert answer.status_code == 200
    assert "Thank you" in answer.text
    assert "location" not in answer.headers
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert len(await workspace.log()) == 2


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://shop.example", True),
        ("https://SHOP.example:443/x", True),
        ("http://shop.example/x#y", True),
        ("http://localhost:8080/x", True),
        ("https://shop.example:444/", False),
        ("http://localhost/", False),
        ("https://shop.example@evil.example/", False),
        ("https://shop.example\\@evil.example/", False),
        ("https://shop.example.evil.example/", False),
        ("https://shop.example/\r\nSet-Cookie: a=b", False),
        ("ftp://shop.example/", False),
        ("https://[::1", False),
        ("https://", False),
    ],
)
def test_where_a_form_may_lead(address, allowed):
    document = {
        "kind": "form",
        "key": "demo",
        "form_id": "demo",
        "fields": {"id": {"identifier": "id"}},
        "success_hosts": ["shop.example", "localhost:8080"],
    }
    form, _ = read_definition(document)
    assert isinstance(form, FormDefinition)
    assert may_lead_to(form, address) is allowed


async def test_what_a_page_cannot_send(workspace):
    answer = await send(workspace, "mail=a%40x.io")
    assert answer.status_code == 400
    assert "data must hold email or id" in answer.text
    assert [form["fields"] for form in await forms(workspace)] == [{"mail": {"attribute": "mail"}}]
    assert (await send(workspace, "email=a%40x.io", site_id="nobody")).status_code == 404
    assert (await send(workspace, "id=%00")).status_code == 400
    assert (await send(workspace, b"id=%FF")).status_code == 400
    assert (await send(workspace, "{}", {"Content-Type": "application/json"})).status_code == 415
    assert (await send(workspace, "<script>=1")).status_code == 400
    assert await workspace.log() == []


async def test_what_a_submission_says_of_its_form_may_be_anything(workspace):
    """Reserved members are left out, whatever they hold."""
    data = {"email": "a@x.io", "form_url_params": ["utm"], "form_url_param": {"utm": "x"}, "form_id": 5}
    assert (await submit(workspace, "demo", data)).status_code == 204
    (_, event) = await workspace.log()
    assert (event["data"]["email"], event["data"]["form_id"]) == ("a@x.io", "demo")
    assert "form_url_params" not in event["data"]
