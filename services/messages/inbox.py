"""Inbox messages as a kind of delivery: to the person, whose app shows what it makes of the properties."""

from __future__ import annotations

from typing import ClassVar

from domain.contents.inbox import InboxMessage
from rendering.messages import Parts, RenderedMessage
from services.messages.base import Making
from services.messages.in_app import expiry
from services.messages.plain import PlainKind


class InboxKind(PlainKind):
    """Inbox messages."""

    channel: ClassVar[str] = "inbox"
    word: ClassVar[str] = "inbox_action"

    def composed(self, making: Making, parts: Parts) -> RenderedMessage:
        """The properties with every text in them rendered."""
        message = making.content
        assert isinstance(message, InboxMessage), "only such blocks ask for an inbox message"
        properties = parts.tree("properties", message.properties)
        topics = parts.tree("topics", message.topics)
        fields = {
            "type": parts.optional("type", message.type),
            "topics": ", ".join(topics) or None,
            "expires": expiry(message.expires, making, parts),
        }
        return RenderedMessage(self.channel, parts.person, fields, payload=properties)


__all__ = ["InboxKind"]
