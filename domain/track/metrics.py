"""What became of a delivery, as devices, relays and others report it (API-10, SUB-22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.operations import ReportDelivery
from domain.reports import MACHINE
from domain.track.calls import Call, CallRefused, Fault, refuse_if
from domain.track.limits import flag, moment, optional_text, required_text

_MAIL: Final = frozenset(
    {"bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed"},
)
_SMS: Final = frozenset({"bounced", "clicked", "delivered", "opened"})
METRICS: Final = _MAIL
"""Every word that may be reported."""
OF_CHANNEL: Final[Mapping[str, frozenset[str]]] = {
    "email": _MAIL,
    "webhook": _MAIL,
    "in_app": frozenset({"clicked", "converted", "opened"}),
    "push": frozenset({"converted", "delivered", "opened"}),
    "slack": frozenset({"clicked", "converted", "delivered", "opened"}),
    "sms": _SMS,
    "whatsapp": _SMS,
}
"""The words that each channel knows."""
OF_DEVICE: Final = ("opened", "converted", "delivered")
"""What a device says of a push."""
REASON_BYTES: Final = 1000
HREF_BYTES: Final = 8192
_TEXTS: Final = {"recipient": REASON_BYTES, "reason": REASON_BYTES, "href": HREF_BYTES}


def allowed(channel: str, metric: str) -> bool:
    """Whether deliveries of a channel take the metric; a channel nobody wrote down takes all."""
    return metric in OF_CHANNEL.get(channel, METRICS)


def metric(body: Any) -> Call:
    """The operation of `POST /metrics`; raises CallRefused. Whether the channel takes the metric is `check_channel`'s."""
    said = _hash(body)
    faults: list[Fault] = []
    delivery_id = required_text(said.get("delivery_id"), "delivery_id", "delivery_id", faults)
    word = _word(said.get("metric"), "metric", METRICS, faults)
    when = moment(said.get("timestamp"), "timestamp", faults)
    details: dict[str, Any] = {
        name: optional_text(said.get(name), name, name, faults, most) for name, most in _TEXTS.items()
    }
    details |= _metadata(said.get("metadata"), faults)
    details |= {name: flag(said.get(name), name, faults) for name in MACHINE}
    refuse_if(faults)
    return _report(delivery_id, word, when, details)


def push_event(body: Any) -> Call:
    """The operation of `POST /push/events`; raises CallRefused."""
    said = _hash(body)
    faults: list[Fault] = []
    delivery_id = required_text(said.get("delivery_id"), "delivery_id", "delivery_id", faults)
    word = _word(said.get("event"), "event", OF_DEVICE, faults)
    when = moment(said.get("timestamp"), "timestamp", faults)
    device = optional_text(said.get("device_id"), "device_id", "device_id", faults, REASON_BYTES)
    refuse_if(faults)
    return _report(delivery_id, word, when, {"device_id": device})


def delivery_event(body: Mapping[str, Any]) -> Call:
    """The operation of v2 `delivery` `event`; raises CallRefused."""
    faults: list[Fault] = []
    identifiers = body.get("identifiers")
    if not isinstance(identifiers, Mapping):
        raise CallRefused([Fault("required", "identifiers", "identifiers must be present")])
    delivery_id = required_text(identifiers.get("id"), "identifiers.id", "id", faults)
    word = _word(body.get("name"), "name", OF_DEVICE, faults)
    when = moment(body.get("timestamp"), "timestamp", faults)
    attributes = body.get("attributes")
    attributes = {} if attributes is None else attributes
    device = ""
    if isinstance(attributes, Mapping):
        field = "attributes.device_token"
        device = optional_text(attributes.get("device_token"), field, "device_token", faults, REASON_BYTES)
    else:
        faults.append(Fault("invalid", "attributes", "attributes must be a hash"))
    refuse_if(faults)
    return _report(delivery_id, word, when, {"device_id": device})


def check_channel(channel: str, report: ReportDelivery, field: str = "metric") -> None:
    """Refuse (CallRefused) a report of what deliveries of this channel never do."""
    if not allowed(channel, report.metric):
        message = f"{field} '{report.metric}' is not allowed for a delivery of the channel {channel}"
        raise CallRefused([Fault("invalid", field, message)])


def _report(delivery_id: str, word: str, when: int | None, details: Mapping[str, Any]) -> Call:
    kept = {name: value for name, value in details.items() if value}
    return Call((ReportDelivery(delivery_id=delivery_id, metric=word, timestamp=when, details=kept),))


def _hash(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise CallRefused([Fault("invalid", "", "the request must be a JSON object")])
    return body


def _word(value: Any, field: str, words: frozenset[str] | tuple[str, ...], faults: list[Fault]) -> str:
    if value is None or value == "":
        faults.append(Fault("required", field, f"{field} must be present"))
    elif not isinstance(value, str) or value not in words:
        faults.append(Fault("invalid", field, f"{field} must be one of {', '.join(sorted(words))}"))
    else:
        return value
    return ""


def _metadata(said: Any, faults: list[Fault]) -> dict[str, str]:
    """What was pressed in an in-app message."""
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        faults.append(Fault("invalid", "metadata", "metadata must be a hash"))
        return {}
    return {
        name: optional_text(said.get(name), f"metadata.{name}", name, faults, REASON_BYTES)
        for name in ("action_name", "action_value")
    }


__all__ = ["METRICS", "OF_CHANNEL", "OF_DEVICE", "allowed", "check_channel", "delivery_event", "metric", "push_event"]
