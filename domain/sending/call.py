"""One transactional call, read: everything that it says beside whom it is about and of which template (CHN-02)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain.sending.attachments import attachments_of
from domain.sending.email import email_content
from domain.sending.push import device_of, push_content
from domain.sending.recipients import phone_of
from domain.sending.refusals import TEMPLATE_UNKNOWN, SendRefused, malformed
from domain.sending.values import Said, flag, given, text, whole
from domain.values import from_unix

CHANNELS: Final[Mapping[str, str]] = {
    "email": "email",
    "push": "push",
    "sms": "sms",
    "whatsapp": "whatsapp",
    "in_app": "in_app",
    "inbox_message": "inbox",
}
"""The channel of each endpoint."""
INLINE: Final = frozenset({"email", "push"})
"""Channels whose messages a call can bring whole, without a template (CHN-01)."""
NAMED: Final = frozenset({"sms", "in_app", "inbox", "email", "push"})
"""Channels whose templates `auto_create` makes (APP-02)."""
FURTHEST: Final = timedelta(days=90)
_FLAGS: Final = ("tracked", "disable_message_retention", "queue_draft")
_BY_CHOICE: Final = frozenset({"email", "push", "sms", "whatsapp"})
"""Channels that somebody can unsubscribe from as a whole, so that a call may say what that means for it."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a call asks for; `content` holds fields of the channel's message that take the place of the template's.

    What is None is left to the template.
    """

    content: Mapping[str, Any]
    message_data: Mapping[str, Any] = field(default_factory=dict)
    language: str | None = None
    send_at: datetime | None = None
    flags: Mapping[str, bool] = field(default_factory=dict)
    attachments: Mapping[str, str] = field(default_factory=dict)
    device: Mapping[str, Any] | None = None

    def request(self) -> dict[str, Any]:
        """What is kept of it until it is sent, and for a retry."""
        said: dict[str, Any] = {
            "message_data": dict(self.message_data),
            "language": self.language,
            "content": dict(self.content),
            "attachments": dict(self.attachments),
            **self.flags,
        }
        return {name: value for name, value in said.items() if value not in (None, {})}


def template_of(said: Said) -> int | str | None:
    """What a call names its template by: a number, or a name in the form that names are compared in; None for none."""
    value = given(said, "transactional_message_id")
    if value is None:
        return None
    number = whole(value)
    if number is not None:
        return number
    if not isinstance(value, str) or not value.strip():
        raise SendRefused(TEMPLATE_UNKNOWN, "transactional_message_id")
    return value.strip().casefold()


def read_call(channel: str, said: Said, now: datetime) -> Call:
    """Read the rest of a call; `now` is the workspace's instant. Raises SendRefused."""
    data = given(said, "message_data")
    if data is not None and not isinstance(data, Mapping):
        raise malformed("message_data")
    names = _FLAGS if channel not in _BY_CHOICE else (*_FLAGS, "send_to_unsubscribed")
    flags = {name: value for name in names if (value := flag(said, name)) is not None}
    return Call(
        content=_content(channel, said),
        message_data=data or {},
        language=text(said, "language"),
        send_at=_send_at(said, now),
        flags=flags,
        attachments=attachments_of(said) if channel == "email" else {},
        device=device_of(said) if channel == "push" else None,
    )


def _content(channel: str, said: Said) -> dict[str, Any]:
    if channel == "email":
        return email_content(said)
    if channel == "push":
        return push_content(said)
    if channel in ("sms", "whatsapp"):
        numbers = {name: phone_of(said, name) for name in ("to", "from")}
        return {name: value for name, value in numbers.items() if value is not None}
    return {}


def _send_at(said: Said, now: datetime) -> datetime | None:
    """The instant at which the message is to leave, None for now: a past one is as good as now (CHN-09)."""
    value = given(said, "send_at")
    if value is None:
        return None
    seconds = whole(value)
    if seconds is None:
        raise malformed("send_at", "give an instant in Unix seconds.")
    try:
        at = from_unix(seconds)
    except OverflowError:
        raise malformed("send_at", "give an instant in Unix seconds.") from None
    if at > now + FURTHEST:
        raise malformed("send_at", "at most 90 days ahead.")
    return at if at > now else None


__all__ = ["CHANNELS", "FURTHEST", "INLINE", "NAMED", "Call", "read_call", "template_of"]
