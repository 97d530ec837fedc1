"""In-app messages as a kind of delivery: to the person, whom their app knows (SUB-43)."""

from __future__ import annotations

from typing import ClassVar

from domain.contents.expiry import Expiry, expires_at
from domain.contents.in_app import InAppMessage
from domain.values import to_unix
from rendering.errors import RenderError
from rendering.messages import Parts, RenderedMessage
from services.messages.base import Making
from services.messages.plain import PlainKind


class InAppKind(PlainKind):
    """In-app messages."""

    channel: ClassVar[str] = "in_app"
    word: ClassVar[str] = "in_app_action"

    def composed(self, making: Making, parts: Parts) -> RenderedMessage:
        """What is shown, and how, where and until when."""
        message = making.content
        assert isinstance(message, InAppMessage), "only such blocks ask for an in-app message"
        until = expiry(message.expires, making, parts)
        payload = {
            "display": message.display.model_dump(mode="json"),
            "page_rules": parts.tree("page_rules", [rule.model_dump(mode="json") for rule in message.page_rules]),
            "expires": int(until),
            "persistent": message.persistent,
            "priority": message.priority,
        }
        html = parts.text("body", message.body)
        return RenderedMessage(self.channel, parts.person, {"expires": until}, html=html, payload=payload)


def expiry(written: Expiry, making: Making, parts: Parts) -> str:
    """The Unix time until which a message can be seen; what makes no sense fails it."""
    said = parts.text("expires", written) if isinstance(written, str) else written
    until = expires_at(said, making.now)
    if until is None:
        raise RenderError(f"'{said}' is neither a duration nor a time", "expires")
    return str(to_unix(until))


__all__ = ["InAppKind", "expiry"]
