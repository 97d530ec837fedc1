"""LINE messages as a kind of delivery (CHN-35)."""

from __future__ import annotations

from typing import ClassVar

from domain.contents.line import LineMessage
from rendering.errors import RenderError
from rendering.messages import Parts, RenderedMessage
from services.messages.base import Making
from services.messages.plain import PlainKind


class LineKind(PlainKind):
    """LINE messages."""

    channel: ClassVar[str] = "line"
    word: ClassVar[str] = "line_action"

    def composed(self, making: Making, parts: Parts) -> RenderedMessage:
        """A text, a picture, or both."""
        message = making.content
        assert isinstance(message, LineMessage), "only such blocks ask for a LINE message"
        text = parts.optional("text", message.text)
        image = parts.optional("image_url", message.image_url)
        if text is None and image is None:
            raise RenderError("There is neither a text nor a picture", "text")
        to = parts.address("to", message.to, "LINE id")
        return RenderedMessage(self.channel, to, {"image_url": image}, text=text)


__all__ = ["LineKind"]
