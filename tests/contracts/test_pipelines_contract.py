"""The Pipelines API as its published description has it: every documented message is taken, every refusal is documented."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from api.app import create_app
from api.deps import Parts
from tests.api.conftest import Keys
from tests.api.pipelines_source import STRICT, SUCCESS, Source, basic, make_source

FACTS: dict[str, Any] = json.loads((Path(__file__).parent / "pipelines_facts.json").read_text())
OPERATIONS: dict[str, Any] = FACTS["operations"]
SCHEMAS: dict[str, Any] = FACTS["schemas"]
PARTS: Any = dict.fromkeys(("db", "notifier", "acceptor", "access", "catalogs", "health"))
PATHS: dict[str, Any] = create_app(Parts(**PARTS, base_url="http://localhost", version="test")).openapi()["paths"]
REFUSAL = {
    "type": "object",
    "required": ["code", "message", "errors"],
    "properties": {
        "code": {"type": "string", "minLength": 1},
        "message": {"type": "string", "minLength": 1},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string", "minLength": 1}},
            },
        },
    },
}
TEXTS = {"date-time": "2026-01-01T10:00:00Z"}
NEEDED: dict[str, list[dict[str, Any]]] = {
    "/identify": [{}, {"traits": {"plan": "p"}}],
    "/track": [{}, {"userId": "7"}, {"event": "bought"}, {"groupId": "g", "event": "bought"}],
    "/page": [{}, {"name": "Home"}],
    "/screen": [{}, {"name": "Home"}],
    "/group": [{}, {"userId": "7"}],
    "/alias": [{}, {"userId": "7"}, {"previousId": "8"}],
    "/batch": [{}, {"batch": [{"userId": "7"}]}, {"batch": [{"type": "track", "userId": "7"}]}],
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    return schema


def examples(schema: dict[str, Any], *, full: bool) -> Iterator[Any]:
    """Values of a schema, one for each way it can be met: with what is required only, or with everything."""
    schema = resolved(schema)
    for word in ("oneOf", "anyOf"):
        if word in schema:
            for choice in schema[word]:
                yield from examples(choice, full=full)
            return
    if "allOf" in schema:
        for parts in itertools.product(*(list(examples(part, full=full)) for part in schema["allOf"])):
            yield {key: value for part in parts for key, value in part.items()}
        return
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        names = [name for name in properties if full or name in schema.get("required", [])]
        choices = [list(examples(properties[name], full=full)) for name in names]
        for values in itertools.product(*choices):
            yield dict(zip(names, values, strict=True))
    elif kind == "array":
        yield list(examples(schema["items"], full=full))
    else:
        plain = {"string": "2", "boolean": True, "integer": 1, "number": 1}
        yield schema["enum"][0] if "enum" in schema else TEXTS.get(schema.get("format", ""), plain[kind or "string"])


def messages(path: str) -> list[dict[str, Any]]:
    found = [*examples(OPERATIONS[path]["schema"], full=False), *examples(OPERATIONS[path]["schema"], full=True)]
    if path == "/batch":
        return found
    # The description lets an event belong to a group alone, and groups and objects have no id; the rules of strict mode,
    # and the pages about each, do not.
    if path == "/track":
        found = [
            body for body in found if body.keys() & {"userId", "anonymousId"} or body["event"].startswith("Report")
        ]
        found = [complete(body) for body in found]
    elif path == "/group":
        found = [{"groupId": "g", **body} for body in found]
    elif path in ("/page", "/screen"):
        found = [body for body in found if body.keys() & {"userId", "anonymousId"}]
    return [dict(sorted(body.items())) for body in found]


def complete(body: dict[str, Any]) -> dict[str, Any]:
    needed = {
        "Object Deleted": {"objectId": "g"},
        "Report Delivery Event": {"deliveryId": "d", "metric": "opened"},
        "Report Content Event": {"actionType": "viewed_content"},
    }.get(body["event"])
    return body if needed is None else {**body, "properties": {**needed, **body.get("properties", {})}}


@pytest.mark.parametrize("path", OPERATIONS)
async def test_every_documented_message_is_taken(workspace: Keys, path: str) -> None:
    source = await make_source(workspace)
    bodies = messages(path)
    assert len(bodies) >= 2
    for body in bodies:
        if path == "/batch":
            body["batch"] = [item for item in body.get("batch", []) if "type" in item]
        if path == "/identify":
            body.setdefault("anonymousId", "z")
        answer = await source.post(f"/v1{path}", body, strict=True)
        assert (answer.status_code, answer.json()) == (200, SUCCESS), (body, answer.text)


@pytest.mark.parametrize("path", OPERATIONS)
async def test_every_refusal_is_one_that_clients_read(workspace: Keys, path: str) -> None:
    source = await make_source(workspace)
    for body in NEEDED[path]:
        refusal = await source.refused(f"/v1{path}", body)
        jsonschema.validate(refusal, REFUSAL)
        assert refusal["errors"]
        await source.take(f"/v1{path}", body)
    for body, encoding in ((b"{", ""), (b"no gzip", "gzip"), (b'{"a":"' + b"x" * 2**20 + b'"}', "")):
        headers = {"Content-Encoding": encoding} if encoding else {}
        jsonschema.validate(await source.refused(f"/v1{path}", body, headers=headers), REFUSAL)
        await source.take(f"/v1{path}", body, headers=headers)
    unknown = Source(workspace, 0, "nobody", "")
    answer = await unknown.post(f"/v1{path}", {"userId": "7"}, strict=True)
    assert answer.status_code == 401
    jsonschema.validate(answer.json(), REFUSAL)
    await unknown.take(f"/v1{path}", {"userId": "7"})
    assert await workspace.log() == []


@pytest.mark.parametrize("path", OPERATIONS)
def test_the_description_has_every_operation(path: str) -> None:
    ours = PATHS[f"/v1{path}"]["post"]
    assert [parameter["name"] for parameter in ours["parameters"]] == ["X-Strict-Mode"]
    assert {"200", "400", "401"} <= set(ours["responses"])
    said = ours["requestBody"]["content"]["application/json"]["schema"]["properties"]
    documented = {name for body in messages(path) for name in body} - {"type", "version", "receivedAt"}
    assert documented <= set(said) | {"groupId", "messageId"}


async def test_the_answers_of_strict_mode_are_only_for_who_asks(workspace: Keys) -> None:
    source = await make_source(workspace)
    for value in ("0", "true", ""):
        headers = basic(source.key) | {"X-Strict-Mode": value}
        answer = await workspace.http.post("/v1/track", content=b"{}", headers=headers)
        assert (answer.status_code, answer.json()) == (200, SUCCESS)
    answer = await workspace.http.post("/v1/track", content=b"{}", headers=basic(source.key) | STRICT)
    assert answer.status_code == 400
