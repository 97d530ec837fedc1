"""What the channels without MIME have in common: rendered, they are a document, and leave as JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from channels.base import Outgoing
from domain.contents.base import NumberedContent
from domain.definitions.sender import SenderDefinition
from ingest.catalog import Catalog, Entry
from rendering.errors import RenderError
from rendering.messages import Parts, RenderedMessage, restored
from services.messages.base import Handing, Making


class PlainKind(ABC):
    """One channel whose messages are a document."""

    channel: ClassVar[str]
    word: ClassVar[str]

    def render(self, making: Making) -> RenderedMessage:
        """The message for the person of the context."""
        return self.composed(making, Parts(making.context, making.now))

    @abstractmethod
    def composed(self, making: Making, parts: Parts) -> RenderedMessage:
        """The message, part by part."""

    def restored(self, document: Mapping[str, Any]) -> RenderedMessage:
        """The message behind a document."""
        return restored(document)

    def outgoing(self, rendered: RenderedMessage, handing: Handing) -> Outgoing:
        """The message as JSON."""
        recipients = handing.devices or (handing.way.channel.normalise(rendered.to),)
        sender = rendered.fields.get("from") or ""
        raw = rendered.request(handing.row.delivery_id)
        return handing.outgoing(recipients, raw, self.shown(rendered), sender=sender)

    def copies(self, _rendered: RenderedMessage, _handing: Handing) -> Sequence[Outgoing]:
        """None: only emails have copies."""
        return ()

    def shown(self, rendered: RenderedMessage) -> dict[str, Any]:
        """The message in the contract's shape."""
        return rendered.stored()


def written_from(catalog: Catalog, message: NumberedContent, parts: Parts) -> str | None:
    """The number that a message comes from: its own, its sender's, the default sender's, else the oldest one's.

    None in a workspace that has no number at all.
    """
    if message.from_ is not None:
        return parts.address("from", message.from_, "number to write from")
    if message.sender is not None:
        entry = catalog.find("sender", message.sender)
        if entry is None:
            raise RenderError(f"There is no sender {message.sender!r}", "sender")
        if _phone(entry) is None:
            raise RenderError(f"The sender '{entry.key}' has no phone number", "sender")
    else:
        numbers = [entry for entry in catalog.senders if _phone(entry) is not None]
        usual = (entry for entry in numbers if getattr(entry.definition, "default", False))
        entry = next(usual, next(iter(numbers), None))
    phone = None if entry is None else _phone(entry)
    return None if phone is None else parts.address("from", phone, "number to write from")


def _phone(entry: Entry) -> str | None:
    return entry.definition.phone if isinstance(entry.definition, SenderDefinition) else None


__all__ = ["PlainKind", "written_from"]
