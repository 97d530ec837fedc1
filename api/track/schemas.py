"""The bodies and answers of the Track API as its description shows them; reading them is `domain.track`'s."""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = {"type": "string"}
_UNIX: Final = {"type": "integer", "minimum": 0, "description": "Unix seconds."}
_HASH: Final = {"type": "object", "additionalProperties": True}

IDENTIFY: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Every key is an attribute; null and the empty text remove one.",
    "properties": {
        "id": {"type": "string", "maxLength": 150},
        "email": _TEXT,
        "cio_id": {"type": "string", "description": "Refers to the person in place of the path."},
        "created_at": _UNIX,
        "unsubscribed": {"description": "true, 1, or their texts in any case."},
        "_timestamp": {**_UNIX, "description": "When the values were current; an older call never undoes a newer one."},
        "_update": {"type": "boolean", "description": "Never create a person."},
    },
    "additionalProperties": True,
    "examples": [{"email": "ann@example.com", "created_at": 1767261600, "plan": "basic"}],
}
EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 100},
        "data": _HASH,
        "timestamp": {**_UNIX, "description": "When it happened; absent: now."},
        "type": {"type": "string", "enum": ["event", "page", "screen"], "default": "event"},
        "id": {"type": "string", "maxLength": 150, "description": "A second event with the same id is not processed."},
    },
    "examples": [{"name": "purchased", "data": {"price": 23.45}}],
}
ENTITY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "action", "identifiers"],
    "properties": {
        "type": {"type": "string", "enum": ["person"]},
        "action": {"type": "string", "enum": ["identify", "event", "page", "screen"]},
        "identifiers": {
            "type": "object",
            "description": "Exactly one.",
            "properties": {"id": _TEXT, "email": _TEXT, "cio_id": _TEXT},
            "minProperties": 1,
        },
        "attributes": {**_HASH, "description": "Of the person, or the data of the event."},
        "name": {"type": "string", "description": "Of an event, page or screen."},
        "timestamp": _UNIX,
        "id": {"type": "string", "maxLength": 150, "description": "Of an event: dedupes it."},
    },
    "examples": [
        {
            "type": "person",
            "action": "event",
            "identifiers": {"id": "7"},
            "name": "purchased",
            "attributes": {"price": 23.45},
        }
    ],
}
BATCH: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["batch"],
    "properties": {"batch": {"type": "array", "items": ENTITY}},
}
_META: Final = {
    "type": "object",
    "properties": {
        "meta": {"type": "object", "properties": {"error": _TEXT, "errors": {"type": "array", "items": _TEXT}}}
    },
}
_FAULT: Final = {
    "reason": {"type": "string", "enum": ["required", "invalid", "too_long", "unknown_action"]},
    "field": _TEXT,
    "message": _TEXT,
}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _faults(**more: dict[str, Any]) -> dict[str, Any]:
    item = {"type": "object", "properties": {**more, **_FAULT}}
    return {"type": "object", "properties": {"errors": {"type": "array", "items": item}}}


_STORED: Final = _answer("Stored; it will be processed.", {"type": "object", "maxProperties": 0})
_UNAUTHORIZED: Final = _answer("Missing or unknown Track pair.", _META)
_AWAY: Final = {"description": "Not stored: the database is away. Try again."}
V1_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: _STORED,
    400: _answer("Not stored: what is wrong, first and all.", _META),
    401: _UNAUTHORIZED,
    503: _AWAY,
}
V2_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: _STORED,
    400: _answer("Not stored.", _faults()),
    401: _UNAUTHORIZED,
    503: _AWAY,
}
BATCH_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    **V2_ANSWERS,
    207: _answer("The others are stored; these are not.", _faults(batch_index={"type": "integer", "minimum": 0})),
    400: _answer("Nothing is stored.", _faults(batch_index={"type": "integer", "minimum": 0})),
}

__all__ = ["BATCH", "BATCH_ANSWERS", "ENTITY", "EVENT", "IDENTIFY", "V1_ANSWERS", "V2_ANSWERS"]
