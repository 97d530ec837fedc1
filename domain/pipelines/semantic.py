"""Track calls whose name is an instruction to the workspace (API-26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.operations import (
    AddDevice,
    AnyOperation,
    ChangeRelationships,
    DeleteDevice,
    DeleteObject,
    DeletePerson,
    Edge,
    Identifier,
    ObjectRef,
    SuppressPerson,
    UnsuppressPerson,
)
from domain.pipelines.attributes import attributes_of
from domain.pipelines.envelope import (
    Message,
    checked_id,
    need_somebody,
    person_by_email,
    person_of,
    text_of,
)
from domain.pipelines.findings import Findings
from domain.pipelines.objects import object_of
from domain.pipelines.terms import Terms
from domain.track import CallRefused, metric
from domain.track.devices import PLATFORMS
from domain.track.limits import TOKEN_BYTES, size

DEVICE_SEEN: Final = "Device Created or Updated"
DEVICE_GONE: Final = "Device Deleted"
UNINSTALLED: Final = "Application Uninstalled"
EVENTS_TOO: Final = frozenset({"Application Installed", "Application Opened", UNINSTALLED})
"""Instructions that are events as well."""
DESTRUCTIVE: Final = frozenset({"User Deleted", "User Suppressed", "User Unsuppressed", "Object Deleted"})
"""What a source whose key everybody knows may not have done."""
ALIASES: Final[Mapping[str, str]] = {
    "Delete Person": "User Deleted",
    "Suppress Person": "User Suppressed",
    "Unsuppress Person": "User Unsuppressed",
    "Delete Object": "Object Deleted",
    "Delete Relationship": "Relationship Deleted",
    "Device Added or Updated": DEVICE_SEEN,
}
CONTENT_ACTIONS: Final = ("viewed_content", "clicked_content")
_SYSTEMS: Final[Mapping[str, str]] = {"ios": "ios", "ipados": "ios", "android": "android"}
_REPORTED: Final[Mapping[str, str]] = {
    "delivery_id": "deliveryId",
    "metric": "metric",
    "recipient": "recipient",
    "reason": "reason",
    "href": "href",
}
_PRESSED: Final[Mapping[str, str]] = {"action_name": "actionName", "action_value": "actionValue"}
_SAID: Final = {**_REPORTED, **_PRESSED}
_NOT_DEVICE_ATTRIBUTES: Final = frozenset({"device", "device_id", "token"})
_DEVICE_RESERVED: Final = frozenset({"_last_status"})


def instruction_of(name: Any, terms: Terms, findings: Findings) -> str | None:
    """The instruction that an event's name is, letter by letter; None for a mere event."""
    if not isinstance(name, str):
        return None
    if name in ALIASES and terms.aliases:
        return ALIASES[name]
    if name in ALIASES:
        message = f"'{name}' is stored as an event; '{ALIASES[name]}' is the name that acts"
        findings.note("alias_off", "event", message)
    return name if name in _EFFECTS else None


def operations(
    name: str, message: Message, properties: Mapping[str, Any], terms: Terms, findings: Findings
) -> list[AnyOperation]:
    """What the instruction asks for."""
    if name in DESTRUCTIVE and terms.client_side:
        findings.doubt("event", f"this source is client-side and may not send '{name}'", "not_allowed")
        return []
    return _EFFECTS[name](name, message, properties, terms, findings)


def _device(
    name: str, message: Message, properties: Mapping[str, Any], terms: Terms, findings: Findings
) -> list[AnyOperation]:
    """Register the device of the call, or forget it."""
    inner = [_members(message.context, "device"), _members(properties, "device")]
    token = _first_text(
        [inner[0].get("token"), inner[1].get("token"), properties.get("device_id"), properties.get("token")]
    )
    optional = name in EVENTS_TOO
    if token is None or message.user_id is None:
        if not optional:
            field = "context.device.token" if token is None else "userId"
            findings.fault(field, f"{field} is required")
        return []
    if size(token) > TOKEN_BYTES:
        findings.doubt("context.device.token", f"the device token must not be longer than {TOKEN_BYTES} bytes")
        return []
    subject = person_of(message.user_id, terms)
    if name in (DEVICE_GONE, UNINSTALLED):
        return [DeleteDevice(subject=subject, token=token)]
    attributes: dict[str, Any] = {}
    if name == DEVICE_SEEN:
        flat = {key: value for key, value in properties.items() if key not in _NOT_DEVICE_ATTRIBUTES}
        attributes = attributes_of(flat, "properties", terms, findings, reserved=_DEVICE_RESERVED)
    device = AddDevice(
        subject=subject,
        token=token,
        platform=_platform(inner, message.context, findings, optional=optional),
        last_used=message.timestamp,
        attributes=attributes,
    )
    return [device]


def _person(
    name: str, message: Message, properties: Mapping[str, Any], terms: Terms, findings: Findings
) -> list[AnyOperation]:
    """Delete, suppress or unsuppress somebody."""
    who = _target(message, properties, terms, findings, by_email=name == "User Deleted")
    if who is None:
        return []
    if name == "User Deleted":
        return [DeletePerson(subject=who)]
    return [SuppressPerson(subject=who) if name == "User Suppressed" else UnsuppressPerson(subject=who)]


def _object(
    _name: str, message: Message, properties: Mapping[str, Any], _terms: Terms, findings: Findings
) -> list[AnyOperation]:
    """Delete an object; whoever is said to have done it does not matter."""
    need_somebody(message, findings)
    ref = _ref(properties, findings)
    return [] if ref is None else [DeleteObject(object=ref)]


def _relationship(
    _name: str, message: Message, properties: Mapping[str, Any], terms: Terms, findings: Findings
) -> list[AnyOperation]:
    """Part a person and an object."""
    who = _target(message, properties, terms, findings, by_email=True)
    ref = _ref(properties, findings)
    if who is None or ref is None:
        return []
    return [ChangeRelationships(action="delete", edges=[Edge(person=who, object=ref)])]


def _report(
    _name: str, message: Message, properties: Mapping[str, Any], _terms: Terms, findings: Findings
) -> list[AnyOperation]:
    """Note what became of a message that was sent; nobody need be named."""
    body: dict[str, Any] = {name: properties.get(said) for name, said in _REPORTED.items()}
    body["metadata"] = {name: properties.get(said) for name, said in _PRESSED.items()}
    try:
        (report,) = metric({**body, "timestamp": message.timestamp}).operations
    except CallRefused as refusal:
        for fault in refusal.faults:
            name = fault.field.rpartition(".")[2]
            findings.fault(f"properties.{_SAID.get(name, name)}", fault.message.replace(name, _SAID.get(name, name), 1))
        return []
    return [report]


def _content(
    _name: str, _message: Message, properties: Mapping[str, Any], _terms: Terms, findings: Findings
) -> list[AnyOperation]:
    """Count that somebody anonymous saw or clicked in-app content; there is nobody whose it could be."""
    action = properties.get("actionType", properties.get("activityType"))
    if action not in CONTENT_ACTIONS:
        findings.fault("properties.actionType", f"properties.actionType must be one of {', '.join(CONTENT_ACTIONS)}")
    else:
        findings.note(str(action), "event", "views and clicks of anonymous in-app content are only counted")
    return []


def _target(
    message: Message, properties: Mapping[str, Any], terms: Terms, findings: Findings, *, by_email: bool
) -> Identifier | None:
    """The person an instruction is about, which need not be who sent it."""
    user_id = message.user_id or checked_id(properties.get("userId"), "properties.userId", findings)
    if user_id is not None:
        return person_of(user_id, terms)
    found = person_by_email(properties.get("email"), terms) if by_email else None
    if found is None and not findings.faults:
        findings.fault("userId", "userId or properties.email is required" if by_email else "userId is required")
    return found


def _ref(properties: Mapping[str, Any], findings: Findings) -> ObjectRef | None:
    places = (("properties", properties),)
    return object_of(properties.get("objectId"), "properties.objectId", places, findings)


def _first_text(candidates: list[Any]) -> str | None:
    return next((text for candidate in candidates if (text := text_of(candidate)) is not None), None)


def _platform(
    devices: list[Mapping[str, Any]], context: Mapping[str, Any], findings: Findings, *, optional: bool
) -> str:
    """The platform that the call names, else that of the operating system it names; empty where it is none of ours."""
    said = (_first_text([device.get("type") for device in devices]) or "").strip().lower()
    if not said or said in PLATFORMS:
        return said or _system(context) or ""
    message = f"context.device.type must be {' or '.join(PLATFORMS)}"
    if optional:
        findings.note("invalid", "context.device.type", message)
    else:
        findings.doubt("context.device.type", message)
    return _system(context) or ""


def _system(context: Mapping[str, Any]) -> str | None:
    """The platform that the name of the operating system means."""
    name = text_of(_members(context, "os").get("name"))
    return _SYSTEMS.get(name.strip().lower()) if name is not None else None


def _members(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


_Effect = Callable[[str, Message, Mapping[str, Any], Terms, Findings], list[AnyOperation]]
_EFFECTS: Final[Mapping[str, _Effect]] = {
    DEVICE_SEEN: _device,
    DEVICE_GONE: _device,
    **dict.fromkeys(sorted(EVENTS_TOO), _device),
    "User Deleted": _person,
    "User Suppressed": _person,
    "User Unsuppressed": _person,
    "Object Deleted": _object,
    "Relationship Deleted": _relationship,
    "Report Delivery Event": _report,
    "Report Content Event": _content,
}

__all__ = ["ALIASES", "DESTRUCTIVE", "EVENTS_TOO", "instruction_of", "operations"]
