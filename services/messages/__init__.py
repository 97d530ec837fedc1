"""The registry of kinds of deliveries: a new kind is its own file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.messages.base import Handing, Making, MessageKind, Rendered
from services.messages.email import EmailKind
from services.messages.in_app import InAppKind
from services.messages.inbox import InboxKind
from services.messages.line import LineKind
from services.messages.push import PushKind
from services.messages.slack import SlackKind
from services.messages.sms import SmsKind
from services.messages.webhook import WebhookKind
from services.messages.whatsapp import WhatsappKind

MESSAGE_KINDS: Final[Mapping[str, MessageKind]] = {
    kind.channel: kind
    for kind in (
        EmailKind(),
        SmsKind(),
        PushKind(),
        InAppKind(),
        InboxKind(),
        WhatsappKind(),
        LineKind(),
        SlackKind(),
        WebhookKind(),
    )
}
"""Every kind of delivery by the `type` of its block, which is also its channel."""

__all__ = ["MESSAGE_KINDS", "Handing", "Making", "MessageKind", "Rendered"]
