"""Text messages as a kind of delivery (CHN-30)."""

from __future__ import annotations

from typing import ClassVar

from domain.contents.sms import SmsMessage
from rendering.messages import Parts, RenderedMessage
from services.messages.base import Making
from services.messages.plain import PlainKind, written_from


class SmsKind(PlainKind):
    """Text messages."""

    channel: ClassVar[str] = "sms"
    word: ClassVar[str] = "twilio_action"

    def composed(self, making: Making, parts: Parts) -> RenderedMessage:
        """Its text first, then whom it goes to."""
        message = making.content
        assert isinstance(message, SmsMessage), "only such blocks ask for a text message"
        text = parts.text("body", message.body)
        to = parts.address("to", message.to, "phone number")
        sender = written_from(making.catalog, message, parts)
        fields = {"from": sender, "image_url": parts.optional("image_url", message.image_url)}
        return RenderedMessage(self.channel, to, fields, text=text)


__all__ = ["SmsKind"]
