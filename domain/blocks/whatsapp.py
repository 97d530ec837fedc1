"""A WhatsApp message to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from typing import Literal

from domain.blocks.message import MessageBlock
from domain.contents.whatsapp import WhatsappMessage


class WhatsappBlock(MessageBlock):
    """A WhatsApp message."""

    type: Literal["whatsapp"]
    message: WhatsappMessage | None = None


__all__ = ["WhatsappBlock"]
