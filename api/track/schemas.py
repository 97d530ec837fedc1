"""The bodies and answers of the Track API as its description shows them; reading them is `domain.track`'s."""

from __future__ import annotations

from typing import Any, Final

from domain.reports import MACHINE
from domain.track.devices import PLATFORMS
from domain.track.entities import MATRIX
from domain.track.metrics import METRICS, OF_DEVICE

_Schema = dict[str, Any]

_TEXT: Final = {"type": "string"}
_ID: Final = {"type": "string", "maxLength": 150}
_UNIX: Final = {"type": "integer", "minimum": 0, "description": "Unix seconds."}
_HASH: Final = {"type": "object", "additionalProperties": True}

_ONE_PERSON: Final = {
    "type": "object",
    "description": "Exactly one.",
    "properties": {"id": _ID, "email": _TEXT, "cio_id": _TEXT},
    "minProperties": 1,
    "maxProperties": 1,
}
_ONE_OBJECT: Final = {
    "type": "object",
    "description": "`object_id` with its type, or `cio_object_id`.",
    "properties": {
        "object_type_id": {"type": ["string", "integer"], "default": "1"},
        "object_id": _ID,
        "cio_object_id": _TEXT,
    },
}
_RELATED: Final = {"type": "object", "additionalProperties": True, "description": "null and the empty text remove one."}


def _relationships(end: _Schema) -> _Schema:
    item = {"type": "object", "properties": {"identifiers": end, "relationship_attributes": _RELATED}}
    return {"type": "array", "items": item}


IDENTIFY: Final[_Schema] = {
    "type": "object",
    "description": "Every key is an attribute; null and the empty text remove one.",
    "properties": {
        "id": _ID,
        "email": _TEXT,
        "cio_id": {"type": "string", "description": "Refers to the person in place of the path."},
        "anonymous_id": {**_ID, "description": "Makes what was done under it the person's. It serves once."},
        "created_at": _UNIX,
        "unsubscribed": {"description": "true, 1, or their texts in any case."},
        "cio_subscription_preferences": {
            "type": "object",
            "description": "Replaces all; `cio_subscription_preferences.topics.topic_1` changes one.",
            "properties": {"topics": _HASH, "channels": _HASH},
        },
        "cio_relationships": {
            "type": "object",
            "properties": {
                "action": {"type": "string", "enum": ["add_relationships", "delete_relationships"]},
                "relationships": _relationships(_ONE_OBJECT),
            },
        },
        "_timestamp": {**_UNIX, "description": "When the values were current; an older call never undoes a newer one."},
        "_update": {"type": "boolean", "description": "Never create a person."},
    },
    "additionalProperties": True,
    "examples": [{"email": "ann@example.com", "created_at": 1767261600, "plan": "basic"}],
}
EVENT: Final[_Schema] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 100},
        "data": _HASH,
        "timestamp": {**_UNIX, "description": "When it happened; absent: now."},
        "type": {"type": "string", "enum": ["event", "page", "screen"], "default": "event"},
        "id": {**_ID, "description": "A second event with the same id is not processed."},
    },
    "examples": [{"name": "purchased", "data": {"price": 23.45}}],
}
ANONYMOUS_EVENT: Final[_Schema] = {
    **EVENT,
    "properties": {
        **EVENT["properties"],
        "anonymous_id": {**_ID, "description": "Whose event it is, until a person is identified with it."},
    },
    "examples": [{"name": "cart", "anonymous_id": "a1", "data": {"items": 2}}],
}
_DEVICE: Final = {
    "platform": {"type": "string", "enum": list(PLATFORMS)},
    "last_used": {**_UNIX, "description": "Absent: now."},
    "attributes": {**_HASH, "description": "`device_os`, `app_version`, `push_enabled` and what you like."},
}
DEVICE: Final[_Schema] = {
    "type": "object",
    "required": ["device"],
    "properties": {
        "device": {
            "type": "object",
            "required": ["id", "platform"],
            "properties": {"id": {"type": "string", "description": "The push token."}, **_DEVICE},
            "additionalProperties": True,
        }
    },
    "examples": [{"device": {"id": "token", "platform": "ios", "last_used": 1767261600}}],
}
MERGE: Final[_Schema] = {
    "type": "object",
    "required": ["primary", "secondary"],
    "properties": {"primary": _ONE_PERSON, "secondary": _ONE_PERSON},
    "examples": [{"primary": {"id": "7"}, "secondary": {"email": "lead@example.com"}}],
}
METRIC: Final[_Schema] = {
    "type": "object",
    "required": ["delivery_id", "metric"],
    "properties": {
        "delivery_id": _TEXT,
        "metric": {
            "type": "string",
            "enum": sorted(METRICS),
            "description": "As far as the channel of the delivery knows it.",
        },
        "timestamp": _UNIX,
        "recipient": {"type": ["string", "integer"]},
        "reason": _TEXT,
        "href": _TEXT,
        "metadata": {"type": "object", "properties": {"action_name": _TEXT, "action_value": _TEXT}},
        **{name: {"type": "boolean", "description": "True: no person did it."} for name in MACHINE},
    },
    "examples": [{"delivery_id": "kQx1…", "metric": "opened", "timestamp": 1767261600}],
}
PUSH_EVENT: Final[_Schema] = {
    "type": "object",
    "required": ["delivery_id", "event"],
    "properties": {
        "delivery_id": _TEXT,
        "event": {"type": "string", "enum": list(OF_DEVICE)},
        "device_id": _TEXT,
        "timestamp": _UNIX,
    },
}
SEGMENT_IDS: Final[_Schema] = {
    "type": "object",
    "required": ["ids"],
    "properties": {"ids": {"type": "array", "minItems": 1, "maxItems": 1000, "items": _TEXT}},
    "examples": [{"ids": ["7", "8"]}],
}
ENTITY: Final[_Schema] = {
    "type": "object",
    "description": "What else it needs depends on type and action.",
    "required": ["type", "action"],
    "properties": {
        "type": {"type": "string", "enum": sorted(MATRIX)},
        "action": {"type": "string", "enum": sorted({action for actions in MATRIX.values() for action in actions})},
        "identifiers": {
            "type": "object",
            "description": "Exactly one of a person; of an object its id with its type; the id of a delivery.",
            "properties": {
                **_ONE_PERSON["properties"],  # type: ignore[dict-item]
                "anonymous_id": {**_ID, "description": "Alone, of events."},
                **_ONE_OBJECT["properties"],  # type: ignore[dict-item]
            },
            "minProperties": 1,
        },
        "attributes": {**_HASH, "description": "Of the person or the object, or the data of the event."},
        "cio_relationships": _relationships({"type": "object", "description": "Of the other side."}),
        "device": {"type": "object", "properties": {"token": _TEXT, **_DEVICE}},
        "primary": _ONE_PERSON,
        "secondary": _ONE_PERSON,
        "name": {"type": "string", "description": "Of an event, page or screen; what became of a delivery."},
        "timestamp": _UNIX,
        "id": {**_ID, "description": "Of an event: dedupes it."},
    },
    "examples": [
        {
            "type": "person",
            "action": "event",
            "identifiers": {"id": "7"},
            "name": "purchased",
            "attributes": {"price": 23.45},
        },
        {
            "type": "object",
            "action": "identify",
            "identifiers": {"object_type_id": "1", "object_id": "acme"},
            "attributes": {"name": "Acme"},
            "cio_relationships": [{"identifiers": {"id": "7"}, "relationship_attributes": {"role": "owner"}}],
        },
    ],
}
BATCH: Final[_Schema] = {
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


def _answer(description: str, schema: _Schema) -> _Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _faults(**more: _Schema) -> _Schema:
    item = {"type": "object", "properties": {**more, **_FAULT}}
    return {"type": "object", "properties": {"errors": {"type": "array", "items": item}}}


_STORED: Final = _answer("Stored; it will be processed.", {"type": "object", "maxProperties": 0})
UNAUTHORIZED: Final = _answer("Missing or unknown Track pair.", _META)
AWAY: Final[_Schema] = {"description": "Not stored: the database is away. Try again."}
V1_ANSWERS: Final[dict[int | str, _Schema]] = {
    200: _STORED,
    400: _answer("Not stored: what is wrong, first and all.", _META),
    401: UNAUTHORIZED,
    503: AWAY,
}
V2_ANSWERS: Final[dict[int | str, _Schema]] = {
    200: _STORED,
    400: _answer("Not stored.", _faults()),
    401: UNAUTHORIZED,
    503: AWAY,
}
BATCH_ANSWERS: Final[dict[int | str, _Schema]] = {
    **V2_ANSWERS,
    207: _answer("The others are stored; these are not.", _faults(batch_index={"type": "integer", "minimum": 0})),
    400: _answer("Nothing is stored.", _faults(batch_index={"type": "integer", "minimum": 0})),
}

__all__ = [
    "ANONYMOUS_EVENT",
    "AWAY",
    "BATCH",
    "BATCH_ANSWERS",
    "DEVICE",
    "ENTITY",
    "EVENT",
    "IDENTIFY",
    "MERGE",
    "METRIC",
    "PUSH_EVENT",
    "SEGMENT_IDS",
    "UNAUTHORIZED",
    "V1_ANSWERS",
    "V2_ANSWERS",
]
