"""Track calls about people as operations: identifiers by shape, identify, events, with the documented refusals (API-15)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from pydantic_core import to_json

from domain.emails import bare_address
from domain.errors import DomainError
from domain.operations import Identifier, Identify, TrackEvent
from domain.values import LAST_TIMESTAMP

ID_BYTES: Final = 150
NAME_BYTES: Final = 150
EVENT_NAME_BYTES: Final = 100
EVENT_NAME_CHARACTERS: Final = 500
EVENT_DATA_BYTES: Final = 100_000
CIO_PREFIX: Final = "cio_"
PREFERENCES: Final = "cio_subscription_preferences"
LATER: Final = ("anonymous_id", "cio_relationships")
"""Reserved names whose effect this version does not have yet: accepted, named in the log, not stored."""
_MISSING: Final = object()

Reason = Literal["required", "invalid", "too_long", "unknown_action"]


class Fault(NamedTuple):
    """One thing wrong with a call: why, in which field, and the sentence callers know."""

    reason: Reason
    field: str
    message: str


class CallRefused(DomainError):
    """A Track call that is not accepted; nothing of it is stored."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("invalid_call", faults[0].message)
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a workspace decides about calls."""

    email_identifies: bool = True
    value_bytes: int = 1000
    attributes_per_call: int = 300


class Call(NamedTuple):
    """An accepted call, and the reserved names in it that have no effect yet."""

    operation: Identify | TrackEvent
    ignored: tuple[str, ...] = ()


def identifier_of(text: str, *, email_identifies: bool = True) -> Identifier:
    """The identifier that a path value or a user id means by its shape (API-03)."""
    if text.startswith(CIO_PREFIX) and len(text) > len(CIO_PREFIX):
        return Identifier(kind="cio_id", value=text.removeprefix(CIO_PREFIX))
    if email_identifies and "@" in text and bare_address(text) is not None:
        return Identifier(kind="email", value=text.strip())
    return Identifier(kind="id", value=text)


def subject_of(text: str, rules: Rules) -> Identifier:
    """The person a path names; raises CallRefused."""
    faults = list(id_faults(text))
    if faults:
        raise CallRefused(faults)
    return identifier_of(text, email_identifies=rules.email_identifies)


def id_faults(value: Any, field: str = "id") -> list[Fault]:
    """What is wrong with an identifier."""
    if value is None:
        return [Fault("required", field, "id attribute must be present")]
    if not isinstance(value, str):
        return [Fault("invalid", field, "id attribute must be a string value")]
    if not value.strip():
        return [Fault("required", field, "id attribute cannot be an empty string")]
    if _size(value) > ID_BYTES:
        return [Fault("too_long", field, f"id attribute cannot be longer than {ID_BYTES} bytes")]
    return []


def identify(subject: Identifier, body: Any, rules: Rules, *, timestamp: Any = None) -> Call:
    """The operation of `PUT /customers/{identifier}` and of v2 `identify`; raises CallRefused with everything wrong.

    A `cio_id` among the attributes refers to the person in place of `subject`, which then is one more attribute.
    """
    if not isinstance(body, Mapping):
        raise CallRefused([Fault("invalid", "attributes", "attributes must be a hash")])
    attributes = dict(body)
    faults: list[Fault] = []
    when = _moment(attributes.pop("_timestamp", None), "_timestamp", faults)
    when = when if timestamp is None else _moment(timestamp, "timestamp", faults)
    update_only = _flag(attributes.pop("_update", None), "_update", faults)
    ignored = tuple(name for name in attributes if name in LATER or name.startswith(f"{PREFERENCES}."))
    for name in ignored:
        del attributes[name]
    subject = _referred(subject, attributes, faults)
    faults += _attribute_faults(attributes, rules)
    if faults:
        raise CallRefused(faults)
    operation = Identify(subject=subject, attributes=attributes, timestamp=when, update_only=update_only)
    return Call(operation, ignored)


def event(subject: Identifier, body: Any, *, data_field: str = "data", kind: str | None = None) -> Call:
    """The operation of `POST /customers/{identifier}/events` and of v2 `event`, `page`, `screen`; raises CallRefused."""
    if not isinstance(body, Mapping):
        raise CallRefused([Fault("invalid", "", "the event must be a hash")])
    faults: list[Fault] = []
    name = body.get("name")
    name = name.strip() if isinstance(name, str) else ""
    faults += _event_name_faults(name)
    data = body.get(data_field)
    data = {} if data is None else data
    if not isinstance(data, dict):
        faults.append(Fault("invalid", data_field, "event data must be a hash"))
    elif _size(data) > EVENT_DATA_BYTES:
        message = f"event data cannot be longer than {EVENT_DATA_BYTES} bytes"
        faults.append(Fault("too_long", data_field, message))
    event_id = _event_id(body.get("id"), faults)
    when = _moment(body.get("timestamp"), "timestamp", faults)
    if faults:
        raise CallRefused(faults)
    said = kind or body.get("type")
    operation = TrackEvent(
        subject=subject,
        name=name,
        type=said if said in ("page", "screen") else "event",
        data=data,
        timestamp=when,
        event_id=event_id,
    )
    return Call(operation, ("anonymous_id",) if "anonymous_id" in body else ())


def _referred(subject: Identifier, attributes: dict[str, Any], faults: list[Fault]) -> Identifier:
    """Whom the call is about; identifiers among the attributes are made texts on the way."""
    identifier = attributes.get("id", _MISSING)
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        attributes["id"] = str(identifier)
    elif identifier is not _MISSING and identifier is not None:
        faults += id_faults(identifier)
    reference = attributes.pop("cio_id", None)
    if reference is None or reference == "":
        return subject
    if not isinstance(reference, str):
        faults.append(Fault("invalid", "cio_id", "cio_id attribute must be a string value"))
        return subject
    if subject.kind != "cio_id":
        attributes.setdefault(subject.kind, subject.value)
    return Identifier(kind="cio_id", value=reference.removeprefix(CIO_PREFIX))


def _attribute_faults(attributes: Mapping[str, Any], rules: Rules) -> list[Fault]:
    faults = []
    if len(attributes) > rules.attributes_per_call:
        message = f"cannot identify more than {rules.attributes_per_call} attributes in one request"
        faults.append(Fault("too_long", "attributes", message))
    for name, value in attributes.items():
        if not name.strip():
            faults.append(Fault("invalid", "attributes", "attribute name cannot be blank"))
        elif name == "_relationship":
            faults.append(Fault("invalid", "attributes", "attribute name cannot be '_relationship'"))
        elif len(name) * 4 > NAME_BYTES and _size(name) > NAME_BYTES:
            message = f"attribute name cannot be longer than {NAME_BYTES} bytes"
            faults.append(Fault("too_long", "attributes", message))
        elif _size(value) > rules.value_bytes:
            message = f"value for attribute '{name}' cannot be longer than {rules.value_bytes} bytes"
            faults.append(Fault("too_long", name, message))
    return faults


def _event_name_faults(name: str) -> list[Fault]:
    if not name:
        return [Fault("required", "name", "event name must not be blank")]
    faults = []
    if _size(name) > EVENT_NAME_BYTES:
        message = f"event name cannot be longer than {EVENT_NAME_BYTES} bytes"
        faults.append(Fault("too_long", "name", message))
    if len(name) >= EVENT_NAME_CHARACTERS:
        message = f"event name must be less than {EVENT_NAME_CHARACTERS} characters"
        faults.append(Fault("too_long", "name", message))
    return faults


def _event_id(value: Any, faults: list[Fault]) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        faults.append(Fault("invalid", "id", "event id must be a string value"))
        return None
    if _size(value) > ID_BYTES:
        faults.append(Fault("too_long", "id", f"event id cannot be longer than {ID_BYTES} bytes"))
    return value


def _moment(value: Any, field: str, faults: list[Fault]) -> int | None:
    """Unix seconds, from a number or its text; fractions are cut off."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.strip().isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        seconds = int(value)
        if 0 <= seconds < LAST_TIMESTAMP:
            return seconds
    faults.append(Fault("invalid", field, f"{field} must be a Unix timestamp in seconds"))
    return None


def _flag(value: Any, field: str, faults: list[Fault]) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    faults.append(Fault("invalid", field, f"{field} must be true or false"))
    return False


def _size(value: Any) -> int:
    """UTF-8 bytes of a text, of compact JSON for everything else."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    return len(to_json(value))


__all__ = [
    "Call",
    "CallRefused",
    "Fault",
    "Rules",
    "event",
    "id_faults",
    "identifier_of",
    "identify",
    "subject_of",
]
