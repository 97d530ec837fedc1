"""WhatsApp messages as a kind of delivery (CHN-35)."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.contents.whatsapp import WhatsappMessage
from rendering.messages import Parts, RenderedMessage
from services.messages.base import Making
from services.messages.plain import PlainKind, written_from


class WhatsappKind(PlainKind):
    """WhatsApp messages."""

    channel: ClassVar[str] = "whatsapp"
    word: ClassVar[str] = "whatsapp_action"

    def composed(self, making: Making, parts: Parts) -> RenderedMessage:
        """The approved template with the values of its places."""
        message = making.content
        assert isinstance(message, WhatsappMessage), "only such blocks ask for a WhatsApp message"
        template: dict[str, Any] = parts.tree("template", message.template.model_dump(mode="json"))
        to = parts.address("to", message.to, "phone number")
        fields = {
            "from": written_from(making.catalog, message, parts),
            "template": template["name"],
            "language": template.get("language"),
        }
        return RenderedMessage(self.channel, to, fields, payload=template)


__all__ = ["WhatsappKind"]
