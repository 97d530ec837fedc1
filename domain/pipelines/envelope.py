"""What all Pipelines messages have: type, ids, time, context, whom they are meant for (API-17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from domain.operations import Identifier
from domain.pipelines import integrations, times
from domain.pipelines.findings import Findings
from domain.pipelines.terms import Terms
from domain.track import identifier_of
from domain.track.limits import ID_BYTES, size
from domain.values import text_form

KINDS: Final = ("identify", "track", "page", "screen", "group", "alias")
_IDS: Final = frozenset({"userId", "anonymousId"})


@dataclass(frozen=True, slots=True)
class Outer:
    """What a batch says for all its messages."""

    context: Mapping[str, Any] = field(default_factory=dict)
    integrations: Mapping[str, Any] = field(default_factory=dict)
    sent_at: Any = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its common fields read; `timestamp` in Unix seconds, None for the time of receipt."""

    kind: str
    body: Mapping[str, Any]
    user_id: str | None
    anonymous_id: str | None
    message_id: str | None
    timestamp: int | None
    context: Mapping[str, Any]
    integrations: Mapping[str, Any]


def outer_of(body: Mapping[str, Any]) -> Outer:
    """What a batch says for all its messages; its `messageId` is that of the request and none of theirs."""
    return Outer(_object(body.get("context")), integrations.normalised(body.get("integrations")), body.get("sentAt"))


def kind_of(body: Mapping[str, Any], findings: Findings) -> str | None:
    """The type that a message in a batch says it is of."""
    kind = body.get("type")
    kind = body.get("action") if kind is None else kind
    if kind is None or kind == "":
        findings.fault("type", "type is required")
    elif kind not in KINDS:
        findings.doubt("type", f"type must be one of {', '.join(KINDS)}", "unknown_type")
    else:
        return str(kind)
    return None


def message_of(kind: str, body: Mapping[str, Any], outer: Outer, terms: Terms, findings: Findings) -> Message:
    """The message with its common fields read."""
    return Message(
        kind,
        body,
        user_id=_id(body, "userId", "user_id", findings),
        anonymous_id=_id(body, "anonymousId", "anonymous_id", findings),
        message_id=text_of(body.get("messageId")),
        timestamp=times.moment(body, outer.sent_at, terms, findings),
        context=merged(outer.context, _object(body.get("context"))),
        integrations=merged(outer.integrations, integrations.normalised(body.get("integrations"))),
    )


def merged(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both objects in one, member by member; the inner one wins."""
    if not outer or not inner:
        return inner or outer
    result = dict(outer)
    for name, value in inner.items():
        before = result.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            result[name] = merged(before, value)
        else:
            result[name] = value
    return result


def record(body: Mapping[str, Any], name: str, findings: Findings) -> Mapping[str, Any]:
    """The object of that name, empty where there is none."""
    value = body.get(name)
    if value is None or isinstance(value, Mapping):
        return value or {}
    findings.doubt(name, f"{name} must be an object")
    return {}


def text_of(value: Any) -> str | None:
    """The text of an id, which may be a number; None where there is none."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return text_form(value)
    return None


def checked_id(value: Any, name: str, findings: Findings) -> str | None:
    """The text of an id, as long as an id may be."""
    text = text_of(value)
    if text is None:
        if value is not None and not isinstance(value, str):
            findings.fault(name, f"{name} must be a string")
        return None
    if size(text) > ID_BYTES:
        findings.fault(name, f"{name} must not be longer than {ID_BYTES} bytes")
        return None
    return text


def required_id(value: Any, name: str, findings: Findings) -> str | None:
    """The text of an id that has to be there."""
    faults = len(findings.faults)
    text = checked_id(value, name, findings)
    if text is None and len(findings.faults) == faults:
        findings.fault(name, f"{name} is required")
    return text


def person_of(text: str, terms: Terms) -> Identifier:
    """The person that a user id means by its shape (API-03)."""
    return identifier_of(text, email_identifies=terms.email_identifies)


def person_by_email(value: Any, terms: Terms) -> Identifier | None:
    """The person that an address means, where addresses identify and it is one."""
    if not isinstance(value, str):
        return None
    found = person_of(value.strip(), terms)
    return found if found.kind == "email" else None


def need_somebody(message: Message, findings: Findings) -> bool:
    """Whether the message says who it is about; one whose ids are wrong has been told so."""
    if message.user_id is not None or message.anonymous_id is not None:
        return True
    if not any(fault.field in _IDS for fault in findings.faults):
        findings.fault("userId", "userId or anonymousId is required")
    return False


def _id(body: Mapping[str, Any], name: str, fallback: str, findings: Findings) -> str | None:
    value = body.get(name)
    return checked_id(body.get(fallback) if value is None else value, name, findings)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


__all__ = [
    "KINDS",
    "Message",
    "Outer",
    "checked_id",
    "kind_of",
    "merged",
    "message_of",
    "need_somebody",
    "outer_of",
    "person_by_email",
    "person_of",
    "record",
    "required_id",
    "text_of",
]
