"""The messages and answers of the Pipelines API as its description shows them; reading them is `domain.pipelines`'s."""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = {"type": "string"}
_HASH: Final = {"type": "object", "additionalProperties": True}
_WHEN: Final = {"type": "string", "format": "date-time", "description": "ISO 8601, or a Unix timestamp."}
_IDS: Final = {
    "userId": {"type": "string", "maxLength": 150, "description": "An id, an address, or `cio_` and a cio_id."},
    "anonymousId": {"type": "string", "maxLength": 150, "description": "Somebody who is not known yet."},
}
_COMMON: Final[dict[str, Any]] = {
    "messageId": {"type": "string", "description": "The same message within twelve hours is not processed again."},
    "timestamp": {**_WHEN, "description": "When it happened; absent: now."},
    "originalTimestamp": {**_WHEN, "description": "When it happened by the sender's clock, before `timestamp`."},
    "sentAt": {**_WHEN, "description": "When it was sent by the sender's clock, which is corrected by it."},
    "context": _HASH,
    "integrations": {**_HASH, "description": 'Who processes it: `{"All": false, "Actions Customerio": true}`.'},
}


def _message(more: dict[str, Any], required: tuple[str, ...], example: dict[str, Any]) -> dict[str, Any]:
    properties = {**_IDS, **more, **_COMMON}
    said: dict[str, Any] = {"type": "object", "properties": properties, "examples": [example]}
    return {**said, "required": list(required)} if required else said


_MESSAGES: Final[dict[str, dict[str, Any]]] = {
    "identify": _message(
        {"traits": {**_HASH, "description": "Attributes; an `email` identifies where there is no userId."}},
        (),
        {"userId": "7", "traits": {"email": "ann@example.com", "plan": "basic"}},
    ),
    "track": _message(
        {"event": {"type": "string", "maxLength": 100}, "properties": _HASH},
        ("event",),
        {"userId": "7", "event": "purchased", "properties": {"price": 23.45}},
    ),
    "page": _message(
        {"name": _TEXT, "category": _TEXT, "properties": _HASH},
        (),
        {"userId": "7", "name": "Pricing", "properties": {"url": "https://example.com/pricing"}},
    ),
    "screen": _message({"name": _TEXT, "properties": _HASH}, (), {"userId": "7", "name": "Home"}),
    "group": _message(
        {
            "groupId": {"type": "string", "maxLength": 150},
            "traits": {**_HASH, "description": "Attributes of the object; `objectTypeId`, `relationshipAttributes`."},
        },
        ("groupId",),
        {"userId": "7", "groupId": "acme", "traits": {"objectTypeId": 1, "name": "Acme"}},
    ),
    "alias": _message(
        {"previousId": {"type": "string", "maxLength": 150}}, ("previousId",), {"userId": "7", "previousId": "old"}
    ),
}
_BATCH: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"type": "string", "enum": list(_MESSAGES)}, **_IDS, **_COMMON},
                "additionalProperties": True,
            },
        },
        "context": {**_HASH, "description": "For all messages; a message's own wins."},
        "integrations": {**_HASH, "description": "For all messages; a message's own wins."},
        "sentAt": _WHEN,
    },
    "examples": [{"batch": [{"type": "identify", "userId": "7", "traits": {"plan": "basic"}}]}],
}
SUMMARIES: Final[dict[str, str]] = {
    "identify": "Add or update a person",
    "track": "Record an event, or instruct by its name",
    "page": "Record that a page was looked at",
    "screen": "Record that a screen was looked at",
    "group": "Add or update an object, relate a person to it",
    "alias": "Merge two people",
    "batch": "Many messages",
}
DESCRIPTIONS: Final[dict[str, str]] = {
    "identify": "With both ids, what the anonymousId did becomes the person's.",
    "track": "Names such as `User Deleted` or `Device Created or Updated` act instead of being stored.",
    "page": "The event is named by the url, else the name, else the path.",
    "screen": "The event is named by the name of the screen.",
    "group": "With only an anonymousId it waits up to thirty days until that is identified.",
    "alias": "`userId` stays, `previousId` goes; nothing happens where nobody is `userId`.",
    "batch": "Up to 1 MB, each message up to 64 KB; each is read by itself.",
}
_STRICT: Final = {
    "name": "X-Strict-Mode",
    "in": "header",
    "required": False,
    "description": "`1` answers 400 or 401 where anything is wrong; otherwise that is logged, and answered with 200.",
    "schema": {"type": "string", "enum": ["1"]},
}


def described(kind: str) -> dict[str, Any]:
    """What the API description adds to a route: the credential, the header, the body."""
    schema = _BATCH if kind == "batch" else _MESSAGES[kind]
    return {
        "security": [{"WriteKey": []}],
        "parameters": [_STRICT],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }


def _answer(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_REFUSAL: Final[dict[str, Any]] = {
    "code": _TEXT,
    "message": _TEXT,
    "errors": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"field": _TEXT, "message": _TEXT, "batch_index": {"type": "integer", "minimum": 0}},
        },
    },
}
ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: _answer("Stored; it will be processed. Without strictness also what is wrong.", {"success": {"const": True}}),
    400: _answer("In strict mode: not stored, with everything that is wrong.", _REFUSAL),
    401: _answer("In strict mode: missing or unknown write key.", _REFUSAL),
    503: {"description": "Not stored: the database is away. Try again."},
}
WRITE_KEY: Final = {"name": "write_key", "in": "path", "required": True, "schema": _TEXT}
SETTINGS_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: _answer("Settings.", {"integrations": _HASH}),
    404: _answer("No source has this write key.", _REFUSAL),
}

__all__ = ["ANSWERS", "DESCRIPTIONS", "SETTINGS_ANSWERS", "SUMMARIES", "WRITE_KEY", "described"]
