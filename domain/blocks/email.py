"""Email: one message to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from domain.blocks.message import MessageBlock
from domain.content import EmailMessage


class EmailBlock(MessageBlock):
    """An email."""

    type: Literal["email"]
    message: EmailMessage

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The parts of the message."""
        for path, text in self.message.texts():
            yield ("message", *path), text

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """Its sender and its layout."""
        if self.message.sender is not None:
            yield ("message", "sender"), "sender", self.message.sender
        layout = self.message.layout_reference
        if layout is not None:
            yield ("message", "layout"), "layout", layout
